import { CustomAttributesError } from '../errors.js'
import type { RejectedRow } from '../rejected-rows.js'
import { toStorable } from '../rows.js'
import type { Account } from './accounts.js'
import { execute, query, queryRow, type SqlClient } from './client.js'
import { parseTableName } from './identifiers.js'
import { historyTables } from './migrations.js'

/** The tables of the uploads' history, as SQL. */
export interface HistoryTables {
  uploads: string
  changes: string
  rejected: string
}

/** What an upload did, as its history has it. */
export interface UploadRecord {
  id: string
  /** `running` as long as it runs, or when its process has gone */
  status: 'running' | 'completed' | 'failed' | 'undone'
  /** what the host said of it: an id of a file, of a user */
  reference: string | null
  fileName: string | null
  /** how it was asked for: the merge options, and where each column went */
  options: Record<string, unknown>
  counts: Record<string, number>
  /** the attributes that it recorded first */
  newAttributes: string[]
  startedAt: string
  endedAt: string | null
  undoneAt: string | null
}

/**
 * Checks that the tables of the history are there.
 *
 * @param option - the table of uploads, as the store was given it
 * @throws CustomAttributesError `SCHEMA_NOT_READY`
 */
export async function loadHistoryTables(sql: SqlClient, option: string): Promise<HistoryTables> {
  const { uploads, changes, rejected } = historyTables(parseTableName(option, 'uploadTable'))
  const tables = { uploads: uploads.sql, changes: changes.sql, rejected: rejected.sql }
  for (const table of Object.values(tables)) {
    const [row] = await query(sql, 'select to_regclass($1::text)::text', [table])
    if (row?.[0] != null) continue
    throw new CustomAttributesError(
      'SCHEMA_NOT_READY',
      `Table ${table} does not exist. Apply sql/0003_create_upload_history.up.sql (or readMigrations({ history: true })).`,
      { table },
    )
  }
  return tables
}

const storableText = (text: string | undefined): string | null => (text === undefined ? null : toStorable(text))

/** What a host or a file says, as JSON that the database takes: a rejected row may hold what made it one. */
const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'string' ? toStorable(each) : each))

/** Notes that an upload begins; returns its id. */
export async function startUpload(
  { sql, shape, accountId }: Account,
  { uploads }: HistoryTables,
  given: { reference: string | undefined; fileName: string | undefined; options: Record<string, unknown> },
  signal?: AbortSignal,
): Promise<string> {
  const [id] = await queryRow(
    sql,
    `insert into ${uploads} (account_id, reference, file_name, options)
     values ($1::${shape.accountIdType}, $2::text, $3::text, $4::text::jsonb) returning id::text`,
    [accountId, storableText(given.reference), storableText(given.fileName), storableJson(given.options)],
    { signal },
  )
  return id!
}

/** Notes how an upload ended; one that was undone while it ran is so no longer when it has written more since. */
export async function endUpload(
  { sql, shape, accountId }: Account,
  { uploads, changes }: HistoryTables,
  id: string,
  end: { status: 'completed' | 'failed'; counts: object; newAttributes: readonly string[] },
): Promise<void> {
  await execute(
    sql,
    `update ${uploads} u set status = $3::text, counts = $4::text::jsonb, new_attributes = $5::text::jsonb, ended_at = now(),
       undone_at = null
     where u.account_id = $1::${shape.accountIdType} and u.id = $2::text::uuid and (u.status = 'running' or exists (
       select from ${changes} h where h.account_id = u.account_id and h.upload_id = u.id))`,
    [accountId, id, end.status, JSON.stringify(end.counts), JSON.stringify(end.newAttributes)],
  )
}

/** Keeps rejected rows. */
export async function keepRejectedRows(
  { sql, shape, accountId }: Account,
  { rejected }: HistoryTables,
  id: string,
  rows: readonly RejectedRow[],
): Promise<void> {
  const texts = rows.map(({ row, record, ...problem }) => ({ row, problem, record }))
  await execute(
    sql,
    `insert into ${rejected} (account_id, upload_id, row_number, problem, record)
     select $1::${shape.accountIdType}, $2::text::uuid, (r ->> 'row')::bigint, r -> 'problem', r -> 'record'
     from jsonb_array_elements($3::text::jsonb) r on conflict do nothing`,
    [accountId, id, storableJson(texts)],
  )
}

const moment = (name: string) => `to_char(u.${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** Reads uploads, the newest first. */
export async function readUploads(
  { sql, shape, accountId }: Account,
  { uploads }: HistoryTables,
  { id, before, limit }: { id?: string; before?: string; limit: number },
  signal?: AbortSignal,
): Promise<UploadRecord[]> {
  const rows = await query(
    sql,
    `select u.id::text, u.status, u.reference, u.file_name, u.options::text, u.counts::text, u.new_attributes::text,
       ${moment('started_at')}, ${moment('ended_at')}, ${moment('undone_at')}
     from ${uploads} u
     where u.account_id = $1::${shape.accountIdType} and ($2::text is null or u.id = $2::text::uuid)
       and ($3::text is null or (u.started_at, u.id) < (
         select b.started_at, b.id from ${uploads} b where b.account_id = $1::${shape.accountIdType} and b.id = $3::text::uuid))
     order by u.started_at desc, u.id desc limit ${limit}`,
    [accountId, id ?? null, before ?? null],
    { signal },
  )
  return rows.map(([found, status, reference, fileName, options, counts, names, startedAt, endedAt, undoneAt]) => ({
    id: found!,
    status: status as UploadRecord['status'],
    reference: reference ?? null,
    fileName: fileName ?? null,
    options: JSON.parse(options!) as Record<string, unknown>,
    counts: JSON.parse(counts!) as Record<string, number>,
    newAttributes: JSON.parse(names!) as string[],
    startedAt: startedAt!,
    endedAt: endedAt ?? null,
    undoneAt: undoneAt ?? null,
  }))
}

/** Reads the rejected rows that an upload kept, in row order. */
export async function readRejectedRows(
  { sql, shape, accountId }: Account,
  { rejected }: HistoryTables,
  id: string,
  signal?: AbortSignal,
): Promise<RejectedRow[]> {
  const rows = await query(
    sql,
    `select r.row_number::text, r.problem::text, r.record::text from ${rejected} r
     where r.account_id = $1::${shape.accountIdType} and r.upload_id = $2::text::uuid order by r.row_number`,
    [accountId, id],
    { signal },
  )
  return rows.map(([row, problem, record]) => ({
    row: Number(row),
    ...(JSON.parse(problem!) as Omit<RejectedRow, 'row' | 'record'>),
    record: JSON.parse(record!) as string[],
  }))
}

/** Takes away the history of uploads that began before a moment; returns how many. */
export async function deleteUploads(
  { sql, shape, accountId }: Account,
  { uploads, changes, rejected }: HistoryTables,
  olderThan: string,
  signal?: AbortSignal,
): Promise<number> {
  // An upload may still run, and write more when its own row is gone: that goes the next time.
  const kept = `select u.id from ${uploads} u where u.account_id = $1::${shape.accountIdType} and u.started_at >= $2::text::timestamptz`
  const parameters = [accountId, olderThan]
  for (const table of [changes, rejected]) {
    await execute(
      sql,
      `delete from ${table} t where t.account_id = $1::${shape.accountIdType} and t.upload_id not in (${kept})`,
      parameters,
      { signal },
    )
  }
  return execute(
    sql,
    `delete from ${uploads} u where u.account_id = $1::${shape.accountIdType} and u.started_at < $2::text::timestamptz`,
    parameters,
    { signal },
  )
}

import type { Account } from './accounts.js'
import { emailOrderSql } from './batch-statement.js'
import { execute, query } from './client.js'
import { accountOfIdsSql, touchSql } from './customers.js'
import { quoteLiteral } from './identifiers.js'
import { optedOutColumnsSql } from './opt-outs.js'
import { rareSeparator } from './separators.js'
import type { TableColumn } from './table-catalogue.js'
import type { TableShape } from './table-shape.js'
import type { HistoryTables } from './upload-history.js'

/**
 * A row of the customer table, or some of its columns, by their names: each the text of its JSON, because JavaScript's numbers
 * would round those of the database. The attributes likewise by their names.
 */
export type JsonRow = Record<string, unknown>

/** What an upload did to a customer: `before` is null where it created it, and `after` then the whole row. */
export interface UploadChange {
  before: JsonRow | null
  after: JsonRow
}

/** Reads the changes of an upload, the customers in the order of their ids, of each the last change first. */
export async function readChanges(
  { sql, shape, accountId }: Account,
  { changes }: HistoryTables,
  uploadId: string,
  after: string | null,
  customers: number,
  signal?: AbortSignal,
): Promise<Map<string, UploadChange[]>> {
  const own = `account_id = $1::${shape.accountIdType} and upload_id = $2::text::uuid`
  // What was kept goes through the type of the table's rows: the session's time zone may be another by now, and a column that the
  // table got since is what it is now.
  const kept = (name: string) =>
    `case when o.id is not null and h.${name} is not null
       then ${exactSql(shape, `to_jsonb(jsonb_populate_record(o.whole, h.${name}))`)} end`
  // A range of the key: to look for each customer's changes by itself would read them all for each, without statistics.
  const rows = await query(
    sql,
    `with page as materialized (
       select distinct customer_id from ${changes}
       where ${own} and ($3::text is null or customer_id > $3::text) order by customer_id limit ${customers}),
     o as materialized (
       select c.${shape.sql.id}::text as id, c as whole from ${shape.customerTable} c
       where ${accountOfIdsSql(shape)}
         and c.${shape.sql.id} = any (array(select p.customer_id::${shape.idType} from page p)))
     select h.customer_id, ${kept('before')}, ${kept('after')} from ${changes} h left join o on o.id = h.customer_id
     where h.${own.replace(' and ', ' and h.')} and ($3::text is null or h.customer_id > $3::text)
       and h.customer_id <= (select max(customer_id) from page)
     order by h.customer_id, h.place desc`,
    [accountId, uploadId, after],
    { signal },
  )
  const found = new Map<string, UploadChange[]>()
  for (const [id, before, then] of rows) {
    const own = found.get(id!) ?? []
    found.set(id!, own)
    // Of a customer that is gone nothing is asked.
    if (then == null) continue
    own.push({ before: before == null ? null : (JSON.parse(before) as JsonRow), after: JSON.parse(then) as JsonRow })
  }
  return found
}

/** SQL of a row, given as JSON, as the text of a {@link JsonRow}. */
function exactSql(shape: TableShape, row: string): string {
  const attributes = quoteLiteral(shape.columns.get('custom_attributes')!.name)
  const exact = (entries: string, value: string) =>
    `(select coalesce(jsonb_object_agg(e.key, ${value}), '{}') from jsonb_each(${entries}) e)`
  const own = exact("case jsonb_typeof(e.value) when 'object' then e.value else '{}' end", 'e.value::text')
  return `${exact(row, `case e.key when ${attributes} then ${own} else to_jsonb(e.value::text) end`)}::text`
}

function toJson(row: JsonRow): string {
  const entries = Object.entries(row).map(
    ([name, value]) => `${JSON.stringify(name)}:${typeof value === 'string' ? value : toJson(value as JsonRow)}`,
  )
  return `{${entries.join()}}`
}

/** Reads and locks living customers, whole, and the columns by which each has opted out. */
export async function lockCustomers(
  { sql, shape, accountId }: Account,
  ids: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, { row: JsonRow; optedOut: string[] }>> {
  const separator = rareSeparator()
  const rows = await query(
    sql,
    `select c.${shape.sql.id}::text, ${exactSql(shape, 'to_jsonb(c)')}, ${optedOutColumnsSql(shape.optOuts)} from ${shape.customerTable} c
     where ${[accountOfIdsSql(shape), ...shape.live('c')].join(' and ')}
       and c.${shape.sql.id} = any (string_to_array($3::text, $2::text)::${shape.idType}[])
     order by ${emailOrderSql(shape, `c.${shape.sql.email}`)} for no key update`,
    [accountId, separator, ids.join(separator)],
    { signal, isOneOfMany: true },
  )
  return new Map(rows.map(([id, row, optedOut]) => [id!, { row: JSON.parse(row!), optedOut: JSON.parse(optedOut!) }]))
}

/** Gives customers back values of columns; each row has those that change. */
export async function restoreCustomers(
  { sql, shape, accountId }: Account,
  rows: readonly { id: string; values: JsonRow }[],
  columns: readonly TableColumn[],
  signal?: AbortSignal,
): Promise<number> {
  if (rows.length === 0) return 0
  const sets = columns.map(({ name, sql, type, castType }) => {
    const value = type === 'jsonb' ? `r.v -> ${quoteLiteral(name)}` : `(r.v ->> ${quoteLiteral(name)})::${castType}`
    return `${sql} = case when r.v ? ${quoteLiteral(name)} then ${value} else c.${sql} end`
  })
  return execute(
    sql,
    `update ${shape.customerTable} c set ${[...sets, ...touchSql(shape)].join(', ')}
     from (select (x ->> 'id')::${shape.idType} as id, x -> 'values' as v from jsonb_array_elements($2::text::jsonb) x) r
     where ${accountOfIdsSql(shape)} and c.${shape.sql.id} = r.id`,
    [accountId, `[${rows.map(({ id, values }) => `{"id":${JSON.stringify(id)},"values":${toJson(values)}}`).join()}]`],
    { signal, isOneOfMany: true },
  )
}

/** Deletes customers, but none with which rows of the host's would go or lose their reference. */
export async function deleteCustomers(account: Account, ids: readonly string[], signal?: AbortSignal): Promise<number> {
  const { sql, shape, accountId } = account
  const separator = rareSeparator()
  const which = `${accountOfIdsSql(shape)}
    and c.${shape.sql.id} = any (string_to_array($3::text, $2::text)::${shape.idType}[])`
  const parameters = [accountId, separator, ids.join(separator)]
  const references = await readReferences(account, signal)
  if (references.length > 0) {
    // From here on nobody refers to one of them.
    const locked = `select c.${shape.sql.id}::text from ${shape.customerTable} c where ${which}
      order by ${emailOrderSql(shape, `c.${shape.sql.email}`)} for update`
    await query(sql, locked, parameters, { signal })
  }
  const isFree = references.map((reference) => ` and not ${reference}`).join('')
  return execute(sql, `delete from ${shape.customerTable} c where ${which}${isFree}`, parameters, { signal })
}

/** SQL of each foreign key that would follow a customer `c` silently, such as `on delete cascade`: whether a row refers to it. */
async function readReferences({ sql, shape }: Account, signal?: AbortSignal): Promise<string[]> {
  const rows = await query(
    sql,
    `select format('exists (select from %I.%I r where %s)', n.nspname, t.relname, (
       select string_agg(format('r.%I = c.%I', o.attname, k.attname), ' and ')
       from unnest(f.conkey, f.confkey) x (own, key)
       join pg_catalog.pg_attribute o on o.attrelid = f.conrelid and o.attnum = x.own
       join pg_catalog.pg_attribute k on k.attrelid = f.confrelid and k.attnum = x.key))::text
     from pg_catalog.pg_constraint f
     join pg_catalog.pg_class t on t.oid = f.conrelid join pg_catalog.pg_namespace n on n.oid = t.relnamespace
     where f.contype = 'f' and f.conparentid = 0 and f.confdeltype in ('c', 'n', 'd')
       and f.confrelid = pg_catalog.to_regclass($1::text)`,
    [shape.customerTable],
    { signal },
  )
  return rows.map(([condition]) => condition!)
}

/** Notes that an upload was undone; whether it was not already. */
export async function markUndone(
  { sql, shape, accountId }: Account,
  { uploads }: HistoryTables,
  id: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const marked = await execute(
    sql,
    `update ${uploads} set status = 'undone', undone_at = now()
     where account_id = $1::${shape.accountIdType} and id = $2::text::uuid and status <> 'undone'`,
    [accountId, id],
    { signal },
  )
  return marked > 0
}

/** Takes the changes of an upload that was undone out of the history: what it writes after that can be undone by itself. */
export async function deleteChanges(
  { sql, shape, accountId }: Account,
  { changes }: HistoryTables,
  uploadId: string,
  signal?: AbortSignal,
): Promise<void> {
  await execute(
    sql,
    `delete from ${changes} where account_id = $1::${shape.accountIdType} and upload_id = $2::text::uuid`,
    [accountId, uploadId],
    { signal },
  )
}

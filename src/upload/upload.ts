import { setMaxListeners } from 'node:events'
import type { Sql } from 'postgres'
import { abortError, stopIfAborted } from '../abort.js'
import { type ColumnMapping, isEmailHeader, mapColumns } from '../columns.js'
import { isBlankRecord } from '../csv/dialect.js'
import { type CsvFile, openCsv } from '../csv/file.js'
import type { CsvInput } from '../csv/source.js'
import { attempt } from '../db/attempt.js'
import { accountLockSql } from '../db/batch-statement.js'
import { execute, isTransaction, query, type SqlClient } from '../db/client.js'
import { isAccountEmpty } from '../db/customers.js'
import { checkAttributeNames, readDefinitions, recordDefinitions } from '../db/definitions.js'
import { classifyFailure, explainFailure } from '../db/failures.js'
import type { TableShape } from '../db/table-shape.js'
import { inTransaction } from '../db/transaction.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import type { RejectedRow } from '../rejected-rows.js'
import type { RowOptions, RowProblem } from '../rows.js'
import { BatchWriter } from './batch-writer.js'
import { createEntryReader, quoteProblem, recordOf } from './entries.js'
import { Lane, laneOf } from './lane.js'
import type { ResolvedUploadOptions, UploadResult } from './options.js'
import { Tally } from './tally.js'

/** The store's part of an upload. */
export interface UploadContext {
  sql: SqlClient
  shape: TableShape
  accountId: string
  maxCustomAttributes: number
  rows: Required<RowOptions>
}

/** Runs one CSV through: opened, mapped, checked against the table, then written in the mode that was asked for. */
export async function uploadCsv(
  context: UploadContext,
  csv: CsvInput,
  options: ResolvedUploadOptions,
): Promise<UploadResult> {
  const started = performance.now()
  const { sql, shape, accountId } = context
  stopIfAborted(options.signal)
  const known = await readDefinitions(sql, shape, accountId, options.signal)
  // Whatever ends the upload also ends the reading and the statements under way.
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const file = await openCsv(csv, { ...options, signal }, isEmailHeader(options.columns))
  const tally = new Tally(options, file.bytesRead)
  let mapping: ColumnMapping
  try {
    mapping = mapColumns(file.headers, {
      columns: options.columns,
      attributes: options.attributes,
      fields: options.fields,
      knownAttributes: known,
      maxCustomAttributes: context.maxCustomAttributes,
    })
    checkFields(mapping, shape)
  } catch (error) {
    await file.close()
    throw error
  }
  const run = { ...context, options, file, mapping, known, tally, stop, signal }
  try {
    await inMode(sql, options, (db, isExclusive) => writeRows({ ...run, sql: db, isExclusive }))
  } catch (error) {
    stop.abort()
    if (options.atomic || options.dryRun) tally.forget()
    throw withCounts(error, tally)
  }

  return {
    ...tally.counts(),
    customAttributesFound: mapping.custom.filter((name) => tally.found.has(name)),
    headers: [...file.headers],
    ignored: [...mapping.ignored],
    warnings: file.warnings(),
    rejected: tally.rejected,
    bytesRead: file.bytesRead(),
    durationMs: Math.round(performance.now() - started),
  }
}

/** @throws CustomAttributesError `FIELD_NOT_IN_TABLE`, `INVALID_ATTRIBUTE_NAME` */
export function checkFields(mapping: ColumnMapping, shape: TableShape): void {
  const missing = mapping.standard.filter((field) => !shape.standardFields.includes(field))
  if (missing.length === 0) {
    checkAttributeNames(mapping.custom, shape)
    return
  }
  throw new CustomAttributesError(
    'FIELD_NOT_IN_TABLE',
    `The file fills ${missing.join(', ')}, which ${shape.customerTable} does not have. ` +
      'Add the column, or map it to an attribute or to null with columns.',
    { fields: missing },
  )
}

const ROLL_BACK = Symbol('roll back')

/** Runs the writing by itself, in a transaction that commits (`atomic`), or in one that is rolled back (`dryRun`). */
async function inMode(
  sql: SqlClient,
  { atomic, dryRun }: ResolvedUploadOptions,
  write: (sql: SqlClient, isExclusive: boolean) => Promise<void>,
): Promise<void> {
  if (!atomic && !dryRun) return write(sql, isTransaction(sql))
  try {
    await inTransaction(sql, async (tx) => {
      // A deferred constraint would refuse all at the end, or in a dry run nothing at all; a host's own transaction is its own.
      if (!isTransaction(sql)) await execute(tx, 'set constraints all immediate')
      await write(tx, true)
      if (dryRun) throw ROLL_BACK
    })
  } catch (error) {
    if (error !== ROLL_BACK) throw error
  }
}

interface Run extends UploadContext {
  options: ResolvedUploadOptions
  file: CsvFile
  mapping: ColumnMapping
  known: readonly string[]
  tally: Tally
  isExclusive: boolean
  stop: AbortController
  /** aborts when the host's signal does, or when the upload has failed */
  signal: AbortSignal
}

async function writeRows(run: Run): Promise<void> {
  const { sql, shape, accountId, options, file, tally, isExclusive, stop, signal } = run
  // Every statement of every lane listens; that is no leak for Node to warn of.
  setMaxListeners(0, signal)
  const entries = createEntryReader(run.mapping, shape, { ...run.rows, dateFormat: options.dateFormat }, file.rareBytes)
  const reject = async (place: Place, problem: RowProblem) => {
    await tally.reject({ ...place, ...problem })
    if (options.onInvalidRow === 'abort') throw invalidRow(place, problem)
  }
  const { existing, unknown, emptyValues } = options
  const writer = new BatchWriter({
    sql,
    target: {
      shape,
      accountId,
      clearedNames: entries.attributes,
      plan: {
        existing,
        unknown,
        emptyValues,
        fields: entries.fields,
        hasAttributes: entries.attributes.length > 0,
        maxCustomAttributes: run.maxCustomAttributes,
        sharesAccount: !isExclusive,
      },
    },
    isAccountEmpty: await isAccountEmpty(sql, shape, accountId),
    attributes: entries.attributes,
    recorded: new Set(run.known),
    tally,
    reject: (entry, problem) => reject({ row: entry.row, line: entry.line, record: recordOf(entry) }, problem),
    signal,
  })
  let failure: unknown
  // A source that hangs must not keep a failed batch from ending the upload.
  const onFailure = (error: unknown) => {
    failure ??= error
    stop.abort()
  }
  const joinsTwins = existing !== 'reject'
  const lanes = Array.from(
    { length: isExclusive ? 1 : Math.min(options.concurrency, (sql as Sql).options.max) },
    () => new Lane(writer, onFailure, options.batchSize, joinsTwins),
  )
  try {
    // An upload that keeps its locks to the end keeps the account to itself; others share it batch by batch.
    if (isExclusive) {
      await query(sql, `select pg_advisory_xact_lock(${accountLockSql(shape)})::text`, [accountId], signal)
    }
    let row = file.firstRow - 1
    for await (const { records, lines, faults } of file.records()) {
      for (let at = 0; at < records.length; at++) {
        row++
        const record = records[at]!
        if (isBlankRecord(record)) continue
        if (++tally.rowsRead > options.maxRows) throw tooManyRows(options.maxRows)
        const entry = quoteProblem(faults?.get(record), file.headers) ?? entries.read(record, row, lines[at]!)
        if ('code' in entry) await reject({ row, line: lines[at]!, record }, entry)
        else {
          const full = lanes[laneOf(entry.key, lanes.length)]!.add(entry)
          if (full) await full
        }
      }
      tally.progress()
      stopIfAborted(signal)
    }
    await Promise.all(lanes.map((lane) => lane.drain()))
    const found = run.mapping.custom.filter((name) => tally.found.has(name))
    await attempt(sql, (db) => recordDefinitions(db, shape, accountId, found), signal)
    tally.progress(true)
  } catch (error) {
    const cause = failure ?? error
    stop.abort()
    await file.close()
    // What is under way is waited for, so that the counts are sure and no statement outlives the upload.
    await Promise.all(lanes.map((lane) => lane.settle()))
    throw options.signal?.aborted && classifyFailure(cause) !== 'lost' ? abortError(options.signal) : cause
  }
}

/** Where a row stands in its file, and its cells. */
type Place = Pick<RejectedRow, 'row' | 'line' | 'record'>

function invalidRow({ row, line }: Place, problem: RowProblem): CustomAttributesError {
  const { code, column, message } = problem
  return new CustomAttributesError(
    'INVALID_ROW',
    `Row ${row} (line ${line}) was rejected, and onInvalidRow is 'abort': ${message}`,
    { row, line, code, column, ...problem.details },
  )
}

function tooManyRows(maxRows: number): CustomAttributesError {
  return new CustomAttributesError(
    'TOO_MANY_ROWS',
    `The file has more than ${maxRows} rows. Split it into several files, or raise maxRows.`,
    { maxRows },
  )
}

/** An error of an upload says what was stored before it: the counts that are sure. */
function withCounts(error: unknown, tally: Tally): unknown {
  const explained = explainFailure(error)
  // Errors of the host's own callbacks pass as they are.
  if (!isCustomAttributesError(explained)) return explained
  return new CustomAttributesError(
    explained.code,
    explained.message,
    { ...explained.details, stored: tally.counts() },
    { cause: explained.cause },
  )
}

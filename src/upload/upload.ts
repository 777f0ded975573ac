import { setMaxListeners } from 'node:events'
import type { Sql } from 'postgres'
import { abortError, endSoonAfterAbort, stopIfAborted } from '../abort.js'
import type { ColumnMapping } from '../column-targets.js'
import { mapColumns } from '../columns.js'
import { isBlankRecord } from '../csv/dialect.js'
import type { CsvFile } from '../csv/file.js'
import { type Account, accountKey, lockAccount } from '../db/accounts.js'
import { AttributeWatch } from '../db/attribute-watch.js'
import { isTransaction, type SqlClient } from '../db/client.js'
import { isAccountEmpty } from '../db/customers.js'
import { checkAttributeNames, readDefinitions, recordDefinitions } from '../db/definitions.js'
import { classifyFailure, explainFailure } from '../db/failures.js'
import { withHold } from '../db/holds.js'
import { retry } from '../db/retry.js'
import { onlyNewColumns, type TableShape, whyReadOnly } from '../db/table-shape.js'
import { checkNow, inTransaction } from '../db/transaction.js'
import type { HistoryTables } from '../db/upload-history.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { HistoryRecorder } from '../history/recorder.js'
import { createPace } from '../pace.js'
import type { RejectedRow } from '../rejected-rows.js'
import type { RowOptions, RowProblem } from '../rows.js'
import { BatchWriter } from './batch-writer.js'
import { type Constant, resolveConstants } from './constants.js'
import { createEntryReader, type Entry, quoteProblem, readingOf, recordOf } from './entries.js'
import { Lane, laneOf } from './lane.js'
import type { OptOutWarning, ResolvedUploadOptions, UploadResult } from './options.js'
import { createRowChecks } from './row-checks.js'
import { Tally } from './tally.js'

/** What a method of the store works on. */
export interface AccountContext extends Account {
  maxCustomAttributes: number
  rows: Required<RowOptions>
  /** makes the id of a customer to be created, where the application does */
  newId: (() => string) | undefined
  /** the tables of the uploads' history, checked */
  historyTables: () => Promise<HistoryTables>
}

/**
 * Runs one file through: opened, mapped, checked against the table, then written in the mode that was asked for.
 *
 * @param call - the method
 * @param open - opens a CSV, or rows that another reader made
 */
export function upload(
  call: string,
  context: AccountContext,
  open: (signal: AbortSignal) => Promise<CsvFile>,
  options: ResolvedUploadOptions,
): Promise<UploadResult> {
  const stop = new AbortController()
  const tally = new Tally(options, stop)
  return endSoonAfterAbort(uploadInMode(call, context, open, options, tally, stop), options.signal, (signal) =>
    withCounts(abortError(signal), options, tally),
  )
}

async function uploadInMode(
  call: string,
  context: AccountContext,
  open: (signal: AbortSignal) => Promise<CsvFile>,
  options: ResolvedUploadOptions,
  tally: Tally,
  stop: AbortController,
): Promise<UploadResult> {
  const started = performance.now()
  const { shape } = context
  stopIfAborted(options.signal)
  const definitions = await readDefinitions(context, options.signal)
  const known = definitions.map(({ name }) => name)
  // Whatever ends the upload also ends the reading and the statements under way.
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  const file = await open(signal)
  tally.bytesRead = file.bytesRead
  let mapping: ColumnMapping
  let constants: Constant[]
  try {
    mapping = mapColumns(file.headers, {
      columns: options.columns,
      attributes: options.attributes,
      fields: shape.catalogue,
      fillable: options.fillable,
      knownAttributes: known,
      maxCustomAttributes: context.maxCustomAttributes,
    })
    checkFields(mapping, shape)
    constants = resolveConstants(options.constants, {
      ...context,
      ...context.rows,
      ...readingOf(options),
      mapping,
      known,
    })
  } catch (error) {
    await file.close()
    throw error
  }
  const filled = attributesOf({ mapping, constants })
  const watch = shape.hasDefinitionIds ? new AttributeWatch(filled, definitions) : undefined
  let history: HistoryRecorder | undefined
  try {
    history = await startHistory(context, options, mapping, signal)
  } catch (error) {
    await file.close()
    throw error
  }
  const run = { ...context, history, watch, call, options, file, mapping, constants, known, tally, stop, signal }
  try {
    await inMode(run, (db, isExclusive) => writeRows({ ...run, sql: db, isExclusive }))
    await history?.end('completed', tally.counts(), newNames(run))
  } catch (error) {
    stop.abort()
    const failure = withCounts(error, options, tally)
    // What ended the upload is told, whatever becomes of this note.
    await history?.end('failed', tally.counts(), newNames(run)).catch(() => {})
    throw failure
  }

  return {
    ...(history ? { uploadId: history.uploadId } : {}),
    ...tally.counts(),
    optOutsKept: tally.optOutsKept.size,
    customAttributesFound: foundNames(run),
    headers: [...file.headers],
    ignored: [...mapping.ignored],
    warnings: [
      ...file.warnings(),
      ...mapping.warnings,
      ...constants.flatMap(({ warnings }) => warnings),
      ...optOutWarnings(tally.optOutsKept.size, [...shape.optOuts.keys()]),
    ],
    rejected: tally.rejected,
    bytesRead: file.bytesRead(),
    durationMs: Math.round(performance.now() - started),
  }
}

function optOutWarnings(customers: number, columns: readonly { name: string }[]): OptOutWarning[] {
  if (customers === 0) return []
  const message =
    `${customers} ${customers === 1 ? 'customer has' : 'customers have'} opted out (${columns.map(({ name }) => name).join(', ')}), and ` +
    "the file says otherwise: what they said was kept. To write what the file says, say optOuts: 'overwrite'."
  return [{ code: 'OPT_OUTS_KEPT', message }]
}

/** Begins the history of an upload, where it is asked for; of a dry run there is nothing to keep. */
async function startHistory(
  context: AccountContext,
  { history, dryRun, ...options }: ResolvedUploadOptions,
  mapping: ColumnMapping,
  signal: AbortSignal,
): Promise<HistoryRecorder | undefined> {
  if (history === undefined || dryRun) return undefined
  const { existing, unknown, emptyValues, optOuts, dateFormat, numberFormat, atomic } = options
  const tables = await context.historyTables()
  return HistoryRecorder.start(
    context,
    tables,
    history,
    { existing, unknown, emptyValues, optOuts, dateFormat, numberFormat, atomic },
    mapping,
    signal,
  )
}

/** The attributes that the upload recorded first. */
function newNames(run: Pick<Run, 'mapping' | 'constants' | 'tally' | 'watch' | 'known'>): string[] {
  return foundNames(run).filter((name) => !run.known.includes(name))
}

/** The attributes for which a value was stored, in header order, as they are called by now. */
function foundNames(run: Pick<Run, 'mapping' | 'constants' | 'tally' | 'watch'>): string[] {
  const found = attributesOf(run).filter((name) => run.tally.found.has(name))
  return run.watch?.namesOf(found) ?? found
}

/** The attributes that an upload fills, in header order, those of its constants last. */
function attributesOf({ mapping, constants }: Pick<Run, 'mapping' | 'constants'>): string[] {
  return [...mapping.custom, ...constants.flatMap(({ attribute }) => attribute ?? [])]
}

/** @throws CustomAttributesError `FIELD_NOT_IN_TABLE`, `INVALID_ATTRIBUTE_NAME` */
export function checkFields(mapping: ColumnMapping, shape: TableShape): void {
  const missing = mapping.standard.filter((field) => !shape.standardFields.includes(field))
  const fixed = mapping.standard.filter((field) => !shape.fillable.has(field))
  if (fixed.length === 0) {
    checkAttributeNames(mapping.custom, shape)
    return
  }
  if (missing.length === 0) {
    throw new CustomAttributesError(
      'FIELD_NOT_FILLABLE',
      `The file fills ${fixed.join(', ')}, which can be read and not written: ${whyReadOnly(shape, fixed)}. ` +
        'Map it to an attribute or to null with columns.',
      { fields: fixed },
    )
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
  { call, sql, shape, accountId, options: { atomic, dryRun }, signal }: Omit<Run, 'isExclusive'>,
  write: (sql: SqlClient, isExclusive: boolean) => Promise<void>,
): Promise<void> {
  const isWhole = atomic || dryRun
  if (!isWhole && !isTransaction(sql)) return write(sql, false)
  const mode = dryRun ? 'with dryRun' : atomic ? 'with atomic' : 'on a transaction'
  const hold = { call: `${call} ${mode}`, sql, isWhole, account: accountKey(shape, accountId) }
  if (!isWhole) return withHold(hold, () => write(sql, true))
  try {
    const inOne = async (tx: SqlClient) => {
      // A deferred constraint would refuse all at the end, or in a dry run nothing at all; a host's own transaction is its own.
      if (!isTransaction(sql)) await checkNow(tx, signal)
      await write(tx, true)
      if (dryRun) throw ROLL_BACK
    }
    await withHold(hold, () => inTransaction(sql, inOne, signal))
  } catch (error) {
    if (error !== ROLL_BACK) throw error
  }
}

interface Run extends AccountContext {
  call: string
  options: ResolvedUploadOptions
  file: CsvFile
  mapping: ColumnMapping
  constants: readonly Constant[]
  known: readonly string[]
  /** undefined where the host's table of definitions has no ids to know them by */
  watch: AttributeWatch | undefined
  history: HistoryRecorder | undefined
  tally: Tally
  isExclusive: boolean
  stop: AbortController
  /** aborts when the host's signal does, or when the upload has failed */
  signal: AbortSignal
}

/** How often the clock is looked at. */
const ROWS_BETWEEN_LOOKS = 16

async function writeRows(run: Run): Promise<void> {
  const { sql, shape, accountId, options, file, tally, isExclusive, signal } = run
  // Every statement of every lane listens; that is no leak for Node to warn of.
  setMaxListeners(0, signal)
  const rowOptions = { ...run.rows, ...readingOf(options) }
  const entries = createEntryReader(run.mapping, shape, run.constants, rowOptions, file.rareBytes)
  const reject = async (place: Place, problem: RowProblem) => {
    const row = { ...place, ...problem }
    await run.history?.reject(row)
    await tally.reject(row)
    if (options.onInvalidRow === 'abort') throw invalidRow(place, problem)
  }
  const rejectEntry = (entry: Entry, problem: RowProblem) =>
    reject({ row: entry.row, line: entry.line, record: recordOf(entry) }, problem)
  const { existing, unknown, emptyValues, optOuts } = options
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
        optOuts,
        fields: entries.fields,
        hasAttributes: entries.attributes.length > 0,
        maxCustomAttributes: run.maxCustomAttributes,
        sharesAccount: !isExclusive,
        returnsId: false,
        onlyNew: onlyNewColumns(shape),
        bringsId: run.newId !== undefined,
        definitionSeed: run.watch?.seed,
        history: run.history?.changes,
      },
      newId: run.newId,
    },
    isAccountEmpty: await isAccountEmpty(run, signal),
    attributes: entries.attributes,
    recorded: new Set(run.known),
    watch: run.watch,
    tally,
    reject: rejectEntry,
    signal,
  })
  // A source that hangs must not keep a failed batch, or a failed callback, from ending the upload.
  const onFailure = (error: unknown) => tally.fail(error)
  const pace = createPace()
  const joinsTwins = existing !== 'reject'
  const lanes = Array.from(
    { length: isExclusive ? 1 : Math.min(options.concurrency, (sql as Sql).options.max) },
    () => new Lane(writer, onFailure, options.batchSize, joinsTwins),
  )
  const add = async (entry: Entry) => {
    const full = lanes[laneOf(entry.key, lanes.length)]!.add(entry)
    if (full) await full
  }
  const checks = createRowChecks(options, entries, add, rejectEntry, signal)
  try {
    // An upload that keeps its locks to the end keeps the account to itself; others share it batch by batch.
    if (isExclusive) {
      await lockAccount(run, signal)
      await run.watch?.refresh(run, false, signal)
    }
    let row = file.firstRow - 1
    for await (const { records, lines, faults } of file.records()) {
      for (let at = 0; at < records.length; at++) {
        row++
        // A piece of the file was parsed, or some rows were read.
        if (at % ROWS_BETWEEN_LOOKS === 0) {
          const turn = pace()
          if (turn) {
            await turn
            stopIfAborted(signal)
          }
        }
        const record = records[at]!
        if (isBlankRecord(record)) continue
        if (++tally.rowsRead > options.maxRows) throw tooManyRows(options.maxRows)
        const entry = quoteProblem(faults?.get(record), file.headers) ?? entries.read(record, row, lines[at]!)
        if ('code' in entry) await reject({ row, line: lines[at]!, record }, entry)
        else if (checks) await checks.take(entry)
        else {
          const full = lanes[laneOf(entry.key, lanes.length)]!.add(entry)
          if (full) await full
        }
      }
      tally.progress()
      stopIfAborted(signal)
    }
    await checks?.finish()
    await Promise.all(lanes.map((lane) => lane.drain()))
    await retry(
      sql,
      async (db) => {
        if (!isExclusive) await run.watch?.refresh({ ...run, sql: db }, true, signal)
        await recordDefinitions({ ...run, sql: db }, foundNames(run), signal)
      },
      signal,
    )
    await tally.lastProgress()
  } catch (error) {
    tally.fail(error)
    await file.close()
    // What is under way is waited for, so that the counts are sure and no statement outlives the upload.
    await Promise.all(lanes.map((lane) => lane.settle()))
    const { cause } = tally.failure!
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
function withCounts(error: unknown, { atomic, dryRun }: ResolvedUploadOptions, tally: Tally): unknown {
  if (atomic || dryRun) tally.forget()
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

import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql, TransactionSql } from 'postgres'
import { orAborted, stopIfAborted } from '../abort.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { cancelOnAbort } from './cancel.js'
import { classifyFailure, noteDatabaseError } from './failures.js'

/** A postgres.js client, or a transaction of one (`sql.begin(tx => …)`, `tx.savepoint(…)`). */
// biome-ignore lint/suspicious/noExplicitAny: the host's client has whatever custom types the host gave it
export type SqlClient = Sql<any> | TransactionSql<any>

/** A row of a result: every column as PostgreSQL's text, or null. */
export type TextRow = readonly (string | null)[]

/** Whether a client stands on a transaction. */
export function isTransaction(sql: SqlClient): boolean {
  return typeof (sql as TransactionSql).savepoint === 'function'
}

/** Checks that the host handed over a postgres.js client or transaction. */
export function checkClient(sql: SqlClient): void {
  const isClient = typeof sql?.unsafe === 'function' && (isTransaction(sql) || typeof (sql as Sql).begin === 'function')
  // The one option from which postgres.js leaves no way round; of transform.column and transform.value there is one.
  const hasRowTransform = isClient && Boolean((sql as Sql).options?.transform?.row?.from)
  if (isClient && !hasRowTransform) {
    checkEncoding(sql)
    checkPipeline(sql)
    return
  }
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    hasRowTransform
      ? 'sql has the option transform.row, which changes every row before the library sees it. Pass a client without it.'
      : 'sql must be a postgres.js client (postgres(url)) or the transaction that sql.begin(tx => …) passes.',
    { argument: 'sql' },
  )
}

/** With a pipeline of nothing postgres.js (3.4.9) never hears that its `begin` has a connection, and leaves it begun. */
function checkPipeline(sql: SqlClient): void {
  const { max_pipeline } = ((sql as Sql).options ?? {}) as { max_pipeline?: number }
  if (max_pipeline !== 0) return
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    'sql has max_pipeline: 0, with which postgres.js cannot run transactions. Pass a client with max_pipeline: 1.',
    { argument: 'sql' },
  )
}

/** postgres.js writes and reads UTF-8, whatever it has told the server. */
function checkEncoding(sql: SqlClient): void {
  const encoding = (sql as Sql).options?.connection?.client_encoding
  if (encoding === undefined || /^\W*utf\W*8\W*$/i.test(String(encoding))) return
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    'sql sets client_encoding to another than UTF-8, but postgres.js sends UTF-8: texts would be stored wrongly. ' +
      'Pass a client without it; the database itself may have any encoding.',
    { argument: 'sql' },
  )
}

/** How a statement is sent. */
export interface StatementOptions {
  /** Ends the waiting when it aborts; see {@link send}. */
  signal?: AbortSignal | undefined
  /**
   * Whether its text depends on a file's columns or an audience's conditions. A prepared statement for each would stay in
   * the server's memory, 0.4 MB for a batch's, as long as the connection.
   */
  isOneOfMany?: boolean
}

/**
 * Runs one statement and reads its result as text, whatever types, parsers and transformations the host's client has.
 *
 * @param sql - client or transaction
 * @param text - SQL with `$1`, `$2` …, each used with a cast so that the client needs to know no type
 * @param parameters - texts or null
 */
export async function query(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  options: StatementOptions = {},
): Promise<TextRow[]> {
  const rows = await send(sql, text, parameters, options)
  // After a result that broke off, the next one on its connection can start with holes (postgres.js 3.4.9).
  return rows.filter(() => true).map((row) => row.map(decode))
}

/** Runs one statement that returns no rows; returns how many it wrote. */
export async function execute(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  options: StatementOptions = {},
): Promise<number> {
  return (await send(sql, text, parameters, options)).count
}

type RawResult = (Buffer | null)[][] & { count: number }

/**
 * The transactions and savepoints that the library made: nobody else sends statements on them. With the client on which
 * the library began the transaction; undefined for a savepoint in a host's.
 */
const OWN = new WeakMap<SqlClient, Sql | undefined>()

/** Notes that a transaction or savepoint is the library's own, made on a client or transaction. */
export function claim(tx: SqlClient, parent: SqlClient): void {
  OWN.set(tx, isTransaction(parent) ? OWN.get(parent) : (parent as Sql))
}

/** Whether a transaction or savepoint was made by the library. */
export function isOwn(sql: SqlClient): boolean {
  return OWN.has(sql)
}

/** Whether the library began the transaction itself: it is nobody else's, and may be cancelled. */
export function isOwnTransaction(sql: SqlClient): boolean {
  return OWN.get(sql) !== undefined
}

/** The last of the library's pieces of work on each transaction of a host's. */
const TURNS = new WeakMap<SqlClient, Promise<unknown>>()

/**
 * Runs a piece of work on a host's transaction after those that began before it: what two calls send at once must not
 * stand within each other's savepoints.
 */
export function inTurn<T>(sql: SqlClient, work: () => Promise<T>): Promise<T> {
  if (!isTransaction(sql) || OWN.has(sql)) return work()
  const done = (TURNS.get(sql) ?? Promise.resolve()).then(work)
  TURNS.set(
    sql,
    done.catch(() => {}),
  )
  return done
}

/**
 * Sends a statement. When the signal aborts, the waiting ends at once and the statement runs out by itself: on a
 * connection that others use a cancel request can meet their statements, and a statement that postgres.js has queued
 * there would be skipped while its answer still comes, so that every later answer goes to the wrong query. Only in a
 * transaction that the library began, where one statement stands alone, is it cancelled, and waited for.
 */
function send(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[],
  { signal, isOneOfMany = false }: StatementOptions,
): Promise<RawResult> {
  const client = OWN.get(sql)
  const statement = async (): Promise<RawResult> => {
    stopIfAborted(signal)
    const pending = sql.unsafe(text, parameters, { prepare: !isOneOfMany }).raw()
    try {
      const answer: unknown = await (signal && client ? cancelOnAbort(pending, client, signal) : pending)
      return answer as RawResult
    } catch (error) {
      if (!isCustomAttributesError(error)) noteDatabaseError(error)
      // postgres.js (3.4.9) tells of a broken connection a moment before it takes it out of its pool; whatever is sent
      // on it in that moment is never answered. So nobody hears of it earlier.
      if (classifyFailure(error) === 'lost') await sleep(5)
      throw error
    }
  }
  const answer = inTurn(sql, statement)
  return client ? answer : orAborted(answer, signal)
}

/** The only row of a result that always has one. */
export async function queryRow(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  options: StatementOptions = {},
): Promise<TextRow> {
  const rows = await query(sql, text, parameters, options)
  if (rows.length === 1) return rows[0]!
  throw new CustomAttributesError('DATABASE_ERROR', `A statement returned ${rows.length} rows instead of one.`)
}

/** What postgres.js hands out is a Buffer already; to make one again cost a quarter of reading a page of customers. */
function decode(bytes: Buffer | null): string | null {
  return bytes ? bytes.toString('utf8') : null
}

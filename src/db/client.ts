import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql, TransactionSql } from 'postgres'
import { stopIfAborted } from '../abort.js'
import { CustomAttributesError } from '../errors.js'
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

/**
 * Runs one statement and reads its result as text, whatever types, parsers and transformations the host's client has.
 *
 * @param sql - client or transaction
 * @param text - SQL with `$1`, `$2` …, each used with a cast so that the client needs to know no type
 * @param parameters - texts or null
 * @param signal - cancels the statement on the server when it aborts
 */
export async function query(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  signal?: AbortSignal,
): Promise<TextRow[]> {
  const rows = await send(sql, text, parameters, signal)
  // After a result that broke off, the next one on its connection can start with holes (postgres.js 3.4.9).
  return rows.filter(() => true).map((row) => row.map(decode))
}

/** Runs one statement that returns no rows; returns how many it wrote. */
export async function execute(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  signal?: AbortSignal,
): Promise<number> {
  return (await send(sql, text, parameters, signal)).count
}

/** What postgres.js knows of a query but does not type. */
interface CancellableQuery {
  /** it has been sent */
  active?: boolean
  canceller?: (query: unknown) => Promise<void>
}

async function send(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[],
  signal: AbortSignal | undefined,
): Promise<(Buffer | null)[][] & { count: number }> {
  // An abort between two statements finds none to cancel.
  stopIfAborted(signal)
  const pending = sql.unsafe(text, parameters, { prepare: true }).raw()
  let cancelled: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  const cancel = (patience = isTransaction(sql) ? Number.POSITIVE_INFINITY : 20) => {
    timer = setTimeout(() => {
      const { active, canceller } = pending as unknown as CancellableQuery
      // A query that waits for its connection to be made, or on a transaction, takes that with it when it is cancelled.
      if (!active && patience > 0) return cancel(patience - 1)
      // postgres.js drops the promise of its cancel request: where that fails (the server is gone), nobody could catch it.
      cancelled = canceller?.(pending)?.catch(() => {})
    }, CANCEL_AFTER_MS)
  }
  const onAbort = () => cancel()
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return (await pending) as unknown as (Buffer | null)[][] & { count: number }
  } catch (error) {
    noteDatabaseError(error)
    // postgres.js (3.4.9) tells of a broken connection a moment before it takes it out of its pool; whatever is sent on
    // it in that moment is never answered. So nobody hears of it earlier.
    if (classifyFailure(error) === 'lost') await sleep(5)
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    await cancelled
  }
}

/**
 * How long a statement may still run when its signal aborts before it is cancelled. A cancel request goes to the
 * connection, not to the statement: one that came just too late would hit whatever the host runs there next.
 */
const CANCEL_AFTER_MS = 250

/** The only row of a result that always has one. */
export async function queryRow(
  sql: SqlClient,
  text: string,
  parameters: (string | null)[] = [],
  signal?: AbortSignal,
): Promise<TextRow> {
  const rows = await query(sql, text, parameters, signal)
  if (rows.length === 1) return rows[0]!
  throw new CustomAttributesError('DATABASE_ERROR', `A statement returned ${rows.length} rows instead of one.`)
}

/** What postgres.js hands out is a Buffer already; to make one again cost a quarter of reading a page of customers. */
function decode(bytes: Buffer | null): string | null {
  return bytes ? bytes.toString('utf8') : null
}

import type { Sql, TransactionSql } from 'postgres'
import { stopIfAborted } from '../abort.js'
import { claim, execute, inTurn, isOwn, isOwnTransaction, isTransaction, type SqlClient } from './client.js'
import { isConnectionGone, noteDatabaseError } from './failures.js'

/**
 * Runs work in a transaction of its own or, on a transaction, in a savepoint; it commits when the work is done, and rolls
 * back when it throws or the signal has aborted: a `begin` that still waits for a connection then is left to begin, for
 * there is no safe way to take it back, and does nothing.
 */
export function inTransaction<T>(
  sql: SqlClient,
  work: (tx: SqlClient) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const guarded = async (tx: SqlClient): Promise<T> => {
    claim(tx, sql)
    stopIfAborted(signal)
    const result = await work(tx)
    stopIfAborted(signal)
    return result
  }
  return isTransaction(sql)
    ? inTurn(sql, () => inSavepoint(sql as TransactionSql, guarded, signal))
    : inScope((sql as Sql).begin.bind(sql), guarded, isConnectionGone)
}

/** Has the transaction's constraints checked now, and from now on at each statement, instead of at its end. */
export async function checkNow(tx: SqlClient, signal?: AbortSignal): Promise<void> {
  await execute(tx, 'set constraints all immediate', [], { signal })
}

/** Numbers the savepoints: one that is rolled back to by its name must not be hidden by another. */
let savepoints = 0

/**
 * Runs work in a savepoint that is released (postgres.js leaves its own, so this one goes around it).
 *
 * When the signal aborts on a host's transaction, all that takes the work back is sent at once, behind the statement that
 * may still run: whatever the host sends when it hears of the abort comes after it, and nothing of the library's does.
 */
async function inSavepoint<T>(
  tx: TransactionSql,
  work: (tx: SqlClient) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  stopIfAborted(signal)
  const name = `custom_attributes_${++savepoints}`
  const isHosts = !isOwnTransaction(tx)
  let undone: Promise<unknown> | undefined
  const undo = () => {
    // Within a savepoint of the library's in a host's transaction, the outer one takes back the whole.
    undone = isOwn(tx)
      ? Promise.resolve()
      : Promise.allSettled([sendNow(tx, `rollback to savepoint ${name}`), sendNow(tx, `release savepoint ${name}`)])
  }
  if (isHosts) signal?.addEventListener('abort', undo, { once: true })
  const isOver = (error: unknown) => undone !== undefined || isConnectionGone(error)
  let failure: { error: unknown } | undefined
  try {
    await sendNow(tx, `savepoint ${name}`)
    return await inScope<T>((run) => tx.savepoint(run), work, isOver)
  } catch (error) {
    failure = { error }
    throw error
  } finally {
    signal?.removeEventListener('abort', undo)
    const released = undone ?? (isOver(failure?.error) ? undefined : sendNow(tx, `release savepoint ${name}`))
    // Whatever else goes wrong now, the first failure is the one to tell.
    await (failure ? released?.catch(() => {}) : released)
  }
}

/** Sends a statement that belongs to the turn it stands in. */
async function sendNow(tx: TransactionSql, text: string): Promise<void> {
  try {
    await tx.unsafe(text)
  } catch (error) {
    noteDatabaseError(error)
    throw error
  }
}

/**
 * Runs work in a scope of postgres.js: a transaction or a savepoint.
 *
 * Where the connection broke there is nothing to roll back, and postgres.js (3.4.9), which tries it all the same, ends the
 * process with a TypeError in a timer; where the work was taken back already, its rollback would come too late. So when it
 * `isOver` the scope is left open, and what became of the work is told past it.
 */
function inScope<T>(
  open: (run: (tx: TransactionSql) => Promise<T>) => Promise<unknown>,
  work: (tx: SqlClient) => Promise<T>,
  isOver: (error: unknown) => boolean,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isGone = false
    let ownFailure: { error: unknown } | undefined
    const leftOpen = new Promise<never>(() => {})
    const guarded = (tx: TransactionSql): Promise<T> =>
      work(tx).then(
        (result) => {
          if (!isOver(undefined)) return result
          resolve(result)
          return leftOpen
        },
        (error) => {
          ownFailure = { error }
          if (!isGone && !isOver(error)) throw error
          reject(error)
          return leftOpen
        },
      )
    open(guarded).then(
      (result) => resolve(result as T),
      (error) => {
        isGone = true
        if (!ownFailure) noteDatabaseError(error)
        // The rollback can fail, too: that is not what the caller needs to know.
        reject(ownFailure ? ownFailure.error : error)
      },
    )
  })
}

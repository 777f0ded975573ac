import type { Sql, TransactionSql } from 'postgres'
import { stopIfAborted } from '../abort.js'
import { claim, inTurn, isTransaction, type SqlClient } from './client.js'
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
    ? inTurn(sql, () => inReleasedSavepoint(sql as TransactionSql, guarded))
    : pastLostConnection((sql as Sql).begin.bind(sql), guarded)
}

/** postgres.js never releases its savepoints; an outer one of our own keeps the stack flat. */
async function inReleasedSavepoint<T>(tx: TransactionSql, work: (tx: SqlClient) => Promise<T>): Promise<T> {
  await sendNow(tx, 'savepoint custom_attributes')
  try {
    const result = await pastLostConnection<T>((run) => tx.savepoint(run), work)
    await sendNow(tx, 'release savepoint custom_attributes')
    return result
  } catch (error) {
    // Without a connection there is nothing to release; whatever else goes wrong now, the first failure is the one to tell.
    if (!isConnectionGone(error)) await sendNow(tx, 'release savepoint custom_attributes').catch(() => {})
    throw error
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
 * When the connection breaks there is nothing to roll back, and postgres.js (3.4.9), which tries it all the same, ends
 * the process with a TypeError in a timer. So the work's failure is kept from it: its promise stays open, and the failure
 * is told past it.
 */
function pastLostConnection<T>(
  begin: (run: (tx: TransactionSql) => Promise<T>) => Promise<unknown>,
  work: (tx: SqlClient) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let isGone = false
    let ownFailure: { error: unknown } | undefined
    const guarded = (tx: TransactionSql): Promise<T> =>
      work(tx).catch((error) => {
        ownFailure = { error }
        if (!isGone && !isConnectionGone(error)) throw error
        reject(error)
        return new Promise<never>(() => {})
      })
    begin(guarded).then(
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

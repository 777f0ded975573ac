import { setTimeout as sleep } from 'node:timers/promises'
import { execute, isTransaction, type SqlClient } from './client.js'
import { classifyFailure } from './failures.js'
import { inTransaction } from './transaction.js'

/** How often a statement is tried that the database undid. */
const TRIES = 6

/** After how long waiting for a connection is given up. */
const PATIENCE_MS = 15_000

/**
 * Runs work of one statement so that a failure harms nothing else: on a transaction in a savepoint of its own, otherwise
 * again as long as it certainly had no effect for a reason that passes (serialization, deadlock, no connection to be had).
 *
 * @param sql - client or transaction
 * @param work - sends the statement; may be called several times
 * @param signal - when it has aborted there is no further try
 */
export async function attempt<T>(
  sql: SqlClient,
  work: (sql: SqlClient) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (isTransaction(sql)) return inSavepoint(sql, work)
  const started = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await work(sql)
    } catch (error) {
      const kind = classifyFailure(error)
      const isWorthIt = kind === 'again' || (kind === 'unsent' && performance.now() - started < PATIENCE_MS)
      if (!isWorthIt || (kind === 'again' && tries === TRIES) || signal?.aborted) throw error
      await sleep(Math.min(10 * 2 ** tries, 1_000) * (0.5 + Math.random()))
    }
  }
}

/** postgres.js never releases its savepoints; an outer one of our own keeps the stack flat. */
async function inSavepoint<T>(tx: SqlClient, work: (sql: SqlClient) => Promise<T>): Promise<T> {
  await execute(tx, 'savepoint custom_attributes')
  try {
    const result = await inTransaction(tx, work)
    await execute(tx, 'release savepoint custom_attributes')
    return result
  } catch (error) {
    // Without a connection there is nothing to release.
    if (classifyFailure(error) === 'lost') throw error
    await execute(tx, 'release savepoint custom_attributes')
    throw error
  }
}

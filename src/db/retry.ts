import { setTimeout as sleep } from 'node:timers/promises'
import { isTransaction, type SqlClient } from './client.js'
import { classifyFailure } from './failures.js'
import { inTransaction } from './transaction.js'

/** How often a statement is tried that the database undid. */
const TRIES = 6

/** After how long waiting for a connection is given up. */
const PATIENCE_MS = 15_000

/**
 * Runs work so that a failure harms nothing else: on a transaction in a savepoint of its own, otherwise again as long as
 * it certainly had no effect for a reason that passes (serialization, deadlock, no connection to be had).
 *
 * @param sql - client or transaction
 * @param work - sends one statement, or with a signal any number, which then have a transaction of their own; may be
 *   called several times
 * @param signal - cancels the statement that is running, and rolls back; there is no further try
 */
export async function retry<T>(sql: SqlClient, work: (sql: SqlClient) => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (isTransaction(sql)) return inTransaction(sql, work, signal)
  const started = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      return await (signal ? inTransaction(sql, work, signal) : work(sql))
    } catch (error) {
      const kind = classifyFailure(error)
      const isWorthIt = kind === 'again' || (kind === 'unsent' && performance.now() - started < PATIENCE_MS)
      if (!isWorthIt || (kind === 'again' && tries === TRIES) || signal?.aborted) throw error
      await sleep(Math.min(10 * 2 ** tries, 1_000) * (0.5 + Math.random()))
    }
  }
}

import type { Sql, TransactionSql } from 'postgres'
import { isTransaction, type SqlClient } from './client.js'
import { classifyFailure, noteDatabaseError } from './failures.js'

/**
 * Runs work in a transaction of its own or, on a transaction, in a savepoint; it commits when the work is done and rolls
 * back when it throws.
 *
 * When the connection breaks there is nothing to roll back, and postgres.js (3.4.9), which tries it all the same, ends
 * the process with a TypeError in a timer. So the work's failure is kept from it: its promise stays open, and the failure
 * is told past it.
 */
export function inTransaction<T>(sql: SqlClient, work: (tx: SqlClient) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isGone = false
    let ownFailure: unknown
    const guarded = (tx: TransactionSql): Promise<T> =>
      work(tx).catch((error) => {
        ownFailure = error
        if (!isGone && classifyFailure(error) !== 'lost') throw error
        reject(error)
        return new Promise<never>(() => {})
      })
    const done = isTransaction(sql) ? (sql as TransactionSql).savepoint(guarded) : (sql as Sql).begin(guarded)
    ;(done as Promise<T>).then(resolve, (error) => {
      isGone = true
      if (error !== ownFailure) noteDatabaseError(error)
      reject(error)
    })
  })
}

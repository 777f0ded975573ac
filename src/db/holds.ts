import { AsyncLocalStorage } from 'node:async_hooks'
import type { Sql } from 'postgres'
import { CustomAttributesError } from '../errors.js'
import { isTransaction, type SqlClient } from './client.js'

/** What a call keeps to itself until it ends: its host's callbacks must not wait for it. */
export interface Hold {
  /** the call, such as `uploadCsv with atomic` */
  call: string
  /** the client of which it has a connection, or the host's transaction that it stands on */
  sql: SqlClient
  /** whether it keeps the host's transaction for one savepoint of its own */
  isWhole: boolean
  /** the account whose lock it holds: its table and id */
  account: string
  isLive: boolean
}

/** The holds within which a piece of code runs: those of the calls whose callback or source it is. */
const holds = new AsyncLocalStorage<readonly Hold[]>()

/** How many connections of a client are held by calls as a whole. */
const held = new WeakMap<SqlClient, number>()

/** Runs a call's work; whatever the host's callbacks and source do meanwhile is known to be part of it. */
export async function withHold<T>(given: Omit<Hold, 'isLive'>, work: () => Promise<T>): Promise<T> {
  const hold: Hold = { ...given, isLive: true }
  const count = (step: number) => held.set(hold.sql, (held.get(hold.sql) ?? 0) + step)
  count(1)
  try {
    return await holds.run([...(holds.getStore() ?? []), hold], work)
  } finally {
    hold.isLive = false
    count(-1)
  }
}

/**
 * Refuses a call, made by another call's callback or source, that would wait for what that call holds until it ends: it
 * would wait for ever.
 *
 * @param call - the method, such as `upsertCustomer`
 * @param sql - the client or transaction it would use
 * @param account - the account it would write to: its table and id; undefined when it only reads, or is not known yet
 * @throws CustomAttributesError `INVALID_ARGUMENT`, naming both calls
 */
export function refuseIfHeld(call: string, sql: SqlClient, account?: string): void {
  for (const hold of holds.getStore() ?? []) {
    if (!hold.isLive) continue
    const isSame = hold.sql === sql
    if (isSame && isTransaction(sql) && hold.isWhole) throw wouldWait(call, hold, 'its transaction')
    if (isSame && !isTransaction(sql) && (held.get(sql) ?? 0) >= ((sql as Sql).options?.max ?? 1)) {
      throw wouldWait(call, hold, "the client's last connection")
    }
    if (account === hold.account && !(isSame && isTransaction(sql))) throw wouldWait(call, hold, "the account's lock")
  }
}

function wouldWait(call: string, hold: Hold, what: string): CustomAttributesError {
  return new CustomAttributesError(
    'INVALID_ARGUMENT',
    `${call} was called by a callback or the source of ${hold.call}, which holds ${what} until it ends: both would wait ` +
      `for ever. Collect what the callback is told, and call ${call} when ${hold.call} has ended.`,
    { argument: call, heldBy: hold.call },
  )
}

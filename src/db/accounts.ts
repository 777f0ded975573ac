import { CustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { isUnstorable } from '../rows.js'
import { accountLockSql } from './batch-statement.js'
import { query, type SqlClient } from './client.js'
import { valueCheck } from './field-values.js'
import type { TableShape } from './table-shape.js'

/** An account id: a uuid, a whole number or a text, as the table's `account_id` has it. */
export type AccountId = string | number | bigint

/** An account of the host's tables, and the client or transaction through which it is reached. */
export interface Account {
  sql: SqlClient
  shape: TableShape
  /** checked, as text */
  accountId: string
  /** the table of suppressed addresses, checked; undefined where the store does without */
  suppressions?: (() => Promise<SuppressionTable>) | undefined
}

/** Where an account's suppressed addresses stand, and how. */
export interface SuppressionTable {
  /** as SQL */
  table: string
  /** a hash of the salt; undefined where the addresses themselves are kept */
  salt: string | undefined
}

/**
 * Checks an account id against the type of the table's column.
 *
 * @returns the id as text
 * @throws CustomAttributesError `INVALID_ACCOUNT_ID`
 */
export function checkAccountId(accountId: AccountId, { columns, accountIdType }: TableShape): string {
  const isScalar = typeof accountId === 'string' || typeof accountId === 'bigint' || Number.isSafeInteger(accountId)
  const text = isScalar ? String(accountId) : ''
  const checked = valueCheck(columns.get('account_id')!, 'iso')?.(text) ?? text
  if (text !== '' && !isUnstorable(text) && typeof checked === 'string') return checked
  throw new CustomAttributesError(
    'INVALID_ACCOUNT_ID',
    `accountId must be of the type of account_id (${accountIdType}), got ${isScalar ? 'another text or number' : kindOf(accountId)}.`,
    { expected: accountIdType },
  )
}

/** Names an account among those of all tables. */
export function accountKey({ customerTable }: TableShape, accountId: string): string {
  return `${customerTable} ${accountId}`
}

/**
 * Keeps an account to the transaction until it ends. Batches of other uploads share the account (see
 * {@link accountLockSql}); what holds row locks to the end of a transaction takes it whole and first, because two that
 * shared it and then wanted it whole would wait for each other.
 */
export function lockAccount(account: Account, signal?: AbortSignal): Promise<void> {
  return takeLock('pg_advisory_xact_lock', account, signal)
}

/** Shares an account with the batches of other uploads until the transaction ends. */
export function shareAccount(account: Account, signal?: AbortSignal): Promise<void> {
  return takeLock('pg_advisory_xact_lock_shared', account, signal)
}

async function takeLock(take: string, { sql, shape, accountId }: Account, signal?: AbortSignal): Promise<void> {
  const lock = `select ${take}(${accountLockSql(shape)})::text`
  await query(sql, lock, [accountId], { signal })
  if (!shape.isDistributed) return
  // A statement that runs wholly on the account's server takes its locks there.
  const rows = `select from ${shape.customerTable} c where c.${shape.sql.account_id} = $1::${shape.accountIdType} limit 0`
  await query(sql, `${lock} from (select count(*) from (${rows}) c) there`, [accountId], { signal })
}

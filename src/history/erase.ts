import { type Account, lockAccount } from '../db/accounts.js'
import { eraseCustomers, eraseHistory } from '../db/erasure.js'
import { inTransaction } from '../db/transaction.js'
import type { HistoryTables } from '../db/upload-history.js'
import { CustomAttributesError } from '../errors.js'
import { oneOf, resolveOptions, withDefault } from '../options.js'
import { emailProblem, isUnstorable } from '../rows.js'

/** Options of `eraseCustomer`. */
export interface EraseOptions {
  /** `'keep'` (default) leaves the row without attributes, `'remove'` deletes it. */
  customer?: 'keep' | 'remove'
}

/** What `eraseCustomer` touched. */
export interface EraseResult {
  /** rows of the customer table that lost their attributes, or went */
  customers: number
  /** changes of uploads that the history no longer has */
  changes: number
  /** kept rejected rows that are gone */
  rejectedRows: number
}

const ERASE_OPTIONS = { customer: withDefault(oneOf('keep', 'remove'), 'keep') }

/** @throws CustomAttributesError `INVALID_ARGUMENT`, `INVALID_OPTION`, `INVALID_EMAIL` */
export function resolveErase(email: unknown, given: EraseOptions | undefined) {
  const options = resolveOptions('eraseCustomer', ERASE_OPTIONS, given)
  if (typeof email !== 'string') {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'email must be a string.', { argument: 'email' })
  }
  if (isUnstorable(email) || emailProblem(email.trim(), 'email') !== undefined) {
    throw new CustomAttributesError('INVALID_EMAIL', 'eraseCustomer: the email address is not valid.', {})
  }
  return options
}

/** Erases a person in one transaction that has the account to itself. */
export function erase(
  account: Account,
  tables: HistoryTables | undefined,
  email: string,
  customer: 'keep' | 'remove',
): Promise<EraseResult> {
  return inTransaction(account.sql, async (sql) => {
    const tx = { ...account, sql }
    await lockAccount(tx)
    const history = tables ? await eraseHistory(tx, tables, email) : { changes: 0, rejectedRows: 0 }
    return { customers: await eraseCustomers(tx, email, customer), ...history }
  })
}

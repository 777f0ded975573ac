import { CustomAttributesError } from '../errors.js'
import { describe } from '../options.js'
import { isUnstorable } from '../rows.js'
import { valueCheck } from './field-values.js'
import type { TableShape } from './table-shape.js'

/** An account id: a uuid, a whole number or a text, as the table's `account_id` has it. */
export type AccountId = string | number | bigint

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
    `accountId must be of the type of account_id (${accountIdType}), got ${isScalar ? 'another text or number' : describe(accountId)}.`,
    { expected: accountIdType },
  )
}

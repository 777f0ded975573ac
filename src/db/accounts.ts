import { CustomAttributesError } from '../errors.js'
import { describe } from '../options.js'
import type { AccountIdType } from './table-shape.js'

/** An account id: a uuid, a whole number or a text, as the table's `account_id` has it. */
export type AccountId = string | number | bigint

const CHECKS: Readonly<Record<AccountIdType, (text: string) => boolean>> = {
  uuid: (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
  bigint: (text) => /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text),
  integer: (text) => /^-?\d{1,10}$/.test(text) && (Number(text) | 0) === Number(text),
  text: (text) => text !== '' && !/\0|\p{Cs}/u.test(text),
}

/**
 * Checks an account id against the type of the table's column.
 *
 * @returns the id as text
 * @throws CustomAttributesError `INVALID_ACCOUNT_ID`
 */
export function checkAccountId(accountId: AccountId, type: AccountIdType): string {
  const isScalar = typeof accountId === 'string' || typeof accountId === 'bigint' || Number.isSafeInteger(accountId)
  const text = isScalar ? String(accountId) : ''
  if (isScalar && CHECKS[type](text)) return text
  throw new CustomAttributesError(
    'INVALID_ACCOUNT_ID',
    `accountId must be of the type of account_id (${type}), got ${isScalar ? 'another text or number' : describe(accountId)}.`,
    { expected: type },
  )
}

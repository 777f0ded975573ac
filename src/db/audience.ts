import type { Audience } from '../audience/audience.js'
import { isObject, type OptionRule } from '../options.js'
import { isUnstorable } from '../rows.js'
import type { Account } from './accounts.js'
import { emailsCondition } from './customers.js'
import { readAttributeNames } from './definitions.js'
import { type OptedOutOption, optedOutSql } from './opt-outs.js'
import { suppressedSql } from './suppressions.js'
import { type AudienceSql, type SqlCondition, whereCondition } from './where.js'

/** One of several parts of an audience: each customer is in one of them, and always in the same. */
export interface AudiencePart {
  /** which, from 0 */
  index: number
  /** how many there are */
  of: number
}

/** The rule of the option `part`. */
export const isPart: OptionRule = (value) => {
  const { index, of, ...others } = isObject(value) ? ({} as never) : (value as Record<string, unknown>)
  const isRight =
    Number.isInteger(index) &&
    Number.isInteger(of) &&
    0 <= Number(index) &&
    Number(index) < Number(of) &&
    Number(of) <= 10_000
  return isRight && Object.keys(others).length === 0
    ? undefined
    : '{ index, of }, whole numbers, index from 0 and below of'
}

/** Whom a method is asked for. */
export interface Selection {
  audience: Audience
  part?: AudiencePart | undefined
  optedOut?: OptedOutOption['optedOut'] | undefined
  /** the account's attribute names; where they are not known, they are read if a condition needs them */
  attributes?: readonly string[] | undefined
}

/** The condition of an audience, its parameters numbered from `$4`. Whose address is suppressed is in none, who has opted out in those that say so. */
export async function audienceCondition(
  account: Account,
  normalizeEmail: (email: string) => string,
  { audience, part, optedOut, attributes }: Selection,
  signal?: AbortSignal,
): Promise<AudienceSql> {
  const { incomparable, found, ...condition } = await conditionOf(account, normalizeEmail, audience, attributes, signal)
  const table = await account.suppressions?.()
  const left = optedOut === 'include' ? undefined : optedOutSql(account.shape.optOuts)
  const narrow = ({ sql, parameters }: SqlCondition) => {
    const wanted = part ? `${sql} and ${partSql(account, part)}` : sql
    const suppressed = table && suppressedSql(account.shape, table, 4 + parameters.length)
    const reachable = suppressed ? `${wanted} and not ${suppressed.sql}` : wanted
    return {
      sql: left ? `${reachable} and not ${left}` : reachable,
      parameters: [...parameters, ...(suppressed?.parameters ?? [])],
      ...(suppressed ? { suppressed: `${wanted} and ${suppressed.sql}` } : {}),
      ...(left ? { optedOut: `${reachable} and ${left}` } : {}),
    }
  }
  return { ...narrow(condition), incomparable, found: narrow(found) }
}

function partSql({ shape }: Account, { index, of }: AudiencePart): string {
  // By a hash, because the ids of a range, or how many there are, change between the reads of two workers.
  return `mod(mod(hashtextextended(c.${shape.sql.id}::text, 0), ${of}) + ${of}, ${of}) = ${index}`
}

async function conditionOf(
  account: Account,
  normalizeEmail: (email: string) => string,
  audience: Audience,
  attributes: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<AudienceSql> {
  if (audience === 'all') return inOneWording({ sql: 'true', parameters: [] })
  if ('where' in audience) {
    const names = attributes ?? (await readAttributeNames(account, signal))
    return whereCondition(account.shape, names, normalizeEmail, audience)
  }
  return inOneWording(emailsCondition(account.shape, storedEmails(audience.emails, normalizeEmail)))
}

/** A condition that has one wording. */
function inOneWording(condition: SqlCondition): AudienceSql {
  return { ...condition, found: condition, incomparable: undefined }
}

/** Emails as they are stored, without those that none is stored as. */
export function storedEmails(emails: readonly string[], normalizeEmail: (email: string) => string): string[] {
  return [...new Set(emails.map(normalizeEmail))].filter((email) => !isUnstorable(email))
}

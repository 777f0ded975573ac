import type { RowProblem } from '../rows.js'
import { type Refusal, refusalMessage } from './failures.js'

/** What becomes of a row that is stored. */
export const STORED = ['created', 'updated', 'unchanged'] as const

/**
 * What becomes of a row that is not: it would take its customer `over` the cap, its customer is `existing` under
 * `existing: 'reject'` or `absent` under `unknown: 'reject'`, it is `deleted` and keeps its email's place, or it met a race and
 * is to be sent `again`.
 */
export const UNSTORED = ['over', 'existing', 'absent', 'deleted', 'again'] as const

/** What became of one row. */
export type RowFate = (typeof STORED)[number] | UnstoredFate | Refusal
export type UnstoredFate = (typeof UNSTORED)[number]

/**
 * Why a row was not stored.
 *
 * @param names - the attributes that the customer has, of a row that would take it over the cap
 */
export function fateProblem(
  fate: UnstoredFate | Refusal,
  maxCustomAttributes: number,
  names: readonly string[] = [],
): RowProblem {
  const max = maxCustomAttributes
  switch (fate) {
    case 'over': {
      const has = names.length > 0 ? names.join(', ') : 'others'
      const message =
        `Maximum ${max} custom attributes allowed: the customer has ${has} already and would get more. ` +
        'Remove or merge attributes that are not needed, then upload the row again.'
      return { code: 'TOO_MANY_ATTRIBUTES', message, details: { max, ...(names.length > 0 ? { names } : {}) } }
    }
    case 'existing':
      return { code: 'CUSTOMER_EXISTS', message: "The customer exists already, and existing is 'reject'.", details: {} }
    case 'absent':
      return {
        code: 'CUSTOMER_NOT_FOUND',
        message: "The customer does not exist, and unknown is 'reject'.",
        details: {},
      }
    case 'deleted': {
      const message =
        'The customer of this email is deleted, and the table has one place for an email. Bring the customer back, or make ' +
        'the unique index one of living customers.'
      return { code: 'CUSTOMER_DELETED', message, details: {} }
    }
    case 'again': {
      const message = 'The database did not store the row, without an error: a trigger or a rule may have swallowed it.'
      return { code: 'ROW_REFUSED', message, details: {} }
    }
  }
  const { column } = fate
  return { code: 'ROW_REFUSED', message: refusalMessage(fate), ...(column ? { column } : {}), details: { ...fate } }
}

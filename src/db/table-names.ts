import { anyOf, isObject, type OptionRule } from '../options.js'
import { quoteIdentifier, quoteLiteral } from './identifiers.js'

/** What the customer table calls the columns that the library needs; the last three it can do without. */
export interface TableNames {
  id: string
  account_id: string
  email: string
  custom_attributes: string
  created_at: string | null
  updated_at: string | null
  status: string | null
}

/** Columns, as the database spells them, and the values that a living customer has in them. */
export type LiveValues = Readonly<Record<string, null | boolean | string>>

export const OWN_NAMES: TableNames = {
  id: 'id',
  account_id: 'account_id',
  email: 'email',
  custom_attributes: 'custom_attributes',
  created_at: 'created_at',
  updated_at: 'updated_at',
  status: 'status',
}

const OPTIONAL: readonly string[] = ['created_at', 'updated_at', 'status']

export const areTableNames: OptionRule = (value) => {
  const isName = ([name, column]: [string, unknown]) =>
    Object.hasOwn(OWN_NAMES, name) &&
    ((typeof column === 'string' && column !== '') || (column === null && OPTIONAL.includes(name)))
  return isObject(value) === undefined && Object.entries(value as object).every(isName)
    ? undefined
    : `an object with the names of ${Object.keys(OWN_NAMES).join(', ')} (the last three may be null)`
}

export const areLiveValues: OptionRule = anyOf((value) => {
  const isValue = (entry: unknown) => entry === null || typeof entry === 'boolean' || typeof entry === 'string'
  return isObject(value) === undefined && Object.values(value as object).every(isValue)
    ? undefined
    : 'an object of columns and the values that a living row has: null, true, false or a text'
})

/** The condition that a row lives, as SQL; one for each column. */
export function liveConditions(live: LiveValues, alias?: string): string[] {
  return Object.entries(live).map(([column, value]) => {
    const sql = `${alias === undefined ? '' : `${alias}.`}${quoteIdentifier(column)}`
    if (value === null) return `${sql} is null`
    // Written as predicates of indexes mostly are: the planner proves no other spelling to be the same.
    return `${sql} = ${typeof value === 'boolean' ? value : quoteLiteral(value)}`
  })
}

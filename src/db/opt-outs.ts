import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { isObject, type OptionRule, oneOf, withDefault } from '../options.js'
import { isUnstorable } from '../rows.js'
import { valueCheck } from './field-values.js'
import { quoteLiteral } from './identifiers.js'
import type { SchemaFault } from './schema-fault.js'
import type { TableColumn } from './table-catalogue.js'

/** A value by which a customer has opted out. */
export type OptOutValue = string | number | bigint | boolean

/** Fields, and the value or the values of each by which a customer has opted out; any of them is enough. */
export type OptOuts = Readonly<Record<string, OptOutValue | readonly OptOutValue[]>>

/** The columns by which customers opt out, and of each the values that say so, as an SQL array. */
export type OptOutColumns = ReadonlyMap<TableColumn, string>

/** Whether an audience has the customers that opted out. */
export interface OptedOutOption {
  /**
   * Who has opted out, as the store's `optOut` says: `'exclude'` (default) leaves them out, `'include'` does not. Without `optOut`
   * nobody has.
   */
  optedOut?: 'exclude' | 'include'
}

/** Rule and default of the option `optedOut`. */
export const OPTED_OUT = withDefault(oneOf('exclude', 'include'), 'exclude')

/** Rule of the option `optOut`. */
export const areOptOuts: OptionRule = (value) => {
  const isValue = (one: unknown) =>
    typeof one === 'string'
      ? one !== '' && !isUnstorable(one)
      : typeof one === 'bigint' || typeof one === 'boolean' || Number.isFinite(one)
  const areValues = (values: unknown) =>
    Array.isArray(values) ? values.length > 0 && [...values].every(isValue) : isValue(values)
  return isObject(value) === undefined && Object.values(value as object).every(areValues)
    ? undefined
    : "an object of fields and the value, or values, that say a customer opted out: { accepts_marketing: false } or { status: ['unsubscribed'] }"
}

/**
 * Finds the columns of the option `optOut`.
 *
 * @param columns - the fields that the table has, and their columns
 * @throws CustomAttributesError `INVALID_OPTION` for a field that the table lacks, or a value that its type has not
 */
export function resolveOptOuts(option: OptOuts, columns: ReadonlyMap<string, TableColumn>): OptOutColumns {
  return new Map(
    Object.entries(option).map(([field, given]) => {
      const column = field === 'email' ? undefined : columns.get(field)
      if (!column) {
        const known = [...columns.keys()].filter((name) => name !== 'email')
        throw invalidOptOut(
          field,
          `is no field by which a customer can opt out. The table has ${known.join(', ') || 'none'}. Name one of them, or add ` +
            'the column (and, where fields are defined, the field).',
        )
      }
      const check = valueCheck(column, 'iso')
      const values = (Array.isArray(given) ? given : [given]).map((value) => {
        const checked = check?.(String(value)) ?? String(value)
        if (typeof checked === 'string') return quoteLiteral(checked)
        throw invalidOptOut(
          field,
          `has a value that ${column.type} cannot hold: ${checked.message.replace(' Correct the cell.', '')} Give one that it can.`,
        )
      })
      return [column, `array[${values.join(', ')}]::${column.castType}[]`]
    }),
  )
}

function invalidOptOut(field: string, what: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_OPTION', `createCustomAttributesStore: optOut.${field} ${what}`, {
    function: 'createCustomAttributesStore',
    option: 'optOut',
    field,
  })
}

/** What {@link resolveOptOuts} would throw, as a fault of the schema. */
export function optOutFaults(option: OptOuts, columns: ReadonlyMap<string, TableColumn>): SchemaFault[] {
  try {
    resolveOptOuts(option, columns)
    return []
  } catch (error) {
    if (!isCustomAttributesError(error)) throw error
    return [{ message: error.message, details: error.details }]
  }
}

/** SQL of whether a value of a column is an opt-out; false for null. */
export function isOptOutSql(optOuts: OptOutColumns, column: TableColumn, value: string): string {
  return `coalesce(${value} = any (${optOuts.get(column)!}), false)`
}

/** SQL of whether a customer `c` has opted out; undefined where none can. */
export function optedOutSql(optOuts: OptOutColumns): string | undefined {
  if (optOuts.size === 0) return undefined
  return `(${[...optOuts.keys()].map((column) => isOptOutSql(optOuts, column, `c.${column.sql}`)).join(' or ')})`
}

/** SQL of the names of the columns by which a customer `c` has opted out, as a JSON array. */
export function optedOutColumnsSql(optOuts: OptOutColumns): string {
  const names = [...optOuts.keys()].map(
    (column) => `case when ${isOptOutSql(optOuts, column, `c.${column.sql}`)} then ${quoteLiteral(column.name)} end`,
  )
  return `to_jsonb(array_remove(array[${names.join(', ')}]::text[], null))::text`
}

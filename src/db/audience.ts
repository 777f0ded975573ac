import { CustomAttributesError } from '../errors.js'
import { nameIndex } from '../names.js'
import { isTextList, kindOf } from '../options.js'
import { isUnstorable } from '../rows.js'
import { valueCheck } from './field-values.js'
import { rareSeparator } from './separators.js'
import type { TableShape } from './table-shape.js'

/** A value of a standard field or custom attribute to compare with. */
export type AudienceValue = string | number | bigint | boolean

/**
 * Who is meant. Always said, never assumed: `'all'` customers of the account, those with these `emails`, or those `where`
 * every named standard field or custom attribute equals a value, or one of several.
 */
export type Audience =
  | 'all'
  | { emails: readonly string[] }
  | { where: Readonly<Record<string, AudienceValue | readonly AudienceValue[]>> }

/** A condition on the customer table `c`, its parameters numbered from `$4`. */
export interface AudienceCondition {
  sql: string
  parameters: string[]
}

/** @throws CustomAttributesError `INVALID_AUDIENCE` when it is none of the three shapes */
export function checkAudience(audience: Audience): void {
  if (audience === 'all') return
  const keys = typeof audience === 'object' && audience !== null ? Object.keys(audience) : []
  const { emails, where } = (audience ?? {}) as { emails?: unknown; where?: unknown }
  const isEmails = keys.length === 1 && isTextList(emails) === undefined
  const isWhere =
    keys.length === 1 &&
    typeof where === 'object' &&
    where !== null &&
    !Array.isArray(where) &&
    Object.keys(where).length > 0
  if (isEmails || isWhere) return
  throw invalid(
    `audience must be 'all', { emails: [...] } or { where: { <merge tag>: <value> } } with at least one name, ` +
      `got ${kindOf(audience)}. To reach every customer, say 'all'.`,
    {},
  )
}

/**
 * Turns `where` into SQL: attributes by containment, which the GIN index answers, standard fields by equality.
 *
 * @param names - the account's attribute names
 * @param normalizeEmail - as emails are stored
 * @throws CustomAttributesError `INVALID_AUDIENCE` for an unknown name or a value that is no text, number or boolean
 */
export function whereCondition(
  shape: TableShape,
  names: readonly string[],
  normalizeEmail: (email: string) => string,
  where: Readonly<Record<string, AudienceValue | readonly AudienceValue[]>>,
): AudienceCondition {
  const parameters: string[] = []
  // A list is one parameter, however long: a statement takes 65,535.
  const separator = rareSeparator()
  const parameter = (text: string) => `$${parameters.push(text) + 3}::text`
  const textsOf = (list: readonly string[]) =>
    // Of an empty text string_to_array makes an array of nothing.
    list.join('') === '' ? `array['']` : `string_to_array(${parameter(list.join(separator))}, '${separator}')`
  const find = nameIndex([...shape.standardFields, ...names])
  const conditions = Object.entries(where).map(([name, wanted]) => {
    const values = (Array.isArray(wanted) ? [...wanted] : [wanted]).map((value) => toText(name, value))
    if (values.length === 0) throw invalid(`audience.where.${name} lists no value.`, { name })
    // As a template finds it: the exact spelling among all names first.
    const found = find(name)
    const field = shape.standardFields.find((candidate) => candidate === found)
    if (field !== undefined) {
      const column = shape.columns.get(field)!
      const check = valueCheck(column, 'iso')
      const list = values.map((value) => {
        const given = field === 'email' ? normalizeEmail(value) : value
        const checked = check?.(given) ?? given
        if (typeof checked !== 'string') throw invalid(`audience.where.${name}: ${checked.message}`, { name })
        return checked
      })
      const wanted = `${textsOf(list)}::${column.castType}[]`
      return field === 'email' && shape.identity.isLower
        ? `lower(c.${column.sql}) = any (array(select lower(e) from unnest(${wanted}) e))`
        : `c.${column.sql} = any (${wanted})`
    }
    if (found === undefined) {
      throw invalid(
        `audience.where names ${JSON.stringify(name)}, which is no standard field and no custom attribute of the account.`,
        { name, known: [...shape.standardFields, ...names] },
      )
    }
    return `c.${shape.sql.custom_attributes} @> any (${textsOf(values.map((value) => JSON.stringify({ [found]: value })))}::jsonb[])`
  })
  return { sql: conditions.join(' and '), parameters }
}

function toText(name: string, value: unknown): string {
  const isScalar = ['string', 'number', 'bigint', 'boolean'].includes(typeof value)
  if (isScalar && !isUnstorable(String(value))) return String(value)
  throw invalid(
    `audience.where.${name} must be a text, a number or a boolean (or a list of them), got ${kindOf(value)}.`,
    {
      name,
    },
  )
}

function invalid(message: string, details: Record<string, unknown>): CustomAttributesError {
  return new CustomAttributesError('INVALID_AUDIENCE', message, details)
}

import { LIMITS } from './options.js'
import { trim } from './trim.js'

/** The columns of a customer table that a CSV may fill; which of them a table has is the host's choice. */
export const STANDARD_COLUMNS = [
  'email',
  'first_name',
  'last_name',
  'phone',
  'company',
  'birthday',
  'currency',
  'country',
  'province',
  'city',
  'address1',
  'address2',
  'postal_code',
  'timezone',
  'accepts_marketing',
  'source',
  'status',
  'status_reason',
  'orders_count',
  'total_spent',
  'last_order_id',
  'last_order_name',
  'last_order_date',
  'last_order_price',
  'source_id',
  'action_status',
  'domain_name',
] as const

/** The name of a standard field. */
export type StandardColumn = (typeof STANDARD_COLUMNS)[number]

/** Whether `name` is exactly the name of a standard field. */
export function isStandardColumn(name: unknown): name is StandardColumn {
  return (STANDARD_COLUMNS as readonly unknown[]).includes(name)
}

/** What neither names nor tells names apart: all but letters, digits, their vowel signs, and the signs that mean something. */
const SEPARATORS = String.raw`[^\p{L}\p{N}\p{M}\p{S}%#&‰‱٪]+`
const SEPARATED = new RegExp(String.raw`(\p{N})?${SEPARATORS}(?=(\p{N})?)`, 'gu')

/**
 * The form under which names are compared: NFKC, lower case, letters and digits of any script (with the vowel signs that
 * belong to them), and the signs that mean something: `%`, `‰`, `#`, `&`, and every symbol, such as `+` and the currencies. A
 * separator between two digits stays, as `_`: `Q1_1` is not `Q11`. A name without any of these is its own form.
 */
export function nameForm(name: string): string {
  const form = name
    .normalize('NFKC')
    .toLowerCase()
    // U+0307 is what lower-casing the Turkish dotted capital I leaves behind; U+FE00–FE0F only choose a glyph.
    .replace(/[\u0307\ufe00-\ufe0f]/g, '')
    .replace(SEPARATED, (_, before = '', after) => (before && after ? `${before}_` : before))
  return form === '' ? trim(name) : form
}

/** Whether two names differ in nothing but case and blanks. */
export function isSpeltAlike(name: string, other: string): boolean {
  return withoutCaseAndBlanks(name) === withoutCaseAndBlanks(other)
}

function withoutCaseAndBlanks(name: string): string {
  return name.toLowerCase().replace(/\s+/g, '')
}

const FIELD_BY_FORM = new Map<string, StandardColumn>(STANDARD_COLUMNS.map((field) => [nameForm(field), field]))

/** The standard field whose name has a form. */
export function fieldOfForm(form: string): StandardColumn | undefined {
  return FIELD_BY_FORM.get(form)
}

/** Indexes names: finds the exact spelling, else the only name of the same form. */
export function nameIndex<Name extends string>(
  names: Iterable<Name>,
): (name: string, form?: string) => Name | undefined {
  const exact = new Map<string, Name>()
  for (const name of names) exact.set(name, name)
  const byForm = new Map<string, Name | undefined>()
  for (const name of exact.values()) {
    const form = nameForm(name)
    byForm.set(form, byForm.has(form) ? undefined : name)
  }
  return (name, form = nameForm(name)) => exact.get(name) ?? byForm.get(form)
}

/** Why `name` cannot name a custom attribute, or undefined when it can. */
export function attributeNameFault(name: string): string | undefined {
  if (name === '') return 'the name is empty'
  if (name !== trim(name)) return 'blanks at its start or end'
  if ([...name].length > LIMITS.maxAttributeNameLength) return `over ${LIMITS.maxAttributeNameLength} characters`
  if (name.includes('{{') || name.includes('}}')) return 'holds {{ or }}'
  if (name.includes('|')) return 'holds |'
  if (/[\p{Cc}\u2028\u2029]/u.test(name)) return 'holds a control character'
  if (/\p{Cs}/u.test(name)) return 'holds a lone surrogate'
  if ('#^/>&!='.includes(name.charAt(0))) return `starts with ${name.charAt(0)}`
  if (name === '__proto__' || name === 'constructor' || name === 'prototype') return 'reserved by JavaScript'
  return undefined
}

/**
 * The name nearest to `name` that can name a custom attribute: a sign that it may not start with stands at its end. Nothing
 * is left of a name that has only such signs.
 */
export function usableName(name: string): string | undefined {
  let usable = name
    .replace(/[\p{Cc}\p{Cs}\p{Z}]+/gu, ' ')
    .replaceAll('|', '/')
    .replace(/([{}])\1+/g, '$1')
    .trim()
  const [signs] = /^[#^/>&!=\s]*/.exec(usable)!
  usable = usable.slice(signs.length)
  if (usable === '') return undefined
  const end = signs.trim() === '' ? '' : ` ${signs.replace(/\s+/g, '').slice(0, 3)}`
  usable =
    [...usable]
      .slice(0, LIMITS.maxAttributeNameLength - end.length)
      .join('')
      .trim() + end
  // The names that JavaScript reserves.
  return attributeNameFault(usable) === undefined ? usable : `${usable.replaceAll('_', '')}_`
}

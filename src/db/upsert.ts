import { CustomAttributesError, throwProblem } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'
import { attributeNameFault, type StandardColumn } from '../names.js'
import { kindOf } from '../options.js'
import {
  emailProblem,
  invalidCharacter,
  isUnstorable,
  type ParsedRow,
  type RowOptions,
  type RowProblem,
  valueTooLong,
} from '../rows.js'
import { trim } from '../trim.js'
import { type Account, lockAccount } from './accounts.js'
import { type BatchTarget, compareJsonbKeys, writeBatch } from './batch.js'
import { isTransaction } from './client.js'
import { readNamesOf } from './customers.js'
import { fieldNameFault } from './definitions.js'
import { fateProblem, STORED } from './fates.js'
import { type NumberFormat, valueCheck } from './field-values.js'
import type { MergeOptions, ResolvedMergeOptions } from './merge-options.js'
import { retry } from './retry.js'
import { rareSeparator } from './separators.js'
import { onlyNewColumns, type TableShape, whyReadOnly } from './table-shape.js'

/** A value a customer can be given: `null`, `undefined` and blank texts are empty. */
export type CustomerValue = string | number | bigint | boolean | Date | null | undefined

/** A customer to be stored: the email, any standard fields, and custom attributes. */
export type CustomerInput = { email: string; custom_attributes?: Readonly<Record<string, CustomerValue>> } & {
  [Field in Exclude<StandardColumn, 'email'>]?: CustomerValue
} & {
  /** other fields of the host's catalogue */
  readonly [field: string]: CustomerValue | Readonly<Record<string, CustomerValue>>
}

/** What `upsertCustomer` did. */
export interface UpsertResult {
  id: string
  outcome: 'created' | 'updated' | 'unchanged'
  /** whether an opt-out was kept that the customer given would have turned back; absent where none was */
  optOutKept?: true
}

/** Options of `upsertCustomer`; they mean what they mean for an upload. */
export interface UpsertOptions extends MergeOptions {
  /** For texts; numbers are numbers. */
  numberFormat?: NumberFormat
}

/** How one customer is stored; all resolved. */
export interface UpsertSettings extends ResolvedMergeOptions, Required<RowOptions> {
  maxCustomAttributes: number
  numberFormat?: NumberFormat
  newId: (() => string) | undefined
  fields: FieldCatalogue
}

/** Keys of a row of the customer table that are not for writing. */
const READ_ONLY = new Set(['id', 'account_id', 'created_at', 'updated_at'])

/** Stores one customer: the same statement as an upload's batch, with one row. */
export async function upsertCustomer(
  account: Account,
  input: CustomerInput | ParsedRow,
  settings: UpsertSettings,
): Promise<UpsertResult> {
  const { sql, shape, accountId } = account
  const { email, fields, attributes } = readInput(input, shape, settings)
  const names = [...attributes.keys()].sort(compareJsonbKeys)
  const given = names.filter((name) => attributes.get(name) !== '')
  const json = JSON.stringify(Object.fromEntries(given.map((name) => [name, attributes.get(name)])))
  const separator = rareSeparator()
  const text = [email, ...fields.values(), ...(names.length > 0 ? [json] : [])].join(separator)
  const { existing, unknown, emptyValues, optOuts, maxCustomAttributes } = settings
  const target: BatchTarget = {
    shape,
    accountId,
    clearedNames: names,
    newId: settings.newId,
    plan: {
      existing,
      unknown,
      emptyValues,
      optOuts,
      maxCustomAttributes,
      fields: [...fields.keys()].map((name) => shape.columns.get(name)!),
      onlyNew: onlyNewColumns(shape),
      bringsId: settings.newId !== undefined,
      hasAttributes: names.length > 0,
      sharesAccount: !isTransaction(sql),
      returnsId: true,
    },
  }
  for (let tries = 1; ; tries++) {
    const outcome = await retry(sql, async (db) => {
      if (isTransaction(sql)) await lockAccount({ ...account, sql: db })
      return writeBatch(db, target, [{ email, text, separator }], given.length > 0)
    })
    const fate = outcome.unstored.get(email)
    if (fate === 'again' && tries < 10) continue
    if (fate) {
      const namesOf = fate === 'over' ? await readNamesOf(account, [email]) : () => []
      throwProblem(fateProblem(fate, maxCustomAttributes, namesOf(email)))
    }
    return {
      id: outcome.id!,
      outcome: STORED.find((name) => outcome[name] > 0)!,
      ...(outcome.optOutsKept.size > 0 ? { optOutKept: true as const } : {}),
    }
  }
}

interface ReadInput {
  email: string
  fields: Map<string, string>
  attributes: Map<string, string>
}

function readInput(input: CustomerInput | ParsedRow, shape: TableShape, settings: UpsertSettings): ReadInput {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw invalidCustomer(`a customer must be an object with an email, got ${kindOf(input)}.`, {})
  }
  if ('customAttributes' in input && !('custom_attributes' in input)) {
    throw invalidCustomer('the customer has customAttributes; the name is custom_attributes, as in the table.', {})
  }
  // As a template reads it: a row with an email of its own is a row, whatever it has as `standard`.
  const { standard } = input as ParsedRow
  const isParsedRow = typeof standard === 'object' && standard !== null && !Object.hasOwn(input, 'email')
  const flat: Record<string, unknown> = isParsedRow ? { ...standard } : { ...input }
  const custom = input.custom_attributes ?? {}
  const prototype = typeof custom === 'object' ? Object.getPrototypeOf(custom) : undefined
  if (prototype !== Object.prototype && prototype !== null) {
    throw invalidCustomer(`custom_attributes must be an object, got ${kindOf(custom)}.`, {})
  }
  delete flat.custom_attributes
  for (const name of Object.keys(flat)) {
    if (READ_ONLY.has(name)) delete flat[name]
    else if (!settings.fields.has(name)) {
      throw invalidCustomer(`${JSON.stringify(name)} is no standard field; put it into custom_attributes.`, { name })
    }
  }
  const read = (name: string, value: unknown) => {
    const text = toText(name, value)
    const problem = valueProblem(name, text, settings)
    if (problem) throwProblem(withoutCell(problem))
    return text
  }

  const typed = read('email', flat.email)
  const problem = emailProblem(typed, 'email')
  if (problem) throwProblem(withoutCell(problem))
  const long = valueCheck(shape.columns.get('email')!, settings.dateFormat)?.(typed)
  if (typeof long === 'object') throw new CustomAttributesError(long.code, long.message, { column: 'email' })
  const keepsEmpty = settings.emptyValues === 'clear'
  const fields = new Map<string, string>()
  for (const [name, value] of Object.entries(flat)) {
    const text = read(name, value)
    if (name === 'email' || (text === '' && !keepsEmpty)) continue
    const column = shape.standardFields.includes(name) ? shape.columns.get(name)! : undefined
    if (!column) {
      if (text === '') continue
      throw new CustomAttributesError('FIELD_NOT_IN_TABLE', `${shape.customerTable} has no column ${name} to fill.`, {
        fields: [name],
      })
    }
    if (!shape.fillable.has(name)) {
      if (text === '') continue
      throw new CustomAttributesError(
        'FIELD_NOT_FILLABLE',
        `${name} can be read and not written: ${whyReadOnly(shape, [name])}. Leave it out.`,
        {
          fields: [name],
        },
      )
    }
    const numberFormat = typeof value === 'string' ? settings.numberFormat : undefined
    const checked = text === '' ? text : (valueCheck(column, settings.dateFormat, numberFormat)?.(text) ?? text)
    if (typeof checked !== 'string') {
      throw new CustomAttributesError(checked.code, withoutCell(checked).message, { column: name })
    }
    fields.set(name, checked)
  }
  const attributes = new Map<string, string>()
  for (const [name, value] of Object.entries(custom)) {
    const fault = attributeNameFault(name) ?? fieldNameFault(name, shape)
    if (fault)
      throw new CustomAttributesError('INVALID_ATTRIBUTE_NAME', `An attribute's name: ${fault}.`, { reason: fault })
    const text = read(name, value)
    if (text !== '' || keepsEmpty) attributes.set(name, text)
  }
  const given = [...attributes.values()].filter((text) => text !== '').length
  if (given > settings.maxCustomAttributes) {
    throw new CustomAttributesError(
      'TOO_MANY_ATTRIBUTES',
      `Maximum ${settings.maxCustomAttributes} custom attributes allowed. Found ${given}: ${[...attributes.keys()].join(', ')}.`,
      { max: settings.maxCustomAttributes, found: given, names: [...attributes.keys()] },
    )
  }
  return { email: settings.emailCase === 'lower' ? typed.toLowerCase() : typed, fields, attributes }
}

function toText(name: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return trim(value)
  if (typeof value === 'number') {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return String(value)
    const what = Number.isFinite(value) ? 'a whole number that JavaScript cannot hold exactly' : 'NaN or Infinity'
    throw invalidCustomer(`${name} is ${what}. Give it as a text or a bigint, or leave it out.`, { name })
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  throw invalidCustomer(`${name} must be a text, number, boolean, Date or null, got ${kindOf(value)}.`, { name })
}

function valueProblem(name: string, text: string, { maxValueLength }: UpsertSettings): RowProblem | undefined {
  if (isUnstorable(text)) return invalidCharacter(name)
  if (text.length > maxValueLength && [...text].length > maxValueLength) return valueTooLong(name, maxValueLength)
  return undefined
}

/** What is said of a cell, said of a value that stands in none. */
function withoutCell<Told extends { message: string }>(told: Told): Told {
  const message = told.message.replace(' Correct the cell, or say', ' Say').replace(' Correct the cell.', '')
  return { ...told, message: message.replace('the cell is empty', 'it is empty') }
}

function invalidCustomer(message: string, details: Record<string, unknown>): CustomAttributesError {
  return new CustomAttributesError('INVALID_CUSTOMER', `Not a customer that can be stored: ${message}`, details)
}

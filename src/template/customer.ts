import { CustomAttributesError } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'

/** Values by name; only its own properties count. */
export type Values = Readonly<Record<string, unknown>>

export const NONE: Values = Object.freeze({})

/**
 * The object that holds the standard fields of a customer: the row itself, or `standard` of what `parseRow` returns. A
 * row with an `email` of its own stays a row, whatever a column `standard` holds.
 *
 * @throws CustomAttributesError `INVALID_CUSTOMER` when it is no object
 */
export function fieldsOf(customer: unknown): Values {
  if (typeof customer !== 'object' || customer === null) throw noRow(customer)
  const { standard } = customer as { standard?: unknown }
  if (standard === undefined || typeof standard !== 'object' || standard === null) return customer as Values
  return Object.hasOwn(customer, 'email') ? (customer as Values) : (standard as Values)
}

/**
 * The object that holds the custom attributes of a customer.
 *
 * @throws CustomAttributesError `INVALID_CUSTOMER` when they stand under another name or are no object
 */
export function attributesOf(customer: Values, fields: FieldCatalogue): Values {
  const attributes = customer.custom_attributes
  if (typeof attributes === 'object' && attributes !== null) return attributes as Values
  if (attributes === undefined) checkRow(customer, fields)
  if (attributes === undefined || attributes === null) return NONE
  throw noAttributes(attributes)
}

/**
 * Refuses lists and maps, which are objects and hold no values by name. Needed only where an object is not plain.
 *
 * @throws CustomAttributesError `INVALID_CUSTOMER`
 */
export function checkAttributes(attributes: Values): void {
  if (Array.isArray(attributes) || attributes instanceof Map) throw noAttributes(attributes)
}

/** Refuses what would render as a message full of holes: an ORM's spelling, and an instance that hides its row. */
function checkRow(customer: Values, fields: FieldCatalogue): void {
  if (Array.isArray(customer)) throw noRow(customer)
  if ('customAttributes' in customer) {
    throw invalidCustomer(
      'The customer has customAttributes but no custom_attributes. Data keeps its database names: pass the row as it ' +
        'was selected, or { ...row, custom_attributes: row.customAttributes }.',
    )
  }
  const prototype = Object.getPrototypeOf(customer)
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (isPlain || 'standard' in customer || fields.names.some((name) => Object.hasOwn(customer, name))) return
  throw invalidCustomer(
    'The customer is an instance of a class without a standard field of its own. Pass its plain row, for example from ' +
      'toJSON().',
  )
}

function noRow(customer: unknown): CustomAttributesError {
  return invalidCustomer(`The customer must be a row of the customer table, got ${kindOf(customer)}.`)
}

function noAttributes(attributes: unknown): CustomAttributesError {
  return invalidCustomer(
    `custom_attributes must be an object of names and values, got ${kindOf(attributes)}. ` +
      'Where the driver returns jsonb as text, parse it first.',
  )
}

function invalidCustomer(message: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_CUSTOMER', message)
}

/** Names the kind of a value and nothing of the value. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return value instanceof Map ? 'a Map' : `a ${typeof value}`
}

/**
 * What a value prints, or undefined when it is missing: absent, null, empty, only blanks, or nothing that can be
 * printed.
 *
 * Strings print as they are; numbers, bigints, booleans and decimals (objects with a `toString` of their own) by
 * `String`; a `Date` as its ISO form. `NaN`, an invalid date, arrays, plain objects, bytes, functions and symbols are
 * missing.
 */
export function printValue(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return isBlank(value) ? undefined : value
    case 'number':
      return Number.isNaN(value) ? undefined : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      return value === null ? undefined : printObject(value)
    default:
      return undefined
  }
}

/**
 * What a standard field prints. A row of the store has texts where a driver gives a `Date`, and both print alike: a point
 * in time as PostgreSQL writes it in JSON, in UTC; midnight, which is also how a driver gives a day, as the day.
 */
export function printField(value: unknown): string | undefined {
  if (typeof value === 'string')
    return value.endsWith('T00:00:00Z') && value.length === 20 ? value.slice(0, 10) : printValue(value)
  return value instanceof Date
    ? printValue(value)?.replace(/T00:00:00\.000Z$|\.000(?=Z$)|(?<=\.\d+)0+(?=Z$)/, '')
    : printValue(value)
}

/** Whether a section of this value is shown: not when the value is missing, `false` or a zero of any number type. */
export function opensSection(value: unknown): boolean {
  if (typeof value === 'string') return !isBlank(value)
  if (typeof value === 'boolean') return value
  const text = printValue(value)
  return text !== undefined && Number(text) !== 0
}

/** Whether a text is empty or all blanks. */
function isBlank(text: string): boolean {
  const first = text.charCodeAt(0)
  // Almost every value starts with a visible ASCII character, which settles it.
  return !(first > 32 && first < 127) && text.trim() === ''
}

function printObject(value: object): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return undefined
  const printer: unknown = value.toString
  if (typeof printer !== 'function' || printer === Object.prototype.toString) return undefined
  const text = String(value)
  return isBlank(text) ? undefined : text
}

import type { ErrorCode } from '../errors.js'
import type { TableColumn } from './table-catalogue.js'

/** In which order a date with slashes, dots or dashes that is not ISO 8601 is read. */
export type DateFormat = 'iso' | 'mdy' | 'dmy'

/** How numbers are written: `1,234.50` or `1.234,50`; groups may also be parted by blanks or apostrophes. */
export type NumberFormat = 'point' | 'comma'

export const NUMBER_FORMATS = ['point', 'comma'] as const

export const DATE_FORMATS = ['iso', 'mdy', 'dmy'] as const

/** Why a value does not fit its column; the message never holds the value. */
export interface ValueFault {
  code: Extract<ErrorCode, 'INVALID_VALUE' | 'VALUE_TOO_LONG'>
  message: string
}

/**
 * Checks a value against its column's type and writes it as PostgreSQL reads it under any setting; returns the text or
 * why it does not fit. Values are never empty here.
 */
export type ValueCheck = (value: string) => string | ValueFault

const TRUE = new Set(['true', 't', 'yes', 'y', '1', 'on'])
const FALSE = new Set(['false', 'f', 'no', 'n', '0', 'off'])

const INTEGER_RANGES: Readonly<Record<string, bigint>> = {
  int2: 2n ** 15n,
  int4: 2n ** 31n,
  int8: 2n ** 63n,
}

/** Whether a column of this type holds numbers. */
export function isNumberType(type: string): boolean {
  return type in INTEGER_RANGES || /^(?:numeric|float[48])$/.test(type)
}

/** Whether a column holds days or moments. */
export function isMomentType({ type }: TableColumn): boolean {
  return type === 'date' || type === 'timestamp' || type === 'timestamptz'
}

/** Whether a column holds any text. */
export function isTextType({ type }: TableColumn): boolean {
  return type === 'text' || type === 'varchar' || type === 'bpchar' || type === 'citext' || type === 'name'
}

/** A number as PostgreSQL reads it. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/
/** Looks like a number in somebody's notation. */
const ANY_NUMBER = /^[+-]?(?=\D{0,9}\d)[\d.,\s'’]+$/
const GROUPED: Readonly<Record<NumberFormat, RegExp>> = {
  point: /^([+-]?)(\d+|\d{1,3}([,\s'’])\d{3}(?:\3\d{3})*)((?:\.\d*)?|)((?:[eE][+-]?\d{1,3})?)$/,
  comma: /^([+-]?)(\d+|\d{1,3}([.\s'’])\d{3}(?:\3\d{3})*)((?:,\d*)?|)((?:[eE][+-]?\d{1,3})?)$/,
}
/** A fraction alone in the notation with a comma. */
const COMMA_FRACTION = /^([+-]?),(\d+(?:[eE][+-]?\d{1,3})?)$/
/** A whole number written with a point and noughts that cannot be a group: `3.0`. */
const POINT_WHOLE = /^[+-]?\d+\.(?:0{0,2}|0{4,})$/
/** The year first is always followed by the month. */
const YEAR_FIRST = /^(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?=$|[T\s,])/
const YEAR_LAST = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})(?=$|[T\s,])/
const TIME =
  /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})\d*|:(\d{2}))?\s{0,3}(?:([ap])\.?m\.?)?\s{0,3}(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$/i

/** The check for a column, or undefined when its type takes any text (or is left to the database). */
export function valueCheck(
  column: TableColumn,
  dateFormat: DateFormat,
  numberFormat?: NumberFormat,
): ValueCheck | undefined {
  const check = typeCheck(column, dateFormat)
  const isNumber = isNumberType(column.type) || column.type === 'bool'
  if (!check || !isNumber || column.labels || column.maxLength !== undefined) return check
  if (numberFormat) {
    return (value) => {
      const result = check(toPoint(value, numberFormat))
      if (typeof result === 'string' || !ANY_NUMBER.test(value)) return result
      const example = numberFormat === 'comma' ? '1.234,50' : '1,234.50'
      return {
        ...result,
        message: `The value is no number that fits, as numberFormat says (${example}). Correct the cell.`,
      }
    }
  }
  return (value) => {
    const result = check(value)
    if (typeof result === 'string' || DECIMAL.test(value) || !ANY_NUMBER.test(value)) return result
    return {
      ...result,
      message:
        `${result.message.replace(' Correct the cell.', '')} Correct the cell, or say with numberFormat whether numbers are ` +
        "written 1,234.50 ('point') or 1.234,50 ('comma').",
    }
  }
}

/** A number as PostgreSQL reads it; a value that is none in this notation as something that is none in any. */
function toPoint(value: string, format: NumberFormat): string {
  if (format === 'comma') {
    if (POINT_WHOLE.test(value)) return value
    const fraction = COMMA_FRACTION.exec(value)
    if (fraction) return `${fraction[1]}.${fraction[2]}`
  }
  const found = GROUPED[format].exec(value)
  if (!found) return format === 'comma' && /^[^a-z]*$/i.test(value) && value.includes('.') ? `?${value}` : value
  const [, sign, whole, , fraction, exponent] = found
  return `${sign}${whole!.replace(/\D/g, '')}${fraction!.replace(',', '.')}${exponent}`
}

function typeCheck(column: TableColumn, dateFormat: DateFormat): ValueCheck | undefined {
  const { type, maxLength, labels, numeric } = column
  if (labels) return (value) => (labels.includes(value) ? value : fault(`one of the values of the type ${type}`))
  if (maxLength !== undefined) return checkLength(maxLength)
  if (type in INTEGER_RANGES) return checkInteger(INTEGER_RANGES[type]!)
  if (type === 'numeric') return checkNumeric(numeric)
  if (type === 'float4' || type === 'float8') {
    return (value) => (DECIMAL.test(value) ? value : fault('a number with a decimal point'))
  }
  if (type === 'bool') return checkBoolean
  if (type === 'uuid') {
    const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
    return (value) => (uuid.test(value) ? value.toLowerCase() : fault('a uuid'))
  }
  if (type === 'date' || type === 'timestamp' || type === 'timestamptz') return checkDate(type, dateFormat)
  return undefined
}

function fault(expected: string): ValueFault {
  return { code: 'INVALID_VALUE', message: `The value must be ${expected}. Correct the cell.` }
}

function checkLength(max: number): ValueCheck {
  return (value) =>
    value.length <= max || [...value].length <= max
      ? value
      : { code: 'VALUE_TOO_LONG', message: `The value is over ${max} characters, which its column takes. Shorten it.` }
}

function checkInteger(bound: bigint): ValueCheck {
  return (value) => {
    const whole = /^[+-]?\d{1,20}(?=(?:\.0*)?$)/.exec(value)?.[0]
    if (whole === undefined) return fault('a whole number')
    const number = BigInt(whole.startsWith('+') ? whole.slice(1) : whole)
    return number >= -bound && number < bound ? String(number) : fault(`a whole number from ${-bound} to ${bound - 1n}`)
  }
}

function checkNumeric(size: { precision: number; scale: number } | undefined): ValueCheck {
  return (value) => {
    if (!DECIMAL.test(value)) return fault('a number with a decimal point and no thousands separators')
    // Rounding can add a digit, which the database then refuses; here only what cannot fit in any case.
    const whole = /^[+-]?0*(\d*)/.exec(value)![1]!.length
    if (size && !/[eE]/.test(value) && whole > size.precision - size.scale) {
      return fault(`a number with at most ${size.precision - size.scale} digits before the point`)
    }
    return value
  }
}

function checkBoolean(value: string): string | ValueFault {
  const word = value.toLowerCase().replace(/^([01])\.0*$/, '$1')
  if (TRUE.has(word)) return 'true'
  if (FALSE.has(word)) return 'false'
  return fault('true or false (also yes, no, y, n, t, f, 1, 0, on, off)')
}

function checkDate(type: 'date' | 'timestamp' | 'timestamptz', format: DateFormat): ValueCheck {
  const order = format === 'iso' ? '' : format === 'mdy' ? ' or MM/DD/YYYY' : ' or DD/MM/YYYY'
  const expected = fault(
    type === 'date' ? `a date YYYY-MM-DD${order}` : `a date YYYY-MM-DD${order}, with or without a time HH:MM:SS`,
  )
  return (value) => {
    const date = readDate(value, format)
    if (!date) return expected
    const rest = value.slice(date.length).replace(/^(?:T|,?\s)\s*/, '')
    if (rest === '') return type === 'timestamptz' ? `${date.iso} 00:00:00Z` : date.iso
    const time = readTime(rest)
    if (!time) return expected
    // A date with midnight is what many exports make of a date; any other time of day would be lost.
    if (type === 'date') return /^00:00:00(?:\.0+)?$/.test(time.clock) ? date.iso : expected
    // The offset may lead out of the years that are written with four digits.
    if (time.zone && !toUtc(date.iso, time.clock, time.zone)) return expected
    if (type === 'timestamptz') return `${date.iso} ${time.clock}${time.zone || 'Z'}`
    return time.zone ? (toUtc(date.iso, time.clock, time.zone) ?? expected) : `${date.iso} ${time.clock}`
  }
}

/** A moment as a UTC time of day, for a column without time zone: PostgreSQL would drop the offset without a word. */
function toUtc(date: string, clock: string, zone: string): string | undefined {
  const [hours, minutes = '00'] = zone === 'Z' ? ['+00'] : (zone.match(/[+-]?\d{2}/g) as string[])
  const moment = new Date(`${date}T${clock.slice(0, 8)}${hours}:${minutes}`)
  if (moment.getUTCFullYear() < 1 || moment.getUTCFullYear() > 9999) return undefined
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}${clock.slice(8)}`
}

function readDate(value: string, format: DateFormat): { iso: string; length: number } | undefined {
  const yearFirst = YEAR_FIRST.exec(value)
  if (yearFirst) return toDate(yearFirst[1]!, yearFirst[3]!, yearFirst[4]!, yearFirst[0].length)
  const yearLast = format === 'iso' ? undefined : YEAR_LAST.exec(value)
  if (!yearLast) return undefined
  const [whole, first, , second, year] = yearLast
  return format === 'mdy' ? toDate(year!, first!, second!, whole.length) : toDate(year!, second!, first!, whole.length)
}

function toDate(year: string, month: string, day: string, length: number): { iso: string; length: number } | undefined {
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(day)))
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const isReal = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(year) > 0
  return isReal ? { iso: `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`, length } : undefined
}

/** Hours, minutes and seconds as one text, and the offset; a time without offset is taken as UTC. */
function readTime(text: string): { clock: string; zone: string } | undefined {
  const found = TIME.exec(text)
  if (!found) return undefined
  const [, given, minutes, secondsWithFraction, fraction, seconds, half, named] = found
  const hours = half === undefined ? given! : toHours(given!, half)
  const zone = /^(?:UTC|GMT)$/i.test(named ?? '') ? 'Z' : named
  const second = secondsWithFraction ?? seconds ?? '00'
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59 || Number(second) > 59) return undefined
  // PostgreSQL takes offsets below sixteen hours.
  if (zone && !/^(?:Z|[+-](?:0\d|1[0-5])(?::?[0-5]\d)?)$/i.test(zone)) return undefined
  return {
    clock: `${hours.padStart(2, '0')}:${minutes}:${second}${fraction ?? ''}`,
    zone: zone ? zone.toUpperCase() : '',
  }
}

/** The hours of a day from those of a 12-hour clock. */
function toHours(hours: string, half: string): string | undefined {
  const number = Number(hours)
  if (number < 1 || number > 12) return undefined
  return String((number % 12) + (half.toLowerCase() === 'p' ? 12 : 0))
}

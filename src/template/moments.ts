/** A day, or a point in time, as a value says it. */
export interface Moment {
  /** milliseconds since 1970 in UTC; of a day or of a time without a zone, as if it were UTC */
  time: number
  /** whether the clock of a zone applies: not for a day, nor for a time without a zone */
  isZoned: boolean
  isDay: boolean
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d+)?)?\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/i

/**
 * Reads an ISO 8601 date or time, as the store returns them, or a `Date`. Midnight in UTC to the millisecond is read as
 * its day: so does a driver return a column of days.
 */
export function readMoment(value: unknown): Moment | undefined {
  if (value instanceof Date) {
    const time = value.getTime()
    return Number.isNaN(time) ? undefined : dayOr(time, true)
  }
  if (typeof value !== 'string') return undefined
  const found = ISO.exec(value.trim())
  if (!found) return undefined
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1, 7).map((part) => Number(part ?? 0))
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day!) return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  if (Number(found[8]?.slice(1, 3)) > 15) return undefined
  const milliseconds = Math.trunc(Number(found[7] ?? 0) * 1000)
  const wall = date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds
  if (found[4] === undefined) return { time: wall, isZoned: false, isDay: true }
  const zone = found[8]
  return zone === undefined ? { time: wall, isZoned: false, isDay: false } : dayOr(wall - offsetOf(zone), true)
}

function dayOr(time: number, isZoned: boolean): Moment {
  const isDay = time % 86_400_000 === 0
  return { time, isZoned: isZoned && !isDay, isDay }
}

function offsetOf(zone: string): number {
  if (/^(?:z|utc)$/i.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(':', '') || 0)
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

export const DATE_STYLES = ['short', 'medium', 'long', 'full'] as const
type DateStyle = (typeof DATE_STYLES)[number]

/** Fields of a CLDR pattern, what they are in Intl, and how long. Others are refused, not guessed. */
const FIELDS: Readonly<Record<string, Intl.DateTimeFormatOptions | 'digits'>> = {
  y: 'digits',
  yy: 'digits',
  yyyy: 'digits',
  M: 'digits',
  MM: 'digits',
  MMM: { month: 'short', day: 'numeric' },
  MMMM: { month: 'long', day: 'numeric' },
  LLL: { month: 'short' },
  LLLL: { month: 'long' },
  d: 'digits',
  dd: 'digits',
  E: { weekday: 'short' },
  EEE: { weekday: 'short' },
  EEEE: { weekday: 'long' },
  a: { hour: 'numeric', hour12: true },
  H: 'digits',
  HH: 'digits',
  h: 'digits',
  hh: 'digits',
  m: 'digits',
  mm: 'digits',
  s: 'digits',
  ss: 'digits',
}

/** A piece of a pattern: text between quotes, a field, or anything else as it stands. */
const PIECES = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g

/** What a pattern has that cannot be printed, or undefined. */
export function patternFault(pattern: string): string | undefined {
  for (const [piece] of pattern.matchAll(PIECES)) {
    if (piece === "'") return 'a quote that is not closed'
    if (/^[A-Za-z]/.test(piece) && !Object.hasOwn(FIELDS, piece)) return piece
  }
  return undefined
}

/** Whether an argument of `date` is the name of a length and no pattern. */
export function isDateStyle(argument: string): argument is DateStyle {
  return (DATE_STYLES as readonly string[]).includes(argument)
}

/**
 * Makes the printer of a date: by the name of a length, or a pattern of the CLDR (Unicode TR 35) such as `d MMMM yyyy`.
 *
 * @param locale - a BCP 47 tag
 * @param timeZone - an IANA name; for points in time only
 */
export function dateFormatter(format: string, locale: string, timeZone: string): (moment: Moment) => string {
  if (isDateStyle(format)) {
    const options: Intl.DateTimeFormatOptions = { dateStyle: format, calendar: 'gregory' }
    return ({ time, isZoned }) =>
      evenBlanks(formatterOf(locale, { ...options, timeZone: isZoned ? timeZone : 'UTC' }).format(time))
  }
  const pieces = [...format.matchAll(PIECES)]
  const inZone = (zone: string) => {
    const printers = pieces.map(([piece, quoted]) => {
      if (quoted !== undefined) return () => (quoted === '' ? "'" : quoted.replaceAll("''", "'"))
      const field = FIELDS[piece]
      if (field === undefined) return () => piece
      return field === 'digits' ? digitsPrinter(piece, locale, zone) : wordPrinter(field, locale, zone)
    })
    return (time: number) => printers.map((print) => print(time)).join('')
  }
  // Made for the first customer: a template is also compiled to be checked.
  const printers = new Map<string, (time: number) => string>()
  return ({ time, isZoned }) => {
    const zone = isZoned ? timeZone : 'UTC'
    if (!printers.has(zone)) printers.set(zone, inZone(zone))
    return evenBlanks(printers.get(zone)!(time))
  }
}

/** To make a formatter costs as much as hundreds of dates; a language and a zone need some twenty of them. */
const formatters = new Map<string, Intl.DateTimeFormat>()
const MOST_FORMATTERS = 200

function formatterOf(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options)
  const made = formatters.get(key) ?? new Intl.DateTimeFormat(locale, options)
  if (formatters.size >= MOST_FORMATTERS) formatters.clear()
  formatters.set(key, made)
  return made
}

function wordPrinter(options: Intl.DateTimeFormatOptions, locale: string, timeZone: string) {
  const format = formatterOf(locale, { ...options, timeZone, calendar: 'gregory' })
  const type = options.weekday ? 'weekday' : options.month ? 'month' : 'dayPeriod'
  return (time: number) => {
    const word = format.formatToParts(time).find((part) => part.type === type)?.value ?? ''
    // Of "a. m." too, runtimes differ in the blank.
    return type === 'dayPeriod' ? word.replace(/\s/g, '\u00a0') : word
  }
}

const PART_OF_LETTER: Readonly<Record<string, Intl.DateTimeFormatPartTypes>> = {
  y: 'year',
  M: 'month',
  d: 'day',
  H: 'hour',
  h: 'hour',
  m: 'minute',
  s: 'second',
}

function digitsPrinter(piece: string, locale: string, timeZone: string) {
  const letter = piece.charAt(0)
  const clock = formatterOf('en', {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
    hourCycle: letter === 'h' ? 'h12' : 'h23',
    timeZone,
    calendar: 'gregory',
  })
  const digits = new Intl.NumberFormat(locale, { minimumIntegerDigits: piece.length, useGrouping: false })
  return (time: number) => {
    const value = Number(clock.formatToParts(time).find((part) => part.type === PART_OF_LETTER[letter])!.value)
    return digits.format(piece === 'yy' ? value % 100 : value)
  }
}

/** The data of runtimes differ in which blank they put between numbers: one of them for all. */
export function evenBlanks(text: string): string {
  return text.replace(/[\u202f\u2009]/g, '\u00a0')
}

const STRFTIME: Readonly<Record<string, string>> = {
  Y: 'yyyy',
  y: 'yy',
  m: 'MM',
  d: 'dd',
  e: 'd',
  B: 'MMMM',
  b: 'MMM',
  h: 'MMM',
  A: 'EEEE',
  a: 'EEE',
  H: 'HH',
  I: 'hh',
  l: 'h',
  M: 'mm',
  S: 'ss',
  p: 'a',
  P: 'a',
  F: 'yyyy-MM-dd',
  D: 'MM/dd/yy',
  T: 'HH:mm:ss',
  R: 'HH:mm',
}

/** The pattern that a format of strftime, as Liquid has it, comes to; undefined when a part of it has none. */
export function patternOfStrftime(format: string): string | undefined {
  let pattern = ''
  for (const [piece, flag, directive, words] of format.matchAll(/%([-_^0]?)([A-Za-z])|([A-Za-z]+)|[\s\S]/g)) {
    if (words !== undefined) pattern += `'${words}'`
    else if (directive === undefined) {
      if (piece === '%') return undefined
      pattern += piece === "'" ? "''" : piece
    } else {
      const field = Object.hasOwn(STRFTIME, directive) ? STRFTIME[directive]! : undefined
      if (field === undefined || flag === '^') return undefined
      pattern += flag === '-' && /^(?:MM|dd|HH|hh|mm|ss)$/.test(field) ? field.slice(1) : field
    }
  }
  return pattern
}

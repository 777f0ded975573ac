import type { FilterCall } from './expression.js'
import {
  DATE_STYLES,
  dateFormatter,
  evenBlanks,
  isDateStyle,
  patternFault,
  patternOfStrftime,
  readMoment,
} from './moments.js'
import type { Fault } from './problems.js'

/**
 * A filter of the host's own: gets what the value prints and the arguments of the tag, as texts, and returns a text. It
 * must be pure. What it returns that is no text, number or boolean counts as no value; what it throws is the error of the
 * rendering.
 */
export type TemplateFilter = (text: string, ...args: string[]) => unknown

/** How numbers and dates are written. */
export interface FilterSettings {
  locale: string
  timeZone: string
  filters?: Readonly<Record<string, TemplateFilter>>
}

/**
 * A filter of a tag: gets the value and what it prints, and returns what is printed instead; undefined when it cannot read
 * the value.
 */
export type AppliedFilter = (value: unknown, text: string) => unknown

interface FilterKind {
  /** how its arguments are written, for messages */
  usage: string
  /** the least and the most arguments */
  takes: readonly [number, number]
  make(args: readonly string[], settings: FilterSettings): AppliedFilter | Fault
}

/** Characters of what a filter makes: of a chain of replacements each could be ten times the one before. */
const LONGEST_TEXT = 100_000

const WHOLE = /^\d{1,6}$/

/** The filters, by name. All are pure, and none throws for any value. */
const FILTERS: Readonly<Record<string, FilterKind>> = {
  default: { usage: 'default: "text"', takes: [0, 1], make: () => (_, text) => text },
  capitalize: ofText('capitalize', (text, locale) => {
    const [blanks = ''] = /^\s*/.exec(text)!
    const [first = ''] = text.slice(blanks.length)
    return blanks + first.toLocaleUpperCase(locale) + text.slice(blanks.length + first.length).toLocaleLowerCase(locale)
  }),
  upper: ofText('upper', (text, locale) => text.toLocaleUpperCase(locale)),
  lower: ofText('lower', (text, locale) => text.toLocaleLowerCase(locale)),
  title: ofText('title', (text, locale) =>
    text
      .toLocaleLowerCase(locale)
      .replace(
        /(^|[\s\p{Pd}([{"“„«/])(\p{L})/gu,
        (_, before: string, first: string) => before + first.toLocaleUpperCase(locale),
      ),
  ),
  trim: ofText('trim', (text) => text.trim()),
  truncate: {
    usage: 'truncate: 20',
    takes: [1, 2],
    make: ([most = '', end = '…']) => {
      if (!WHOLE.test(most)) return ['has a length that is no whole number', 'Write it as in truncate: 20.']
      return (_, text) => truncate(text, Number(most), end)
    },
  },
  replace: {
    usage: 'replace: "a", "b"',
    takes: [2, 2],
    make: ([found = '', instead = '']) => {
      if (found === '') return ['replaces an empty text', 'Say which text is replaced, as in replace: "a", "b".']
      return (_, text) => {
        const grown = text.length + (text.split(found).length - 1) * (instead.length - found.length)
        return grown > LONGEST_TEXT ? undefined : text.replaceAll(found, () => instead)
      }
    },
  },
  url: { usage: 'url', takes: [0, 0], make: () => (_, text) => percentEncode(text) },
  date: {
    usage: 'date: "long"',
    takes: [0, 2],
    make: ([format = 'medium', locale], settings) => {
      const fault = dateFault(format) ?? localeFault(locale)
      if (fault) return fault
      const print = dateFormatter(format, locale ?? settings.locale, settings.timeZone)
      return (value, text) => {
        const moment = readMoment(value) ?? readMoment(text)
        return moment && print(moment)
      }
    },
  },
  number: {
    usage: 'number: 2',
    takes: [0, 2],
    make: ([digits, locale], settings) => {
      if (digits !== undefined && !/^\d{1,2}$/.test(digits)) {
        return ['has a number of decimals that is no whole number', 'Write it as in number: 2.']
      }
      const fault = localeFault(locale)
      if (fault) return fault
      const places = Math.min(Number(digits ?? 20), 20)
      return numberPrinter(locale ?? settings.locale, {
        minimumFractionDigits: digits === undefined ? 0 : places,
        maximumFractionDigits: places,
      })
    },
  },
  currency: {
    usage: 'currency: "EUR"',
    takes: [1, 2],
    make: ([code = '', locale], settings) => {
      if (!/^[A-Za-z]{3}$/.test(code)) {
        return ['has a currency that is no code of three letters (ISO 4217)', 'Write it as in currency: "EUR".']
      }
      return localeFault(locale) ?? numberPrinter(locale ?? settings.locale, { style: 'currency', currency: code })
    },
  },
}

/** The names of the library's own filters. */
export const FILTER_NAMES: readonly string[] = Object.keys(FILTERS)

/** Makes a filter ready; or says what is wrong with how it is called. */
export function makeFilter(call: FilterCall, settings: FilterSettings): AppliedFilter | Fault {
  const { name, arguments: args } = call
  const own = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined
  if (own === undefined) {
    const filter = settings.filters![name]!
    return (_, text) => filter(text, ...args)
  }
  const { usage, takes, make } = own
  const [least, most] = takes
  if (args.length < least || args.length > most) {
    const count =
      least === most ? `${least === 0 ? 'no' : least}` : args.length < least ? `at least ${least}` : `at most ${most}`
    return [`gives the filter ${name} ${args.length} arguments, and it takes ${count}`, `Write | ${usage}.`]
  }
  return make(args, settings)
}

/** Whether what {@link makeFilter} returned is what is wrong. */
export function isFault(made: AppliedFilter | Fault): made is Fault {
  return typeof made !== 'function'
}

function ofText(name: string, change: (text: string, locale: string) => string): FilterKind {
  return {
    usage: name,
    takes: [0, 0],
    make:
      (_, { locale }) =>
      (_value, text) =>
        change(text, locale),
  }
}

/** Cuts a text to so many characters as a reader counts them, the end included. */
function truncate(text: string, most: number, end: string): string {
  if (text.length <= most) return text
  const characters = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)]
  if (characters.length <= most) return text
  const ending = [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(end)].slice(0, most)
  const room = characters[most - ending.length]!.index
  return text.slice(0, room).trimEnd() + ending.map(({ segment }) => segment).join('')
}

/** Percent-encodes a text as a component of a URL: all but the unreserved characters of RFC 3986. */
export function percentEncode(text: string): string {
  if (UNRESERVED.test(text)) return text
  return encodeURIComponent(text.replace(LONE_SURROGATES, '\ufffd')).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

const UNRESERVED = /^[\w.~-]*$/
const LONE_SURROGATES = /\p{Cs}/gu

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$/

/** Reads a number as PostgreSQL prints it, with all its digits. */
export function readDecimal(value: unknown, text: string): string | undefined {
  if (typeof value === 'boolean') return undefined
  const trimmed = text.trim()
  return DECIMAL.test(trimmed) ? trimmed : undefined
}

function numberPrinter(locale: string, options: Intl.NumberFormatOptions): AppliedFilter {
  const { format } = new Intl.NumberFormat(locale, options)
  return (value, text) => {
    const decimal = readDecimal(value, text)
    // As a text, so that no digit is lost; the types know only numbers.
    return decimal === undefined || !Number.isFinite(Number(decimal))
      ? undefined
      : evenBlanks(format(decimal as Intl.StringNumericLiteral))
  }
}

function dateFault(format: string): Fault | undefined {
  if (isDateStyle(format)) return undefined
  if (format.includes('%')) {
    const pattern = patternOfStrftime(format)
    const remedy = pattern ? `Write | date: "${pattern}".` : 'Write a pattern such as "d MMMM yyyy".'
    return ['has a format of strftime', remedy]
  }
  const fault = patternFault(format)
  if (fault === undefined) return undefined
  const what = /^([A-Za-z])\1*$/.test(fault) ? `${fault.slice(0, 20)}, which cannot be printed` : fault
  return [
    `has a date pattern with ${what}`,
    `Write one of ${DATE_STYLES.join(', ')}, or a pattern such as "d MMMM yyyy", words of it in 'single quotes'.`,
  ]
}

function localeFault(locale: string | undefined): Fault | undefined {
  if (locale === undefined || isLocale(locale)) return undefined
  return ['has a language that is none', 'Write a language tag such as "de" or "en-GB".']
}

/** Whether a text is a language tag (BCP 47) that `Intl` takes. */
export function isLocale(tag: unknown): boolean {
  try {
    return typeof tag === 'string' && Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}

/** Whether a text is a time zone (IANA) that `Intl` knows. */
export function isTimeZone(zone: unknown): boolean {
  // The default: to ask for the first zone costs a process 20 ms.
  if (zone === 'UTC') return true
  try {
    return (
      typeof zone === 'string' && new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
    )
  } catch {
    return false
  }
}

import { CustomAttributesError, type ErrorDetails, type Problem } from '../errors.js'
import { type FieldCatalogue, isCatalogue, STANDARD_FIELDS } from '../fields.js'
import { isObject, isTextList, kindOf, resolveOptions, withDefault } from '../options.js'
import { isUnstorable } from '../rows.js'
import { createKnownNames, type KnownNames } from '../template/known-names.js'
import type { Audience, AudienceWhere } from './audience.js'

/** Conditions of one audience, groups among them, and how deep groups stand in each other: more nobody writes by hand. */
const MOST_CONDITIONS = 500
const DEEPEST = 20

/** A condition that was read and found right; `name` is that of a field or attribute as the account spells it. */
export type Condition =
  | { kind: 'all'; of: readonly Condition[] }
  | { kind: 'any'; of: readonly Condition[] }
  | { kind: 'not'; of: Condition }
  | Test

/** A condition on one field or attribute. */
export type Test =
  | { kind: 'equal'; name: string; path: string; values: readonly string[] }
  | { kind: 'missing'; name: string; path: string }
  | { kind: 'text'; name: string; path: string; text: string; isStart: boolean }
  | { kind: 'number'; name: string; path: string; operator: Operator; number: string }
  | { kind: 'moment'; name: string; path: string; operator: Operator; moment: Moment }
  | { kind: 'last'; name: string; path: string; amount: number; unit: string }
  | { kind: 'anniversary'; name: string; path: string; days: number }

export type Operator = '<' | '<=' | '>' | '>='

/** The clock's time in the audience's zone, or a moment: each as PostgreSQL reads it. */
export interface Moment {
  text: string
  isZoned: boolean
}

/** Something that is wrong with an audience. */
export interface AudienceProblem extends Problem {
  code: 'INVALID_AUDIENCE'
  details: ErrorDetails & {
    /** where it stands, such as `where.any[0].plan.above` */
    path: string
    /** the name of the condition */
    name?: string
    /** the nearest known name, when a name is unknown and one is near */
    suggestion?: string
  }
}

/** Options of {@link checkAudience}. */
export interface AudienceCheckOptions {
  /**
   * The names that the account knows, as `getMergeTags` lists them: all of `standardFields` and `customAttributes`. Default:
   * names are not looked at.
   */
  names?: readonly string[]
  /** The host's catalogue of fields, for suggestions. Default {@link STANDARD_FIELDS}. */
  fields?: FieldCatalogue
}

/**
 * Finds everything that is wrong with an audience, for editors of it. What a field's type in the database refuses is told
 * by the store alone.
 *
 * @param audience - an {@link Audience}, or what came as one
 * @param options - see {@link AudienceCheckOptions}
 * @returns the problems, each with its place; none when the audience is right
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function checkAudience(audience: unknown, options?: AudienceCheckOptions): AudienceProblem[] {
  const table = { names: isTextList, fields: withDefault(isCatalogue, STANDARD_FIELDS) }
  const { names, fields } = resolveOptions('checkAudience', table, options)
  return readAudience(audience, names && createKnownNames(names, fields)).problems
}

/**
 * @param known - the names of the account; without them any is right
 * @throws CustomAttributesError `INVALID_AUDIENCE`, for the first problem
 */
export function requireAudience(audience: unknown, known?: KnownNames): Condition {
  const { condition, problems } = readAudience(audience, known)
  const [first] = problems
  if (first) throw new CustomAttributesError(first.code, first.message, { ...first.details, problems })
  return condition
}

function readAudience(audience: unknown, known?: KnownNames): { condition: Condition; problems: AudienceProblem[] } {
  const problems: AudienceProblem[] = []
  const tell = (path: string, message: string, details: { name?: string; suggestion?: string } = {}) =>
    void problems.push({ code: 'INVALID_AUDIENCE', message, details: { path, ...details } })
  let condition: Condition = { kind: 'all', of: [] }
  if (isWhere(audience)) {
    const { where, timeZone } = audience as Extract<Audience, { where: unknown }>
    const timeZoneFault = timeZone === undefined ? undefined : isTimeZone(timeZone)
    if (timeZoneFault) tell('timeZone', `audience.timeZone must be ${timeZoneFault}, got ${kindOf(timeZone)}.`)
    condition = new Reader(tell, known).readWhere(where, 'where', 1)
  } else if (audience !== 'all' && !isEmails(audience)) {
    tell(
      '',
      `audience must be 'all', { emails: [...] } or { where: { <merge tag>: <value> } } with at least one name, ` +
        `got ${kindOf(audience)}. To reach every customer, say 'all'.`,
    )
  }
  return { condition, problems }
}

function isEmails(audience: unknown): boolean {
  if (isObject(audience)) return false
  const { emails, ...others } = audience as { emails?: unknown }
  return isTextList(emails) === undefined && Object.keys(others).length === 0
}

function isWhere(audience: unknown): boolean {
  if (isObject(audience)) return false
  const { where, timeZone: _, ...others } = audience as { where?: unknown; timeZone?: unknown }
  return !isObject(where) && Object.keys(where as object).length > 0 && Object.keys(others).length === 0
}

/**
 * An offset is none: PostgreSQL reads its sign the other way round. Nor is a name without a region: `CET` and `BST` are to
 * PostgreSQL abbreviations, without summer time or of another place.
 */
function isTimeZone(zone: unknown): string | undefined {
  try {
    if (typeof zone === 'string' && /^(?:[a-z_]+\/|(?:utc|gmt)$)/i.test(zone)) {
      new Intl.DateTimeFormat('en', { timeZone: zone })
      return undefined
    }
  } catch {}
  return 'the name of a time zone with its region, such as "Europe/Rome", or "UTC"'
}

type Tell = (path: string, message: string, details?: { name?: string; suggestion?: string }) => void

/** The place of a condition: its name as the account spells it, its path, and how to tell what is wrong with it. */
interface Place {
  name: string
  path: string
  refuse(word: string, message: string): undefined
}

class Reader {
  readonly #tell: Tell
  readonly #known: KnownNames | undefined
  #count = 0

  constructor(tell: Tell, known: KnownNames | undefined) {
    this.#tell = tell
    this.#known = known
  }

  readWhere(where: AudienceWhere, path: string, depth: number): Condition {
    const of: Condition[] = []
    const entries = Object.entries(where).filter(([name, value]) => value !== undefined || !isGroupName(name))
    if (entries.length === 0) this.#tell(path, `audience.${path} has no condition. Say one, or leave it out.`)
    for (const [name, value] of entries) {
      const here = `${path}.${name}`
      if (!this.#isWithin(here, depth)) break
      const found = isGroupName(name) && isGroup(value) ? this.#readGroup(name, value, here, depth) : undefined
      const read = found ?? this.#readName(name, value, here, depth)
      if (read) of.push(read)
    }
    return of.length === 1 ? of[0]! : { kind: 'all', of }
  }

  /** Whether there is room for one more; the first that has none is told. */
  #isWithin(path: string, depth: number): boolean {
    this.#count++
    if (this.#count <= MOST_CONDITIONS && depth <= DEEPEST) return true
    const limit = depth > DEEPEST ? `groups more than ${DEEPEST} deep` : `more than ${MOST_CONDITIONS} conditions`
    if (this.#count <= MOST_CONDITIONS + 1) this.#tell(path, `audience has ${limit}. Say it with fewer.`)
    this.#count = Math.max(this.#count, MOST_CONDITIONS + 1)
    return false
  }

  #readGroup(kind: GroupName, list: readonly AudienceWhere[], path: string, depth: number): Condition {
    const of = list.map((where, at) => this.readWhere(where, `${path}[${at}]`, depth + 1))
    if (kind === 'none') return { kind: 'not', of: { kind: 'any', of } }
    return { kind, of }
  }

  #readName(typed: string, value: unknown, path: string, depth: number): Condition | undefined {
    const name = this.#known ? this.#known.find(typed) : typed
    if (name === undefined) {
      const suggestion = this.#known?.suggest(typed)
      const meant = suggestion === undefined ? '' : ` Did you mean ${JSON.stringify(suggestion)}?`
      this.#tell(
        path,
        `audience.where names ${JSON.stringify(typed)}, which is no standard field and no custom attribute of the account.${meant}`,
        { name: typed, ...(suggestion === undefined ? {} : { suggestion }) },
      )
      return undefined
    }
    const refuse = (word: string, message: string) => {
      const here = word === '' ? path : `${path}.${word}`
      this.#tell(here, `audience.${here} ${message}`, { name: typed })
      return undefined
    }
    return this.#readCondition({ name, path, refuse }, value, depth)
  }

  #readCondition(place: Place, value: unknown, depth: number): Condition | undefined {
    if (isObject(value)) return readEqual(place, value)
    const words = Object.entries(value as object).filter(([, wanted]) => wanted !== undefined)
    if (words.length === 0) return place.refuse('', `says nothing. Say one of ${Object.keys(WORDS).join(', ')}, not.`)
    const of: Condition[] = []
    for (const [word, wanted] of words) {
      if (!this.#isWithin(`${place.path}.${word}`, depth)) break
      const read = word === 'not' ? this.#readNot(place, wanted, depth) : readWord(place, word, wanted)
      if (read) of.push(read)
    }
    return of.length === 1 ? of[0] : { kind: 'all', of }
  }

  #readNot({ path, ...place }: Place, value: unknown, depth: number): Condition | undefined {
    const inner: Place = {
      ...place,
      path: `${path}.not`,
      refuse: (word, message) => place.refuse(word === '' ? 'not' : `not.${word}`, message),
    }
    const of = this.#readCondition(inner, value, depth + 1)
    return of && { kind: 'not', of }
  }
}

type GroupName = 'any' | 'all' | 'none'

function isGroupName(name: string): name is GroupName {
  return name === 'any' || name === 'all' || name === 'none'
}

/** A list of conditions: anything else under these names is a condition on an attribute that has the name. */
function isGroup(value: unknown): value is readonly AudienceWhere[] {
  return Array.isArray(value) && value.length > 0 && value.every((entry) => !isObject(entry))
}

function readEqual({ name, path, refuse }: Place, value: unknown): Condition | undefined {
  const list = Array.isArray(value) ? [...value] : [value]
  if (list.length === 0) return refuse('', 'lists no value.')
  if (!list.every((entry) => SCALARS.has(typeof entry) && !isUnstorable(String(entry)))) {
    const wrong = list.find((entry) => !SCALARS.has(typeof entry) || isUnstorable(String(entry)))
    const remedy = wrong === null ? ' For who has no value, say { missing: true }.' : ''
    return refuse(
      '',
      `must be a text, a number or a boolean (or a list of them, or an object), got ${kindOf(wrong)}.${remedy}`,
    )
  }
  return { kind: 'equal', name, path, values: list.map(String) }
}

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'bigint', 'boolean'])

type ReadWord = (place: Place, word: string, wanted: unknown) => Condition | undefined

function readNumber(
  { name, path, refuse }: Place,
  word: string,
  wanted: unknown,
  operator: Operator,
): Condition | undefined {
  const text = typeof wanted === 'number' || typeof wanted === 'bigint' ? String(wanted) : wanted
  if (typeof text !== 'string' || !NUMBER.test(text)) return refuse(word, `must be a number, got ${kindOf(wanted)}.`)
  return { kind: 'number', name, path: `${path}.${word}`, operator, number: text }
}

function readText(
  { name, path, refuse }: Place,
  word: string,
  wanted: unknown,
  isStart: boolean,
): Condition | undefined {
  if (typeof wanted !== 'string' || wanted === '' || isUnstorable(wanted)) {
    return refuse(word, `must be a text that is not empty, got ${kindOf(wanted)}.`)
  }
  return { kind: 'text', name, path: `${path}.${word}`, text: wanted, isStart }
}

/** @param end - whether of a day its end counts */
function readEdge(
  { name, path, refuse }: Place,
  word: string,
  wanted: unknown,
  operator: Operator,
  end: boolean,
): Condition | undefined {
  const read = readMoment(wanted)
  if (!read) {
    return refuse(word, `must be a day YYYY-MM-DD, or a moment such as 2026-05-17T10:00:00Z, got ${kindOf(wanted)}.`)
  }
  const here = { kind: 'moment', name, path: `${path}.${word}` } as const
  if (!read.isDay || !end) return { ...here, operator, moment: read }
  return { ...here, operator: operator === '>' ? '>=' : '<', moment: { text: dayAfter(read.text), isZoned: false } }
}

// Functions alone: what is made by calls stays in bundles that have no use for it.
const WORDS: Readonly<Record<string, ReadWord>> = {
  missing: ({ name, path, refuse }, word, wanted) => {
    if (typeof wanted !== 'boolean') return refuse(word, `must be true or false, got ${kindOf(wanted)}.`)
    const missing: Condition = { kind: 'missing', name, path: `${path}.${word}` }
    return wanted ? missing : { kind: 'not', of: missing }
  },
  contains: (place, word, wanted) => readText(place, word, wanted, false),
  startsWith: (place, word, wanted) => readText(place, word, wanted, true),
  above: (place, word, wanted) => readNumber(place, word, wanted, '>'),
  atLeast: (place, word, wanted) => readNumber(place, word, wanted, '>='),
  below: (place, word, wanted) => readNumber(place, word, wanted, '<'),
  atMost: (place, word, wanted) => readNumber(place, word, wanted, '<='),
  on: (place, word, wanted) => {
    if (!readMoment(wanted)?.isDay) return place.refuse(word, `must be a day YYYY-MM-DD, got ${kindOf(wanted)}.`)
    return {
      kind: 'all',
      of: [readEdge(place, word, wanted, '>=', false)!, readEdge(place, word, wanted, '<=', true)!],
    }
  },
  before: (place, word, wanted) => readEdge(place, word, wanted, '<', false),
  after: (place, word, wanted) => readEdge(place, word, wanted, '>', true),
  since: (place, word, wanted) => readEdge(place, word, wanted, '>=', false),
  until: (place, word, wanted) => readEdge(place, word, wanted, '<=', true),
  last: ({ name, path, refuse }, word, wanted) => {
    const [amount, unit] = typeof wanted === 'string' && SPAN.test(wanted) ? wanted.split(' ') : []
    if (!unit) {
      return refuse(
        word,
        `must be a span such as "30 days" (minutes, hours, days or weeks up to 99999, months up to 9999, years up to 999), got ${kindOf(wanted)}.`,
      )
    }
    return { kind: 'last', name, path: `${path}.${word}`, amount: Number(amount), unit }
  },
  anniversary: ({ name, path, refuse }, word, wanted) => {
    const within = isObject(wanted) ? undefined : (wanted as { within?: unknown })
    const isOnlyWithin = within && Object.keys(within).length === 1
    const [, days] = (isOnlyWithin && typeof within.within === 'string' && DAYS.exec(within.within)) || []
    if (wanted !== 'today' && (!days || Number(days) > 365)) {
      return refuse(word, `must be "today" or { within: "7 days" }, up to 365, got ${kindOf(wanted)}.`)
    }
    return { kind: 'anniversary', name, path: `${path}.${word}`, days: Number(days ?? 0) }
  },
}

function readWord(place: Place, word: string, wanted: unknown): Condition | undefined {
  if (Object.hasOwn(WORDS, word)) return WORDS[word]!(place, word, wanted)
  return place.refuse('', `has no word ${JSON.stringify(word)}. Known are ${Object.keys(WORDS).join(', ')}, not.`)
}

/** As in an attribute, where it is compared. */
const NUMBER = /^[+-]?(?:\d{1,255}(?:\.\d{0,255})?|\.\d{1,255})(?:[eE][+-]?\d{1,3})?$/
/** Beyond these lies a year that PostgreSQL does not have. */
const SPAN = /^(?:\d{1,5} (?:minute|hour|day|week)|\d{1,4} month|\d{1,3} year)s?$/
const DAYS = /^(\d{1,3}) days?$/
const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)(Z|z|[+-](?:0\d|1[0-5]):?[0-5]\d)?)?$/

function readMoment(given: unknown): (Moment & { isDay: boolean }) | undefined {
  const isDate = given instanceof Date && !Number.isNaN(given.getTime())
  const found = typeof given === 'string' ? ISO.exec(given) : isDate ? ISO.exec(given.toISOString()) : null
  if (!found) return undefined
  const [, year, month, day, time, zone] = found
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`)
  if (year === '0000' || Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day)) return undefined
  return { text: found[0], isZoned: zone !== undefined, isDay: time === undefined }
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + 1)
  return `${date.getUTCFullYear()}-${date.toISOString().slice(-19, -14)}`.padStart(10, '0')
}

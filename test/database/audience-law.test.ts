import fc from 'fast-check'
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { AudienceWhere } from '../../src/audience/audience.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { useDatabase } from '../support/database.js'
import { checkLaw, samples } from '../support/law.js'

const db = useDatabase()
const account = '7'
let lower: (text: string) => string

const COLUMNS = {
  label: 'text',
  code: 'varchar(40)',
  small: 'smallint',
  big: 'bigint',
  price: 'numeric',
  rate: 'real',
  ratio: 'double precision',
  active: 'boolean',
  born: 'date',
  seen: 'timestamp',
  bought: 'timestamptz',
  level: 'audience_level',
} as const
type Field = keyof typeof COLUMNS
const ATTRIBUTES = ['tier', 'score', 'any', `it's "odd" $1 \\ %`, 'joined']
const ZONES = ['UTC', 'Europe/Rome', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland']

beforeAll(async () => {
  await db.sql.unsafe(`
    create type audience_level as enum ('low', 'high');
    create table person (id bigserial primary key, account_id bigint not null, email text not null,
      ${Object.entries(COLUMNS)
        .map(([name, type]) => `${name} ${type}`)
        .join(', ')},
      custom_attributes jsonb not null default '{}'
        check (jsonb_typeof(custom_attributes) = 'object' and jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= 10),
      unique (account_id, email));
    create table person_attribute (account_id bigint not null, attribute_name text not null, last_seen_at timestamptz not null default now(),
      unique (account_id, attribute_name))`)
  for (const name of ATTRIBUTES) await db.sql`insert into person_attribute values (${account}, ${name})`
  // A server whose locale is C knows the case of ASCII alone.
  const [row] = await db.sql`select lower('É') = 'é' as knows`
  lower = row!.knows ? (text) => text.toLowerCase() : (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
})

afterEach(() => void vi.useRealTimers())

// ---------------------------------------------------------------------------------------------------------------------
// What customers have

const words = fc.constantFrom(
  'gold',
  'Gold',
  'GOLD ',
  'Éclair',
  'éclair',
  'a%b',
  'a_b',
  `it's`,
  '\\',
  '"',
  "' or true --",
  '$4',
  'null',
)
const numbers = fc.constantFrom(
  '0',
  '10',
  '10.0',
  '-3.5',
  '1e3',
  '1E-2',
  '.5',
  '7.',
  '+12',
  '007',
  '99999999999999999999.25',
)
const nonNumbers = fc.constantFrom('1,000', '10%', '1e', 'NaN', 'Infinity', '0x10', '1e9999', '--1', '12 €', '١٢')
const year = fc.constantFrom(2023, 2024, 2025, 2026)
const twoDigits = (number: number) => String(number).padStart(2, '0')
const days = fc
  .tuple(year, fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 15, 27, 28))
  .map(([y, m, d]) => `${y}-${twoDigits(m)}-${twoDigits(d)}`)
const realDays = fc.oneof(
  days,
  fc.constantFrom('2024-02-29', '2025-12-31', '2026-01-01', '1999-03-31', '0001-01-01', '9999-12-31'),
)
const clocks = fc.constantFrom('12:00:00', '12:00', '23:59:59.5')
const walls = fc.tuple(days, clocks).map(([day, clock]) => `${day}T${clock}`)
const moments = fc
  .tuple(days, clocks, fc.constantFrom('Z', '+02:00', '-11:00', '+05:30'))
  .map(([day, clock, zone]) => `${day}T${clock}${zone}`)
const nonDays = fc.constantFrom(
  '2023-02-29',
  '2026-13-01',
  '2026-1-1',
  '0000-01-01',
  '2026-04-31',
  '17.05.2026',
  '2026-05-17T25:00',
  'infinity',
  'today',
  '2100-02-29',
)
const texts = fc.oneof(words, numbers, nonNumbers, realDays, walls, moments, nonDays, fc.constant(''))
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 4 })

const customers = fc.record({
  label: orNull(texts),
  code: orNull(texts),
  small: orNull(fc.constantFrom('0', '10', '-3', '32767')),
  big: orNull(fc.constantFrom('0', '10', '9007199254740993', '-9223372036854775808')),
  price: orNull(fc.constantFrom('0', '10.00', '-3.5', '0.1', '99999999999999999999.25', 'NaN')),
  rate: orNull(fc.constantFrom('0', '0.1', '10', '-3.5', 'NaN')),
  ratio: orNull(fc.constantFrom('0', '0.1', '0.30000000000000004', '1e+300', 'NaN')),
  active: orNull(fc.constantFrom('true', 'false')),
  born: orNull(realDays),
  seen: orNull(walls),
  bought: orNull(moments),
  level: orNull(fc.constantFrom('low', 'high')),
  attributes: fc.dictionary(fc.constantFrom(...ATTRIBUTES), texts, { noNullPrototype: true }),
})
type Person = typeof customers extends fc.Arbitrary<infer T> ? T : never

// ---------------------------------------------------------------------------------------------------------------------
// Conditions

const isMoment = (field: Field) => ['born', 'seen', 'bought'].includes(field)
const isNumber = (field: Field) => ['small', 'big', 'price', 'rate', 'ratio'].includes(field)
const isText = (field: Field) => ['label', 'code'].includes(field)
const edges = fc.oneof(realDays, walls, moments)
const comparedNumbers = fc.oneof(numbers, fc.constantFrom(0, 10, 0.1, -3.5, 1e300, 9007199254740993n))

function wordsOf(name: string): fc.Arbitrary<Record<string, unknown>>[] {
  const field = name in COLUMNS ? (name as Field) : undefined
  const isAnyText = field === undefined || isText(field)
  const all: fc.Arbitrary<Record<string, unknown>>[] = [
    fc.record({ missing: fc.boolean() }),
    ...(isAnyText || field === 'level'
      ? [
          fc.record({ contains: fc.oneof(words, fc.constantFrom('O', 'i', '-')) }),
          fc.record({ startsWith: fc.constantFrom('g', 'É', '2', "'") }),
        ]
      : []),
    ...(isAnyText || isNumber(field)
      ? [
          fc.record(
            { above: comparedNumbers, atLeast: comparedNumbers, below: comparedNumbers, atMost: comparedNumbers },
            { requiredKeys: [] },
          ),
        ]
      : []),
    ...(isAnyText || isMoment(field)
      ? [
          fc.record({ before: edges, after: edges, since: edges, until: edges }, { requiredKeys: [] }),
          fc.record({ on: realDays }),
          fc.record({
            last: fc.constantFrom('1 day', '400 days', '2 weeks', '3 months', '2 years', '36 hours', '90 minutes'),
          }),
          fc.record({
            anniversary: fc.constantFrom('today', { within: '1 day' }, { within: '40 days' }, { within: '365 days' }),
          }),
        ]
      : []),
  ]
  return all.map((arbitrary) => arbitrary.filter((value) => Object.keys(value).length > 0))
}

const EQUALS: Record<Field, fc.Arbitrary<unknown>> = {
  label: texts,
  code: words,
  small: fc.constantFrom(0, '10', -3),
  big: fc.constantFrom(10, 9007199254740993n),
  price: fc.constantFrom('10', 0.1, -3.5),
  rate: fc.constantFrom(10, -3.5),
  ratio: fc.constantFrom(0.1, '0.30000000000000004'),
  active: fc.constantFrom(true, 'no', 1),
  born: realDays,
  seen: days.map((day) => `${day} 12:00`),
  bought: moments,
  level: fc.constantFrom('low', 'high'),
}

const names = fc.constantFrom(...(Object.keys(COLUMNS) as Field[]), ...ATTRIBUTES, ...ATTRIBUTES)

const named = names.chain((name) => {
  const equal = name in EQUALS ? EQUALS[name as Field] : texts
  const condition: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    condition: fc.oneof(
      { maxDepth: 2 },
      equal,
      fc.array(equal, { minLength: 1, maxLength: 3 }),
      ...wordsOf(name),
      ...wordsOf(name),
      fc.record({ not: tie('condition') }),
    ),
  })).condition
  return condition.map((value) => ({ [name]: value }))
})

const trees = fc.letrec<{ tree: AudienceWhere }>((tie) => {
  const group = fc.array(tie('tree'), { minLength: 1, maxLength: 3 })
  return {
    tree: fc.oneof(
      { maxDepth: 3 },
      named as fc.Arbitrary<AudienceWhere>,
      fc.tuple(named, named).map(([one, other]) => ({ ...one, ...other }) as AudienceWhere),
      fc.constantFrom('any', 'all', 'none').chain((kind) => group.map((list) => ({ [kind]: list }) as AudienceWhere)),
    ),
  }
}).tree

// ---------------------------------------------------------------------------------------------------------------------
// The oracle: what a condition says of a customer; undefined where a text cannot be compared

type Verdict = boolean | undefined
interface Context {
  now: number
  zone: string
}

const not = (verdict: Verdict): Verdict => (verdict === undefined ? undefined : !verdict)
const every = (list: Verdict[]): Verdict => (list.includes(false) ? false : list.includes(undefined) ? undefined : true)
const some = (list: Verdict[]): Verdict => not(every(list.map(not)))

function meets(person: Person, where: Record<string, unknown>, context: Context): Verdict {
  return every(
    Object.entries(where).map(([name, wanted]) => {
      if (['any', 'all', 'none'].includes(name) && Array.isArray(wanted) && typeof wanted[0] === 'object') {
        const list = wanted.map((each) => meets(person, each, context))
        return name === 'all' ? every(list) : name === 'any' ? some(list) : not(some(list))
      }
      const field = name in COLUMNS ? (name as Field) : undefined
      const value = field ? person[field] : (person.attributes[name] ?? null)
      return compare(value, field, wanted, context)
    }),
  )
}

function compare(value: string | null, field: Field | undefined, wanted: unknown, context: Context): Verdict {
  if (Array.isArray(wanted)) return some(wanted.map((each) => compare(value, field, each, context)))
  if (typeof wanted !== 'object') return value !== null && equals(value, field, String(wanted))
  return every(
    Object.entries(wanted as object).map(([word, bound]) => {
      if (word === 'not') return not(compare(value, field, bound, context))
      const isMissing = value === null || value === ''
      if (word === 'missing') return isMissing === bound
      if (word === 'contains') return value !== null && lower(value).includes(lower(bound))
      if (word === 'startsWith') return value !== null && lower(value).startsWith(lower(bound))
      if (isMissing) return false
      if (['above', 'atLeast', 'below', 'atMost'].includes(word))
        return compareNumbers(value, field, word, String(bound))
      const found = readTime(value)
      return found && compareTimes(found, word, bound, context)
    }),
  )
}

function equals(value: string, field: Field | undefined, wanted: string): boolean {
  if (field === 'active') return value === String(['true', '1'].includes(wanted))
  if (field === 'bought') return Date.parse(value) === Date.parse(wanted)
  if (field === 'seen') return wallTime(value) === wallTime(wanted)
  if (field === 'price' && value === 'NaN') return false
  if (field && isNumber(field) && value !== 'NaN') return order(value, wanted) === 0
  return value === wanted
}

/** -1, 0 or 1 by the exact decimals. */
function order(a: string, b: string): number {
  const read = (text: string) => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
    const [whole = '', fraction = ''] = mantissa.split('.')
    return {
      digits: BigInt(`${whole.replace('+', '')}${fraction}`.replace(/^(-?)$/, '$10')),
      scale: fraction.length - Number(exponent),
    }
  }
  const [x, y] = [read(a), read(b)]
  const scale = Math.max(x.scale, y.scale)
  const difference = x.digits * 10n ** BigInt(scale - x.scale) - y.digits * 10n ** BigInt(scale - y.scale)
  return difference > 0n ? 1 : difference < 0n ? -1 : 0
}

function compareNumbers(value: string, field: Field | undefined, word: string, bound: string): Verdict {
  const isColumn = field !== undefined && isNumber(field)
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(value)) return isColumn ? false : undefined
  const sign = order(value, bound)
  return { above: sign > 0, atLeast: sign >= 0, below: sign < 0, atMost: sign <= 0 }[word]!
}

/** A time by the clock of no zone, as if it were UTC, or a moment. */
interface Time {
  time: number
  isWall: boolean
}

const wallTime = (text: string): number => {
  const [day, clock = '00:00'] = text.replace(' ', 'T').split('T')
  const date = new Date(`2000-01-01T${clock.length === 5 ? `${clock}:00` : clock}Z`)
  const [y, m, d] = day!.split('-').map(Number)
  date.setUTCFullYear(y!, m! - 1, d!)
  return date.getTime()
}

function isRealDay(text: string): boolean {
  const [y, m, d] = text.split('-').map(Number)
  return (
    y! > 0 && new Date(wallTime(text)).toISOString().endsWith(`${text.slice(4)}T00:00:00.000Z`) && m! >= 1 && d! >= 1
  )
}

function readTime(text: string): Time | undefined {
  const found = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d):(\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!found || !isRealDay(found[1]!) || Number(found[2] ?? 0) > 23) return undefined
  return found[4] === undefined ? { time: wallTime(text), isWall: true } : { time: Date.parse(text), isWall: false }
}

const formats = new Map<string, Intl.DateTimeFormat>()
function toWall(moment: number, zone: string): number {
  const fields = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  } as const
  const format = formats.get(zone) ?? new Intl.DateTimeFormat('en', { timeZone: zone, hourCycle: 'h23', ...fields })
  formats.set(zone, format)
  const parts = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]))
  const date = new Date(0)
  date.setUTCFullYear(parts.year!, parts.month! - 1, parts.day!)
  date.setUTCHours(parts.hour!, parts.minute!, parts.second!, ((moment % 1000) + 1000) % 1000)
  return date.getTime()
}

/** No time that is asked for lies in an hour that a clock leaves out or has twice. */
function toMoment(wall: number, zone: string): number {
  let moment = wall
  for (let round = 0; round < 3; round++) moment += wall - toWall(moment, zone)
  return moment
}

const DAY = 86_400_000

function compareTimes(value: Time, word: string, wanted: unknown, { now, zone }: Context): boolean {
  const at = (edge: Time) => {
    if (value.isWall === edge.isWall) return edge.time
    return value.isWall ? toWall(edge.time, zone) : toMoment(edge.time, zone)
  }
  const wall = (time: number): Time => ({ time, isWall: true })
  const moment = (time: number): Time => ({ time, isWall: false })
  if (word === 'last') {
    const [, amount, unit] = /^(\d+) (\w+?)s?$/.exec(wanted as string)!
    const n = Number(amount)
    if (unit === 'minute' || unit === 'hour') {
      return value.time >= at(moment(now - n * (unit === 'hour' ? 3_600_000 : 60_000))) && value.time <= at(moment(now))
    }
    const today = Math.floor(toWall(now, zone) / DAY) * DAY
    const months = unit === 'month' ? n : unit === 'year' ? 12 * n : 0
    let start = today - n * (unit === 'day' ? DAY : unit === 'week' ? 7 * DAY : 0)
    if (months > 0) {
      const date = new Date(today)
      const day = date.getUTCDate()
      date.setUTCDate(1)
      date.setUTCMonth(date.getUTCMonth() - months)
      const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
      start = date.setUTCDate(Math.min(day, last))
    }
    return value.time >= at(wall(start)) && value.time <= at(moment(now))
  }
  if (word === 'anniversary') {
    const own = new Date(value.isWall ? value.time : toWall(value.time, zone))
    const within = wanted === 'today' ? 0 : Number.parseInt((wanted as { within: string }).within, 10)
    const today = Math.floor(toWall(now, zone) / DAY) * DAY
    return Array.from({ length: within + 1 }, (_, at) => new Date(today + at * DAY)).some((day) => {
      const celebrated = new Date(Date.UTC(day.getUTCFullYear(), own.getUTCMonth(), own.getUTCDate()))
      if (celebrated.getUTCMonth() !== own.getUTCMonth()) celebrated.setUTCDate(0)
      return celebrated.getTime() === day.getTime()
    })
  }
  const edge = readTime(wanted as string)!
  const isDay = /^\S{10}$/.test(wanted as string)
  const start = at(edge)
  const end = at({ ...edge, time: edge.time + (isDay ? DAY : 0) })
  if (word === 'before') return value.time < start
  if (word === 'since') return value.time >= start
  if (word === 'after') return isDay ? value.time >= end : value.time > start
  const isUntil = isDay ? value.time < end : value.time <= start
  return word === 'until' ? isUntil : isUntil && value.time >= start
}

// ---------------------------------------------------------------------------------------------------------------------

const nows = fc
  .tuple(
    year,
    fc.constantFrom('01-15', '02-27', '02-28', '03-29', '03-31', '10-26', '12-31'),
    fc.constantFrom('00:30', '12:10', '23:50'),
  )
  .map(([y, day, clock]) => Date.parse(`${y}-${day}T${clock}:00Z`))

test('an audience has whom an oracle says, and tells how many texts it could not compare', async () => {
  const open = () =>
    createCustomAttributesStore(db.client, {
      customerTable: 'person',
      definitionTable: 'person_attribute',
      fields: defineFields(Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, {}]))),
    })
  // A store knows the indexes that there were at its first call.
  const store = open()
  await store.getAttributeDefinitions(account)
  await db.sql`create index on person ((account_id::text || ''), id)`
  const storeWithPageIndex = open()
  const law = fc.asyncProperty(
    fc.array(customers, { minLength: 25, maxLength: 25 }),
    fc.array(fc.tuple(trees, fc.constantFrom(...ZONES), nows), { minLength: 20, maxLength: 20 }),
    async (people, questions) => {
      await db.sql`truncate person restart identity`
      await db.sql.unsafe(
        `insert into person (account_id, email, custom_attributes, ${Object.keys(COLUMNS).join(', ')})
         select ${account}, (r ->> 'n') || '@example.com', r -> 'attributes',
           ${Object.entries(COLUMNS)
             .map(([name, type]) => `(r ->> '${name}')::${type}`)
             .join(', ')}
         from jsonb_array_elements($1::text::jsonb) r`,
        [JSON.stringify(people.map((person, n) => ({ ...person, n: n + 1 })))],
      )
      for (const [where, timeZone, now] of questions) {
        const verdicts = people.map((person) => meets(person, where, { now, zone: timeZone }))
        vi.useFakeTimers({ toFake: ['Date'], now })
        const found: number[] = []
        for await (const page of store.pageCustomers(account, { audience: { where, timeZone } })) {
          found.push(...page.map(({ id }) => Number(id)))
        }
        const foundByPageIndex: number[] = []
        for await (const page of storeWithPageIndex.pageCustomers(account, {
          audience: { where, timeZone },
          pageSize: 7,
        })) {
          foundByPageIndex.push(...page.map(({ id }) => Number(id)))
        }
        const counts = await store.countCustomers(account, { audience: { where, timeZone } })
        vi.useRealTimers()
        const told = fc.stringify([where, timeZone, new Date(now)])
        expect(found, told).toEqual(verdicts.flatMap((verdict, at) => (verdict ? [at + 1] : [])))
        expect(foundByPageIndex, told).toEqual(found)
        expect(counts, told).toEqual({
          customers: found.length,
          withoutEmail: 0,
          incomparable: verdicts.filter((verdict) => verdict === undefined).length,
          suppressed: 0,
          optedOut: 0,
        })
      }
    },
  )
  await checkLaw('conditions', law, 100, samples(100, 4))
})

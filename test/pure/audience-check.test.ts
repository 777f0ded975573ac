import { describe, expect, test } from 'vitest'
import { checkAudience } from '../../src/audience/conditions.js'
import { defineFields } from '../../src/fields.js'

const names = ['email', 'first_name', 'birthday', 'total_spent', 'Loyalty Tier', 'any']
const problemsOf = (audience: unknown) =>
  checkAudience(audience, { names }).map(({ code, message, details }) => {
    expect(code).toBe('INVALID_AUDIENCE')
    return [details.path, message] as const
  })
const wheres = (where: unknown) => problemsOf({ where })

describe('what is right', () => {
  test.each<[unknown]>([
    ['all'],
    [{ emails: [] }],
    [{ emails: ['john@example.com'] }],
    [{ where: { first_name: 'John' } }],
    [{ where: { loyalty_tier: ['gold', 'platinum'] }, timeZone: 'Europe/Rome' }],
    [{ where: { first_name: { not: 'John' } } }],
    [{ where: { first_name: { not: ['John', 'Jane'] } } }],
    [{ where: { first_name: { not: { contains: 'o' }, missing: false } } }],
    [{ where: { total_spent: { atLeast: 10, below: '1e3' } } }],
    [{ where: { total_spent: { above: -0.5, atMost: 10n } } }],
    [{ where: { birthday: { on: '2024-02-29' } } }],
    [{ where: { birthday: { before: '2026-05-17T10:00', after: '2026-05-17T10:00:00.5+02:00' } } }],
    [{ where: { birthday: { since: new Date(0), until: '9999-12-31' } } }],
    [{ where: { birthday: { last: '1 day' } } }],
    [{ where: { birthday: { anniversary: 'today' } } }],
    [{ where: { birthday: { anniversary: { within: '7 days' } } } }],
    [{ where: { any: [{ first_name: 'John' }, { all: [{ birthday: { missing: true } }], none: [{ email: 'x' }] }] } }],
    [{ where: { any: undefined, first_name: 'John' } }],
    // An attribute may have the name of a group: a group is a list of objects.
    [{ where: { any: 'thing' } }],
    [{ where: { any: ['thing', 'other'] } }],
    [{ where: { any: { missing: true } } }],
  ])('%o', (audience) => {
    expect(problemsOf(audience)).toEqual([])
  })

  test('without names any name', () => {
    expect(checkAudience({ where: { whatever: { contains: 'x' } } })).toEqual([])
  })
})

describe('what is wrong has its place', () => {
  test.each<[string, unknown, string, string]>([
    ['a name', { tier: 'x' }, 'where.tier', 'audience.where names "tier", which is no standard field'],
    [
      'a word',
      { first_name: { like: 'J%' } },
      'where.first_name',
      'audience.where.first_name has no word "like". Known are missing, contains,',
    ],
    ['a word every object has', { first_name: { constructor: 'x' } }, 'where.first_name', 'has no word "constructor"'],
    ['nothing', { first_name: {} }, 'where.first_name', 'says nothing.'],
    ['null', { first_name: null }, 'where.first_name', 'For who has no value, say { missing: true }.'],
    [
      'no text',
      { first_name: { contains: '' } },
      'where.first_name.contains',
      'must be a text that is not empty, got an empty string.',
    ],
    ['no number', { total_spent: { above: 'many' } }, 'where.total_spent.above', 'must be a number, got a string.'],
    ['NaN', { total_spent: { above: Number.NaN } }, 'where.total_spent.above', 'must be a number'],
    ['infinity', { total_spent: { atMost: Number.POSITIVE_INFINITY } }, 'where.total_spent.atMost', 'must be a number'],
    ['no flag', { first_name: { missing: 'yes' } }, 'where.first_name.missing', 'must be true or false'],
    ['no day', { birthday: { on: '2023-02-29' } }, 'where.birthday.on', 'must be a day YYYY-MM-DD, got a string.'],
    ['a moment for a day', { birthday: { on: '2023-02-28T10:00' } }, 'where.birthday.on', 'must be a day YYYY-MM-DD'],
    [
      'no moment',
      { birthday: { before: '17.05.2026' } },
      'where.birthday.before',
      'must be a day YYYY-MM-DD, or a moment',
    ],
    ['an invalid Date', { birthday: { since: new Date('x') } }, 'where.birthday.since', 'must be a day'],
    ['no span', { birthday: { last: 'month' } }, 'where.birthday.last', 'must be a span such as "30 days"'],
    ['a span before all calendars', { birthday: { last: '1000 years' } }, 'where.birthday.last', 'years up to 999'],
    [
      'no anniversary',
      { birthday: { anniversary: 'tomorrow' } },
      'where.birthday.anniversary',
      'must be "today" or { within: "7 days" }',
    ],
    ['over a year', { birthday: { anniversary: { within: '366 days' } } }, 'where.birthday.anniversary', 'up to 365'],
    ['below a negation', { birthday: { not: { on: 'x' } } }, 'where.birthday.not.on', 'must be a day'],
    ['a list below a negation', { first_name: { not: [] } }, 'where.first_name.not', 'lists no value.'],
    ['an empty member of a group', { any: [{ email: 'x' }, {}] }, 'where.any[1]', 'has no condition.'],
    ['a group that is undefined, alone', { any: undefined }, 'where', 'has no condition.'],
    ['the same in a group', { any: [{ none: undefined }] }, 'where.any[0]', 'has no condition.'],
    ['deep in groups', { none: [{ all: [{ x: 1 }] }] }, 'where.none[0].all[0].x', 'names "x"'],
    ['an empty group', { all: [] }, 'where.all', 'names "all"'],
  ])('%s', (_what, where, path, message) => {
    const [problem, ...others] = wheres(where)
    expect(others).toEqual([])
    expect(problem).toEqual([path, expect.stringContaining(message)])
  })

  test('all problems are told, in their order', () => {
    const found = wheres({ x: 1, first_name: { contains: '', like: '' }, any: [{ y: 1 }] })
    expect(found.map(([path]) => path)).toEqual([
      'where.x',
      'where.first_name.contains',
      'where.first_name',
      'where.any[0].y',
    ])
  })

  test("a name that is near is suggested, also by a host's alias", () => {
    const fields = defineFields({ first_name: { aliases: ['Vorname'] } })
    const suggest = (name: string) =>
      checkAudience({ where: { [name]: 'x' } }, { names, fields }).map(({ details }) => details.suggestion)
    expect(suggest('frist_name')).toEqual(['first_name'])
    expect(suggest('Vorname')).toEqual(['first_name'])
    expect(suggest('zzzzzz')).toEqual([undefined])
  })

  test.each([['+02:00'], ['Mars/Olympus'], [''], [5], ['UTC; drop table x'], ['CET'], ['bst']])(
    'the time zone %j',
    (timeZone) => {
      expect(problemsOf({ where: { email: 'x' }, timeZone })).toEqual([
        [
          'timeZone',
          expect.stringMatching(
            /^audience\.timeZone must be the name of a time zone with its region, such as "Europe\/Rome", or "UTC", got a/,
          ),
        ],
      ])
    },
  )

  test.each<[unknown]>([
    [undefined],
    [null],
    ['everyone'],
    [{}],
    [{ where: {} }],
    [{ where: [] }],
    [{ emails: 'x' }],
    [{ emails: [], where: { email: 'x' } }],
    [{ emails: [], timeZone: 'UTC' }],
    [[]],
  ])('no audience: %j', (audience) => {
    expect(problemsOf(audience)).toEqual([['', expect.stringMatching(/^audience must be 'all',/)]])
  })
})

describe('limits', () => {
  test('500 conditions', () => {
    const list = (length: number) => ({ any: Array.from({ length }, (_, at) => ({ email: String(at) })) })
    expect(wheres(list(499))).toEqual([])
    expect(wheres(list(100_000))).toEqual([
      [expect.stringMatching(/^where\.any\[/), 'audience has more than 500 conditions. Say it with fewer.'],
    ])
  })

  test('20 groups deep, also negations', () => {
    const groups = (depth: number): unknown => (depth === 1 ? { email: 'x' } : { all: [groups(depth - 1)] })
    const negations = (depth: number): unknown => (depth === 0 ? 'x' : { not: negations(depth - 1) })
    expect(wheres(groups(20))).toEqual([])
    expect(wheres({ email: negations(19) })).toEqual([])
    const deep = 'audience has groups more than 20 deep. Say it with fewer.'
    expect(wheres(groups(21))).toEqual([[expect.any(String), deep]])
    expect(wheres(groups(5_000))).toEqual([[expect.any(String), deep]])
    expect(wheres({ email: negations(5_000) })).toEqual([[expect.any(String), deep]])
  })

  test('a message never holds a value', () => {
    for (const where of [
      { email: ['john@example.com', null] },
      { email: { contains: 'john@example.com\0' } },
      { birthday: { on: 'john@example.com' } },
    ]) {
      for (const [, message] of wheres(where)) expect(message).not.toContain('john@')
    }
  })
})

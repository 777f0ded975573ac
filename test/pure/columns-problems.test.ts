import { describe, expect, test } from 'vitest'
import type { ColumnOptions } from '../../src/column-targets.js'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { thrownBy } from '../support/errors.js'

/** The only problem of these headers; `mapColumns` must throw it. */
function problemOf(headers: readonly string[], options?: ColumnOptions) {
  const { problems } = inspectColumns(headers, options)
  expect(problems).toHaveLength(1)
  const { code, message, details } = thrownBy(() => mapColumns(headers, options))
  expect(problems[0]).toEqual({ code, message, details })
  return problems[0]!
}

const attributes = (count: number) => Array.from({ length: count }, (_, index) => `attr_${index + 1}`)

describe('TOO_MANY_ATTRIBUTES', () => {
  test('rejects 11 attributes: "Maximum 10 custom attributes allowed. Found 11: …"', () => {
    const problem = problemOf(['email', ...attributes(11)])
    expect(problem.code).toBe('TOO_MANY_ATTRIBUTES')
    expect(problem.message).toContain(`Maximum 10 custom attributes allowed. Found 11: ${attributes(11).join(', ')}`)
    expect(problem.details).toMatchObject({ max: 10, found: 11, names: attributes(11) })
  })

  test('accepts 10', () => {
    expect(mapColumns(['email', ...attributes(10)]).custom).toEqual(attributes(10))
  })

  test('another maximum is said', () => {
    expect(problemOf(['email', 'a', 'b', 'c'], { maxCustomAttributes: 2 }).message).toContain(
      'Maximum 2 custom attributes allowed. Found 3: a, b, c',
    )
    expect(problemOf(['email', 'a'], { maxCustomAttributes: 0 }).code).toBe('TOO_MANY_ATTRIBUTES')
  })

  test('columns that are left out do not count', () => {
    expect(mapColumns(['email', ...attributes(10), 'id', '', 'password']).custom).toHaveLength(10)
  })
})

describe('EMAIL_COLUMN_MISSING', () => {
  test('"email is required", and what to do', () => {
    const problem = problemOf(['first_name', 'tier'])
    expect(problem.code).toBe('EMAIL_COLUMN_MISSING')
    expect(problem.message).toMatch(/^email is required: .*Name the column "email"/)
    expect(problem.details).toEqual({ headers: ['first_name', 'tier'] })
  })

  test.each([{ columns: { email: null } }, { columns: { email: { attribute: 'address' } } }])(
    'also when columns takes it away: %j',
    (options) => {
      expect(problemOf(['email', 'x'], options as ColumnOptions).code).toBe('EMAIL_COLUMN_MISSING')
    },
  )

  test('also for no headers at all', () => {
    expect(problemOf([]).code).toBe('EMAIL_COLUMN_MISSING')
  })
})

describe('DUPLICATE_COLUMN', () => {
  test('names the field and both positions', () => {
    const problem = problemOf(['email', 'First Name', 'tier', 'first_name'])
    expect(problem.code).toBe('DUPLICATE_COLUMN')
    expect(problem.message).toContain('"first_name" (columns 2 and 4)')
    expect(problem.details).toEqual({
      duplicates: [{ name: 'first_name', positions: [2, 4], headers: ['First Name', 'first_name'] }],
    })
  })

  test('names every pair at once: attributes, aliases, the email', () => {
    const { details } = problemOf(['Email', 'tier', 'zip', 'postcode', 'tier', 'email', 'tier'])
    expect(details.duplicates).toMatchObject([
      { name: 'email', positions: [1, 6] },
      { name: 'tier', positions: [2, 5, 7] },
      { name: 'postal_code', positions: [3, 4] },
    ])
  })

  test('is mended by columns: skip one by position', () => {
    const columns = [undefined, null]
    expect(mapColumns(['email', 'tier', 'tier'], { columns }).custom).toEqual(['tier'])
  })
})

describe('INVALID_ATTRIBUTE_NAME', () => {
  const faults: [string, string, string][] = [
    ['over 100 characters', 'x'.repeat(101), 'over 100 characters'],
    ['{{', 'a{{b', 'holds {{ or }}'],
    ['}}', 'a}}', 'holds {{ or }}'],
    ['|', 'a|b', 'holds |'],
    ['a control character', 'a\u0007b', 'holds a control character'],
    ['a tab', 'a\tb', 'holds a control character'],
    ['NUL', 'a\0b', 'holds a control character'],
    ['half of a surrogate pair', 'a\ud83d', 'holds a lone surrogate'],
    ...['#', '^', '/', '>', '&', '!', '='].map((sign): [string, string, string] => [
      `a leading ${sign}`,
      `${sign}name`,
      `starts with ${sign}`,
    ]),
    ...['__proto__', 'constructor', 'prototype'].map((name): [string, string, string] => [name, name, 'reserved']),
  ]

  test.each(faults)('%s', (_what, name, reason) => {
    const problem = problemOf(['email', 'fine', name])
    expect(problem.code).toBe('INVALID_ATTRIBUTE_NAME')
    expect(problem.message).toContain(`column 3 (${reason}`)
  })

  test('an empty name given by columns', () => {
    expect(problemOf(['email', 'x'], { columns: { x: { attribute: '  ' } } }).message).toContain('the name is empty')
  })

  test('a name given by columns is checked like a header', () => {
    expect(problemOf(['email', 'x'], { columns: { x: { attribute: '__proto__' } } }).code).toBe(
      'INVALID_ATTRIBUTE_NAME',
    )
  })

  test('100 characters fit, counted as characters and not as UTF-16 units', () => {
    const names = ['x'.repeat(100), '😀'.repeat(100)]
    expect(mapColumns(['email', ...names]).custom).toEqual(names)
  })

  test.each(['a#b', 'b^', 'a/b', 'a{b', '{a}', 'a = b', '-5', '@handle', '*', "'"])('%s is a fine name', (name) => {
    expect(mapColumns(['email', name]).custom).toEqual([name])
  })
})

describe('UNKNOWN_COLUMN', () => {
  test('columns names a header that the file does not have', () => {
    const problem = problemOf(['email', 'Tier'], { columns: { tier: null } })
    expect(problem.code).toBe('UNKNOWN_COLUMN')
    expect(problem.message).toBe(
      'columns names what the file does not have: tier. Use the headers as the file spells them.',
    )
    expect(problem.details).toEqual({ columns: ['tier'], headers: ['email', 'Tier'] })
  })

  test('columns has more positions than the file', () => {
    expect(problemOf(['email'], { columns: [undefined, null, null] }).message).toContain('position 2, position 3')
  })
})

describe('INVALID_OPTION', () => {
  test.each<[string, unknown, string]>([
    ['an unknown option', { colums: {} }, 'inspectColumns has no option "colums". Known options: columns,'],
    ['attributes of another type', { attributes: 'some' }, 'attributes must be "all" or "none" or an array of strings'],
    ['fields that are no catalogue', { fields: ['tier'] }, 'fields must be what defineFields returns, got an array'],
    [
      'a fillable that is none',
      { fillable: ['tier'] },
      'fillable names "tier", which is no field. Known ones: email, ',
    ],
    ['a negative maximum', { maxCustomAttributes: -1 }, 'maxCustomAttributes must be a whole number'],
    ['known attributes of another type', { knownAttributes: [1] }, 'knownAttributes must be an array of strings'],
    ['options that are no object', 'all', 'options must be an object, got the string "all"'],
    ['a target that is none', { columns: { email: 'phone' } }, 'columns["email"] must be { field: <standard field> }'],
    [
      'a Map',
      { columns: new Map([['email', null]]) },
      'columns must be an object or an array, got an object of class Map',
    ],
    ['a field that is none', { columns: { email: { field: 'e-mail' } } }, 'columns["email"] must be'],
    ['both at once', { columns: { email: { field: 'email', attribute: 'x' } } }, 'columns["email"] must be'],
    ['a target at a position', { columns: [{ field: 'email' }, 7] }, 'columns["1"] must be'],
  ])('%s', (_what, options, message) => {
    const { problems } = inspectColumns(['email'], options as ColumnOptions)
    expect(problems[0]).toMatchObject({ code: 'INVALID_OPTION' })
    expect(problems[0]!.message).toContain(message)
    expect(thrownBy(() => mapColumns(['email'], options as ColumnOptions)).code).toBe('INVALID_OPTION')
  })
})

test.each([[undefined], [null], ['email,name'], [{ 0: 'email' }], [['email', 5]], [[undefined]], [new Array(1)]])(
  'INVALID_ARGUMENT: headers must be an array of strings: %j',
  (headers) => {
    const { mapping, problems } = inspectColumns(headers as string[])
    expect(problems).toMatchObject([{ code: 'INVALID_ARGUMENT', details: { argument: 'headers' } }])
    expect(problems[0]!.message).toMatch(/^headers must be an array of strings, got /)
    expect(mapping).toEqual({ standard: [], custom: [], ignored: [], columns: [], warnings: [] })
  },
)

test('inspectColumns gives all problems at once, in a fixed order, with the mapping as far as it could be made', () => {
  const { mapping, problems } = inspectColumns(['tier', 'tier', '__proto__', ...attributes(9)], {
    columns: { absent: null },
  })
  expect(problems.map(({ code }) => code)).toEqual([
    'UNKNOWN_COLUMN',
    'EMAIL_COLUMN_MISSING',
    'DUPLICATE_COLUMN',
    'INVALID_ATTRIBUTE_NAME',
    'TOO_MANY_ATTRIBUTES',
  ])
  expect(mapping.columns).toHaveLength(12)
})

test('problems are JSON-safe', () => {
  const { problems } = inspectColumns(['tier', 'tier', '__proto__', ...attributes(11)], { columns: { absent: null } })
  expect(JSON.parse(JSON.stringify(problems))).toEqual(problems)
})

import { describe, expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'
import { parseRow } from '../../src/rows.js'
import { costOf } from '../support/cost.js'

/** The value that a cell is stored as, as an attribute. */
const stored = (cell: string) => parseRow(['email', 'value'], ['john@example.com', cell]).custom_attributes.value

test('parses a row into standard fields and custom attributes', () => {
  expect(
    parseRow(
      ['email', 'First Name', 'loyalty_tier', 'id', 'LAST VISIT'],
      ['john@example.com', 'John', 'gold', '17', '2024-05-01'],
    ),
  ).toEqual({
    standard: { email: 'john@example.com', first_name: 'John' },
    custom_attributes: { loyalty_tier: 'gold', 'LAST VISIT': '2024-05-01' },
  })
})

test('a mapping made once gives what the headers give', () => {
  const headers = ['EMAIL', 'tier', 'zip', 'password']
  const mapping = mapColumns(headers)
  for (const row of [
    ['a@example.com', 'gold', '10115', 'x'],
    ['b@example.com', '', '', ''],
  ]) {
    expect(parseRow(mapping, row)).toEqual(parseRow(headers, row))
  }
})

test('a mapping with columns of its own is followed', () => {
  const mapping = mapColumns(['Kontakt', 'Stufe'], {
    columns: { Kontakt: { field: 'email' }, Stufe: { attribute: 'tier' } },
  })
  expect(parseRow(mapping, ['a@example.com', 'gold'])).toEqual({
    standard: { email: 'a@example.com' },
    custom_attributes: { tier: 'gold' },
  })
})

test('a mapping is not read again per row: the headers are not touched', () => {
  const mapping = mapColumns(['email', 'tier'])
  let reads = 0
  const columns = new Proxy(mapping.columns, {
    get(target, key) {
      reads++
      return Reflect.get(target, key)
    },
  })
  const watched = { ...mapping, columns }
  parseRow(watched, ['a@example.com', 'gold'])
  const afterFirst = reads
  for (let row = 0; row < 100; row++) parseRow(watched, [`a${row}@example.com`, 'gold'])
  expect(reads - afterFirst).toBeLessThanOrEqual(100)
})

test.each(['', ' ', '\t', '\u00a0', ' \u00a0\r\n', '\u2003', '\ufeff'])('omits empty values: %j', (cell) => {
  const row = parseRow(['email', 'first_name', 'tier'], ['john@example.com', cell, cell])
  expect(row).toEqual({ standard: { email: 'john@example.com' }, custom_attributes: {} })
})

test.each([' gold ', '\u00a0gold\u00a0', '\tgold\r\n', '\u202fgold', 'gold\u3000'])('trims %j', (cell) => {
  expect(stored(cell)).toBe('gold')
})

test('blanks within a value stay', () => {
  expect(stored('  New\u00a0York\n City ')).toBe('New\u00a0York\n City')
})

test.each([
  '007',
  '1.10',
  '0.0',
  '1e5',
  '+4915112345678',
  '+45 12 34',
  '-5',
  '12345678901234567890',
  '99999999999999999999.99',
  'true',
  'null',
  'undefined',
  'NaN',
  '0',
  '2024-02-30',
  '{"a":1}',
  '[1,2]',
  '{{first_name}}',
  '\\x41',
  '\\',
  'a\u001fb',
  '日本語',
  'e\u0301',
  '👩‍👩‍👧',
  '__proto__',
])('%j survives as it is', (cell) => {
  expect(stored(cell)).toBe(cell)
})

describe("a spreadsheet's text mark", () => {
  test.each([
    ["'=1+1", '=1+1'],
    ["'+45 12", '+45 12'],
    ["'-5", '-5'],
    ["'@handle", '@handle'],
    ["'\tx", 'x'],
    ["'\rx", 'x'],
    [" '=1 ", '=1'],
    ["''=1", "''=1"],
    ["'=", '='],
    ["'\t'=1", '=1'],
    [" ' ", "'"],
    ["'\t", "'"],
  ])('%j is %j', (cell, value) => {
    expect(stored(cell)).toBe(value)
  })

  test.each(["'t Hooft", "'", "''", "'90s kids", "O'Hara", "'quoted'", "' =1"])('%j is no such mark', (cell) => {
    expect(stored(cell)).toBe(cell)
  })

  test('of it only one is dropped', () => {
    expect(stored("'='=1")).toBe("='=1")
  })

  test('a cell of nothing but marks costs no more than another', async () => {
    const cell = "'\t".repeat(100_000)
    expect(await costOf(() => expect(stored(cell)).toBe("'"))).toBeLessThan(50)
  })

  test('in the email cell too', () => {
    expect(parseRow(['email'], ["'+tag@example.com"]).standard.email).toBe('+tag@example.com')
  })
})

test('extra cells that are all empty are fine', () => {
  expect(parseRow(['email', 'tier'], ['a@example.com', 'gold', '', ' ', '\u00a0']).custom_attributes).toEqual({
    tier: 'gold',
  })
})

test('attributes named like what every object has are plain properties', () => {
  const row = parseRow(['email', 'toString', 'hasOwnProperty'], ['a@example.com', 'x', ''])
  expect(Object.entries(row.custom_attributes)).toEqual([['toString', 'x']])
})

test('no cell can reach a prototype', () => {
  parseRow(['email', 'tier'], ['a@example.com', '__proto__'])
  expect({}).not.toHaveProperty('polluted')
  expect(() => parseRow(['email', '__proto__'], ['a@example.com', 'polluted'])).toThrow('reserved by JavaScript')
})

describe('the email', () => {
  test('is lower-cased, and only it', () => {
    expect(parseRow(['Email', 'Name'], ['John.Doe@Example.COM', 'John'])).toEqual({
      standard: { email: 'john.doe@example.com' },
      custom_attributes: { Name: 'John' },
    })
  })

  test("stays as typed with emailCase: 'preserve'", () => {
    expect(parseRow(['email'], [' John@Example.COM '], { emailCase: 'preserve' }).standard.email).toBe(
      'John@Example.COM',
    )
  })

  test.each([
    'a@b',
    "!#$%&'*+/=?^_`{|}~-.x@example.com",
    '.starts.with.dot.@example.com',
    'two..dots@example.com',
    'a@1.2.3.4',
    `a@${'x'.repeat(63)}.com`,
    'a@xn--bcher-kva.example',
    `${'x'.repeat(64)}@${Array.from({ length: 3 }, () => 'y'.repeat(61)).join('.')}.z`,
  ])("is valid by the HTML standard's rule: %s", (email) => {
    expect(parseRow(['email'], [email]).standard.email).toBe(email)
  })

  test('of 254 characters fits', () => {
    const email = `${'a'.repeat(254 - '@example.com'.length)}@example.com`
    expect(parseRow(['email'], [email]).standard.email).toHaveLength(254)
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { namesOfField } from '../../src/field-names.js'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { costOf } from '../support/cost.js'
import { checkLaw } from '../support/law.js'

const offered = (header: string) =>
  inspectColumns(['x', header]).suggestions.find(({ position }) => position === 2)?.fields ?? []

describe('a certain name is an alias', () => {
  test.each([
    ['Mail', 'email'],
    ['Telephone', 'phone'],
    ['Cell Phone', 'phone'],
    ['Date of Birth', 'birthday'],
    ['State/Province', 'province'],
    ['Vorname', 'first_name'],
    ['Correo electrónico', 'email'],
    ['Code postal', 'postal_code'],
    ['メールアドレス', 'email'],
  ])('%s fills %s', (header, field) => {
    expect(inspectColumns([header]).mapping.columns[0]).toMatchObject({ target: { field }, reason: 'alias' })
  })
})

describe('what is less than certain is offered and stays an attribute', () => {
  test.each([
    ['First', 'first_name'],
    ['Name', 'first_name'],
    ['DOB', 'birthday'],
    ['Street Address', 'address1'],
    ['Country/Region', 'country'],
    ['Emial', 'email'],
    ['Frist Name', 'first_name'],
    ['Nachnme', 'last_name'],
    ['Prenom', 'first_name'],
    ['Handy', 'phone'],
    ['strasse', 'address1'],
    ['Requester email', 'email'],
    ['billingPhone', 'phone'],
    ['Company #', 'company'],
  ])('%s: %s', (header, field) => {
    expect(inspectColumns(['x', header]).mapping.columns[1]!.target).toEqual({ attribute: header })
    const [best] = offered(header)
    expect(best).toMatchObject({ field })
    expect(best!.confidence).toBeGreaterThan(0)
    expect(best!.confidence).toBeLessThanOrEqual(0.9)
  })
})

test.each([
  'loyalty_tier',
  'renewal_date',
  'plan',
  'Notes',
  'Tags',
  'apple',
  'Favourite colour',
  '🎂',
  '#',
  'x'.repeat(500),
])('nothing is offered for %s', (header) => expect(offered(header)).toEqual([]))

test('a field that is filled or not allowed is not offered', () => {
  expect(inspectColumns(['email', 'Emial']).suggestions).toEqual([])
  expect(inspectColumns(['email', 'Street Address'], { fillable: ['city'] }).suggestions).toEqual([])
})

test('a column that is left out or mapped is offered nothing; one that was not chosen is', () => {
  const headers = ['email', 'id', 'DOB', 'First']
  expect(inspectColumns(headers, { columns: { DOB: null, First: { attribute: 'First' } } }).suggestions).toEqual([])
  expect(inspectColumns(headers, { attributes: 'none' }).suggestions.map(({ header }) => header)).toEqual([
    'DOB',
    'First',
  ])
})

test('a name stands for one field', () => {
  const names = STANDARD_COLUMNS.flatMap((field) => namesOfField(field).map((name) => name.toLowerCase()))
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})

test('a header row of 500 columns costs less than a hundred calibrations', async () => {
  const headers = Array.from({ length: 500 }, (_, index) => `some longer header name ${index * 7919}`)
  expect(await costOf(() => inspectColumns(headers))).toBeLessThan(100)
})

test('law: nothing goes to a field on a guess, and every guess is free, at most three, the likeliest first', async () => {
  const names = STANDARD_COLUMNS.flatMap((field) => [field, ...namesOfField(field)])
  const misspelt = fc
    .tuple(fc.constantFrom<string>(...names), fc.nat(30), fc.constantFrom('', 'x', 'ee', ' 2', '#'))
    .map(([name, at, more]) => name.slice(0, at) + more + name.slice(at + 1))
  await checkLaw(
    'suggestions',
    fc.property(
      fc.array(fc.oneof(misspelt, fc.string({ unit: 'grapheme', maxLength: 20 })), { maxLength: 6 }),
      (headers) => {
        const { mapping, problems, suggestions } = inspectColumns(['email', ...headers])
        for (const { position, header, fields } of suggestions) {
          expect(mapping.columns[position - 1]).toMatchObject({ header, target: { attribute: header } })
          expect(fields.length).toBeLessThanOrEqual(3)
          expect(fields.map(({ confidence }) => confidence)).toEqual(
            fields.map(({ confidence }) => confidence).sort((a, b) => b - a),
          )
          for (const { field, confidence } of fields) {
            expect(mapping.standard).not.toContain(field)
            expect(confidence > 0 && confidence < 1).toBe(true)
          }
        }
        if (problems.length === 0) expect(mapColumns(['email', ...headers])).toEqual(mapping)
      },
    ),
    500,
  )
})

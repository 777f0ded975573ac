import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { isSpeltAlike, nameForm } from '../../src/names.js'
import { checkTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'
import { checkLaw } from '../support/law.js'

const DIFFERENT = [
  ['Growth %', 'Growth $'],
  ['Growth', 'Growth %'],
  ['Revenue €', 'Revenue £'],
  ['C', 'C++'],
  ['R', 'R&D'],
  ['Change −', 'Change +'],
  ['Score ★', 'Score ☆'],
  ['Brand ®', 'Brand ©'],
  ['Age <30', 'Age >30'],
  ['Q1_1', 'Q11'],
  ['v1.2', 'v12'],
  ['2024-01-1', '2024-0-11'],
  ['1, 2', '12'],
  ['١٫٢', '١٢'],
] as const

const ALIKE = [
  ['Growth %', 'growth%'],
  ['Q1_1', 'q1-1'],
  ['v1.2', 'V1 2'],
  ['1 - 2', '1_2'],
  ['Child 1', 'child1'],
  ['2 nd', '2nd'],
  ['Tier', 't.i_e-r'],
  ['Ｇｒｏｗｔｈ ％', 'Growth %'],
  ['Why?', '(why)'],
  ['❤️', '❤'],
] as const

describe('names of different forms', () => {
  test.each(DIFFERENT)('%s is not %s', (one, other) => {
    expect(nameForm(one)).not.toBe(nameForm(other))
    expect(mapColumns(['email', one, other]).custom).toHaveLength(2)
    expect(mapColumns(['email', other], { knownAttributes: [one] }).columns[1]).toMatchObject({
      reason: 'attribute',
    })
    expect(mapColumns(['email', one, other], { attributes: [one] }).columns[2]).toMatchObject({ target: null })
    expect(renderTemplate(`[{{{${other}}}}]`, { custom_attributes: { [one]: 'x' } }, { format: 'text' })).toBe('[]')
  })
})

describe('names of the same form', () => {
  test.each(ALIKE)('%s is %s', (one, other) => {
    expect(nameForm(one)).toBe(nameForm(other))
    const { columns } = mapColumns(['email', other], { knownAttributes: [one] })
    expect(columns[1]!.target).toEqual({ attribute: one })
  })
})

test('a sign keeps a header from a field, a reserved name and another attribute of the list', () => {
  expect(mapColumns(['email', 'Company #', 'ID #', 'City %', 'Phone+']).custom).toEqual([
    'Company #',
    'ID #',
    'City %',
    'Phone+',
  ])
  expect(mapColumns(['email', 'Growth %', 'Growth $'], { attributes: ['Growth %'] }).custom).toEqual(['Growth %'])
  expect(mapColumns(['email', 'Tier', 'tier'], { attributes: ['Tier'] }).custom).toEqual(['Tier'])
})

test('a sign does not make a secret harmless', () => {
  const headers = ['password #', 'API key +', '$secret', 'rp_token%']
  expect(mapColumns(['email', ...headers]).ignored.map(({ reason }) => reason)).toEqual(headers.map(() => 'sensitive'))
})

test('a tag finds a name with its sign, and is offered it without', () => {
  const customer = { custom_attributes: { 'Growth %': '12', 'Growth $': '3' } }
  expect(renderTemplate('{{growth%}} {{GROWTH $}} [{{growth}}]', customer, { format: 'text' })).toBe('12 3 []')
  expect(checkTemplate('{{growth}}', ['Growth %'])).toMatchObject([
    { code: 'UNKNOWN_TAG', details: { suggestion: 'Growth %' } },
  ])
})

describe('HEADER_TAKEN_AS', () => {
  const warningsOf = (header: string, known: string) =>
    inspectColumns(['email', header], { knownAttributes: [known] }).mapping.warnings

  test('names the header, its position and the name that it takes', () => {
    expect(warningsOf('vip-status', 'VIP Status')).toEqual([
      {
        code: 'HEADER_TAKEN_AS',
        message:
          'Column 2, "vip-status", is taken as the attribute "VIP Status" that the account has. ' +
          'If it is another one, say so with columns.',
      },
    ])
  })

  test.each([
    ['vip_status', 'VIP Status'],
    ['Why?', 'why'],
    ['Q1-1', 'Q1_1'],
    ['naïve (2)', 'Naïve 2'],
  ])('%s is not %s', (header, known) => expect(warningsOf(header, known)).toHaveLength(1))

  test.each([
    ['tier', 'Tier'],
    ['vip status', 'VIPStatus'],
    ['VIP\nStatus', 'vip status'],
    ['Tier', 'Tier'],
  ])('case and blanks alone are no news: %j, %s', (header, known) => expect(warningsOf(header, known)).toEqual([]))

  test('nothing is told of what columns says', () => {
    const columns = { 'vip-status': { attribute: 'VIP Status' } }
    const { warnings } = mapColumns(['email', 'vip-status'], { columns, knownAttributes: ['VIP Status'] })
    expect(warnings).toEqual([])
  })
})

const word = fc.constantFrom(
  'tier',
  'Tier',
  'growth',
  'Growth',
  'q',
  'v1',
  'Mobile',
  'phone',
  'zip',
  'City',
  'straße',
  '1',
)
const sign = fc.constantFrom('', ' ', '_', '-', '.', '%', '#', '+', '&', '$', '€', ' %', '?', '|', '\n')
const tail = fc.constantFrom('', '1', '2', '12', 'x', '%', '$', ' Number', 'CODE')
const header = fc.tuple(word, sign, tail).map((parts) => parts.join(''))
const headers = fc.array(header, { maxLength: 8 })

test('law: the headers of a second upload take no name but their own, unless it is told, and none twice', async () => {
  await checkLaw(
    'names of two uploads',
    fc.property(headers, headers, (first, second) => {
      const before = inspectColumns(['email', ...first]).mapping
      const { mapping, problems } = inspectColumns(['email', ...second], { knownAttributes: before.custom })
      const duplicates = problems.find(({ code }) => code === 'DUPLICATE_COLUMN')?.details.duplicates as
        | { name: string; headers: string[] }[]
        | undefined
      const spelledBy = new Map<string, string>()
      for (const { header, position, target } of mapping.columns) {
        if (!target || 'field' in target) {
          if (target) expect(before.custom).not.toContain(header)
          continue
        }
        const { attribute } = target
        if (before.custom.includes(header)) expect(attribute).toBe(header)
        const isTold = mapping.warnings.some(({ message }) => message.startsWith(`Column ${position}, `))
        expect(isTold).toBe(!isSpeltAlike(attribute, header))
        if (attribute !== header) expect(nameForm(attribute)).toBe(nameForm(header))
        expect(spelledBy.get(attribute) ?? header).toBe(header)
        spelledBy.set(attribute, header)
      }
      // Twice is only what one header, or a field's names, say twice; and that is told.
      const names = mapping.columns.flatMap(({ target }) =>
        target ? ['field' in target ? `field ${target.field}` : target.attribute] : [],
      )
      const twice = names.filter((name, index) => names.indexOf(name) !== index)
      expect(new Set(duplicates?.map(({ name }) => name) ?? [])).toEqual(
        new Set(twice.map((name) => name.replace(/^field /, ''))),
      )
    }),
    500,
  )
})

test('law: where a header goes as an attribute, it goes in every later upload beside the same headers', async () => {
  await checkLaw(
    'columns from week to week',
    fc.property(headers, fc.subarray(['email', 'x', 'y'], { minLength: 1 }), (first, more) => {
      const before = inspectColumns(['email', ...first]).mapping
      const known = { knownAttributes: before.custom }
      const targets = (mapping: typeof before) => new Map(mapping.columns.map(({ header, target }) => [header, target]))
      const again = targets(inspectColumns(['email', ...first], known).mapping)
      expect(again).toEqual(targets(before))
      for (const name of before.custom) {
        const alone = inspectColumns([...new Set([...more, name])], known).mapping
        expect(targets(alone).get(name)).toEqual({ attribute: name })
      }
    }),
    500,
  )
})

test('law: a form is its own form', async () => {
  await checkLaw(
    'forms',
    fc.property(fc.oneof(header, fc.string({ unit: 'grapheme', maxLength: 12 })), (name) => {
      expect(nameForm(nameForm(name))).toBe(nameForm(name))
      expect(nameForm(name.toLowerCase())).toBe(nameForm(name))
    }),
    500,
  )
})

test.each(['%', '‰', '‱', '٪', '#', '&', '€'])('Growth and Growth %s are two names', (sign) => {
  expect(nameForm(`Growth ${sign}`)).not.toBe(nameForm('Growth'))
  expect(nameForm(`growth${sign}`)).toBe(nameForm(`Growth ${sign}`))
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proposeNames } from '../../src/column-problems.js'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { STANDARD_FIELDS } from '../../src/fields.js'
import { attributeNameFault, nameForm } from '../../src/names.js'
import { costOf } from '../support/cost.js'
import { checkLaw } from '../support/law.js'

describe('a line break in a header becomes a blank', () => {
  test.each([
    ['Loyalty\nTier'],
    ['Loyalty\r\nTier'],
    ['Loyalty \r Tier'],
    ['\nLoyalty\n\n  Tier\n'],
    ['Loyalty\u2028Tier'],
    ['Loyalty\u0085Tier'],
    ['Loyalty\vTier'],
  ])('%j', (header) => {
    expect(mapColumns(['E-mail\nAddress', header])).toMatchObject({ standard: ['email'], custom: ['Loyalty Tier'] })
  })

  test('columns names it either way', () => {
    for (const name of ['Loyalty Tier', 'Loyalty\nTier']) {
      const columns = { [name]: { attribute: 'tier' } }
      expect(mapColumns(['email', 'Loyalty\nTier'], { columns }).custom).toEqual(['tier'])
    }
  })

  test('a long run of blanks takes no time', () => {
    expect(inspectColumns(['email', `a${' '.repeat(200_000)}b\n`]).problems).toHaveLength(1)
  }, 1000)
})

describe('a header that cannot name an attribute is shown with a name that works', () => {
  test.each([
    ['# of visits', 'of visits #'],
    ['#phone', 'phone #'],
    ['=x', 'x ='],
    ['a | b', 'a / b'],
    ['{{tier}}', '{tier}'],
    ['>= 5', '5 >='],
    ['tab\there', 'tab here'],
    ['constructor', 'constructor_'],
    ['###', 'column 2'],
    ['|', 'column 2'],
    ['zip|', 'zip/ 2'],
  ])('%s: %s', (header, name) => {
    const [problem] = inspectColumns(['email', header]).problems
    expect(problem).toMatchObject({
      code: 'INVALID_ATTRIBUTE_NAME',
      details: { columns: [{ position: 2, proposal: name }] },
    })
    expect(problem!.message).toContain(`: ${JSON.stringify(header)}; usable is ${JSON.stringify(name)})`)
  })

  test('one over 100 characters is shown by its start', () => {
    const header = `Which of these ${'do you like '.repeat(100)}`
    const [problem] = inspectColumns(['email', header]).problems
    expect(problem!.message).toContain(`"${header.slice(0, 60)}…"`)
    expect(problem!.message.length).toBeLessThan(400)
  })

  test('the names of two columns differ', () => {
    const proposals = proposeNames(mapped(['email', 'a/b', 'a|b', 'A|B', '{{a|b}}']), STANDARD_FIELDS)
    expect(proposals.map(({ name }) => name)).toEqual(['a/b 2', 'A/B 3', '{a/b} 4'])
  })
})

const mapped = (headers: string[]) => inspectColumns(headers).mapping.columns

test('law: a proposed name works, and is of the form of no other column', async () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '|',
    '#',
    '=',
    '{{',
    '}}',
    ' ',
    '\t',
    '^',
    '__proto__',
    '1',
    'phone',
    'zip',
    'x'.repeat(99),
    '😀',
  )
  const header = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''))
  await checkLaw(
    'proposed names',
    fc.property(fc.uniqueArray(header, { maxLength: 8 }), (headers) => {
      const columns = mapped(['email', ...headers])
      const proposals = new Map(proposeNames(columns, STANDARD_FIELDS).map(({ position, name }) => [position, name]))
      for (const name of proposals.values()) expect(attributeNameFault(name)).toBeUndefined()
      const invalid = columns.filter(
        ({ target }) => target && 'attribute' in target && attributeNameFault(target.attribute),
      )
      expect([...proposals.keys()]).toEqual(invalid.map(({ position }) => position))
      const forms = [...proposals.values()].map(nameForm)
      expect(new Set(forms).size).toBe(forms.length)
      const again = inspectColumns(['email', ...headers], {
        columns: columns.map(({ position, target }) => {
          const attribute = proposals.get(position)
          return attribute === undefined ? target : { attribute }
        }),
        maxCustomAttributes: 100,
      })
      const duplicates = inspectColumns(['email', ...headers], { maxCustomAttributes: 100 })
      const withoutNames = duplicates.problems.filter(
        ({ code }) => code !== 'INVALID_ATTRIBUTE_NAME' && code !== 'DUPLICATE_COLUMN',
      )
      expect(again.problems.filter(({ code }) => code !== 'DUPLICATE_COLUMN')).toEqual(withoutNames)
    }),
    500,
  )
})

test.each([
  ['one long header', (_: number) => '\ufdfa'.repeat(101), 499],
  ['one short header', (_: number) => '#x', 3999],
  ['headers that are cut to one', (at: number) => `${'\ufdfa'.repeat(98)}${at} too long`, 499],
  ['headers whose numbers are taken', (at: number) => (at % 2 ? '#x' : `x ${at}`), 3999],
])('thousands of unusable names cost no more than their length: %s', async (_, header, count) => {
  const headers = ['email', ...Array.from({ length: count }, (_, at) => header(at))]
  const inspect = () => {
    const { problems } = inspectColumns(headers, { maxCustomAttributes: 10_000 })
    expect(problems.map(({ code }) => code)).toContain('INVALID_ATTRIBUTE_NAME')
  }
  expect(await costOf(inspect, 1)).toBeLessThan(400)
})

test('same unusable names are numbered one after the other', () => {
  expect(
    proposeNames(mapped(['email', '#x', 'x # 3', '#x', '# X', '#x']), STANDARD_FIELDS).map(({ name }) => name),
  ).toEqual(['x #', 'x # 2', 'X # 4', 'x # 5'])
})

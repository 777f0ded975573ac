import { describe, expect, test } from 'vitest'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { aliasesOfField } from '../../src/field-names.js'
import { nameForm, STANDARD_COLUMNS } from '../../src/names.js'

test('a header with the form of a known name takes the known spelling', () => {
  const mapping = mapColumns(['email', 'tier', 'VIP-STATUS', 'new'], { knownAttributes: ['Tier', 'vip status'] })
  expect(mapping.custom).toEqual(['Tier', 'vip status', 'new'])
  expect(mapping.columns.map(({ reason }) => reason)).toEqual([
    'field',
    'known_attribute',
    'known_attribute',
    'attribute',
  ])
})

test('an exact spelling is taken as it is, also where another name has its form', () => {
  expect(mapColumns(['email', 'tier', 'Tier'], { knownAttributes: ['Tier', 'tier'] }).custom).toEqual(['tier', 'Tier'])
})

test('where two known names have the form and neither the spelling, the header stays', () => {
  expect(mapColumns(['email', 'TIER'], { knownAttributes: ['Tier', 'tier'] }).custom).toEqual(['TIER'])
})

test('headers of one form stay themselves: neither takes what is known by its form', () => {
  const { mapping, problems } = inspectColumns(['email', 'tier', 'TIER'], { knownAttributes: ['Tier'] })
  expect(problems).toEqual([])
  expect(mapping.custom).toEqual(['tier', 'TIER'])
})

test('an exact spelling claims its name before any form, wherever it stands', () => {
  for (const headers of [
    ['email', 'Tier', 'tier'],
    ['email', 'tier', 'Tier'],
  ]) {
    for (const knownAttributes of [[], ['Tier'], ['tier'], ['Tier', 'tier'], ['TIER']]) {
      expect(inspectColumns(headers, { knownAttributes })).toMatchObject({
        mapping: { custom: headers.slice(1), warnings: [] },
        problems: [],
      })
    }
  }
})

test('a header does not take a known name that columns gives to another', () => {
  const knownAttributes = ['Tier']
  const columns = { Stufe: { attribute: 'Tier' } }
  expect(mapColumns(['email', 'Stufe', 'tier'], { knownAttributes, columns }).custom).toEqual(['Tier', 'tier'])
  expect(mapColumns(['email', 'Tier', 'tier'], { knownAttributes, columns: { Tier: null } }).custom).toEqual(['tier'])
})

describe('an alias of a field', () => {
  test.each(STANDARD_COLUMNS.flatMap((field) => aliasesOfField(field).map((alias) => [alias, field] as const)))(
    '%s is the attribute that the account knows, and else %s',
    (alias, field) => {
      const headers = field === 'email' ? ['email', alias] : ['email', alias, 'x']
      for (const known of [alias, alias.toUpperCase(), alias.replaceAll(' ', '_')]) {
        const { columns } = inspectColumns([alias], { knownAttributes: [known] }).mapping
        if (nameForm(known) === nameForm(alias)) expect(columns[0]!.target).toEqual({ attribute: known })
      }
      expect(inspectColumns(headers).mapping.columns[1]!.target).toEqual(
        field === 'email' ? { attribute: alias } : { field },
      )
      expect(inspectColumns([alias]).mapping.columns[0]!.target).toEqual({ field })
    },
  )

  test('is no alias where the account has two attributes of its form', () => {
    expect(mapColumns(['email', 'MOBILE'], { knownAttributes: ['Mobile', 'mobile'] })).toMatchObject({
      standard: ['email'],
      custom: ['MOBILE'],
    })
  })

  test('is left out as an attribute when attributes does not choose it', () => {
    const options = { knownAttributes: ['Mobile'], attributes: 'none' } as const
    expect(mapColumns(['email', 'Mobile'], options).ignored).toMatchObject([{ reason: 'attribute_not_chosen' }])
  })

  test('of email that is an attribute of the account is named when the email column is missing', () => {
    const [problem] = inspectColumns(['Email Address'], { knownAttributes: ['Email Address'] }).problems
    expect(problem).toMatchObject({ code: 'EMAIL_COLUMN_MISSING' })
    expect(problem!.message).toContain('Column 1, "Email Address", is an attribute of the account.')
  })
})

test('a standard field is not taken over by a known attribute of its form', () => {
  expect(mapColumns(['email', 'First Name'], { knownAttributes: ['FirstName'] })).toMatchObject({
    standard: ['email', 'first_name'],
    custom: [],
  })
})

test('a known name does not bring back what is left out for safety', () => {
  const mapping = mapColumns(['email', 'password', 'id'], { knownAttributes: ['password', 'id'] })
  expect(mapping.custom).toEqual([])
})

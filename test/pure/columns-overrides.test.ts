import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnMapping } from '../../src/column-targets.js'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { checkLaw } from '../support/law.js'

const headers = ['Kontakt', 'Handy', 'Stufe', 'intern', 'created_at']

test('columns sends headers where it says: to a field, an attribute, or nowhere', () => {
  const mapping = mapColumns(headers, {
    columns: {
      Kontakt: { field: 'email' },
      Handy: { field: 'phone' },
      Stufe: { attribute: 'loyalty_tier' },
      intern: null,
    },
  })
  expect(mapping).toMatchObject({
    standard: ['email', 'phone'],
    custom: ['loyalty_tier'],
    ignored: [
      { header: 'intern', position: 4, reason: 'skipped' },
      { header: 'created_at', position: 5, reason: 'reserved' },
    ],
  })
  expect(mapping.columns.map(({ reason }) => reason)).toEqual(['mapped', 'mapped', 'mapped', 'skipped', 'reserved'])
})

test('columns as an array goes by position; undefined leaves a column automatic', () => {
  const mapping = mapColumns(['a', 'a', 'phone', 'a'], {
    columns: [{ field: 'email' }, { attribute: 'second a' }, undefined, null],
  })
  expect(mapping).toMatchObject({ standard: ['email', 'phone'], custom: ['second a'], ignored: [{ position: 4 }] })
})

test('an array may be shorter than the header row', () => {
  expect(mapColumns(['x', 'phone'], { columns: [{ field: 'email' }] }).standard).toEqual(['email', 'phone'])
})

test('undefined for a header leaves it automatic', () => {
  expect(mapColumns(['email', 'tier'], { columns: { tier: undefined } }).custom).toEqual(['tier'])
})

test('headers are named as the file spells them, trimmed', () => {
  expect(mapColumns(['email', '  Tier  '], { columns: { Tier: { attribute: 'level' } } }).custom).toEqual(['level'])
})

test('a reserved or sensitive header is stored when it is mapped by hand', () => {
  const mapping = mapColumns(['email', 'id', 'secret'], {
    columns: { id: { attribute: 'legacy_id' }, secret: { attribute: 'secret' } },
  })
  expect(mapping.custom).toEqual(['legacy_id', 'secret'])
})

test('a field can be made an attribute, and its alias then takes the field', () => {
  const mapping = mapColumns(['email', 'phone', 'mobile'], { columns: { phone: { attribute: 'landline' } } })
  expect(mapping).toMatchObject({ standard: ['email', 'phone'], custom: ['landline'] })
})

test('attributes: none leaves what is mapped by hand; fields holds for that, too', () => {
  const columns = { tier: { attribute: 'tier' }, Handy: { field: 'phone' }, Stadt: { field: 'city' } } as const
  const mapping = mapColumns(['email', 'tier', 'Handy', 'Stadt'], { columns, attributes: 'none', fillable: ['phone'] })
  expect(mapping).toMatchObject({ standard: ['email', 'phone'], custom: ['tier'] })
  expect(mapping.ignored).toEqual([{ header: 'Stadt', position: 4, reason: 'field_not_allowed' }])
})

test('a header named like something every object has is not mistaken for an override', () => {
  expect(mapColumns(['email', 'toString', 'valueOf'], { columns: {} }).custom).toEqual(['toString', 'valueOf'])
})

const meaning = (mapping: ColumnMapping) => ({
  standard: mapping.standard,
  custom: mapping.custom,
  ignored: mapping.ignored.map(({ header, position }) => ({ header, position })),
  targets: mapping.columns.map(({ header, position, target }) => ({ header, position, target })),
})

test('law: mapping.columns given back as columns makes the same mapping', async () => {
  const header = fc.oneof(
    fc.constantFrom<string>(...STANDARD_COLUMNS),
    fc.constantFrom('Email Address', 'zip', 'STATE', 'id', 'password', '', ' ', 'error_code', 'tier', 'Tier', 'E-Mail'),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
  )
  const list = fc.uniqueArray(header, { maxLength: 14, selector: (name) => name.trim() })
  await checkLaw(
    'columns given back',
    fc.property(list, fc.array(fc.constantFrom('Tier', 'ZIP', 'x')), (names, knownAttributes) => {
      const first = inspectColumns(names, { knownAttributes })
      const again = inspectColumns(names, { columns: first.mapping.columns })
      expect(meaning(again.mapping)).toEqual(meaning(first.mapping))
      expect(again.problems).toEqual(first.problems)
    }),
    1_000,
  )
})

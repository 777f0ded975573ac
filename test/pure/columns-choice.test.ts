import { expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'

const headers = ['email', 'phone', 'status', 'Tier', 'plan', 'seats']

test('without options everything is taken', () => {
  expect(mapColumns(headers)).toMatchObject({
    standard: ['email', 'phone', 'status'],
    custom: ['Tier', 'plan', 'seats'],
  })
})

test("attributes: 'none' leaves every attribute out, and says so", () => {
  expect(mapColumns(headers, { attributes: 'none' })).toMatchObject({
    standard: ['email', 'phone', 'status'],
    custom: [],
    ignored: [
      { header: 'Tier', position: 4, reason: 'attribute_not_chosen' },
      { header: 'plan', position: 5, reason: 'attribute_not_chosen' },
      { header: 'seats', position: 6, reason: 'attribute_not_chosen' },
    ],
  })
})

test('attributes names those to take; they are found by form', () => {
  expect(mapColumns(headers, { attributes: ['tier', 'SEATS', 'absent'] })).toMatchObject({
    custom: ['Tier', 'seats'],
    ignored: [{ header: 'plan', reason: 'attribute_not_chosen' }],
  })
})

test('a file with thirty attributes is cut to the ten that are wanted', () => {
  const names = Array.from({ length: 30 }, (_, index) => `a${index}`)
  const wanted = names.filter((_, index) => index % 3 === 0)
  expect(mapColumns(['email', ...names], { attributes: wanted }).custom).toEqual(wanted)
})

test('fields names the standard fields to fill; email always may', () => {
  expect(mapColumns(headers, { fillable: ['phone'] })).toMatchObject({
    standard: ['email', 'phone'],
    ignored: [{ header: 'status', position: 3, reason: 'field_not_allowed' }],
  })
  expect(mapColumns(headers, { fillable: [] }).standard).toEqual(['email'])
})

test('a field that may not be filled is not let in by its alias, nor as an attribute', () => {
  const mapping = mapColumns(['email', 'mobile', 'State'], { fillable: ['city'] })
  expect(mapping).toMatchObject({ standard: ['email'], custom: [] })
  expect(mapping.ignored.map(({ reason }) => reason)).toEqual(['field_not_allowed', 'field_not_allowed'])
})

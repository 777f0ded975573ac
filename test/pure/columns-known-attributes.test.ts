import { expect, test } from 'vitest'
import { inspectColumns, mapColumns } from '../../src/columns.js'

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

test('two headers that would take one known name are duplicates', () => {
  const { problems } = inspectColumns(['email', 'tier', 'TIER'], { knownAttributes: ['Tier'] })
  expect(problems).toMatchObject([
    { code: 'DUPLICATE_COLUMN', details: { duplicates: [{ name: 'Tier', positions: [2, 3] }] } },
  ])
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

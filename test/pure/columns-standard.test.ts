import { expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'
import { STANDARD_COLUMNS } from '../../src/names.js'

test('the standard columns are the 27 of the design, in its order', () => {
  expect(STANDARD_COLUMNS.join(' ')).toBe(
    'email first_name last_name phone company birthday currency country province city address1 address2 postal_code ' +
      'timezone accepts_marketing source status status_reason orders_count total_spent last_order_id last_order_name ' +
      'last_order_date last_order_price source_id action_status domain_name',
  )
})

test('maps standard columns', () => {
  const mapping = mapColumns([...STANDARD_COLUMNS])
  expect(mapping.standard).toEqual(STANDARD_COLUMNS)
  expect(mapping.custom).toEqual([])
  expect(mapping.ignored).toEqual([])
})

test('every column of the file is told with its position, target and reason', () => {
  expect(mapColumns([' email ', 'First Name', 'loyalty_tier', '']).columns).toEqual([
    { header: 'email', position: 1, target: { field: 'email' }, reason: 'field' },
    { header: 'First Name', position: 2, target: { field: 'first_name' }, reason: 'field' },
    { header: 'loyalty_tier', position: 3, target: { attribute: 'loyalty_tier' }, reason: 'attribute' },
    { header: '', position: 4, target: null, reason: 'blank' },
  ])
})

test('matches standard columns case-insensitively and keeps LOYALTY_TIER as it is spelt', () => {
  const mapping = mapColumns(['EMAIL', 'First_Name', 'LOYALTY_TIER'])
  expect(mapping.standard).toEqual(['email', 'first_name'])
  expect(mapping.custom).toEqual(['LOYALTY_TIER'])
})

test.each([
  ['First Name', 'first_name'],
  ['firstName', 'first_name'],
  ['FIRST-NAME', 'first_name'],
  ['first.name', 'first_name'],
  ['\u00a0First\u00a0Name\u00a0', 'first_name'],
  ['First_Name*', 'first_name'],
  ['Ｆｉｒｓｔ Ｎａｍｅ', 'first_name'],
  ['Address 1', 'address1'],
  ['Address ①', 'address1'],
  ['Time Zone', 'timezone'],
  ['Accepts Marketing?', 'accepts_marketing'],
  ['LAST ORDER ID', 'last_order_id'],
])('the form of %j is that of %s', (header, field) => {
  expect(mapColumns(['email', header]).standard).toEqual(['email', field])
})

test('the Turkish dotted capital I is no other letter', () => {
  expect(mapColumns(['EMAİL', 'CİTY']).standard).toEqual(['email', 'city'])
})

test.each(['e mail address book', 'first', 'names', 'address', 'address3', 'statuses', 'cityy', 'мail'])(
  'a header that only resembles a field is an attribute: %s',
  (header) => {
    expect(mapColumns(['email', header]).custom).toEqual([header])
  },
)

test('attributes keep their spelling, trimmed, whatever the script', () => {
  const headers = [
    'email',
    '  VIP Status ',
    'Любимый цвет',
    '会員ランク',
    'مستوى الولاء',
    '🎂',
    'naïve',
    'a.b',
    '100 %',
    'it’s',
  ]
  expect(mapColumns(headers).custom).toEqual(headers.slice(1).map((header) => header.trim()))
})

test('names differing only in case stay two attributes of one file', () => {
  expect(mapColumns(['email', 'tier', 'Tier']).custom).toEqual(['tier', 'Tier'])
})

test('names that objects inherit are attributes like any other', () => {
  const names = ['toString', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'length', 'name', 'then']
  expect(mapColumns(['email', ...names]).custom).toEqual(names)
})

test('a header keeps its sign when a spreadsheet put an apostrophe before it', () => {
  expect(mapColumns(['email', "'+1 allowed", "'t Hooft", "'-5"]).custom).toEqual(['+1 allowed', "'t Hooft", '-5'])
})

import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const csv = 'email,Tier\na@example.com,gold\nb@example.com,\n'

test('fill fields and attributes of every row, and are recorded as names', async () => {
  const { store, account } = open()
  const constants = { source: 'Trade fair', 'Orders Count': '3', Campaign: 'Spring' }
  const result = await store.uploadCsv(account, csv, { constants })
  expect(result).toMatchObject({ customersCreated: 2, customAttributesFound: ['Tier', 'Campaign'] })
  expect(await store.getCustomer(account, 'b@example.com')).toMatchObject({
    source: 'Trade fair',
    orders_count: '3',
    custom_attributes: { Campaign: 'Spring' },
  })
  expect(await store.getAttributeDefinitions(account)).toEqual(['Campaign', 'Tier'])
  expect(await store.uploadCsv(account, csv, { constants })).toMatchObject({ customersUnchanged: 2 })
})

test('take the account’s spelling, as a column would', async () => {
  const { store, account } = open()
  await store.upsertAttributeDefinitions(account, ['Campaign'])
  await store.uploadCsv(account, csv, { constants: { campaign: 'Spring' } })
  expect((await store.getCustomer(account, 'a@example.com'))?.custom_attributes).toMatchObject({ Campaign: 'Spring' })
})

test('are shown in the preview, with what is wrong with them', async () => {
  const { store, account } = open()
  const preview = await store.previewCsv(account, csv, { constants: { Campaign: 'Spring' } })
  expect(preview.rows[0]?.custom_attributes).toEqual({ Tier: 'gold', Campaign: 'Spring' })
  expect((await store.previewCsv(account, csv, { constants: { tier: 'x' } })).problems).toEqual([])
  const wrong = await store.previewCsv(account, csv, { constants: { Tier: 'x' } })
  expect(wrong.problems.map(({ code }) => code)).toEqual(['DUPLICATE_COLUMN'])
})

test.each([
  [{ Tier: 'silver' }, 'DUPLICATE_COLUMN', /Tier is filled by column 2 of the file and by constants/],
  [{ email: 'x@example.com' }, 'INVALID_OPTION', /must be a column of the file/],
  [{ birthday: 'never' }, 'INVALID_OPTION', /constants\.birthday/],
  [{ orders_count: '1', 'Orders count': '2' }, 'INVALID_OPTION', /orders_count twice/],
  [{ Note: 'a\0b' }, 'INVALID_OPTION', /PostgreSQL cannot store/],
  [{ 'a|b': 'x' }, 'INVALID_ATTRIBUTE_NAME', /"a\|b".*holds \|; usable is "a\/b"/],
  [{ '# of visits': '1' }, 'INVALID_ATTRIBUTE_NAME', /"# of visits".*usable is "of visits #"/],
  [{ password: 'x' }, 'INVALID_OPTION', /left out of files/],
  [{ ID: 'x' }, 'INVALID_OPTION', /left out of files/],
  [{ error_code: 'x' }, 'INVALID_OPTION', /left out of files/],
  [{ Zip: '1', 'Zip Code': '2' }, 'INVALID_OPTION', /postal_code twice/],
  [{ Note: 5 as unknown as string }, 'INVALID_OPTION', /an object whose values are strings/],
  [Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`n${at}`, 'x'])), 'TOO_MANY_ATTRIBUTES', /Found 11/],
])('%j is %s before anything is stored', async (constants, code, message) => {
  const { store, account } = open()
  const error = await rejectionOf(store.uploadCsv(account, csv, { constants }))
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(await store.getCustomer(account, 'a@example.com')).toBeNull()
})

test('the remedy of a duplicate works: map the column to null', async () => {
  const { store, account } = open()
  const options = { constants: { Tier: 'silver' }, columns: { Tier: null } }
  await store.uploadCsv(account, csv, options)
  expect((await store.getCustomer(account, 'a@example.com'))?.custom_attributes).toEqual({ Tier: 'silver' })
})

test('may hold the characters that files are joined by', async () => {
  const { store, account } = open()
  const note = 'a\x1fb\x1ec'
  await store.uploadCsv(account, csv, { constants: { Note: note } })
  expect((await store.getCustomer(account, 'a@example.com'))?.custom_attributes).toEqual({ Tier: 'gold', Note: note })
})

describe('mean what a header of their name would, each time the same', () => {
  test.each<[string, Record<string, string>, string]>([
    ['Mail\na@x.com\n', { Mail: 'x' }, 'email'],
    ['email,Mobile\na@x.com,222\n', { Mobile: '111' }, 'phone'],
    ['email,Telephone\na@x.com,222\n', { mobile: '111' }, 'phone'],
    ['email,Zip\na@x.com,222\n', { 'postal code': '111' }, 'postal_code'],
    ['email,Tier\na@x.com,222\n', { Tier: '111' }, 'Tier'],
  ])('a column that fills the same is a duplicate: %j %j', async (file, constants, name) => {
    const { store, account } = open()
    for (const _ of [1, 2]) {
      const error = await rejectionOf(store.uploadCsv(account, file, { constants }))
      expect(error).toMatchObject({ code: 'DUPLICATE_COLUMN', details: { name } })
    }
    expect(await store.getAttributeDefinitions(account)).toEqual([])
  })

  test.each<[string, Record<string, string>, Record<string, unknown>]>([
    ['an alias', { Zip: '1' }, { postal_code: '1', custom_attributes: {} }],
    [
      'an alias of a field that another constant names',
      { phone: '1', Mobile: '2' },
      { phone: '1', custom_attributes: { Mobile: '2' } },
    ],
    [
      'an alias in other signs',
      { 'E-mail 2': '1', cell_phone: '3' },
      { phone: '3', custom_attributes: { 'E-mail 2': '1' } },
    ],
    ['a form that a column has', { tier: '1' }, { custom_attributes: { tier: '1', Tier: 'gold' } }],
    ['a line break', { 'Loyalty\nPlan': '1' }, { custom_attributes: { 'Loyalty Plan': '1' } }],
  ])('%s', async (_, constants, expected) => {
    const { store, account } = open()
    for (const _ of [1, 2]) {
      await store.uploadCsv(account, csv, { constants })
      expect(await store.getCustomer(account, 'a@example.com')).toMatchObject(expected)
    }
  })

  test('a known attribute comes before an alias, and a spelling that is not its own is told', async () => {
    const { store, account } = open()
    await store.upsertAttributeDefinitions(account, ['Mobile', 'Loyalty Plan'])
    const constants = { Mobile: '1', 'loyalty-plan': 'x' }
    const { warnings } = await store.uploadCsv(account, csv, { constants })
    expect((await store.getCustomer(account, 'a@example.com'))?.custom_attributes).toMatchObject({
      Mobile: '1',
      'Loyalty Plan': 'x',
    })
    expect(warnings.map(({ code }) => code)).toEqual(['HEADER_TAKEN_AS'])
    expect(warnings[0]!.message).toContain('The constant "loyalty-plan" is taken as the attribute "Loyalty Plan"')
    expect((await store.previewCsv(account, csv, { constants })).warnings).toEqual(warnings)
  })

  test('a column that is skipped leaves its field to them', async () => {
    const { store, account } = open()
    const file = 'email,Zip\na@example.com,222\n'
    await store.uploadCsv(account, file, { constants: { Zip: '111' }, columns: { Zip: null } })
    expect(await store.getCustomer(account, 'a@example.com')).toMatchObject({ postal_code: '111' })
  })
})

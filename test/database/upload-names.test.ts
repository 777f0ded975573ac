import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()

describe('where a column goes does not change from week to week', () => {
  test.each([
    ['phone', 'Mobile'],
    ['phone', 'SMS'],
    ['province', 'State'],
    ['company', 'Organization'],
  ] as const)('%s beside %s', async (field, alias) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, `email,${field},${alias}\na@x.com,111,222\n`)
    const again = await store.uploadCsv(account, `email,${alias}\na@x.com,333\n`)
    expect(again).toMatchObject({ customAttributesFound: [alias], warnings: [] })
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
      [field]: '111',
      custom_attributes: { [alias]: '333' },
    })
  })

  test('after the host mapped it once', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, 'email,Zip\na@x.com,1\n', { columns: { Zip: { attribute: 'Zip' } } })
    await store.uploadCsv(account, 'email,ZIP\na@x.com,2\n')
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
      postal_code: null,
      custom_attributes: { Zip: '2' },
    })
  })
})

describe('names that differ in a sign are different', () => {
  test.each([
    ['Growth %', 'Growth $'],
    ['Q1_1', 'Q11'],
    ['v1.2', 'v12'],
    ['Revenue €', 'Revenue'],
  ])('%s, then %s, then both', async (one, other) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, `email,${one}\na@x.com,12\n`)
    await store.uploadCsv(account, `email,${other}\na@x.com,99000\n`)
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '12', [other]: '99000' })
    await store.uploadCsv(account, `email,${one},${other}\na@x.com,13,88000\n`)
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '13', [other]: '88000' })
    await store.uploadCsv(account, `email,${one},${other}\na@x.com,14,1\n`, { attributes: [one] })
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '14', [other]: '88000' })
  })

  test('Tier and tier are two attributes, whatever is known', async () => {
    const store = createCustomAttributesStore(db.client)
    for (const known of [[], ['Tier'], ['tier'], ['TIER']]) {
      const account = newAccount()
      await store.upsertAttributeDefinitions(account, known)
      await store.uploadCsv(account, 'email,Tier,tier\na@x.com,gold,1\n')
      expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ Tier: 'gold', tier: '1' })
    }
  })
})

test('a header that takes another spelling is a warning of the upload and of the preview', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.upsertAttributeDefinitions(account, ['VIP Status'])
  const csv = 'email,vip-status\na@x.com,yes\n'
  const warnings = [{ code: 'HEADER_TAKEN_AS', message: expect.stringContaining('Column 2, "vip-status"') }]
  expect((await store.previewCsv(account, csv)).warnings).toEqual(warnings)
  expect(await store.uploadCsv(account, csv)).toMatchObject({ warnings, customAttributesFound: ['VIP Status'] })
})

test('a line break in a header is a blank of the name', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const result = await store.uploadCsv(account, 'email,"Loyalty\nTier"\na@x.com,gold\n')
  expect(result).toMatchObject({ customAttributesFound: ['Loyalty Tier'], headers: ['email', 'Loyalty\nTier'] })
})

describe('a header that cannot name an attribute', () => {
  test.each([
    ['a|b', 'a/b'],
    ['# of visits', 'of visits #'],
    ['=x', 'x ='],
    ['x'.repeat(120), 'x'.repeat(100)],
  ])('%s: the preview tells it once and proposes %s, under which the file is stored', async (header, name) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    const csv = `email,${header},city\na@x.com,3,Rome\n`
    const preview = await store.previewCsv(account, csv, { delimiter: ',' })
    expect(preview.problems).toMatchObject([{ code: 'INVALID_ATTRIBUTE_NAME' }])
    expect(preview.columns[1]).toMatchObject({ target: { attribute: name }, reason: 'attribute', samples: ['3'] })
    expect(preview.rows).toMatchObject([{ standard: { city: 'Rome' }, custom_attributes: { [name]: '3' } }])
    const refused = await rejectionOf(store.uploadCsv(account, csv, { delimiter: ',' }))
    expect(refused).toMatchObject({ code: 'INVALID_ATTRIBUTE_NAME' })
    expect(refused.message).toContain(`usable is "${name.slice(0, 60)}`)
    const { columns } = preview
    expect((await store.previewCsv(account, csv, { columns, delimiter: ',' })).problems).toEqual([])
    await store.uploadCsv(account, csv, { columns, delimiter: ',' })
    expect(await store.getAttributeDefinitions(account)).toEqual([name])
  })
})

test('the preview offers the fields that a header may mean', async () => {
  const store = createCustomAttributesStore(db.client)
  const { columns } = await store.previewCsv(newAccount(), 'Email,Street Address,Tier\na@x.com,1 Main St,gold\n')
  expect(columns[1]).toMatchObject({
    target: { attribute: 'Street Address' },
    suggestions: [{ field: 'address1' }, {}],
  })
  expect(columns[2]).not.toHaveProperty('suggestions')
})

import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()

test('a header that takes another spelling is a warning of the upload and of the preview', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.upsertAttributeDefinitions(account, ['VIP Status'])
  const csv = 'email,vip-status\na@x.com,yes\n'
  const warnings = [{ code: 'HEADER_TAKEN_AS', message: expect.stringContaining('Column 2, "vip-status"') }]
  expect((await store.previewCsv(account, csv)).warnings).toEqual(warnings)
  expect(await store.uploadCsv(account, csv)).toMatchObject({ warnings, customAttributesFound: ['VIP Status'] })
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

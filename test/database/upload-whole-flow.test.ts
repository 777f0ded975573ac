import { expect, test } from 'vitest'
import {
  createCustomAttributesStore,
  inspectColumns,
  isCustomAttributesError,
  renderTemplate,
  STANDARD_COLUMNS,
} from '../../src/index.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()

test('the whole flow: upload, definitions, merge tags, messages', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const csv = `email,first_name,last_name,loyalty_tier,renewal_date
john@example.com,John,Doe,gold,2024-12-31
jane@example.com,Jane,Smith,platinum,2025-06-30
`
  expect(inspectColumns(csv.split('\n')[0]!.split(',')).problems).toEqual([])

  const result = await store.uploadCsv(account, csv)
  expect(result).toEqual({
    rowsTotal: 2,
    customersCreated: 2,
    customersUpdated: 0,
    customersUnchanged: 0,
    rowsRejected: 0,
    optOutsKept: 0,
    customAttributesFound: ['loyalty_tier', 'renewal_date'],
    headers: ['email', 'first_name', 'last_name', 'loyalty_tier', 'renewal_date'],
    ignored: [],
    warnings: [],
    rejected: [],
    bytesRead: Buffer.byteLength(csv),
    durationMs: expect.any(Number),
  })
  expect(JSON.parse(JSON.stringify(result))).toEqual(result)

  expect(await store.getAttributeDefinitions(account)).toEqual(['loyalty_tier', 'renewal_date'])
  expect(await store.getMergeTags(account)).toEqual({
    standardFields: [...STANDARD_COLUMNS].sort(),
    customAttributes: ['loyalty_tier', 'renewal_date'],
  })

  const template = 'Hi {{first_name}}, your {{loyalty_tier}} status expires soon!'
  expect([...(await store.renderForCustomers(account, template, ['john@example.com', 'jane@example.com']))]).toEqual([
    ['john@example.com', 'Hi John, your gold status expires soon!'],
    ['jane@example.com', 'Hi Jane, your platinum status expires soon!'],
  ])
  const john = await store.getCustomer(account, 'john@example.com')
  expect(renderTemplate('Hi {{first_name}}, status: {{vip_status}}', john!)).toBe('Hi John, status: ')
})

test('an upload of two rows: 2 created, 0 updated, the attributes in header order', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const csv = 'zebra,email,apple,mango\n1,a@example.com,2,\n3,b@example.com,4,\n'
  const result = await store.uploadCsv(account, csv)
  expect(result).toMatchObject({ customersCreated: 2, customersUpdated: 0, customAttributesFound: ['zebra', 'apple'] })
  expect(await store.getAttributeDefinitions(account)).toEqual(['apple', 'zebra'])
})

test('an error of the library is recognised', async () => {
  const store = createCustomAttributesStore(db.client)
  const error = await store.uploadCsv(newAccount(), 'name\nJohn\n').catch((error) => error)
  expect(isCustomAttributesError(error, 'EMAIL_COLUMN_MISSING')).toBe(true)
})

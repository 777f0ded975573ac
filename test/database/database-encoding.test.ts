import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

// Databases older than Unicode hold one byte a character.
let db: TestDatabase
let store: CustomAttributesStore
beforeAll(async () => {
  db = await createDatabase({ encoding: 'LATIN1' })
  store = createCustomAttributesStore(db.client)
})
afterAll(() => db.drop())

test('what the database can hold is stored and read as it was', async () => {
  const account = newAccount()
  const csv = 'email,first_name,Größe\nx@example.com,Zoë,Très grand\n'
  expect(await store.uploadCsv(account, csv)).toMatchObject({ customersCreated: 1, customAttributesFound: ['Größe'] })
  expect(await store.uploadCsv(account, csv)).toMatchObject({ customersUnchanged: 1 })
  expect(await store.getCustomer(account, 'x@example.com')).toMatchObject({
    first_name: 'Zoë',
    custom_attributes: { Größe: 'Très grand' },
  })
})

test.each([{}, { atomic: true }, { batchSize: 1 }])(
  'a row with a character that it has not is rejected, and only that: %j',
  async (options) => {
    const account = newAccount()
    const rows = ['a@example.com,Zoë,1', 'b@example.com,日本,2', 'c@example.com,Ann,€']
    const result = await store.uploadCsv(account, `email,first_name,tier\n${rows.join('\n')}\n`, options)
    expect(result).toMatchObject({ rowsTotal: 3, customersCreated: 1, rowsRejected: 2 })
    expect(result.rejected.map(({ row, code, details }) => ({ row, code, details }))).toEqual([
      { row: 3, code: 'ROW_REFUSED', details: { sqlstate: '22P05' } },
      { row: 4, code: 'ROW_REFUSED', details: { sqlstate: '22P05' } },
    ])
    const refused = rejectionOf(store.upsertCustomer(account, { email: 'd@example.com', city: '東京' }))
    expect(await refused).toMatchObject({ code: 'ROW_REFUSED', details: { sqlstate: '22P05' } })
  },
)

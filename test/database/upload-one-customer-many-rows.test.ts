import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const account = '00000000-0000-4000-8000-000000000001'

// Longer than a batch, and with names that come again.
const ROWS = samples(4_000, 1_600)

test(`${ROWS} rows of one customer count and store as if one by one`, async () => {
  const store = createCustomAttributesStore(db.client)
  const rows = Array.from({ length: ROWS }, (_, at) => `a@x.com,name${at % 1500},${at % 3 === 0 ? '' : at}`)
  const result = await store.uploadCsv(account, `email,first_name,n\n${rows.join('\n')}`)
  expect(result).toMatchObject({
    customersCreated: 1,
    customersUpdated: ROWS - 1,
    customersUnchanged: 0,
    rowsRejected: 0,
  })
  const last = ROWS - 1
  expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
    first_name: `name${last % 1500}`,
    custom_attributes: { n: String(last % 3 === 0 ? last - 1 : last) },
  })
})

test('two customers in turn, with a row that says the same again', async () => {
  const store = createCustomAttributesStore(db.client)
  const rows = Array.from({ length: 500 }, (_, at) => `p@x.com,${at}\np@x.com,${at}\nq@x.com,${at}`)
  const result = await store.uploadCsv(account, `email,n\n${rows.join('\n')}`, { batchSize: 100 })
  expect(result).toMatchObject({ rowsTotal: 1500, customersCreated: 2, customersUpdated: 998, customersUnchanged: 500 })
})

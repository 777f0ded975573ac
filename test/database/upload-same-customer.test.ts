import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()

const csv = writeCsv([
  ['email', 'first_name', 'city', 'tier', 'plan'],
  ['john@example.com', 'John', '', 'silver', ''],
  ['jane@example.com', 'Jane', 'Oslo', '', 'pro'],
  ['JOHN@example.com', '', 'Rome', 'gold', ''],
  ['jane@example.com', 'Jane', 'Oslo', '', 'pro'],
  ['john@example.com', 'Johnny', '', '', 'team'],
  ['jane@example.com', '', '', '', ''],
])

describe.each([1, 2, 7, 1_000])('batch size %i', (batchSize) => {
  test.each([1, 2, 4])(
    'and %i lanes: the same customer three times counts and stores as if row by row',
    async (concurrency) => {
      const store = createCustomAttributesStore(db.client)
      const account = newAccount()
      expect(await store.uploadCsv(account, csv, { batchSize, concurrency })).toMatchObject({
        rowsTotal: 6,
        customersCreated: 2,
        customersUpdated: 2,
        customersUnchanged: 2,
        rowsRejected: 0,
      })
      const { customers } = await contentsOf(db.sql, account)
      expect(customers).toMatchObject([
        { email: 'jane@example.com', first_name: 'Jane', city: 'Oslo', custom_attributes: { plan: 'pro' } },
        {
          email: 'john@example.com',
          first_name: 'Johnny',
          city: 'Rome',
          custom_attributes: { tier: 'gold', plan: 'team' },
        },
      ])
    },
  )
})

test('a file of one customer, its value going back and forth: the last row holds', async () => {
  const store = createCustomAttributesStore(db.client)
  const count = samples(100, 40)
  for (const batchSize of [1, 3, 100]) {
    const account = newAccount()
    const rows = Array.from({ length: count }, (_, at) => ['john@example.com', at % 2 ? 'odd' : 'even'])
    expect(await store.uploadCsv(account, writeCsv([['email', 'side'], ...rows]), { batchSize })).toMatchObject({
      customersCreated: 1,
      customersUpdated: count - 1,
    })
    expect((await store.getCustomer(account, 'john@example.com'))!.custom_attributes).toEqual({ side: 'odd' })
  }
})

const TIMES = samples(1_000, 60)

test(`a file of one row ${TIMES} times: created once, unchanged after`, async () => {
  const store = createCustomAttributesStore(db.client)
  for (const batchSize of [1, 10, 2_000]) {
    const account = newAccount()
    const result = await store.uploadCsv(account, `email,tier\n${'john@example.com,gold\n'.repeat(TIMES)}`, {
      batchSize,
    })
    expect(result).toMatchObject({ rowsTotal: TIMES, customersCreated: 1, customersUnchanged: TIMES - 1 })
  }
})

test("existing: 'reject' rejects the second and third row of a new customer", async () => {
  const store = createCustomAttributesStore(db.client)
  for (const batchSize of [1, 2, 1_000]) {
    const account = newAccount()
    const result = await store.uploadCsv(account, csv, { existing: 'reject', batchSize })
    expect(result).toMatchObject({ customersCreated: 2, rowsRejected: 4 })
    expect(result.rejected.map(({ row, code }) => [row, code])).toEqual(
      [4, 5, 6, 7].map((row) => [row, 'CUSTOMER_EXISTS']),
    )
  }
})

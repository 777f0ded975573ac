import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { newAccount, versionsOf } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const ROWS = samples(3_000, 1_200)

const rows = Array.from({ length: ROWS }, (_, at) => [
  `p${at}@example.com`,
  `Name ${at}`,
  at % 3 ? `${at}.50` : '',
  at % 2 ? '2024-05-01 10:00' : '',
  at % 5 ? `tier ${at % 7}` : '',
  at % 11 ? '' : 'x',
])
const headers = ['email', 'first_name', 'total_spent', 'last_order_date', 'tier', 'note']
const csv = writeCsv([headers, ...rows])

test('the same file again is all unchanged and rewrites no row: xmin and updated_at stay', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  expect(await store.uploadCsv(account, csv)).toMatchObject({ rowsTotal: ROWS, customersCreated: ROWS })
  const before = await versionsOf(db.sql, account)
  for (const options of [{}, { batchSize: 7, concurrency: 4 }, { atomic: true }, { dryRun: true }]) {
    expect(await store.uploadCsv(account, csv, options)).toMatchObject({
      rowsTotal: ROWS,
      customersCreated: 0,
      customersUpdated: 0,
      customersUnchanged: ROWS,
      rowsRejected: 0,
      customAttributesFound: ['tier', 'note'],
    })
  }
  expect(await versionsOf(db.sql, account)).toEqual(before)
})

test('a file with some changes rewrites only the changed rows', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(account, csv)
  const before = await versionsOf(db.sql, account)
  const changed = rows.map((row, at) => (at % 100 === 3 ? row.with(4, 'changed') : row))
  const added = Array.from({ length: 20 }, (_, at) => [`new${at}@example.com`, '', '', '', '', ''])
  const result = await store.uploadCsv(account, writeCsv([headers, ...changed, ...added]))
  expect(result).toMatchObject({
    customersCreated: 20,
    customersUpdated: ROWS / 100,
    customersUnchanged: (ROWS * 99) / 100,
  })
  const after = await versionsOf(db.sql, account)
  const rewritten = [...before].filter(([email, version]) => after.get(email) !== version).map(([email]) => email)
  expect(rewritten.sort()).toEqual(
    rows
      .filter((_, at) => at % 100 === 3)
      .map(([email]) => email!)
      .sort(),
  )
})

test('last_seen_at of its attributes moves all the same', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const seen = async () =>
    Object.fromEntries(
      (
        await db.sql<{ name: string; at: Date }[]>`select attribute_name as name, last_seen_at as at
          from customer.custom_attribute_definition where account_id = ${account}`
      ).map(({ name, at }) => [name, at.getTime()]),
    )
  await store.uploadCsv(account, 'email,tier,note\na@example.com,gold,x\n')
  const before = await seen()
  await store.uploadCsv(account, 'email,tier,note\na@example.com,gold,\n')
  const after = await seen()
  expect(after.tier).toBeGreaterThan(before.tier!)
  expect(after.note, 'a name that the file carried no value for').toBe(before.note)
})

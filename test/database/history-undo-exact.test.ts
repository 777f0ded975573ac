import { beforeAll, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase({ distributed: false })
beforeAll(async () => {
  await db.sql.unsafe(readMigrations({ history: true })[2]!.up).simple()
  await db.sql`alter table customer.customer alter column total_spent type numeric`
})
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const textsOf = async (account: string) => [
  ...(await db.sql`
    select email, total_spent::text, custom_attributes::text from customer.customer
    where account_id = ${account} order by email`),
]

test('numbers come back digit by digit', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,total_spent\na@x.com,123456789012345678901234567890.50\nb@x.com,1.000\n')
  const before = await textsOf(account)
  const { uploadId } = await store.uploadCsv(account, 'email,total_spent\na@x.com,1\nb@x.com,2\n', { history: {} })
  await store.undoUpload(account, uploadId!)
  expect(await textsOf(account)).toEqual(before)
})

test('a number that differs in its seventeenth digit was changed', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,total_spent\na@x.com,5\n')
  const { uploadId } = await store.uploadCsv(account, 'email,total_spent\na@x.com,90071992547409930\n', { history: {} })
  await db.sql`update customer.customer set total_spent = 90071992547409931 where account_id = ${account}`
  expect(await store.undoUpload(account, uploadId!)).toMatchObject({ customersRestored: 0, valuesKept: 1 })
  expect(await textsOf(account)).toMatchObject([{ total_spent: '90071992547409931' }])
})

test('a moment is the same in the time zone of another session', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,last_order_date\na@x.com,2024-01-01T00:00:00Z\n')
  const before = await contentsOf(db.sql, account)
  const client = db.connect({ max: 2, connection: { TimeZone: 'Asia/Tokyo' } as object })
  const csv = 'email,last_order_date\na@x.com,2025-01-01T00:00:00Z\nnew@x.com,2025-01-01T00:00:00Z\n'
  const { uploadId } = await createCustomAttributesStore(client).uploadCsv(account, csv, { history: {} })
  await client.end()
  expect(await store.undoUpload(account, uploadId!)).toMatchObject({
    customersRestored: 1,
    customersRemoved: 1,
    valuesKept: 0,
  })
  expect(await contentsOf(db.sql, account)).toEqual(before)
})

test('what the host keeps in the attributes besides texts stays as it is', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,tier\na@x.com,gold\n')
  await db.sql.unsafe(
    `update customer.customer set custom_attributes =
       custom_attributes || '{"n": 12345678901234567890.10, "l": [1, 2], "o": {"a": null}}' where account_id = $1`,
    [account],
  )
  const before = await textsOf(account)
  const { uploadId } = await store.uploadCsv(account, 'email,tier\na@x.com,lead\n', { history: {} })
  expect(await store.undoUpload(account, uploadId!)).toMatchObject({ customersRestored: 1, valuesKept: 0 })
  expect(await textsOf(account)).toEqual(before)
})

test('a name that every object of JavaScript has is one like others', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,tier,toString\na@x.com,gold,\nb@x.com,x,old\nc@x.com,x,old\n')
  const before = await contentsOf(db.sql, account)
  const csv = 'email,tier,toString\na@x.com,gold,1\nb@x.com,x,2\nc@x.com,q,\n'
  const { uploadId } = await store.uploadCsv(account, csv, { history: {}, emptyValues: 'clear' })
  await store.undoUpload(account, uploadId!)
  expect(await contentsOf(db.sql, account)).toEqual(before)
})

test('a column that the table got since changes no customer', async () => {
  const { store, account } = open()
  const { uploadId } = await store.uploadCsv(account, 'email,tier\na@x.com,lead\n', { history: {} })
  await db.sql`alter table customer.customer add column added_since text not null default 'x'`
  expect(await store.undoUpload(account, uploadId!)).toMatchObject({ customersRemoved: 1, customersKept: 0 })
})

test('an attribute that comes back is one of the account, also where it was removed since', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,tier,plan\na@x.com,gold,pro\nb@x.com,,free\n')
  const { uploadId } = await store.uploadCsv(account, 'email,tier\na@x.com,lead\n', {
    history: {},
    existing: 'replace',
  })
  await store.removeAttribute(account, 'plan')
  await store.undoUpload(account, uploadId!)
  const { customers, definitions } = await contentsOf(db.sql, account)
  expect(customers).toMatchObject([{ custom_attributes: { tier: 'gold', plan: 'pro' } }, { custom_attributes: {} }])
  expect(definitions).toEqual(['plan', 'tier'])
})

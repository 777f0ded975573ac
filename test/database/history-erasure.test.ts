import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
beforeAll(async () => {
  await addOptionalTables(db.sql)
})

/** Where in the whole database a text stands, in any column of any table. */
async function grep(text: string): Promise<string[]> {
  const tables = await db.sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'customer'`
  const found = []
  for (const { name } of tables) {
    const rows = await db.sql.unsafe(`select from ${name} t where position(lower($1) in lower(t::text)) > 0`, [text])
    if (rows.length > 0) found.push(name)
  }
  return found.sort()
}

test.each(['keep', 'remove'] as const)(
  'nothing of a person is left in any table, the row is to %s',
  async (customer) => {
    const store = createCustomAttributesStore(db.client)
    const [account, other] = [newAccount(), newAccount()]
    const secret = `secret-${customer}`
    const csv = `email,shoe size,note\nJohn.Doe+${customer}@X.com,${secret}-1,\nann@x.com,7,\n"john.doe+${customer}@x.com",,"${secret}-2"\n`
    for (const each of [account, other]) await store.uploadCsv(each, csv, { history: { keepRejected: true } })
    await store.uploadCsv(account, `email,total_spent,note\njohn.doe+${customer}@x.com,much,${secret}-3\n`, {
      history: { keepRejected: true },
    })
    await store.uploadCsv(account, `email,note\nJOHN.DOE+${customer}@x.com,${secret}-4\n`, { history: {} })
    expect((await grep(secret)).length).toBeGreaterThan(2)
    expect(await rejectionOf(store.eraseCustomer(account, 'nobody'))).toMatchObject({ code: 'INVALID_EMAIL' })

    const email = `john.doe+${customer}@x.com`
    expect(await store.eraseCustomer(account, email, { customer })).toEqual({
      customers: 1,
      changes: 3,
      rejectedRows: 1,
    })
    const kept = await store.getCustomer(account, email)
    if (customer === 'remove') expect(kept).toBeNull()
    else expect(kept).toMatchObject({ custom_attributes: {} })
    // Another account's are its own.
    expect(await store.getCustomer(other, email)).not.toBeNull()
    expect(await store.eraseCustomer(other, email, { customer: 'remove' })).toMatchObject({ customers: 1 })
    expect(await grep(secret)).toEqual([])
    expect(await store.getCustomer(account, 'ann@x.com')).toMatchObject({ custom_attributes: { 'shoe size': '7' } })
    expect(await store.eraseCustomer(account, 'stranger@x.com')).toEqual({ customers: 0, changes: 0, rejectedRows: 0 })
  },
)

test('a rejected row goes by the address, and not by one that ends like it', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const csv = 'email,total_spent\nada@x.com,much\nbada@x.com,much\n"Ada <ADA@x.com>",1\nada@x.com.example,much\n'
  const { uploadId, rowsRejected } = await store.uploadCsv(account, csv, { history: { keepRejected: true } })
  expect(rowsRejected).toBe(4)
  expect(await store.eraseCustomer(account, 'ada@x.com')).toEqual({ customers: 0, changes: 0, rejectedRows: 2 })
  const { rejected } = await store.getUpload(account, uploadId!)
  expect(rejected.map(({ record }) => record[0])).toEqual(['bada@x.com', 'ada@x.com.example'])
})

test.each([
  'john@x.com\u00a0',
  '\ufeffjohn@x.com',
  'JOHN@X.COM\u200b',
  '“john@x.com”',
  '[john@x.com]',
  '{john@x.com}',
  '`john@x.com`',
  '=john@x.com',
  "'john@x.com",
  'write to john@x.com.',
  'john@x.com/ann@x.com',
  'mailto:john@x.com?subject=x',
])('a rejected row goes where the address stands in %j', async (cell) => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const csv = `email,total_spent,note\n${cell},much,\nbad,1,${cell}\nbad,1,x-john@x.com.example\n`
  const { uploadId } = await store.uploadCsv(account, csv, { history: { keepRejected: true } })
  await store.eraseCustomer(account, 'John@x.com')
  const { rejected } = await store.getUpload(account, uploadId!)
  expect(rejected.map(({ record }) => record[2])).toEqual(['x-john@x.com.example'])
})

test('without the tables of the history the customer is erased all the same', async () => {
  const store = createCustomAttributesStore(db.client, { uploadTable: 'customer.no_such_table' })
  const account = newAccount()
  await store.uploadCsv(account, 'email,tier\na@x.com,gold\n')
  expect(await store.eraseCustomer(account, 'a@x.com')).toEqual({ customers: 1, changes: 0, rejectedRows: 0 })
})

test('a customer that rows of the host refer to is not removed, and that is told', async () => {
  const [store, account] = [createCustomAttributesStore(db.client), newAccount()]
  await store.upsertCustomer(account, { email: 'kept@x.com', custom_attributes: { tier: 'gold' } })
  await db.sql`create table invoice (account_id uuid, email text, foreign key (account_id, email) references customer.customer (account_id, email))`
  await db.sql`insert into invoice values (${account}, 'kept@x.com')`
  const error = await rejectionOf(store.eraseCustomer(account, 'kept@x.com', { customer: 'remove' }))
  expect(error).toMatchObject({ code: 'ROW_REFUSED', details: { sqlstate: '23503' } })
  expect(error.message).toContain('rows of another table refer to it: mend these')
  await db.sql`delete from invoice`
  expect(await store.eraseCustomer(account, 'kept@x.com', { customer: 'remove' })).toMatchObject({ customers: 1 })
  await db.sql`drop table invoice`
})

test('where the history cannot be reached nothing is erased, and that is told', async () => {
  const role = `eraser_${newAccount().slice(0, 8)}`
  await db.sql.unsafe(`
    create role ${role};
    grant usage on schema customer to ${role};
    grant select, insert, update, delete on customer.customer, customer.custom_attribute_definition to ${role};
    create schema ${role}_history`)
  try {
    const client = db.connect({ max: 1, connection: { role } as object })
    const store = createCustomAttributesStore(client, { uploadTable: `${role}_history.custom_attribute_upload` })
    const account = newAccount()
    await store.uploadCsv(account, 'email,tier\na@x.com,gold\n')
    expect(await rejectionOf(store.eraseCustomer(account, 'a@x.com'))).toMatchObject({ message: /permission denied/ })
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({ custom_attributes: { tier: 'gold' } })
    await client.end()
  } finally {
    await db.sql.unsafe(`drop schema ${role}_history; drop owned by ${role}; drop role ${role}`).simple()
  }
})

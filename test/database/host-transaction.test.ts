import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const csv = 'email,tier\na@example.com,gold\nb@example.com,silver\n'

beforeAll(async () => {
  await db.sql`alter table customer.customer add constraint not_refused check (city <> 'refused')`
})

test("everything happens in the host's transaction and commits with it", async () => {
  const { store, account } = open()
  const elsewhere = createCustomAttributesStore(db.connect())
  await db.client.begin(async (tx) => {
    const inside = store.with(tx)
    await inside.upsertCustomer(account, { email: 'john@example.com', custom_attributes: { plan: 'pro' } })
    await inside.uploadCsv(account, csv)
    await inside.upsertAttributeDefinitions(account, ['more'])
    expect(await inside.getCustomer(account, 'john@example.com')).not.toBeNull()
    expect(await inside.getAttributeDefinitions(account)).toEqual(['more', 'plan', 'tier'])
    // Nobody else sees it yet.
    expect(await elsewhere.getCustomer(account, 'john@example.com')).toBeNull()
    expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
  })
  expect(await contentsOf(db.sql, account)).toMatchObject({
    customers: [{ email: 'a@example.com' }, { email: 'b@example.com' }, { email: 'john@example.com' }],
    definitions: ['more', 'plan', 'tier'],
  })
})

test('and is gone when the host rolls back', async () => {
  const { store, account } = open()
  const stop = new Error('the host changed its mind')
  await expect(
    db.client.begin(async (tx) => {
      const result = await store.with(tx).uploadCsv(account, csv)
      expect(result.customersCreated).toBe(2)
      await store.with(tx).upsertCustomer(account, { email: 'c@example.com', custom_attributes: { x: '1' } })
      throw stop
    }),
  ).rejects.toBe(stop)
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test('a store can be made on a transaction, and on a savepoint of one', async () => {
  const { account } = open()
  await db.client.begin(async (tx) => {
    await createCustomAttributesStore(tx).upsertCustomer(account, { email: 'a@example.com' })
    await tx
      .savepoint(async (savepoint) => {
        await createCustomAttributesStore(savepoint).upsertCustomer(account, { email: 'b@example.com' })
        throw new Error('undo this')
      })
      .catch(() => {})
    await tx.savepoint((savepoint) =>
      createCustomAttributesStore(savepoint).uploadCsv(account, csv.replace('a@', 'c@')),
    )
  })
  const { customers } = await contentsOf(db.sql, account)
  expect(customers.map(({ email }) => email)).toEqual(['a@example.com', 'b@example.com', 'c@example.com'])
})

describe('a refusal leaves the transaction usable', () => {
  test('of a customer', async () => {
    const { store, account } = open()
    await db.client.begin(async (tx) => {
      const inside = store.with(tx)
      await inside.upsertCustomer(account, { email: 'a@example.com' })
      const refused = { email: 'b@example.com', city: 'refused', custom_attributes: { lost: '1' } }
      expect((await rejectionOf(inside.upsertCustomer(account, refused))).code).toBe('ROW_REFUSED')
      await inside.upsertCustomer(account, { email: 'c@example.com' })
    })
    expect(await contentsOf(db.sql, account)).toMatchObject({
      customers: [{ email: 'a@example.com' }, { email: 'c@example.com' }],
      definitions: [],
    })
  })

  test('of rows of an upload, among many', async () => {
    const { store, account } = open()
    const rows = Array.from({ length: 500 }, (_, at) => `p${at}@example.com,${at % 50 === 7 ? 'refused' : 'Rome'}`)
    await db.client.begin(async (tx) => {
      const result = await store.with(tx).uploadCsv(account, `email,city\n${rows.join('\n')}`, { batchSize: 60 })
      expect(result).toMatchObject({ rowsTotal: 500, customersCreated: 490, rowsRejected: 10 })
      expect(await tx`select 1 as one`).toMatchObject([{ one: 1 }])
    })
    expect((await contentsOf(db.sql, account)).customers).toHaveLength(490)
  })

  test('of a file', async () => {
    const { store, account } = open()
    await db.client.begin(async (tx) => {
      const inside = store.with(tx)
      expect((await rejectionOf(inside.uploadCsv(account, 'name\nJohn\n'))).code).toBe('EMAIL_COLUMN_MISSING')
      expect((await rejectionOf(inside.uploadCsv(account, `${csv}c@example.com,"x\n`))).code).toBe('UNCLOSED_QUOTE')
      expect(
        (await rejectionOf(inside.uploadCsv(account, csv.replace('b@', '@'), { onInvalidRow: 'abort' }))).code,
      ).toBe('INVALID_ROW')
      await inside.upsertCustomer(account, { email: 'z@example.com' })
    })
    expect((await contentsOf(db.sql, account)).customers.at(-1)).toMatchObject({ email: 'z@example.com' })
  })
})

test('dryRun inside a transaction undoes only itself', async () => {
  const { store, account } = open()
  await db.client.begin(async (tx) => {
    const inside = store.with(tx)
    await inside.upsertCustomer(account, { email: 'a@example.com', custom_attributes: { tier: 'gold' } })
    expect(await inside.uploadCsv(account, csv, { dryRun: true })).toMatchObject({
      customersCreated: 1,
      customersUnchanged: 1,
    })
    expect(await inside.getCustomer(account, 'b@example.com')).toBeNull()
  })
  expect(await contentsOf(db.sql, account)).toMatchObject({
    customers: [{ email: 'a@example.com' }],
    definitions: ['tier'],
  })
})

test('atomic inside a transaction: all of the file or nothing of it, and the host goes on', async () => {
  const { store, account } = open()
  await db.client.begin(async (tx) => {
    const inside = store.with(tx)
    await inside.upsertCustomer(account, { email: 'z@example.com' })
    const bad = `${csv}not an address,x\n`
    const options = { atomic: true, onInvalidRow: 'abort', batchSize: 1 } as const
    expect((await rejectionOf(inside.uploadCsv(account, bad, options))).code).toBe('INVALID_ROW')
    expect(await inside.getCustomer(account, 'a@example.com')).toBeNull()
    expect(await inside.uploadCsv(account, csv, { atomic: true })).toMatchObject({ customersCreated: 2 })
  })
  expect((await contentsOf(db.sql, account)).customers).toHaveLength(3)
})

test('many calls, refused ones too, leave no savepoint open', async () => {
  const { store, account } = open()
  const working = db.client.begin(async (tx) => {
    for (let at = 0; at < 100; at++) {
      const customer = { email: `p${at}@example.com`, ...(at % 3 ? {} : { city: 'refused' }) }
      await store
        .with(tx)
        .upsertCustomer(account, customer)
        .catch(() => {})
    }
    await tx.unsafe('release savepoint custom_attributes')
  })
  await expect(working).rejects.toThrow('savepoint "custom_attributes" does not exist')
})

test('what is no client is refused at once', () => {
  const { store } = open()
  for (const sql of [undefined, null, {}, 'postgres://localhost', { unsafe: () => {} }]) {
    expect(() => store.with(sql as never)).toThrow('sql must be a postgres.js client')
    expect(() => createCustomAttributesStore(sql as never)).toThrow('sql must be a postgres.js client')
  }
})

test('a mail merge reads each page when its turn has come: no statement is left that could undo the commit, unheard', async () => {
  const { store, account } = open()
  const emails = ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com']
  await store.uploadCsv(account, `email\n${emails.join('\n')}\n`)
  for (const audience of ['all', { emails }, { where: { email: { contains: 'example' } } }] as const) {
    const stop = new Error('the customers are needed again')
    const met: string[] = []
    const merge = db.client.begin(async (tx) => {
      for await (const { customer } of store.with(tx).mailMerge(account, '{{email}}', { audience, pageSize: 1 })) {
        met.push(customer.id)
        // Of a page that was read ahead, these would still come.
        await tx`delete from customer.customer where account_id = ${account} and id > ${customer.id}`
      }
      throw stop
    })
    await expect(merge).rejects.toBe(stop)
    expect(met).toHaveLength(1)
  }
})

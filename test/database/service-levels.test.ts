import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase({ distributed: false })
const account = newAccount()
const CUSTOMERS = 1_000_000

/** The time of each of `calls` calls, in milliseconds, after one that opens connections and reads the schema. */
async function timesOf(calls: number, call: (at: number) => Promise<unknown>): Promise<number[]> {
  await call(0)
  const times: number[] = []
  for (let at = 0; at < calls; at++) {
    const started = performance.now()
    await call(at)
    times.push(performance.now() - started)
  }
  return times.sort((a, b) => a - b)
}

const average = (times: number[]) => times.reduce((sum, time) => sum + time, 0) / times.length
const figures = (times: number[]) =>
  `${average(times).toFixed(2)} ms on average, ${times.at(-1)!.toFixed(2)} ms at most (${times.length} calls)`

beforeAll(async () => {
  // A million customers in one account. The indexes are made after the rows, which takes a third of the time.
  const [{ indexes }] = await db.sql<[{ indexes: string[] }]>`
    select array_agg(pg_get_indexdef(indexrelid)) as indexes from pg_index
    where indrelid = 'customer.customer'::regclass and not indisunique`
  await db.sql
    .unsafe(`
    drop index customer.customer_custom_attributes_idx;
    alter table customer.customer drop constraint customer_account_email_un;
    alter table customer.customer drop constraint customer_pkey;
    alter table customer.customer set unlogged`)
    .simple()
  await db.sql`insert into customer.customer (account_id, email, first_name, custom_attributes)
    select ${account}::uuid, 'p' || n || '@example.com', 'Name ' || n,
      jsonb_build_object('attr_1', n % 10, 'attr_2', 'x')
    from generate_series(1, ${CUSTOMERS}::int) n`
  await db.sql
    .unsafe(`
    set maintenance_work_mem = '256MB';
    alter table customer.customer add constraint customer_pkey primary key (id);
    alter table customer.customer add constraint customer_account_email_un unique (account_id, email)`)
    .simple()
  for (const index of indexes) await db.sql.unsafe(index)
  await db.sql`analyze customer.customer`
}, 120_000)

test('getCustomer takes under 50 ms on average over 100 calls, with 10 attributes, among a million customers', async () => {
  const store = createCustomAttributesStore(db.client)
  const attributes = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`attr_${at}`, `value ${at}`]))
  for (let at = 0; at < 100; at++) {
    await store.upsertCustomer(account, { email: `full${at}@example.com`, custom_attributes: attributes })
  }
  const times = await timesOf(100, async (at) => {
    const customer = await store.getCustomer(account, `full${at}@example.com`)
    expect(Object.keys(customer!.custom_attributes)).toHaveLength(10)
  })
  console.log(`getCustomer: ${figures(times)}`)
  expect(average(times)).toBeLessThan(50)
})

test('getMergeTags takes under 100 ms with 100 definitions and 1,000,000 customers', async () => {
  const store = createCustomAttributesStore(db.client)
  const names = Array.from({ length: 100 }, (_, at) => `attr_${at}`)
  await store.upsertAttributeDefinitions(account, names)
  const [{ customers }] = await db.sql<[{ customers: number }]>`
    select count(*)::int as customers from customer.customer where account_id = ${account}`
  expect(customers).toBeGreaterThanOrEqual(CUSTOMERS)
  const times = await timesOf(20, async () => {
    expect((await store.getMergeTags(account)).customAttributes).toHaveLength(100)
  })
  console.log(`getMergeTags: ${figures(times)}`)
  expect(times.at(-1)!).toBeLessThan(100)
})

test('10,000 rows are uploaded in under 5 s, and again, next to a million customers', async () => {
  const store = createCustomAttributesStore(db.client)
  const rows = Array.from(
    { length: 10_000 },
    (_, at) =>
      `up${at}@example.com,Name ${at},Family ${at},+45${at},Rome,2024-05-01,${at}.50,gold,${at % 7},pro,2024,yes`,
  )
  const header = 'email,first_name,last_name,phone,city,last_order_date,total_spent,attr_1,attr_2,attr_3,attr_4,attr_5'
  const csv = `${header}\n${rows.join('\n')}\n`
  const first = await store.uploadCsv(account, csv)
  expect(first).toMatchObject({ rowsTotal: 10_000, customersCreated: 10_000 })
  const again = await store.uploadCsv(account, csv)
  expect(again).toMatchObject({ customersUnchanged: 10_000 })
  console.log(`uploadCsv of 10,000 rows of 12 columns: ${first.durationMs} ms, unchanged ${again.durationMs} ms`)
  expect(first.durationMs).toBeLessThan(5_000)
  expect(again.durationMs).toBeLessThan(5_000)
})

import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase({ distributed: false })
const account = newAccount()
const CUSTOMERS = samples(1_000_000, 20_000)
const ROWS = samples(10_000, 3_000)

/** The median times of two kinds of calls that take turns, in milliseconds, after one of each. */
async function mediansOf(rounds: number, ...calls: ((at: number) => Promise<unknown>)[]): Promise<number[]> {
  const times: number[][] = calls.map(() => [])
  for (let at = -1; at < rounds; at++) {
    for (const [kind, call] of calls.entries()) {
      const started = performance.now()
      await call(Math.max(at, 0))
      // The first opens connections and reads the schema.
      if (at >= 0) times[kind]!.push(performance.now() - started)
    }
  }
  return times.map((of) => of.sort((one, other) => one - other)[Math.floor(of.length / 2)]!)
}

function tell(what: string, [call, bare]: number[]): number {
  const ratio = call! / bare!
  console.log(`${what}: ${call!.toFixed(2)} ms, ${ratio.toFixed(2)} times a bare statement (medians)`)
  return ratio
}

beforeAll(async () => {
  // All customers in one account. The indexes are made after the rows, which takes a third of the time.
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
})

test('getCustomer, with 10 attributes, takes at most five times as long as a bare statement, whatever the number of customers', async () => {
  const store = createCustomAttributesStore(db.client)
  const attributes = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`attr_${at}`, `value ${at}`]))
  for (let at = 0; at < 100; at++) {
    await store.upsertCustomer(account, { email: `full${at}@example.com`, custom_attributes: attributes })
  }
  const times = await mediansOf(
    100,
    async (at) => {
      const customer = await store.getCustomer(account, `full${at}@example.com`)
      expect(Object.keys(customer!.custom_attributes)).toHaveLength(10)
    },
    (at) => db.client`select * from customer.customer
      where account_id = ${account} and email = ${`full${at}@example.com`}`,
  )
  expect(tell('getCustomer', times)).toBeLessThan(5)
})

test('getMergeTags, of 100 definitions, takes at most five times as long as a bare statement, whatever the number of customers', async () => {
  const store = createCustomAttributesStore(db.client)
  const names = Array.from({ length: 100 }, (_, at) => `attr_${at}`)
  await store.upsertAttributeDefinitions(account, names)
  const [{ customers }] = await db.sql<[{ customers: number }]>`
    select count(*)::int as customers from customer.customer where account_id = ${account}`
  expect(customers).toBeGreaterThanOrEqual(CUSTOMERS)
  const times = await mediansOf(
    50,
    async () => expect((await store.getMergeTags(account)).customAttributes).toHaveLength(100),
    () => db.client`select * from customer.custom_attribute_definition where account_id = ${account}
      order by attribute_name`,
  )
  expect(tell('getMergeTags', times)).toBeLessThan(5)
})

test(`${ROWS} rows are uploaded in at most ten times what a bare insert of them takes, and again, next to all customers`, async () => {
  const store = createCustomAttributesStore(db.client)
  const rowsOf = (name: string) =>
    Array.from(
      { length: ROWS },
      (_, at) =>
        `${name}${at}@example.com,Name ${at},Family ${at},+45${at},Rome,2024-05-01,${at}.50,gold,${at % 7},pro,2024,yes`,
    )
  const header = 'email,first_name,last_name,phone,city,last_order_date,total_spent,attr_1,attr_2,attr_3,attr_4,attr_5'
  const fileOf = (name: string) => `${header}\n${rowsOf(name).join('\n')}\n`
  const again = fileOf('again')
  await store.uploadCsv(account, again)
  const times = await mediansOf(
    samples(5, 1),
    async (at) => {
      const { customersCreated } = await store.uploadCsv(account, fileOf(`up${at}x${newAccount()}`))
      expect(customersCreated).toBe(ROWS)
    },
    (at) => {
      const customers = rowsOf(`bare${at}x${newAccount()}`).map((row) => {
        const [email, first_name, last_name, phone, city, last_order_date, total_spent, ...values] = row.split(',')
        const custom_attributes = Object.fromEntries(values.map((value, index) => [`attr_${index + 1}`, value]))
        const standard = { email, first_name, last_name, phone, city, last_order_date, total_spent }
        return { ...standard, custom_attributes }
      })
      return db.client`insert into customer.customer (account_id, email, first_name, last_name, phone, city,
          last_order_date, total_spent, custom_attributes)
        select ${account}::uuid, email, first_name, last_name, phone, city, last_order_date, total_spent, custom_attributes
        from jsonb_to_recordset(${JSON.stringify(customers)}::text::jsonb) as row(email text, first_name text,
          last_name text, phone text, city text, last_order_date date, total_spent numeric, custom_attributes jsonb)`
    },
    async () => {
      expect((await store.uploadCsv(account, again)).customersUnchanged).toBe(ROWS)
    },
  )
  expect(tell(`uploadCsv of ${ROWS} rows of 12 columns`, times)).toBeLessThan(10)
  expect(tell('the same again', [times[2]!, times[1]!])).toBeLessThan(10)
})

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, readSql, type TestDatabase } from '../support/database.js'

const UP = 'citus/0003_distribute_by_account.up.sql'
const DOWN = 'citus/0003_distribute_by_account.down.sql'

// Citus is no part of PostgreSQL. Here stand functions that only note which table is to be distributed, refusing what Citus
// documents to refuse, so that all else in the files, and the library on tables of that shape, meets a real server.
const STAND_INS = `
  create table pg_dist_partition (logicalrelid regclass primary key, partmethod "char" not null, partkey text, colocated_with text);
  create function create_distributed_table(t regclass, k text, colocate_with text default 'default') returns void
    language plpgsql as $$
    begin
      if exists (select from pg_index i where i.indrelid = t and i.indisunique and not exists (
        select from pg_attribute a where a.attrelid = t and a.attname = k and a.attnum = any(i.indkey)))
      then raise exception 'a unique index of % does not include %', t, k;
      end if;
      if exists (select from pg_constraint where contype = 'f' and t in (conrelid, confrelid))
      then raise exception 'a foreign key stands on %', t;
      end if;
      insert into pg_dist_partition values (t, 'h', k, colocate_with);
    end $$;
  create function undistribute_table(t regclass) returns void language sql as
    'delete from pg_dist_partition where logicalrelid = t';`

let db: TestDatabase
let before: string[]
let store: CustomAttributesStore
const run = async (file: string) => db.sql.begin(async (tx) => tx.unsafe(await readSql(file)).simple())
const distributed = () => db.sql<{ name: string; by: string; beside: string }[]>`
  select logicalrelid::text as name, partkey as by, colocated_with as beside from pg_dist_partition order by 1 desc`

beforeAll(async () => {
  db = await createDatabase({ distributed: false })
  await db.sql.unsafe(STAND_INS).simple()
  before = await dumpCatalogue(db.sql)
})
beforeEach(async () => {
  await run(DOWN)
  store = createCustomAttributesStore(db.client)
})
afterAll(() => db.drop())

test('up distributes both tables by account_id, side by side; again it changes nothing', async () => {
  await run(UP)
  const once = await dumpCatalogue(db.sql)
  expect([...(await distributed())]).toEqual([
    { name: 'customer.customer', by: 'account_id', beside: 'default' },
    { name: 'customer.custom_attribute_definition', by: 'account_id', beside: 'customer.customer' },
  ])
  await run(UP)
  expect(await dumpCatalogue(db.sql)).toEqual(once)
})

test('up distributes the optional tables that there are, also when they come later; down takes them back', async () => {
  await run(UP)
  await run('0003_create_upload_history.up.sql')
  await run(UP)
  const optional = (await distributed()).map(({ name }) => name).filter((name) => name.includes('_upload'))
  expect(optional.sort()).toEqual([
    'customer.custom_attribute_upload',
    'customer.custom_attribute_upload_change',
    'customer.custom_attribute_upload_rejected',
  ])
  await run(DOWN)
  expect(await distributed()).toEqual([])
  await run('0003_create_upload_history.down.sql')
})

test('without the files Citus would refuse: the primary keys lack the account', async () => {
  const refused = db.sql`select create_distributed_table('customer.customer', 'account_id')`
  await expect(refused).rejects.toThrow('a unique index of customer.customer does not include account_id')
})

test('uniqueness includes the account everywhere, and no foreign key stands in the way', async () => {
  await run(UP)
  const keys = await db.sql`
    select pg_get_indexdef(i.indexrelid) as definition from pg_index i
    where i.indisunique and i.indrelid in ('customer.customer'::regclass, 'customer.custom_attribute_definition'::regclass)`
  expect(keys).toHaveLength(4)
  for (const { definition } of keys) expect(definition).toMatch(/\(account_id, /)
  expect(await db.sql`select from pg_constraint where contype = 'f'`).toHaveLength(0)
})

test('down leads back to exactly the schema before, as often as it is run', async () => {
  await run(UP)
  expect(await dumpCatalogue(db.sql)).not.toEqual(before)
  for (let times = 0; times < 2; times++) {
    await run(DOWN)
    expect(await dumpCatalogue(db.sql)).toEqual(before)
    expect(await distributed()).toHaveLength(0)
  }
})

test('the library works on tables of that shape, with the rows that were there', async () => {
  const account = newAccount()
  const csv = `email,first_name,tier\n${Array.from({ length: 50 }, (_, at) => `c${at}@example.com,C,gold`).join('\n')}\n`
  await store.uploadCsv(account, csv.slice(0, 500).replace(/[^\n]*$/, ''))
  await run(UP)
  store = createCustomAttributesStore(db.client)
  const { customersCreated, customersUnchanged } = await store.uploadCsv(account, csv, { batchSize: 7 })
  expect(customersUnchanged).toBeGreaterThan(10)
  expect(customersCreated + customersUnchanged).toBe(50)
  expect(await store.uploadCsv(account, csv, { atomic: true })).toMatchObject({ customersUnchanged: 50 })
  expect((await store.upsertCustomer(account, { email: 'c1@example.com', city: 'Rome' })).outcome).toBe('updated')
  const ids: string[] = []
  for await (const page of store.pageCustomers(account, { audience: { where: { tier: 'gold' } }, pageSize: 20 })) {
    ids.push(...page.map(({ id }) => id))
  }
  expect(new Set(ids).size).toBe(50)
  expect(await store.getAttributeDefinitions(account)).toEqual(['tier'])
})

test('the other migrations go down after it', async () => {
  await run(UP)
  await run(DOWN)
  for (const { down } of readMigrations().reverse()) await db.sql.begin((tx) => tx.unsafe(down).simple())
  await run(DOWN)
  expect(
    await db.sql`select from pg_constraint where contype = 'p' and conrelid = 'customer.customer'::regclass
    and pg_get_constraintdef(oid) = 'PRIMARY KEY (id)'`,
  ).toHaveLength(1)
  for (const { up } of readMigrations()) await db.sql.begin((tx) => tx.unsafe(up).simple())
  expect(await dumpCatalogue(db.sql)).toEqual(before)
})

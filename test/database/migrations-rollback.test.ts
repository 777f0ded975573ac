import type postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { createDatabase, readSql, type TestDatabase } from '../support/database.js'

let db: TestDatabase
beforeEach(async () => {
  db = await createDatabase({ migrated: false })
  await db.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
})
afterEach(() => db.drop())

const migrations = readMigrations()
const up = async (sql: postgres.Sql) => {
  for (const migration of migrations) await sql.begin((tx) => tx.unsafe(migration.up).simple())
}
const down = async (sql: postgres.Sql) => {
  for (const migration of [...migrations].reverse()) await sql.begin((tx) => tx.unsafe(migration.down).simple())
}

test('down leads back to exactly the schema before, step by step, and up again to the same as at first', async () => {
  const steps: string[][] = [await dumpCatalogue(db.sql)]
  for (const migration of migrations) {
    await db.sql.unsafe(migration.up).simple()
    steps.push(await dumpCatalogue(db.sql))
  }
  expect(new Set(steps.map((lines) => lines.join('\n'))).size).toBe(3)
  for (const [index, migration] of [...migrations.entries()].reverse()) {
    await db.sql.unsafe(migration.down).simple()
    expect(await dumpCatalogue(db.sql)).toEqual(steps[index])
  }
  await up(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(steps.at(-1))
})

test('down leaves what the host has beside it', async () => {
  await db.sql.unsafe(`
    create table customer.note (id int primary key, text text);
    create index note_idx on customer.note (text);
    create view customer.everybody as select id, email from customer.customer;
    create type customer.mood as enum ('good', 'bad');
    create function customer.one() returns int language sql as 'select 1';
    comment on schema customer is 'the host''s own';
    comment on column customer.customer.email is 'where to write';`)
  const before = await dumpCatalogue(db.sql)
  await up(db.sql)
  await down(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(before)
})

test('each up and each down can be run twice', async () => {
  const before = await dumpCatalogue(db.sql)
  await up(db.sql)
  const after = await dumpCatalogue(db.sql)
  await db.sql`insert into customer.customer (account_id, email, custom_attributes)
    values (gen_random_uuid(), 'ann@example.com', '{"tier": "gold"}')`
  await db.sql`insert into customer.custom_attribute_definition (account_id, attribute_name)
    values (gen_random_uuid(), 'tier')`
  await up(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(after)
  const kept = await db.sql`
    select custom_attributes ->> 'tier' as tier, attribute_name from customer.customer, customer.custom_attribute_definition`
  expect([...kept]).toEqual([{ tier: 'gold', attribute_name: 'tier' }])
  await down(db.sql)
  await down(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(before)
})

test('up run again puts back what was lost by hand', async () => {
  await up(db.sql)
  const whole = await dumpCatalogue(db.sql)
  await db.sql.unsafe(`
    alter table customer.customer drop constraint customer_custom_attributes_check;
    drop index customer.customer_custom_attributes_idx, customer.custom_attribute_definition_account_idx;
    comment on table customer.custom_attribute_definition is null;`)
  expect(await dumpCatalogue(db.sql)).not.toEqual(whole)
  await up(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(whole)
})

test('a migration that fails leaves nothing half done', async () => {
  await db.sql.unsafe(`alter table customer.customer add column custom_attributes jsonb not null default '[]';
    insert into customer.customer (account_id, email) values (gen_random_uuid(), 'ann@example.com')`)
  const before = await dumpCatalogue(db.sql)
  // An array is no attributes, so the CHECK cannot be added; the index, which comes first, must be gone as well.
  await expect(up(db.sql)).rejects.toMatchObject({
    code: '23514',
    constraint_name: 'customer_custom_attributes_check',
  })
  expect(await dumpCatalogue(db.sql)).toEqual(before)
})

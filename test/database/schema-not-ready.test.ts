import type { TransactionSql } from 'postgres'
import { describe, expect, test } from 'vitest'
import { isCustomAttributesError } from '../../src/errors.js'
import { readMigrations } from '../../src/index.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { StoreOptions } from '../../src/store-options.js'
import { newAccount } from '../support/customers.js'
import { readSql, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase({ distributed: false })
const UNDO = Symbol('undo')

/** Changes the schema, does the work, and undoes the change. */
async function withSchema(ddl: string, work: (tx: TransactionSql) => Promise<void>): Promise<void> {
  await db.sql
    .begin(async (tx) => {
      await tx.unsafe(ddl).simple()
      await work(tx)
      throw UNDO
    })
    .catch((error) => {
      if (error !== UNDO) throw error
    })
}

const C = 'customer.customer'
const D = 'customer.custom_attribute_definition'
const dropUnique = `alter table ${C} drop constraint customer_account_email_un`

test.each<[string, string, RegExp]>([
  [
    'no customer table',
    `drop table ${C}`,
    /^Table customer\.customer does not exist\. Create it \(sql\/reference\/customer_table\.sql/,
  ],
  [
    'a view instead',
    `alter table ${C} rename to other; create view ${C} as select * from customer.other`,
    /^Table customer\.customer does not exist/,
  ],
  ['no id', `alter table ${C} drop column id`, /has no column id\. .*with a default/],
  [
    'an id without default',
    `alter table ${C} alter id drop default`,
    /Column id .* has no default\. .*alter table .* alter column "id" set default/,
  ],
  ['no account_id', `alter table ${C} drop column account_id`, /has no column account_id/],
  [
    'an account_id of another type',
    `${dropUnique}; alter table ${C} alter account_id type numeric using 1; alter table ${C} add unique (account_id, email)`,
    /account_id .* is numeric; it must be uuid, bigint, integer or text/,
  ],
  ['no email', `alter table ${C} drop column email`, /has no column email/],
  [
    'no custom_attributes',
    `alter table ${C} drop column custom_attributes`,
    /has no column custom_attributes\. Apply sql\/0001_add_custom_attributes\.up\.sql/,
  ],
  [
    'no unique constraint',
    dropUnique,
    /has no unique constraint on \(account_id, email\)\. alter table .* add unique \(account_id, email\);/,
  ],
  [
    'a partial unique index',
    `${dropUnique}; create unique index on ${C} (account_id, email) where status = 'active'`,
    /no unique constraint .* only counts where its condition is that of live, as in live: \{ deleted_at: null \}\./,
  ],
  [
    'a unique index on upper(email)',
    `${dropUnique}; create unique index on ${C} (account_id, upper(email))`,
    /no unique constraint/,
  ],
  [
    'a unique constraint on more columns',
    `${dropUnique}; alter table ${C} add unique (account_id, email, phone)`,
    /no unique constraint/,
  ],
  ['a unique constraint on email alone', `${dropUnique}; alter table ${C} add unique (email)`, /no unique constraint/],
  [
    'a deferrable unique constraint',
    `${dropUnique}; alter table ${C} add unique (account_id, email) deferrable`,
    /no unique constraint/,
  ],
  [
    'a unique index that only includes the email',
    `${dropUnique}; create unique index on ${C} (account_id, phone) include (email)`,
    /no unique constraint/,
  ],
  [
    'no CHECK',
    `alter table ${C} drop constraint customer_custom_attributes_check`,
    /has no CHECK for its number of names\. Apply sql\/0001/,
  ],
  [
    'attributes that may be null',
    `alter table ${C} alter custom_attributes drop not null`,
    /Column custom_attributes of .* must be jsonb not null default '\{\}'\. update .* set not null;/,
  ],
  [
    'a NOT NULL column without default',
    `alter table ${C} add column segment text not null default 'x'; alter table ${C} alter segment drop default`,
    /Column segment .* NOT NULL without a default, .* alter column "segment" set default/,
  ],
  [
    'a standard column NOT NULL without default',
    `alter table ${C} alter phone set not null`,
    /Column phone .* NOT NULL without a default/,
  ],
  [
    'a status without active',
    `create type customer.mood as enum ('subscribed', 'gone');
     alter table ${C} alter status drop default, alter status type customer.mood using 'gone'`,
    /^Column status of .* cannot hold 'active', the status of a new customer\./,
  ],
  [
    'a status that is too short',
    `alter table ${C} alter status type varchar(5) using 'x'`,
    /^Column status of .* cannot hold 'active'/,
  ],
  [
    'no definition table',
    `drop table ${D}`,
    /^Table customer\.custom_attribute_definition does not exist\. Apply sql\/0002_create_attribute_definitions\.up\.sql/,
  ],
  [
    'definitions without name',
    `alter table ${D} drop column attribute_name`,
    /has no column attribute_name\. Apply sql\/0002/,
  ],
  [
    'definitions without account',
    `alter table ${D} drop column account_id`,
    /has no column account_id\. Apply sql\/0002/,
  ],
  [
    'definitions without last_seen_at',
    `alter table ${D} drop column last_seen_at`,
    /has no column last_seen_at\. Apply sql\/0002/,
  ],
  [
    'definitions of another account type',
    `alter table ${D} drop constraint custom_attribute_definition_un; alter table ${D} alter account_id type text using 'x'; alter table ${D} add unique (account_id, attribute_name)`,
    /account_id is uuid in the customer table but text in .*readMigrations\(\{ accountIdType: 'uuid' \}\)/,
  ],
  [
    'definitions without unique constraint',
    `alter table ${D} drop constraint custom_attribute_definition_un`,
    /has no unique constraint on \(account_id, attribute_name\)/,
  ],
  [
    'definitions with a NOT NULL column without default',
    `alter table ${D} add column label text not null`,
    /Column label .* NOT NULL without a default/,
  ],
  [
    'definitions whose id has no default',
    `alter table ${D} alter id drop default`,
    /Column id .* NOT NULL without a default/,
  ],
])('SCHEMA_NOT_READY: %s', async (_what, ddl, message) => {
  await withSchema(ddl, async (tx) => {
    const error = await rejectionOf(createCustomAttributesStore(tx).getMergeTags(newAccount()))
    expect(error).toMatchObject({ code: 'SCHEMA_NOT_READY', status: 500 })
    expect(error.message).toMatch(message)
    expect(Object.keys(error.details)).toContain('table')
  })
})

test.each<[string, StoreOptions, RegExp]>([
  [
    'another cap',
    { maxCustomAttributes: 20 },
    /allows 10 names, maxCustomAttributes is 20\. .*drop constraint "customer_custom_attributes_check"; .*readMigrations\(\{ maxCustomAttributes: 20 \}\)/,
  ],
  ['a smaller cap', { maxCustomAttributes: 5 }, /allows 10 names, maxCustomAttributes is 5\./],
  ['another customer table', { customerTable: 'crm.person' }, /^Table crm\.person does not exist\./],
  [
    'another definition table',
    { definitionTable: '"Crm"."Definition"' },
    /^Table "Crm"\."Definition" does not exist\./,
  ],
])('SCHEMA_NOT_READY: the store was told %s', async (_what, options, message) => {
  const error = await rejectionOf(createCustomAttributesStore(db.client, options).getMergeTags(newAccount()))
  expect(error.code).toBe('SCHEMA_NOT_READY')
  expect(error.message).toMatch(message)
})

test('the remedy for another cap works', async () => {
  const upload = (tx: TransactionSql) =>
    createCustomAttributesStore(tx, { maxCustomAttributes: 20 }).uploadCsv(newAccount(), 'email\na@example.com\n')
  await withSchema('select 1', async (tx) => {
    const { message } = await rejectionOf(upload(tx))
    const statement = /alter table .*?;/.exec(message)![0]
    await tx.unsafe(statement)
    await tx.unsafe(readMigrations({ maxCustomAttributes: 20 })[0]!.up)
    expect(await upload(tx)).toMatchObject({ customersCreated: 1 })
  })
})

describe('every method says so', () => {
  const account = newAccount()
  const store = () => createCustomAttributesStore(db.client, { customerTable: 'absent' })
  test.each<[string, () => PromiseLike<unknown>]>([
    ['upsertCustomer', () => store().upsertCustomer(account, { email: 'a@example.com' })],
    ['getCustomer', () => store().getCustomer(account, 'a@example.com')],
    ['getCustomers', () => store().getCustomers(account, [])],
    ['pageCustomers', () => store().pageCustomers(account, { audience: 'all' })[Symbol.asyncIterator]().next()],
    ['uploadCsv', () => store().uploadCsv(account, 'email\n')],
    ['upsertAttributeDefinitions', () => store().upsertAttributeDefinitions(account, ['a'])],
    ['getAttributeDefinitions', () => store().getAttributeDefinitions(account)],
    ['getMergeTags', () => store().getMergeTags(account)],
    ['renderForCustomers', () => store().renderForCustomers(account, 'Hi', [])],
  ])('%s', async (_name, call) => {
    expect((await rejectionOf(call())).code).toBe('SCHEMA_NOT_READY')
  })
})

test('the failure is not remembered: once the migrations are applied the same store works', async () => {
  await withSchema(`drop schema customer cascade`, async (tx) => {
    const account = newAccount()
    const store = createCustomAttributesStore(tx)
    const steps = [await readSql('reference/customer_table.sql'), ...readMigrations().map(({ up }) => up)]
    for (const step of steps) {
      expect((await rejectionOf(store.upsertCustomer(account, { email: 'a@example.com' }))).code).toBe(
        'SCHEMA_NOT_READY',
      )
      await tx.unsafe(step).simple()
    }
    expect((await store.upsertCustomer(account, { email: 'a@example.com' })).outcome).toBe('created')
  })
})

test('the shape is read once, in six statements', async () => {
  const statements: string[] = []
  const store = createCustomAttributesStore(db.connect({ debug: (_, text) => void statements.push(text) }))
  const isCatalogue = (text: string) => /pg_catalog\.pg_(class|attribute|index|constraint)\b/.test(text)
  await store.getMergeTags(newAccount())
  // For two tables columns and indexes, then constraints and what else may be true of the customer table.
  expect(statements.filter(isCatalogue)).toHaveLength(6)
  statements.length = 0
  await store.upsertCustomer(newAccount(), { email: 'a@example.com' })
  await store.uploadCsv(newAccount(), 'email\na@example.com\n')
  await db.client.begin((tx) => store.with(tx).getCustomer(newAccount(), 'a@example.com'))
  expect(statements.filter(isCatalogue)).toEqual([])
})

test('making a store sends nothing', async () => {
  const statements: string[] = []
  createCustomAttributesStore(db.connect({ debug: (_, text) => void statements.push(text) }))
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(statements).toEqual([])
})

test('table names with a typo in their quotes are INVALID_OPTION at once or on the first call', async () => {
  for (const customerTable of ['a.b.c', 'Customer', 'x"y', '']) {
    try {
      const store = createCustomAttributesStore(db.client, { customerTable })
      await rejectionOf(store.getMergeTags(newAccount())).then(({ code }) => expect(code).toBe('INVALID_OPTION'))
    } catch (error) {
      expect(isCustomAttributesError(error, 'INVALID_OPTION')).toBe(true)
    }
  }
})

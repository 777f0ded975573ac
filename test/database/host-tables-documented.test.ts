import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type MigrationOptions, readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { StoreOptions } from '../../src/store-options.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { tableRows } from '../support/readme.js'

const db = useDatabase()
const rows = tableRows(readFileSync(new URL('../../docs/host-tables.md', import.meta.url), 'utf8'))

/** A host: how its table is made (`T` stands for the name), and what it tells the library. */
interface Host {
  columns?: string
  /** Instead of unique (account_id, email). */
  unique?: string
  /** After the closing parenthesis. */
  kind?: string
  /** Statements before the migrations. */
  before?: string
  /** Statements after them. */
  after?: string
  name?: string
  options?: StoreOptions
  accountIdType?: NonNullable<MigrationOptions['accountIdType']>
  /** Emails of the file that this host does not take. */
  refused?: readonly string[]
  /** What an upload of the same file finds the second time, if not everything unchanged. */
  again?: object
}

const ID = 'id uuid primary key default gen_random_uuid()'
const ACCOUNT = 'account_id bigint not null'
const EMAIL = 'email text not null'
const FIELDS = 'first_name text, city text'
const columns = (given: { id?: string; account?: string; email?: string; more?: string } = {}) =>
  [given.id ?? ID, given.account ?? ACCOUNT, given.email ?? EMAIL, FIELDS, given.more].filter(Boolean).join(', ')
const trigger = (when: string, body: string) =>
  `create function T_trigger() returns trigger language plpgsql as $$ begin ${body} end $$;
   create trigger own ${when} on T for each row execute function T_trigger();`
const parted = (kind: string, partitions: string): Host => ({
  columns: columns({ id: 'id uuid not null default gen_random_uuid()', more: 'primary key (account_id, id)' }),
  kind: `partition by ${kind} (account_id)`,
  before: partitions,
})

const HOSTS: Record<string, Host> = {
  'the reference table': { name: 'customer.customer', columns: '', accountIdType: 'uuid' },
  'other schema and table names, also ones that need quotes': {
    before: 'create schema if not exists "Other Host"',
    name: '"Other Host"."My ""Customers"""',
  },
  '`account_id` as `bigint`': {},
  '`account_id` as `integer`': {
    columns: columns({ account: 'account_id integer not null' }),
    accountIdType: 'integer',
  },
  '`account_id` as `text`': { columns: columns({ account: 'account_id text not null' }), accountIdType: 'text' },
  '`account_id` as `numeric`': { columns: columns({ account: 'account_id numeric not null' }) },
  '`id` as `bigint generated always as identity`': {
    columns: columns({ id: 'id bigint generated always as identity primary key' }),
  },
  '`id` without a default': { columns: columns({ id: 'id uuid primary key' }) },
  'further `not null` columns with defaults': {
    columns: columns({ more: `plan text not null default 'free', seen timestamptz not null default now()` }),
  },
  'a further `not null` column without a default': { columns: columns({ more: 'plan text not null' }) },
  'generated columns, standard fields among them': {
    columns: columns({
      more: `domain_name text generated always as (split_part(email, '@', 2)) stored,
        full_text text generated always as (email || coalesce(city, '')) stored`,
    }),
  },
  '`email varchar(100)`': { columns: columns({ email: 'email varchar(100) not null' }) },
  '`email citext`': {
    before: 'create extension if not exists citext',
    columns: columns({ email: 'email citext not null' }),
    options: { emailCase: 'preserve' },
  },
  '`email` of a domain': {
    before: `create domain work_email as text check (value not like 'x@%')`,
    columns: columns({ email: 'email work_email not null' }),
    refused: ['x@example.com'],
  },
  'standard columns missing': {},
  'no `status`': { columns: columns({ more: 'phone text, created_at timestamptz, updated_at timestamptz' }) },
  'no `created_at` and no `updated_at`': { columns: columns({ more: 'status text' }) },
  'partitioned by hash of `account_id`': parted(
    'hash',
    [0, 1, 2].map((at) => `create table T_${at} partition of T for values with (modulus 3, remainder ${at})`).join(';'),
  ),
  'partitioned by list of `account_id`, with a default': parted(
    'list',
    'create table T_one partition of T for values in (1); create table T_others partition of T default',
  ),
  unlogged: { kind: 'unlogged' },
  'a trigger that changes rows': {
    after: trigger('before insert or update', `new.city := 'Here'; return new;`),
    again: { customersUpdated: 2, customersUnchanged: 1 },
  },
  'a trigger that writes elsewhere': {
    before: 'create table T_log (email text, at timestamptz default clock_timestamp())',
    after: trigger('after insert or update', 'insert into T_log (email) values (new.email); return null;'),
  },
  'a trigger that refuses rows': {
    after: trigger('before insert', `if new.email like 'x@%' then raise exception 'not x'; end if; return new;`),
    refused: ['x@example.com'],
  },
  'a trigger that swallows rows': {
    after: trigger('before insert', `if new.email like 'x@%' then return null; end if; return new;`),
    refused: ['x@example.com'],
  },
  'a view': { after: 'alter table T rename to T_base; create view T as select * from T_base' },
  'no unique constraint on `account_id` and `email`': { unique: '' },
  'unique in `account_id` and `lower(email)` alone': {
    unique: '',
    before: 'create unique index on T (account_id, lower(email))',
  },
  'unique only where a condition holds': {
    unique: '',
    before: 'create unique index on T (account_id, email) where city is null',
  },
  'unique but deferrable': { unique: 'unique (account_id, email) deferrable' },
  'unique in `email` and `account_id`, in that order': { unique: 'unique (email, account_id)' },
  '`custom_attributes` as `json`': {
    after: 'alter table T drop column custom_attributes; alter table T add custom_attributes json',
  },
  "a CHECK with another cap than the store's": { options: { maxCustomAttributes: 20 } },
}

test('the documentation and the tests name the same tables', () => {
  expect(rows.map(([table]) => table)).toEqual(Object.keys(HOSTS))
})

let account: number | string = 1
let made = 0

/** Makes a host's table and applies the migrations; returns the table's name. */
async function makeHost({ before = '', after = '', kind = '', unique, ...host }: Host): Promise<string> {
  const name = host.name ?? `host_${++made}`
  const run = (sql: string) => db.sql.unsafe(sql.replaceAll(/\bT(?=\b|_)/g, () => name)).simple()
  if (host.columns === '') return name
  const [persistence, rest] = kind === 'unlogged' ? [kind, ''] : ['', kind]
  const needsTable = /\bT\b/.test(before)
  if (!needsTable) await run(before)
  const constraint = unique ?? 'unique (account_id, email)'
  const list = [host.columns ?? columns(), constraint].filter(Boolean).join(', ')
  await run(`create ${persistence} table T (${list}) ${rest}`)
  if (needsTable) await run(before)
  const tables = {
    customerTable: name,
    definitionTable: `definition_${made}`,
    accountIdType: host.accountIdType ?? 'bigint',
  }
  for (const { up } of readMigrations(tables)) await db.sql.unsafe(up).simple()
  await run(after)
  return name
}

const CSV = 'email,first_name,city,tier\na@example.com,Ann,Rome,gold\nx@example.com,Max,Oslo,\nc@example.com,,,silver\n'

const CALLS: Record<string, (store: CustomAttributesStore) => PromiseLike<unknown>> = {
  uploadCsv: (store) => store.uploadCsv(account, CSV),
  previewCsv: (store) => store.previewCsv(account, CSV),
  upsertCustomer: (store) => store.upsertCustomer(account, { email: 'a@example.com' }),
  getCustomer: (store) => store.getCustomer(account, 'a@example.com'),
  getMergeTags: (store) => store.getMergeTags(account),
  mailMerge: (store) => store.mailMerge(account, 'x', { audience: 'all' })[Symbol.asyncIterator]().next(),
}

test.each(rows)('%s: %s', async (table, outcome) => {
  const host = HOSTS[table!]!
  const name = await makeHost(host)
  account = host.accountIdType === 'uuid' ? '00000000-0000-4000-8000-000000000001' : 1
  const names = host.columns === '' ? {} : { customerTable: name, definitionTable: `definition_${made}` }
  const store = createCustomAttributesStore(db.client, { ...names, ...host.options })
  const [, code] = /^`(\w+)`/.exec(outcome!) ?? []
  if (code) {
    for (const call of Object.values(CALLS)) {
      // A store that has failed before must fail the same; one that is asked first must, too.
      for (const each of [store, createCustomAttributesStore(db.client, { ...names, ...host.options })]) {
        expect((await rejectionOf(call(each))).code).toBe(code)
      }
    }
    expect(await db.sql.unsafe(`select from ${name}`)).toHaveLength(0)
    return
  }
  expect(outcome).toMatch(/^works/)
  const refused = host.refused?.length ?? 0
  const first = await store.uploadCsv(account, CSV)
  expect(first).toMatchObject({ rowsTotal: 3, customersCreated: 3 - refused, rowsRejected: refused })
  for (const { code } of first.rejected) expect(code).toBe('ROW_REFUSED')
  const again = { customersUnchanged: 3 - refused, rowsRejected: refused, ...host.again }
  expect(await store.uploadCsv(account, CSV)).toMatchObject(again)
  const upsert = await store.upsertCustomer(account, { email: 'c@example.com', custom_attributes: { plan: 'pro' } })
  expect(upsert.outcome).toBe('updated')
  const found: string[] = []
  for await (const page of store.pageCustomers(account, { audience: { where: { tier: ['gold', 'silver'] } } })) {
    found.push(...page.map(({ email }) => email))
  }
  expect(found.sort()).toEqual(['a@example.com', 'c@example.com'])
  const texts: string[] = []
  for await (const sent of store.mailMerge(account, '{{first_name|you}}: {{tier}} {{plan|free}}', {
    audience: 'all',
  })) {
    if (sent.ok) texts.push(sent.content)
  }
  const expected = ['Ann: gold free', ...(refused ? [] : ['Max:  free']), 'you: silver pro']
  expect(texts.sort()).toEqual(expected.sort())
})

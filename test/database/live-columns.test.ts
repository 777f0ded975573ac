import { beforeAll, describe, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { StoreOptions } from '../../src/store-options.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase({ migrated: false, distributed: false })

let made = 0

/** A table of columns beside the usual ones, with its indexes (`T` is the table), the migrations, and a store. */
async function host(columns: string, indexes: string, options: StoreOptions = {}) {
  const table = `t${made++}`
  const tables = { customerTable: table, definitionTable: `${table}_definition` }
  await db.sql
    .unsafe(
      `create table ${table} (id bigserial primary key, account_id bigint not null, email text not null, fname text, ${columns});
       ${indexes.replaceAll('T', table)}`,
    )
    .simple()
  for (const { up } of readMigrations({ ...tables, accountIdType: 'bigint' })) await db.sql.unsafe(up).simple()
  const fields = defineFields({ fname: {} })
  const store = createCustomAttributesStore(db.client, { fields, ...tables, ...options })
  const rows = async () =>
    (
      await db.sql.unsafe(
        `select to_jsonb(t) - 'id' - 'account_id' - 'custom_attributes' as row from ${table} t order by id`,
      )
    ).map(({ row }) => row)
  const insert = (list: string, values: string) =>
    db.sql.unsafe(`insert into ${table} (account_id, ${list}) values ${values}`)
  const errors = async () => (await store.checkSchema()).filter(({ severity }) => severity === 'error')
  return { store, table, rows, insert, errors }
}

const FULL = 'create unique index on T (account_id, email);'

describe('a unique index over some of the conditions of live', () => {
  const live = { deleted_at: null, on_: true }
  const open = () =>
    host(
      'deleted_at timestamptz, on_ boolean',
      'create unique index on T (account_id, email) where deleted_at is null;',
      { live },
    )

  test('the dead outside the index are in nobody’s way, those inside are', async () => {
    const { store, rows, insert, errors } = await open()
    expect(await errors()).toEqual([])
    await insert(
      'email, deleted_at, on_',
      `(1, 'a@x.com', '2020-01-01', true), (1, 'a@x.com', null, true), (1, 'b@x.com', '2020-01-01', true),
       (1, 'c@x.com', null, false), (1, 'd@x.com', null, null)`,
    )
    const result = await store.uploadCsv(1, 'email,fname\na@x.com,A\nb@x.com,B\nc@x.com,C\nd@x.com,D\n')
    expect(result).toMatchObject({ rowsTotal: 4, customersCreated: 1, customersUpdated: 1, rowsRejected: 2 })
    expect(result.rejected.map(({ row, code }) => [row, code])).toEqual([
      [4, 'CUSTOMER_DELETED'],
      [5, 'CUSTOMER_DELETED'],
    ])
    expect(await store.upsertCustomer(1, { email: 'a@x.com', fname: 'A' })).toMatchObject({ outcome: 'unchanged' })
    expect((await rejectionOf(store.upsertCustomer(1, { email: 'c@x.com', fname: 'C' }))).code).toBe('CUSTOMER_DELETED')
    const named = (await rows()).map(({ email, fname }) => [email, fname])
    expect(named).toEqual([
      ['a@x.com', null],
      ['a@x.com', 'A'],
      ['b@x.com', null],
      ['c@x.com', null],
      ['d@x.com', null],
      ['b@x.com', 'B'],
    ])
  })
})

test('null in a boolean column of live is dead, and said to be', async () => {
  const { store, insert } = await host('removed boolean', FULL, { live: { removed: false } })
  await insert('email, removed', `(1, 'a@x.com', null)`)
  expect((await store.uploadCsv(1, 'email,fname\na@x.com,A\n')).rejected).toMatchObject([{ code: 'CUSTOMER_DELETED' }])
})

describe('a field in a column of live can be read, and no file fills it', () => {
  test('a status', async () => {
    const { store, rows, errors } = await host(
      "status text not null default 'active'",
      "create unique index on T (account_id, email) where status = 'active';",
      { live: { status: 'active' }, fields: defineFields({ fname: {}, status: {} }) },
    )
    expect(await errors()).toEqual([])
    await store.uploadCsv(1, 'email\na@x.com\n')
    const file = 'email,status\na@x.com,deleted\nb@x.com,deleted'
    const error = await rejectionOf(store.uploadCsv(1, file))
    expect(error).toMatchObject({ code: 'FIELD_NOT_FILLABLE', details: { fields: ['status'] } })
    expect(error.message).toContain(
      'status, which can be read and not written: it says whether a customer lives (live).',
    )
    const one = await rejectionOf(store.upsertCustomer(1, { email: 'a@x.com', status: 'deleted' }))
    expect(one).toMatchObject({
      code: 'FIELD_NOT_FILLABLE',
      message: expect.stringContaining('lives (live). Leave it out.'),
    })
    const constant = await rejectionOf(store.uploadCsv(1, 'email\na@x.com\n', { constants: { status: 'deleted' } }))
    expect(constant).toMatchObject({ code: 'FIELD_NOT_FILLABLE', message: expect.stringContaining('lives (live)') })
    expect(await store.uploadCsv(1, file, { columns: { status: null } })).toMatchObject({ customersCreated: 1 })
    expect(await rows()).toMatchObject([{ status: 'active' }, { status: 'active' }])
    expect((await store.getCustomer(1, 'a@x.com'))!.status).toBe('active')
  })

  test('a new customer has the status that lives, though it is not active', async () => {
    const { store, errors } = await host('status varchar(2)', FULL, { live: { status: 'on' } })
    expect(await errors()).toEqual([])
    await store.uploadCsv(1, 'email\na@x.com\n')
    expect(await store.getCustomer(1, 'a@x.com')).not.toBeNull()
  })

  test('a moment', async () => {
    const { store } = await host('deleted_at timestamptz', FULL, {
      live: { deleted_at: null },
      fields: defineFields({ gone: { column: 'deleted_at' } }),
    })
    const error = await rejectionOf(store.uploadCsv(1, 'email,gone\na@x.com,2020-01-01\n'))
    expect(error.code).toBe('FIELD_NOT_FILLABLE')
  })
})

test('a column of live that the database computes is left to it', async () => {
  const { store, insert, errors, table } = await host(
    'del timestamptz, gone boolean generated always as (del is not null) stored',
    'create unique index on T (account_id, email) where not gone;',
    { live: { gone: false } },
  )
  expect(await errors()).toEqual([])
  await insert('email, del', `(1, 'a@x.com', now())`)
  expect(await store.uploadCsv(1, 'email,fname\na@x.com,A\nb@x.com,B\n')).toMatchObject({ customersCreated: 2 })
  await db.sql.unsafe(`update ${table} set del = now() where email = 'b@x.com'`)
  expect(await store.getCustomer(1, 'b@x.com')).toBeNull()
})

test.each<[string, string, StoreOptions['live'], RegExp]>([
  [
    'a text that is no moment',
    'del timestamptz',
    { del: 'x' },
    /^live\.del of "public"\."t\d+": the column is timestamptz/,
  ],
  [
    'a boolean of a moment',
    'del timestamptz',
    { del: false },
    /timestamptz, which is never false\. Say null or a text/,
  ],
  ['null where there is none', 'del timestamptz not null', { del: null }, /NOT NULL, so no row would live/],
  ['a text of a boolean', 'del boolean', { del: 'perhaps' }, /bool, which cannot hold the text\. Say true or false/],
  ['a label that is none', 'del mood', { del: 'sad' }, /mood, which cannot hold the text/],
])('live that cannot be: %s', async (_what, columns, live, message) => {
  if (columns.includes('mood')) await db.sql`create type mood as enum ('happy')`
  const { store, errors } = await host(columns, FULL, live ? { live } : {})
  const [first] = await errors()
  expect(first!.message).toMatch(message)
  expect(first!.details).toMatchObject({ option: 'live', column: 'del' })
  const error = await rejectionOf(store.uploadCsv(1, 'email\na@x.com\n'))
  expect(error).toMatchObject({ code: 'SCHEMA_NOT_READY', message: first!.message })
})

describe('two unique indexes, neither of which holds the rows of the other', () => {
  let opened: Awaited<ReturnType<typeof host>>
  beforeAll(async () => {
    opened = await host(
      'deleted_at timestamptz',
      `${FULL} create unique index on T (account_id, lower(email)) where deleted_at is null;`,
      { live: { deleted_at: null } },
    )
  })

  test('a customer is found by lower()', async () => {
    const { store, insert, rows } = opened
    await insert('email', `(1, 'A@x.com')`)
    expect(await store.uploadCsv(1, 'email,fname\na@x.com,A\n')).toMatchObject({ customersUpdated: 1 })
    expect(await rows()).toMatchObject([{ email: 'A@x.com', fname: 'A' }])
  })

  test('a dead one that has the only place for its email is told', async () => {
    const { store, insert } = opened
    await insert(
      'email, deleted_at',
      `(2, 'a@x.com', now()), (2, 'B@x.com', now()), (2, 'c@x.com', now()), (2, 'C@x.com', null)`,
    )
    for (const batchSize of [1, 100]) {
      const result = await store.uploadCsv(2, 'email,fname\na@x.com,A\nb@x.com,B\nc@x.com,C\n', { batchSize })
      expect(result.rejected).toMatchObject([{ row: 2, code: 'CUSTOMER_DELETED' }])
      expect(result.customersCreated + result.customersUpdated + result.customersUnchanged).toBe(2)
    }
    expect((await rejectionOf(store.upsertCustomer(2, { email: 'a@x.com' }))).code).toBe('CUSTOMER_DELETED')
  })
})

describe('fields in the columns of moments', () => {
  test('that of the last change is the library’s', async () => {
    const { store } = await host('upd timestamptz', FULL, {
      columns: { updated_at: 'upd' },
      fields: defineFields({ fname: {}, touched: { column: 'upd' } }),
    })
    const error = await rejectionOf(store.uploadCsv(1, 'email,touched\na@x.com,2020-01-01\n'))
    expect(error).toMatchObject({
      code: 'FIELD_NOT_FILLABLE',
      message: expect.stringContaining('the library keeps it'),
    })
    await store.uploadCsv(1, 'email,fname\na@x.com,A\n')
    await store.uploadCsv(1, 'email,fname\na@x.com,B\n')
    expect((await store.getCustomer(1, 'a@x.com'))!.touched).toMatch(/Z$/)
  })

  test('that of the creation can come from a file, and is filled where it does not', async () => {
    const { store } = await host('since timestamptz not null', FULL, {
      columns: { created_at: 'since' },
      fields: defineFields({ joined: { column: 'since', fillable: 'new' } }),
    })
    expect(await store.uploadCsv(1, 'email,joined\na@x.com,2020-01-01\nb@x.com,\n')).toMatchObject({
      customersCreated: 2,
    })
    expect((await store.getCustomer(1, 'a@x.com'))!.joined).toBe('2020-01-01T00:00:00Z')
    expect((await store.getCustomer(1, 'b@x.com'))!.joined).toMatch(/Z$/)
  })
})

test('a field never is a column that tells tenants apart', async () => {
  const org = defineFields({ org: { column: 'account_id' } })
  expect(() => createCustomAttributesStore(db.client, { fields: org })).toThrow(/is that of account_id: no file may/)
})

test.each(['email text', 'email text not null'])('an empty e-mail address is none: %s', async (column) => {
  const { store, insert } = await host('deleted_at timestamptz', FULL)
  if (column === 'email text') {
    await db.sql.unsafe(`alter table t${made - 1} alter column email drop not null`)
    await insert('email', '(1, null)')
  }
  await insert('email', `(1, ''), (1, 'a@x.com')`)
  const withoutEmail = column === 'email text' ? 2 : 1
  expect(await store.preflight(1, 'x', { audience: 'all' })).toMatchObject({ recipients: 1, withoutEmail })
  const sent: string[] = []
  for await (const { customer } of store.mailMerge(1, 'x', { audience: 'all' })) sent.push(customer.email)
  expect(sent).toEqual(['a@x.com'])
})

test('a column of live that is computed when it is read, where the server has such, is left to it', async () => {
  const [server] = await db.sql`select current_setting('server_version_num')::int as version`
  const { store, insert, errors } = await host(
    `del timestamptz, gone boolean generated always as (del is not null) ${server!.version < 180_000 ? 'stored' : 'virtual'}`,
    FULL,
    { live: { gone: false } },
  )
  expect(await errors()).toEqual([])
  await insert('email, del', `(1, 'a@x.com', now())`)
  const result = await store.uploadCsv(1, 'email,fname\na@x.com,A\nb@x.com,B\n')
  expect(result).toMatchObject({ customersCreated: 1, rejected: [{ row: 2, code: 'CUSTOMER_DELETED' }] })
})

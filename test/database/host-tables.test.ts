import { beforeAll, describe, expect, test } from 'vitest'
import { type MigrationOptions, readMigrations } from '../../src/db/migrations.js'
import type { AccountId, CustomerInput } from '../../src/index.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase({ migrated: false })

/** Creates a host's table with the migrations, and a store on it. */
async function host(name: string, columns: string, options: MigrationOptions = {}) {
  const tables = {
    customerTable: name,
    definitionTable: `${name.replace(/"$/, '')}_definition${name.endsWith('"') ? '"' : ''}`,
  }
  await db.sql.unsafe(`create table ${name} (${columns}, unique (account_id, email))`).simple()
  for (const { up } of readMigrations({ ...tables, ...options })) await db.sql.unsafe(up).simple()
  const { accountIdType: _, ...storeOptions } = { ...tables, ...options }
  return createCustomAttributesStore(db.client, storeOptions)
}

const BIGINT = 'id bigint generated always as identity primary key, account_id bigint not null'

describe('a table with few of the standard columns, and bigint ids', () => {
  let store: Awaited<ReturnType<typeof host>>
  beforeAll(async () => {
    store = await host('few', `${BIGINT}, email text not null, first_name text`, { accountIdType: 'bigint' })
  })

  test('the merge tags are its columns', async () => {
    expect((await store.getMergeTags(1)).standardFields).toEqual(['email', 'first_name'])
  })

  test('a customer has its columns and no others', async () => {
    const { id, outcome } = await store.upsertCustomer(1, {
      email: 'a@example.com',
      first_name: 'A',
      custom_attributes: { x: '1' },
    })
    expect({ id, outcome }).toEqual({ id: expect.stringMatching(/^\d+$/), outcome: 'created' })
    expect(await store.getCustomer(1, 'a@example.com')).toEqual({
      id,
      account_id: '1',
      email: 'a@example.com',
      first_name: 'A',
      custom_attributes: { x: '1' },
    })
  })

  test('FIELD_NOT_IN_TABLE before the first row: which fields, and what to do', async () => {
    const error = await rejectionOf(store.uploadCsv(2, 'email,Phone,zip,tier\na@example.com,1,2,3\n'))
    expect(error).toMatchObject({
      code: 'FIELD_NOT_IN_TABLE',
      status: 400,
      details: { fields: ['phone', 'postal_code'] },
    })
    expect(error.message).toBe(
      'The file fills phone, postal_code, which "public"."few" does not have. ' +
        'Add the column, or map it to an attribute or to null with columns.',
    )
    expect(await store.getCustomer(2, 'a@example.com')).toBeNull()
    expect(await store.getAttributeDefinitions(2)).toEqual([])
    const upsert = rejectionOf(store.upsertCustomer(2, { email: 'a@example.com', phone: '1' }))
    expect((await upsert).code).toBe('FIELD_NOT_IN_TABLE')
  })

  test('mapped to an attribute, or left out, the file is stored', async () => {
    const csv = 'email,Phone,zip\na@example.com,1,2\n'
    await store.uploadCsv(3, csv, { columns: { Phone: { attribute: 'phone' }, zip: null } })
    expect((await store.getCustomer(3, 'a@example.com'))!.custom_attributes).toEqual({ phone: '1' })
    expect(await store.uploadCsv(3, csv, { fillable: ['first_name'] })).toMatchObject({ customersUnchanged: 1 })
  })

  test('pages go in the order of bigint ids, also after one', async () => {
    await store.uploadCsv(4, `email\n${Array.from({ length: 25 }, (_, at) => `p${at}@example.com`).join('\n')}`)
    const ids: string[] = []
    for await (const page of store.pageCustomers(4, { audience: 'all', pageSize: 4 }))
      ids.push(...page.map(({ id }) => id))
    expect(ids).toEqual([...ids].sort((a, b) => Number(a) - Number(b)))
    expect(ids).toHaveLength(25)
    const rest: string[] = []
    for await (const page of store.pageCustomers(4, { audience: 'all', after: ids[9]! }))
      rest.push(...page.map(({ id }) => id))
    expect(rest).toEqual(ids.slice(10))
  })

  test.each<[AccountId, AccountId]>([
    [7, '7'],
    [7n, 7],
    ['007', 7],
    [9223372036854775807n, '9223372036854775807'],
    [-1, '-1'],
  ])('account %s is account %s', async (one, other) => {
    await store.upsertCustomer(one, { email: 'same@example.com' })
    expect((await store.upsertCustomer(other, { email: 'same@example.com' })).outcome).toBe('unchanged')
  })

  test.each([['9223372036854775808'], [''], ['1e3'], [1.5], ['0x10'], ['1; drop table few'], [2 ** 60], [' 1']])(
    'account %j is INVALID_ACCOUNT_ID',
    async (accountId) => {
      const error = await rejectionOf(store.getMergeTags(accountId))
      expect(error).toMatchObject({ code: 'INVALID_ACCOUNT_ID', details: { expected: 'bigint' } })
    },
  )
})

describe('text and integer account ids', () => {
  test('text: any, kept apart exactly', async () => {
    const store = await host(
      'by_text',
      'id uuid primary key default gen_random_uuid(), account_id text not null, email text not null',
      { accountIdType: 'text' },
    )
    const accounts = ['acme', 'ACME', 'acme ', "o'hara", '"; drop table by_text; --', '%', '日本', 'a,b']
    for (const account of accounts) {
      await store.upsertCustomer(account, { email: 'a@example.com', custom_attributes: { own: account } })
      await store.uploadCsv(account, 'email,from\na@example.com,csv\n')
    }
    for (const account of accounts) {
      expect((await store.getCustomer(account, 'a@example.com'))!).toMatchObject({
        account_id: account,
        custom_attributes: { own: account.trim(), from: 'csv' },
      })
    }
    for (const account of ['', 'a\0', '\ud800']) {
      expect((await rejectionOf(store.getMergeTags(account))).code).toBe('INVALID_ACCOUNT_ID')
    }
  })

  test('integer: its whole range and no more', async () => {
    const store = await host(
      'by_integer',
      'id uuid primary key default gen_random_uuid(), account_id integer not null, email text not null',
      { accountIdType: 'integer' },
    )
    for (const account of [0, 2 ** 31 - 1, -(2 ** 31)]) {
      expect((await store.upsertCustomer(account, { email: 'a@example.com' })).outcome).toBe('created')
    }
    for (const account of [2 ** 31, -(2 ** 31) - 1, 'x', '']) {
      expect((await rejectionOf(store.getMergeTags(account))).code).toBe('INVALID_ACCOUNT_ID')
    }
  })
})

test('names in quotes, with capitals, blanks and signs', async () => {
  await db.sql.unsafe('create schema "My Schema"')
  const store = await host(`"My Schema"."Kunden ""A""; $1"`, `${BIGINT}, email text not null`, {
    accountIdType: 'bigint',
  })
  expect(await store.uploadCsv(1, 'email,tier\na@example.com,gold\nb@example.com,\n', { batchSize: 1 })).toMatchObject({
    customersCreated: 2,
  })
  expect((await store.getCustomer(1, 'a@example.com'))!.custom_attributes).toEqual({ tier: 'gold' })
  expect(await store.uploadCsv(1, 'email,tier\na@example.com,gold\n', { atomic: true })).toMatchObject({
    customersUnchanged: 1,
  })
})

test('tables without a schema are found by the search path when the store first looks, and stay the same ones', async () => {
  await db.sql.unsafe('create schema elsewhere')
  const store = await host('elsewhere.person', `${BIGINT}, email text not null`, { accountIdType: 'bigint' })
  await store.upsertCustomer(1, { email: 'a@example.com' })
  const there = createCustomAttributesStore(db.connect({ connection: { search_path: 'elsewhere' } }), {
    customerTable: 'person',
    definitionTable: 'person_definition',
  })
  expect(await there.getCustomer(1, 'a@example.com')).not.toBeNull()
})

describe('column types of the host', () => {
  let store: Awaited<ReturnType<typeof host>>
  let email = 0
  beforeAll(async () => {
    await db.sql
      .unsafe(`create type mood as enum ('active', 'happy', 'very happy'); create domain short_text as varchar(3) check (value <> 'bad');
      create domain positive as integer check (value > 0)`)
      .simple()
    store = await host(
      'typed',
      `${BIGINT}, email varchar(30) not null, first_name varchar(5), last_name char(4), phone short_text, company text default 'none',
       birthday timestamp, currency char(3) not null default 'EUR', country text collate "C", province uuid, city text not null default 'nowhere',
       address1 jsonb, orders_count smallint, total_spent numeric(5, 2), last_order_price double precision, last_order_id bigint,
       source_id positive, status mood not null default 'active', accepts_marketing boolean not null default false,
       domain_name text generated always as (split_part(email, '@', 2)) stored`,
      { accountIdType: 'bigint' },
    )
  })

  const fields = (given: Omit<CustomerInput, 'email'>) => ({ email: `t${++email}@example.com`, ...given })
  /** What a value is stored as, through an upsert and, the same, through an upload. */
  async function stored(field: string, value: string): Promise<unknown> {
    const customer = fields({ [field]: value })
    const outcome = await store.upsertCustomer(1, customer).then(
      async () => (await store.getCustomer(1, customer.email))![field as 'city'],
      (error) => error.code,
    )
    const cell = `"${value.replaceAll('"', '""')}"`
    const result = await store.uploadCsv(2, `email,${field}\n${customer.email},${cell}\n`)
    const uploaded = result.rejected[0]?.code ?? (await store.getCustomer(2, customer.email))![field as 'city']
    expect(uploaded).toEqual(outcome)
    // The same file again changes nothing: what was stored is what is compared.
    const again = await store.uploadCsv(2, `email,${field}\n${customer.email},${cell}\n`)
    expect(again).toMatchObject(result.rowsRejected ? { rowsRejected: 1 } : { customersUnchanged: 1 })
    return outcome
  }

  test.each<[string, string, unknown]>([
    ['first_name', 'abcde', 'abcde'],
    ['first_name', '😀😀😀😀😀', '😀😀😀😀😀'],
    ['first_name', 'abcdef', 'VALUE_TOO_LONG'],
    ['last_name', 'ab', 'ab'],
    ['last_name', 'abcde', 'VALUE_TOO_LONG'],
    ['phone', 'abc', 'abc'],
    ['phone', 'abcd', 'VALUE_TOO_LONG'],
    ['phone', 'bad', 'ROW_REFUSED'],
    ['birthday', '1990-05-01', '1990-05-01T00:00:00'],
    ['birthday', '1990-05-01 12:30', '1990-05-01T12:30:00'],
    ['birthday', '1990-05-01T25:00', 'INVALID_VALUE'],
    ['province', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['province', 'Bavaria', 'INVALID_VALUE'],
    ['orders_count', '32767', '32767'],
    ['orders_count', '32768', 'INVALID_VALUE'],
    ['orders_count', '1.0', '1'],
    ['orders_count', '1.5', 'INVALID_VALUE'],
    ['total_spent', '999.99', '999.99'],
    ['total_spent', '1.005', '1.01'],
    ['total_spent', '1000', 'INVALID_VALUE'],
    ['total_spent', '999.999', 'ROW_REFUSED'],
    ['total_spent', '1,000.00', 'INVALID_VALUE'],
    ['last_order_price', '0.1', '0.1'],
    ['last_order_price', '1e400', 'ROW_REFUSED'],
    ['last_order_price', 'NaN', 'INVALID_VALUE'],
    ['last_order_id', '9223372036854775807', '9223372036854775807'],
    ['last_order_id', '9223372036854775808', 'INVALID_VALUE'],
    ['source_id', '5', '5'],
    ['source_id', '0', 'ROW_REFUSED'],
    ['status', 'very happy', 'very happy'],
    ['status', 'sad', 'INVALID_VALUE'],
    ['accepts_marketing', 'ON', true],
    ['accepts_marketing', 'n', false],
    ['accepts_marketing', 'perhaps', 'INVALID_VALUE'],
    ['address1', '{"a": 1}', '{"a": 1}'],
    ['address1', '{a', 'ROW_REFUSED'],
  ])('%s %j is stored as %j', async (field, value, expected) => {
    expect(await stored(field, value)).toEqual(expected)
  })

  test('an email too long for its column is refused, never cut', async () => {
    const long = `${'a'.repeat(20)}@example.com`
    expect((await rejectionOf(store.upsertCustomer(1, { email: long }))).code).toMatch(/VALUE_TOO_LONG|ROW_REFUSED/)
    const { rejected, rowsTotal, rowsRejected } = await store.uploadCsv(1, `email\n${long}\nok@example.com\n`)
    expect({ rowsTotal, rowsRejected }).toEqual({ rowsTotal: 2, rowsRejected: 1 })
    expect(rejected[0]!.code).toMatch(/VALUE_TOO_LONG|ROW_REFUSED/)
    expect(await store.getCustomer(1, long)).toBeNull()
    expect(await store.getCustomer(1, long.slice(0, 30))).toBeNull()
  })

  test('an empty cell of a new customer takes the default of its column', async () => {
    await store.uploadCsv(3, 'email,company,currency,city,status,accepts_marketing\na@example.com,,,,,\n')
    expect(await store.getCustomer(3, 'a@example.com')).toMatchObject({
      company: 'none',
      currency: 'EUR',
      city: 'nowhere',
      status: 'active',
      accepts_marketing: false,
    })
  })

  test('a generated column cannot be filled', async () => {
    expect((await rejectionOf(store.uploadCsv(3, 'email,domain_name\na@example.com,x\n'))).code).toBe(
      'FIELD_NOT_FILLABLE',
    )
  })

  test("emptyValues: 'clear' keeps NOT NULL columns, and the same file again changes nothing", async () => {
    const csv = 'email,company,currency,city,first_name\nc@example.com,,,,\nd@example.com,x,y,z,w\n'
    expect(await store.uploadCsv(4, csv, { emptyValues: 'clear' })).toMatchObject({ customersCreated: 2 })
    expect(await store.uploadCsv(4, csv, { emptyValues: 'clear' })).toMatchObject({ customersUnchanged: 2 })
    const cleared = 'email,company,currency,city,first_name\nd@example.com,,,,\n'
    expect(await store.uploadCsv(4, cleared, { emptyValues: 'clear' })).toMatchObject({ customersUpdated: 1 })
    expect(await store.getCustomer(4, 'd@example.com')).toMatchObject({
      company: null,
      currency: 'y',
      city: 'z',
      first_name: null,
    })
  })
})

describe('citext emails', () => {
  let store: Awaited<ReturnType<typeof host>>
  beforeAll(async () => {
    await db.sql.unsafe('create extension citext')
    await host('by_citext', `${BIGINT}, email citext not null, city text`, { accountIdType: 'bigint' })
    store = createCustomAttributesStore(db.client, {
      customerTable: 'by_citext',
      definitionTable: 'by_citext_definition',
      emailCase: 'preserve',
    })
  })

  test('with preserve, spellings differing in case are one customer, under the first', async () => {
    expect(
      await store.uploadCsv(1, 'email,city,a\nJohn@X.com,Rome,1\njohn@x.com,Oslo,\nJOHN@X.COM,Oslo,\nJane@x.com,,2\n'),
    ).toMatchObject({
      customersCreated: 2,
      customersUpdated: 1,
      customersUnchanged: 1,
    })
    expect(await store.getCustomer(1, 'jOHN@x.com')).toMatchObject({
      email: 'John@X.com',
      city: 'Oslo',
      custom_attributes: { a: '1' },
    })
    expect((await store.upsertCustomer(1, { email: 'JOHN@x.com' })).outcome).toBe('unchanged')
    expect(
      [...(await store.getCustomers(1, ['JANE@X.com', 'john@x.COM'])).values()].map((found) => found!.email),
    ).toEqual(['Jane@x.com', 'John@X.com'])
  })

  test('whom a list of an audience names is still named when the address is spelt in another case meanwhile', async () => {
    await store.uploadCsv(2, 'email\na@x.com\nb@x.com\nc@x.com\n')
    const got: string[] = []
    for await (const { customer } of store.mailMerge(2, 'x', {
      audience: { emails: ['A@x.com', 'b@X.com', 'c@x.com'] },
      pageSize: 1,
      recheck: true,
    })) {
      got.push(customer.email)
      if (got.length === 1) await db.sql`update by_citext set email = upper(email::text) where account_id = 2`
    }
    expect(got.map((email) => email.toLowerCase()).sort()).toEqual(['a@x.com', 'b@x.com', 'c@x.com'])
  })

  test('outcomes that name the customer find its row: over the cap, exists, not found', async () => {
    const ten = Array.from({ length: 10 }, (_, at) => `k${at}`)
    await store.uploadCsv(2, `email,${ten.join(',')}\nFull@x.com,${ten.join(',')}\n`)
    const over = await store.uploadCsv(2, 'email,more\nFULL@X.COM,1\nNew@x.com,1\n')
    expect(over).toMatchObject({
      customersCreated: 1,
      rowsRejected: 1,
      rejected: [{ code: 'TOO_MANY_ATTRIBUTES', row: 2 }],
    })
    const exists = await store.uploadCsv(2, 'email\nfull@X.COM\nother@x.com\n', { existing: 'reject' })
    expect(exists).toMatchObject({ customersCreated: 1, rejected: [{ code: 'CUSTOMER_EXISTS', row: 2 }] })
    const missing = await store.uploadCsv(2, 'email,city\nFULL@x.com,Rome\nABSENT@x.com,Rome\n', { unknown: 'reject' })
    expect(missing).toMatchObject({ customersUpdated: 1, rejected: [{ code: 'CUSTOMER_NOT_FOUND', row: 3 }] })
  })
})

test('a host whose columns are partitioned by account', async () => {
  await db.sql
    .unsafe(`create table parted (id uuid not null default gen_random_uuid(), account_id bigint not null, email text not null, city text,
      primary key (account_id, id), unique (account_id, email)) partition by hash (account_id);
    create table parted_0 partition of parted for values with (modulus 2, remainder 0);
    create table parted_1 partition of parted for values with (modulus 2, remainder 1)`)
    .simple()
  const tables = { customerTable: 'parted', definitionTable: 'parted_definition' }
  for (const { up } of readMigrations({ ...tables, accountIdType: 'bigint' })) await db.sql.unsafe(up).simple()
  const store = createCustomAttributesStore(db.client, tables)
  for (const account of [1, 2, 3, 4]) {
    const csv = 'email,city,tier\na@example.com,Rome,gold\nb@example.com,,\na@example.com,Oslo,\n'
    expect(await store.uploadCsv(account, csv)).toMatchObject({ customersCreated: 2, customersUpdated: 1 })
    expect(await store.uploadCsv(account, 'email,tier\na@example.com,gold\n')).toMatchObject({ customersUnchanged: 1 })
  }
})

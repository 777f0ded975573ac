import { expect, inject, test } from 'vitest'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { createCustomAttributesStore } from '../../src/store.js'

import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()

async function withPeople() {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.upsertCustomer(account, {
    email: 'john@example.com',
    first_name: 'John',
    custom_attributes: { tier: 'gold' },
  })
  await store.upsertCustomer(account, { email: 'jane@example.com', first_name: 'Jane' })
  return { store, account }
}

test('getCustomer returns the row under its database names, or null', async () => {
  const { store, account } = await withPeople()
  const john = (await store.getCustomer(account, 'john@example.com'))!
  expect(Object.keys(john).sort()).toEqual(
    ['id', 'account_id', 'custom_attributes', 'created_at', 'updated_at', ...STANDARD_COLUMNS].sort(),
  )
  expect(john).toMatchObject({
    account_id: account,
    email: 'john@example.com',
    first_name: 'John',
    last_name: null,
    orders_count: null,
    accepts_marketing: null,
    status: 'active',
    custom_attributes: { tier: 'gold' },
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
  })
  expect(await store.getCustomer(account, 'nobody@example.com')).toBeNull()
  expect(await store.getCustomer(newAccount(), 'john@example.com')).toBeNull()
})

test('emails are found in any case and with blanks around', async () => {
  const { store, account } = await withPeople()
  for (const email of ['JOHN@example.com', ' john@example.com\n', '\u00a0John@Example.Com']) {
    expect((await store.getCustomer(account, email))!.first_name).toBe('John')
  }
})

test("emailCase: 'preserve' stores and finds emails as typed", async () => {
  const account = newAccount()
  const store = createCustomAttributesStore(db.client, { emailCase: 'preserve' })
  await store.upsertCustomer(account, { email: 'John@X.com', city: 'a' })
  await store.upsertCustomer(account, { email: 'john@x.com', city: 'b' })
  expect((await store.getCustomer(account, 'John@X.com'))!.city).toBe('a')
  expect((await store.getCustomer(account, 'john@x.com'))!.city).toBe('b')
  expect(await store.getCustomer(account, 'JOHN@X.com')).toBeNull()
})

test('getCustomers is a map by email as given, in the order given', async () => {
  const { store, account } = await withPeople()
  const emails = [
    'JANE@example.com',
    'nobody@example.com',
    'john@example.com',
    'john@example.com',
    'John@example.com',
    '',
  ]
  const found = await store.getCustomers(account, emails)
  expect([...found.keys()]).toEqual([...new Set(emails)])
  expect([...found.values()].map((customer) => customer?.first_name ?? null)).toEqual([
    'Jane',
    null,
    'John',
    'John',
    null,
  ])
})

test('getCustomers takes none, and twelve thousand', async () => {
  const { store, account } = await withPeople()
  expect(await store.getCustomers(account, [])).toEqual(new Map())
  await db.sql`insert into customer.customer (account_id, email)
    select ${account}, 'p' || n || '@example.com' from generate_series(1, 12000) n`
  const emails = Array.from({ length: 12_000 }, (_, at) => `p${at + 1}@example.com`)
  const found = await store.getCustomers(account, [...emails, 'nobody@example.com'])
  expect(found.size).toBe(12_001)
  expect([...found.values()].filter((customer) => customer === null)).toHaveLength(1)
  expect(emails.every((email) => found.get(email)?.email === email)).toBe(true)
})

test.each([
  'a\0b@example.com',
  '\ud800@example.com',
  '',
  "x'; drop table customer.customer; --",
  '\u001f',
  '\u001f0\u001e',
  '%',
  'x'.repeat(10_000),
])('whatever is asked for, it is nobody: %j', async (email) => {
  const { store, account } = await withPeople()
  expect(await store.getCustomer(account, email)).toBeNull()
  expect(await store.getCustomers(account, [email, 'john@example.com'])).toMatchObject(
    new Map([
      [email, null],
      ['john@example.com', { first_name: 'John' }],
    ]),
  )
})

test('values are printed the same way whatever the session is set to', async () => {
  const { account } = await withPeople()
  const values = {
    email: 'all@example.com',
    birthday: '1990-05-01',
    accepts_marketing: 'yes',
    orders_count: '+0012',
    total_spent: '1234567.5',
    last_order_date: '2024-05-01T23:30:00.5+02:00',
    last_order_price: '.5',
  }
  const printed = {
    birthday: '1990-05-01',
    accepts_marketing: true,
    orders_count: '12',
    total_spent: '1234567.50',
    last_order_date: '2024-05-01T21:30:00.5Z',
    last_order_price: '0.50',
  }
  await createCustomAttributesStore(db.client).upsertCustomer(account, values)
  const settings = [
    {},
    { DateStyle: 'German, DMY', TimeZone: 'Asia/Kathmandu', IntervalStyle: 'sql_standard' },
    { DateStyle: 'SQL, MDY', TimeZone: 'America/St_Johns', lc_monetary: 'C' },
  ]
  for (const connection of settings) {
    if (inject('hasCitus')) Object.assign(connection, { DateStyle: 'ISO, DMY' }) // docs/citus.md
    const store = createCustomAttributesStore(db.connect({ connection }))
    expect(await store.getCustomer(account, values.email)).toMatchObject(printed)
    expect((await store.upsertCustomer(account, values)).outcome, 'and read the same way').toBe('unchanged')
  }
})

test('moments without end are printed as PostgreSQL prints them', async () => {
  const { store, account } = await withPeople()
  await db.sql`insert into customer.customer (account_id, email, birthday, last_order_date)
    values (${account}, 'endless@example.com', '-infinity', 'infinity')`
  expect(await store.getCustomer(account, 'endless@example.com')).toMatchObject({
    birthday: '-infinity',
    last_order_date: 'infinity',
  })
})

test('what is no email is INVALID_ARGUMENT', async () => {
  const { store, account } = await withPeople()
  for (const emails of [null, 'john@example.com', [5], [null]]) {
    const error = await rejectionOf(store.getCustomers(account, emails as unknown as string[]))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toMatch(/^emails must be an array of strings, got /)
  }
  expect((await rejectionOf(store.getCustomer(account, undefined as unknown as string))).code).toBe('INVALID_ARGUMENT')
})

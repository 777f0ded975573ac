import { describe, expect, test } from 'vitest'
import { parseRow } from '../../src/rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

test('creates a customer, then updates and merges its attributes', async () => {
  const { store, account } = open()
  const created = await store.upsertCustomer(account, {
    email: 'john@example.com',
    first_name: 'John',
    custom_attributes: { loyalty_tier: 'silver', old_field: 'kept' },
  })
  expect(created).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), outcome: 'created' })

  const updated = await store.upsertCustomer(account, {
    email: 'john@example.com',
    last_name: 'Doe',
    custom_attributes: { loyalty_tier: 'gold', new_field: 'added' },
  })
  expect(updated).toEqual({ id: created.id, outcome: 'updated' })

  expect(await store.getCustomer(account, 'john@example.com')).toMatchObject({
    id: created.id,
    account_id: account,
    email: 'john@example.com',
    first_name: 'John',
    last_name: 'Doe',
    custom_attributes: { loyalty_tier: 'gold', old_field: 'kept', new_field: 'added' },
  })
  expect(await store.getAttributeDefinitions(account)).toEqual(['loyalty_tier', 'new_field', 'old_field'])
})

test('writes nothing when nothing changes: no row version, no updated_at', async () => {
  const { store, account } = open()
  const customer = { email: 'john@example.com', phone: '5', total_spent: '10.5', custom_attributes: { a: '1', b: '2' } }
  const { id } = await store.upsertCustomer(account, customer)
  const before = await versionsOf(db.sql, account)
  for (const same of [
    customer,
    { email: 'john@example.com' },
    { email: ' JOHN@example.com ', total_spent: 10.5, custom_attributes: { b: ' 2 ' } },
    { email: 'john@example.com', phone: '', company: null, custom_attributes: { a: undefined, c: '' } },
  ]) {
    expect(await store.upsertCustomer(account, same)).toEqual({ id, outcome: 'unchanged' })
  }
  expect(await versionsOf(db.sql, account)).toEqual(before)
})

test('an update moves updated_at and leaves created_at', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, { email: 'john@example.com' })
  const before = await store.getCustomer(account, 'john@example.com')
  await store.upsertCustomer(account, { email: 'john@example.com', city: 'Rome' })
  const after = await store.getCustomer(account, 'john@example.com')
  expect(after!.created_at).toBe(before!.created_at)
  expect(Date.parse(after!.updated_at!)).toBeGreaterThan(Date.parse(before!.updated_at!))
})

test('a new customer is active, unless it comes with a status', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, { email: 'a@example.com' })
  await store.upsertCustomer(account, { email: 'b@example.com', status: 'blocked' })
  await store.upsertCustomer(account, { email: 'c@example.com', status: '' })
  await store.upsertCustomer(account, { email: 'b@example.com', city: 'Rome' })
  const { customers } = await contentsOf(db.sql, account)
  expect(customers.map(({ status }) => status)).toEqual(['active', 'blocked', 'active'])
})

test('takes what parseRow returns', async () => {
  const { store, account } = open()
  const row = parseRow(['Email', 'First Name', 'Tier'], ['John@Example.com', "'+x", 'gold'])
  expect((await store.upsertCustomer(account, row)).outcome).toBe('created')
  expect(await store.getCustomer(account, 'john@example.com')).toMatchObject({
    email: 'john@example.com',
    first_name: '+x',
    custom_attributes: { Tier: 'gold' },
  })
})

test('takes a customer as the store returns it', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, {
    email: 'john@example.com',
    birthday: '1990-05-01',
    accepts_marketing: true,
    last_order_date: '2024-05-01T10:30:00.123456Z',
    total_spent: '12.30',
    custom_attributes: { tier: 'gold' },
  })
  const customer = (await store.getCustomer(account, 'john@example.com'))!
  expect(await store.upsertCustomer(account, customer)).toEqual({ id: customer.id, outcome: 'unchanged' })
})

test('numbers, bigints, booleans and dates are stored as their text', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, {
    email: 'john@example.com',
    orders_count: 7,
    total_spent: 12.5,
    accepts_marketing: false,
    birthday: new Date('1990-05-01T00:00:00Z'),
    last_order_date: new Date('2024-05-01T10:30:00Z'),
    custom_attributes: { number: 0, big: 12345678901234567890n, flag: false, when: new Date(0), nothing: null },
  })
  expect(await store.getCustomer(account, 'john@example.com')).toMatchObject({
    orders_count: '7',
    total_spent: '12.50',
    accepts_marketing: false,
    birthday: '1990-05-01',
    last_order_date: '2024-05-01T10:30:00Z',
    custom_attributes: { number: '0', big: '12345678901234567890', flag: 'false', when: '1970-01-01T00:00:00.000Z' },
  })
})

test('attributes of any name and value come back as they are', async () => {
  const { store, account } = open()
  const attributes = {
    'VIP Status': 'it\'s "quoted"',
    日本語: '\\x41 \\n',
    'a.b': '{"not":"json"}',
    toString: '$1 %s',
    '😀': 'line\nbreak\ttab',
    "x'); drop table customer.customer; --": '\u001f\u001e\u001d\u001c',
    long: '😀'.repeat(10_000),
  }
  await store.upsertCustomer(account, { email: 'john@example.com', custom_attributes: attributes })
  expect((await store.getCustomer(account, 'john@example.com'))!.custom_attributes).toEqual(attributes)
  expect(await store.getAttributeDefinitions(account)).toEqual(
    Object.keys(attributes).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
})

test('a name is recorded no later than its first value, and not without one', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, { email: 'a@example.com', custom_attributes: { used: '1', blank: ' ' } })
  expect(await store.getAttributeDefinitions(account)).toEqual(['used'])
})

test('a value and its definition are stored together, or neither', async () => {
  const { store, account } = open()
  await db.sql
    .unsafe(`create function customer.refuse() returns trigger language plpgsql as
    $$ begin raise exception 'no definitions today'; end $$;
    create trigger refuse before insert on customer.custom_attribute_definition
    for each row when (new.attribute_name = 'unrecordable') execute function customer.refuse()`)
    .simple()
  await expect(
    store.upsertCustomer(account, { email: 'a@example.com', custom_attributes: { unrecordable: '1' } }),
  ).rejects.toThrow()
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

describe('at the same time', () => {
  test('one new customer given twenty times is created once, and no attribute is lost', async () => {
    const { account } = open()
    const store = createCustomAttributesStore(db.connect({ max: 10 }))
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        store.upsertCustomer(account, { email: 'john@example.com', custom_attributes: { [`attr ${at % 10}`]: 'x' } }),
      ),
    )
    expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1)
    expect(outcomes.filter(({ outcome }) => outcome === 'updated')).toHaveLength(9)
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(1)
    const customer = await store.getCustomer(account, 'john@example.com')
    expect(Object.keys(customer!.custom_attributes)).toHaveLength(10)
  })

  test('the cap holds: of twelve new attributes ten are stored, two are refused', async () => {
    const { account } = open()
    const store = createCustomAttributesStore(db.connect({ max: 12 }))
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, (_, at) =>
        store.upsertCustomer(account, { email: 'john@example.com', custom_attributes: { [`attr ${at}`]: 'x' } }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(2)
    const customer = await store.getCustomer(account, 'john@example.com')
    expect(Object.keys(customer!.custom_attributes)).toHaveLength(10)
  })
})

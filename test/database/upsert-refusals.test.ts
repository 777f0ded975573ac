import { beforeAll, expect, test } from 'vitest'
import type { CustomerInput, UpsertResult } from '../../src/db/upsert.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const account = newAccount()

beforeAll(async () => {
  await db.sql
    .unsafe(`
    alter table customer.customer add constraint no_secret_city check (city <> 'TOPSECRET');
    alter table customer.customer add constraint customer_phone_un unique (account_id, phone);
    create function customer.judge() returns trigger language plpgsql as
      $$ begin raise exception 'never %', new.company using errcode = 'P0001'; end $$;
    create trigger judge before insert or update on customer.customer
      for each row when (new.company = 'TOPSECRET') execute function customer.judge()`)
    .simple()
})

const upsert = (customer: unknown): Promise<UpsertResult> =>
  createCustomAttributesStore(db.client).upsertCustomer(account, customer as CustomerInput)

const email = 'a@example.com'
const tooMany = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`attr_${at}`, 'x']))

test.each<[string, unknown, string, string | RegExp]>([
  ['no object', 'a@example.com', 'INVALID_CUSTOMER', 'a customer must be an object with an email, got a string.'],
  ['null', null, 'INVALID_CUSTOMER', 'a customer must be an object with an email, got null.'],
  ['an array', [email], 'INVALID_CUSTOMER', 'a customer must be an object with an email, got an array.'],
  ["an ORM's spelling", { email, customAttributes: {} }, 'INVALID_CUSTOMER', 'the name is custom_attributes'],
  [
    'a field that is none',
    { email, firstName: 'x' },
    'INVALID_CUSTOMER',
    '"firstName" is no standard field; put it into',
  ],
  ['attributes that are no object', { email, custom_attributes: ['x'] }, 'INVALID_CUSTOMER', 'must be an object'],
  ['attributes as text', { email, custom_attributes: '{}' }, 'INVALID_CUSTOMER', 'must be an object'],
  ['an object as value', { email, custom_attributes: { a: {} } }, 'INVALID_CUSTOMER', 'a must be a text, number'],
  ['an invalid date', { email, birthday: new Date(Number.NaN) }, 'INVALID_CUSTOMER', 'birthday must be a text, number'],
  ['no email', { first_name: 'x' }, 'EMAIL_REQUIRED', 'email is required'],
  ['an empty email', { email: ' ' }, 'EMAIL_REQUIRED', 'email is required'],
  ['a bad email', { email: 'TOPSECRET' }, 'INVALID_EMAIL', 'Not a valid email address'],
  [
    '11 attributes',
    { email, custom_attributes: tooMany },
    'TOO_MANY_ATTRIBUTES',
    /^Maximum 10 custom attributes allowed\. Found 11: attr_0, /,
  ],
  ['a bad attribute name', { email, custom_attributes: { 'a|b': '1' } }, 'INVALID_ATTRIBUTE_NAME', 'holds |'],
  [
    'an inherited name',
    { email, custom_attributes: JSON.parse('{"__proto__":"x"}') },
    'INVALID_ATTRIBUTE_NAME',
    'reserved',
  ],
  ['NUL', { email, first_name: 'a\0b' }, 'INVALID_CHARACTER', 'NUL character'],
  ['half of a pair', { email, custom_attributes: { a: '\ud83d' } }, 'INVALID_CHARACTER', 'half of a surrogate pair'],
  [
    'a value too long',
    { email, custom_attributes: { a: 'x'.repeat(10_001) } },
    'VALUE_TOO_LONG',
    'over 10000 characters',
  ],
  ['a text for a number', { email, orders_count: 'TOPSECRET' }, 'INVALID_VALUE', 'a whole number'],
  ['a number too large', { email, orders_count: 2 ** 31 }, 'INVALID_VALUE', 'a whole number from'],
  ['NaN', { email, total_spent: Number.NaN }, 'INVALID_CUSTOMER', 'total_spent is NaN or Infinity. Give it as a text'],
  [
    'NaN of an attribute',
    { email, custom_attributes: { points: Number.NaN } },
    'INVALID_CUSTOMER',
    'points is NaN or Infinity',
  ],
  ['Infinity', { email, custom_attributes: { points: -Infinity } }, 'INVALID_CUSTOMER', 'points is NaN or Infinity'],
  [
    'a whole number beyond what a number holds',
    { email, custom_attributes: { card: 2 ** 53 } },
    'INVALID_CUSTOMER',
    'card is a whole number that JavaScript cannot hold exactly. Give it as a text or a bigint',
  ],
  ['a date that is none', { email, birthday: '2023-02-29' }, 'INVALID_VALUE', 'a date YYYY-MM-DD'],
  [
    'a CHECK',
    { email, city: 'TOPSECRET' },
    'ROW_REFUSED',
    'refused the row by constraint "no_secret_city" (SQLSTATE 23514)',
  ],
  ['a trigger', { email, company: 'TOPSECRET' }, 'ROW_REFUSED', 'refused the row (SQLSTATE P0001)'],
  ['a number that rounds up too far', { email, total_spent: '9999999999.999' }, 'ROW_REFUSED', '(SQLSTATE 22003)'],
])('%s', async (_what, customer, code, message) => {
  const error = await rejectionOf(upsert(customer))
  expect(error.code).toBe(code)
  if (typeof message === 'string') expect(error.message).toContain(message)
  else expect(error.message).toMatch(message)
  expect(error.message + JSON.stringify(error.details)).not.toContain('TOPSECRET')
  expect(error.message, 'there is none').not.toMatch(/\bcell\b/)
  expect(await contentsOf(db.sql, account), 'nothing is stored').toEqual({ customers: [], definitions: [] })
})

test('a unique constraint of the host: sqlstate and constraint are told, the other customer stays', async () => {
  const other = newAccount()
  const store = createCustomAttributesStore(db.client)
  await store.upsertCustomer(other, { email: 'a@example.com', phone: '5' })
  const error = await rejectionOf(
    store.upsertCustomer(other, { email: 'b@example.com', phone: '5', custom_attributes: { new: '1' } }),
  )
  expect(error).toMatchObject({
    code: 'ROW_REFUSED',
    details: { sqlstate: '23505', constraint: 'customer_phone_un' },
  })
  expect(await contentsOf(db.sql, other)).toMatchObject({ customers: [{ email: 'a@example.com' }], definitions: [] })
})

test('a trigger that swallows the row is an error, not a success without a customer', async () => {
  await db.sql
    .unsafe(`create function customer.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
    create trigger swallow before insert on customer.customer
    for each row when (new.city = 'Atlantis') execute function customer.swallow()`)
    .simple()
  const error = await rejectionOf(upsert({ email, city: 'Atlantis', custom_attributes: { a: '1' } }))
  expect(error.code).toBe('ROW_REFUSED')
  expect(error.message).toContain('a trigger or a rule may have swallowed it')
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test.each([[''], ['not a uuid'], ['7'], [7], [null], [undefined], [{}], [Number.NaN]])(
  'INVALID_ACCOUNT_ID: %j',
  async (accountId) => {
    const store = createCustomAttributesStore(db.client)
    const error = await rejectionOf(store.upsertCustomer(accountId as string, { email }))
    expect(error).toMatchObject({ code: 'INVALID_ACCOUNT_ID', status: 400, details: { expected: 'uuid' } })
    expect(error.message).toMatch(/^accountId must be of the type of account_id \(uuid\), got /)
  },
)

import { describe, expect, test } from 'vitest'
import type { UpsertOptions } from '../../src/db/upsert.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()

/** A store and an account with one customer. */
async function withJohn() {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.upsertCustomer(account, {
    email: 'john@example.com',
    first_name: 'John',
    city: 'Rome',
    status: 'vip',
    custom_attributes: { tier: 'gold', plan: 'pro' },
  })
  const john = async () => (await store.getCustomer(account, 'john@example.com'))!
  return { store, account, john }
}

describe("existing: 'replace'", () => {
  test('replaces the attribute object and keeps standard fields that are not given', async () => {
    const { store, account, john } = await withJohn()
    const given = { email: 'john@example.com', city: 'Oslo', custom_attributes: { plan: 'team' } }
    expect((await store.upsertCustomer(account, given, { existing: 'replace' })).outcome).toBe('updated')
    expect(await john()).toMatchObject({ first_name: 'John', city: 'Oslo' })
    expect((await john()).custom_attributes).toEqual({ plan: 'team' })
    expect((await store.upsertCustomer(account, given, { existing: 'replace' })).outcome).toBe('unchanged')
  })

  test('without attributes takes them all away', async () => {
    const { store, account, john } = await withJohn()
    expect((await store.upsertCustomer(account, { email: 'john@example.com' }, { existing: 'replace' })).outcome).toBe(
      'updated',
    )
    expect((await john()).custom_attributes).toEqual({})
  })
})

test("existing: 'reject' is CUSTOMER_EXISTS and changes nothing; a new customer is created", async () => {
  const { store, account } = await withJohn()
  const before = await versionsOf(db.sql, account)
  const error = await rejectionOf(
    store.upsertCustomer(account, { email: 'JOHN@example.com', city: 'Oslo' }, { existing: 'reject' }),
  )
  expect(error).toMatchObject({
    code: 'CUSTOMER_EXISTS',
    status: 409,
    message: "The customer exists already, and existing is 'reject'.",
  })
  expect(await versionsOf(db.sql, account)).toEqual(before)
  expect((await store.upsertCustomer(account, { email: 'jane@example.com' }, { existing: 'reject' })).outcome).toBe(
    'created',
  )
})

test("unknown: 'reject' is CUSTOMER_NOT_FOUND and stores nothing, no definition either; a known customer is updated", async () => {
  const { store, account } = await withJohn()
  const before = await contentsOf(db.sql, account)
  const error = await rejectionOf(
    store.upsertCustomer(
      account,
      { email: 'jane@example.com', custom_attributes: { new: '1' } },
      { unknown: 'reject' },
    ),
  )
  expect(error).toMatchObject({
    code: 'CUSTOMER_NOT_FOUND',
    status: 404,
    message: "The customer does not exist, and unknown is 'reject'.",
  })
  expect(await contentsOf(db.sql, account)).toEqual(before)
  expect(
    (await store.upsertCustomer(account, { email: 'john@example.com', city: 'Oslo' }, { unknown: 'reject' })).outcome,
  ).toBe('updated')
})

describe("emptyValues: 'clear'", () => {
  const clear: UpsertOptions = { emptyValues: 'clear' }

  test('empties fields and removes attributes that are given empty, and only these', async () => {
    const { store, account, john } = await withJohn()
    const given = { email: 'john@example.com', city: '', company: null, custom_attributes: { tier: '', absent: ' ' } }
    expect((await store.upsertCustomer(account, given, clear)).outcome).toBe('updated')
    expect(await john()).toMatchObject({ first_name: 'John', city: null })
    expect((await john()).custom_attributes).toEqual({ plan: 'pro' })
    expect((await store.upsertCustomer(account, given, clear)).outcome).toBe('unchanged')
  })

  test('keeps a NOT NULL column', async () => {
    const { store, account, john } = await withJohn()
    expect((await store.upsertCustomer(account, { email: 'john@example.com', status: '' }, clear)).outcome).toBe(
      'unchanged',
    )
    expect((await john()).status).toBe('vip')
  })

  test('makes room under the cap in the same call', async () => {
    const { store, account, john } = await withJohn()
    const eight = Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`a${at}`, 'x']))
    await store.upsertCustomer(account, { email: 'john@example.com', custom_attributes: eight })
    const given = { email: 'john@example.com', custom_attributes: { tier: '', new: '1' } }
    expect((await rejectionOf(store.upsertCustomer(account, given))).code).toBe('TOO_MANY_ATTRIBUTES')
    expect((await store.upsertCustomer(account, given, clear)).outcome).toBe('updated')
    expect(Object.keys((await john()).custom_attributes)).toHaveLength(10)
  })

  test('of a customer given by email alone clears nothing', async () => {
    const { store, account, john } = await withJohn()
    const before = await john()
    expect((await store.upsertCustomer(account, { email: 'john@example.com' }, clear)).outcome).toBe('unchanged')
    expect((await store.upsertCustomer(account, { email: 'new@example.com' }, clear)).outcome).toBe('created')
    expect(await john()).toEqual(before)
  })

  test('a name is not recorded for being cleared', async () => {
    const { store, account } = await withJohn()
    await store.upsertCustomer(account, { email: 'john@example.com', custom_attributes: { never: '' } }, clear)
    expect(await store.getAttributeDefinitions(account)).toEqual(['plan', 'tier'])
  })
})

test.each<[UpsertOptions['dateFormat'], string]>([
  ['mdy', '1990-05-01'],
  ['dmy', '1990-01-05'],
])('dateFormat %s reads 05/01/1990 as %s', async (dateFormat, birthday) => {
  const { store, account, john } = await withJohn()
  await store.upsertCustomer(account, { email: 'john@example.com', birthday: '05/01/1990' }, { dateFormat })
  expect((await john()).birthday).toBe(birthday)
})

test('unknown options and values are errors', async () => {
  const { store, account } = await withJohn()
  for (const options of [{ existing: 'skip' }, { dryRun: true }, { emptyValues: true }]) {
    const error = await rejectionOf(
      store.upsertCustomer(account, { email: 'x@example.com' }, options as unknown as UpsertOptions),
    )
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toMatch(/^upsertCustomer/)
  }
})

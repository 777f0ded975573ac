import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { codeOr } from '../support/errors.js'

const db = useDatabase()

test('beside a host that deletes, every upsert tells what it did', async () => {
  const account = newAccount()
  const store = createCustomAttributesStore(db.connect({ max: 3 }))
  const told = new Map<string, number>()
  let isDone = false
  const deleting = (async () => {
    // An upsert that loses its customer ten times in a row says that the row was refused: so not without a pause.
    while (!isDone) await db.sql`delete from customer.customer where account_id = ${account}`.then(() => sleep(2))
  })()
  const upserting = async (worker: number) => {
    for (let at = 0; at < 200; at++) {
      const { id, outcome } = await store.upsertCustomer(account, { email: 'a@example.com', city: `${worker} ${at}` })
      expect(id).toMatch(/^[0-9a-f-]{36}$/)
      told.set(outcome, (told.get(outcome) ?? 0) + 1)
    }
  }
  const rejecting = async () => {
    for (let at = 0; at < 200; at++) {
      const given = { email: 'a@example.com', city: `only ${at}` }
      const outcome = await codeOr(() => store.upsertCustomer(account, given, { unknown: 'reject' }))
      if (typeof outcome === 'string') expect(outcome).toBe('CUSTOMER_NOT_FOUND')
    }
  }
  await Promise.all([upserting(1), upserting(2), rejecting()])
  isDone = true
  await deleting
  expect(told.get('created')).toBeGreaterThan(0)
})

test('behind a trigger that rewrites the e-mail, the customer’s id and names are told and stored', async () => {
  await db.sql`create function customer.rewrite() returns trigger language plpgsql as $$
    begin new.email := replace(new.email, 'old.example', 'new.example'); return new; end $$`
  await db.sql`create trigger rewrite before insert on customer.customer for each row execute function customer.rewrite()`
  const account = newAccount()
  const store = createCustomAttributesStore(db.client)
  const customer = { email: 'a@old.example', custom_attributes: { Tier: 'gold' } }
  const { id, outcome } = await store.upsertCustomer(account, customer)
  expect(outcome).toBe('created')
  expect((await store.getCustomer(account, 'a@new.example'))?.id).toBe(id)
  expect((await contentsOf(db.sql, account)).definitions).toEqual(['Tier'])
})

test('of a customer that is not changed the id is told, too', async () => {
  const account = newAccount()
  const store = createCustomAttributesStore(db.client)
  const { id } = await store.upsertCustomer(account, { email: 'a@example.com', city: 'Rome' })
  for (const [city, outcome] of [
    ['Rome', 'unchanged'],
    ['Oslo', 'updated'],
  ] as const) {
    expect(await store.upsertCustomer(account, { email: 'a@example.com', city })).toEqual({ id, outcome })
  }
})

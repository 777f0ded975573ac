import { beforeEach, expect, test } from 'vitest'
import { createCustomAttributesStore, type RejectedRow } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const account = '00000000-0000-4000-8000-000000000001'

beforeEach(async () => {
  // Each by itself, as Citus wants them.
  for (const statement of [
    'drop trigger if exists refuse on customer.customer',
    `create or replace function refuse() returns trigger language plpgsql as $$
    begin
      if new.first_name like 'bad%' then raise exception 'no % here', new.first_name; end if;
      if new.first_name = 'swallow' then return null; end if;
      return new;
    end $$`,
    'alter table customer.customer drop constraint if exists short_city',
    'alter table customer.customer add constraint short_city check (length(city) < 5)',
    'drop index if exists customer.one_phone',
    'create unique index one_phone on customer.customer (account_id, phone)',
    'truncate customer.customer, customer.custom_attribute_definition',
  ]) {
    await db.sql.unsafe(statement)
  }
})

async function addTrigger(when: 'before' | 'after'): Promise<void> {
  await db.sql.unsafe(`create trigger refuse ${when} insert or update on customer.customer
    for each row execute function refuse()`)
}

/** Rows of which every `each`-th is named bad. */
function file(rows: number, each: number): string {
  const lines = Array.from(
    { length: rows },
    (_, at) => `c${at}@example.com,${at % each === 0 ? 'bad' : 'good'}${at},gold`,
  )
  return `email,first_name,tier\n${lines.join('\n')}\n`
}

test.each([
  { rows: samples(5000, 900), each: 2 },
  { rows: samples(5000, 2100), each: 1000 },
  { rows: 300, each: 1 },
])('of $rows rows one in $each refused by a trigger: exactly these are rejected', async ({ rows, each }) => {
  await addTrigger('after')
  const store = createCustomAttributesStore(db.client)
  const refused: RejectedRow[] = []
  const result = await store.uploadCsv(account, file(rows, each), {
    onRejected: (row) => refused.push(row),
    batchSize: 700,
  })
  const bad = Math.ceil(rows / each)
  expect(result).toMatchObject({
    rowsTotal: rows,
    customersCreated: rows - bad,
    customersUpdated: 0,
    customersUnchanged: 0,
    rowsRejected: bad,
    customAttributesFound: bad === rows ? [] : ['tier'],
  })
  expect(refused.map(({ row }) => row).sort((a, b) => a - b)).toEqual(
    Array.from({ length: bad }, (_, at) => at * each + 2),
  )
  expect(refused[0]).toMatchObject({ code: 'ROW_REFUSED', details: { sqlstate: 'P0001' } })
  expect(refused[0]!.message).not.toContain('bad')
  const [count] = await db.sql`select count(*)::int as stored from customer.customer where first_name like 'good%'`
  expect(count).toEqual({ stored: rows - bad })
  expect(await store.getAttributeDefinitions(account)).toEqual(bad === rows ? [] : ['tier'])
})

test('constraints of the host are named, and the rest is stored', async () => {
  const store = createCustomAttributesStore(db.client)
  const csv = 'email,phone,city\na@x.com,1,Rome\nb@x.com,1,Oslo\nc@x.com,2,Barcelona\nd@x.com,3,Bonn\n'
  const result = await store.uploadCsv(account, csv)
  expect(result).toMatchObject({ customersCreated: 2, rowsRejected: 2 })
  // Which of the two with one phone is stored is not fixed.
  expect(result.rejected.map(({ details }) => details)).toEqual([
    { sqlstate: '23505', constraint: 'one_phone' },
    { sqlstate: '23514', constraint: 'short_city' },
  ])
  expect(result.rejected[0]!.row).toBeOneOf([2, 3])
  expect(result.rejected[1]!.row).toBe(4)
})

test('a row that a trigger swallows without an error is rejected, not counted as stored', async () => {
  await addTrigger('before')
  const store = createCustomAttributesStore(db.client)
  const csv = 'email,first_name\na@x.com,good\nb@x.com,swallow\nc@x.com,bad\n'
  const result = await store.uploadCsv(account, csv)
  expect(result).toMatchObject({ customersCreated: 1, rowsRejected: 2, rowsTotal: 3 })
  expect(result.rejected.map(({ row, code }) => [row, code])).toEqual([
    [3, 'ROW_REFUSED'],
    [4, 'ROW_REFUSED'],
  ])
})

test('a deferred constraint refuses its row, not the batch', async () => {
  await db.sql.unsafe(`create constraint trigger late after insert on customer.customer deferrable initially deferred
    for each row execute function refuse()`)
  const result = await createCustomAttributesStore(db.client).uploadCsv(account, file(200, 20))
  expect(result).toMatchObject({ customersCreated: 190, rowsRejected: 10 })
  await db.sql.unsafe('drop trigger late on customer.customer')
})

test.each(['transaction', 'atomic', 'dryRun'] as const)('refused rows in a %s', async (mode) => {
  await addTrigger('after')
  const store = createCustomAttributesStore(db.client)
  const rows = samples(1000, 400)
  const bad = Math.ceil(rows / 3)
  const upload = (on: typeof store) =>
    on.uploadCsv(account, file(rows, 3), { batchSize: 300, atomic: mode === 'atomic', dryRun: mode === 'dryRun' })
  const result = await (mode === 'transaction' ? db.client.begin((tx) => upload(store.with(tx))) : upload(store))
  expect(result).toMatchObject({ rowsTotal: rows, customersCreated: rows - bad, rowsRejected: bad })
  const [count] = await db.sql`select count(*)::int as stored from customer.customer`
  expect(count).toEqual({ stored: mode === 'dryRun' ? 0 : rows - bad })
})

test('updates that are refused leave the customer as it was', async () => {
  const store = createCustomAttributesStore(db.client)
  await store.uploadCsv(account, 'email,city,tier\na@x.com,Rome,gold\nb@x.com,Oslo,gold\n')
  const result = await store.uploadCsv(account, 'email,city,tier\na@x.com,Barcelona,new\nb@x.com,Bonn,new\n')
  expect(result).toMatchObject({ customersUpdated: 1, rowsRejected: 1 })
  expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
    city: 'Rome',
    custom_attributes: { tier: 'gold' },
  })
})

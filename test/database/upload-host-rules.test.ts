import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'

// A foreign key to a table of one node is none that Citus knows.
const db = useDatabase({ distributed: false })
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

// Rules of a host that the library cannot know before the database says so.
beforeAll(async () => {
  await db.sql
    .unsafe(`
    create table customer.known_country (code text primary key);
    insert into customer.known_country values ('DE'), ('DK');
    alter table customer.customer
      add constraint city_is_no_number check (city !~ '^[0-9]'),
      add constraint customer_phone_un unique (account_id, phone),
      add constraint customer_country_fk foreign key (country) references customer.known_country;
    create unique index company_once on customer.customer (account_id, lower(company));
    create function customer.judge() returns trigger language plpgsql as $$
    begin
      if new.status = 'raise' then raise exception 'TOPSECRET %', new.email; end if;
      if new.status = 'data' then raise exception 'x' using errcode = '22023'; end if;
      if new.status = 'swallow' then return null; end if;
      return new;
    end $$;
    create trigger judge before insert or update on customer.customer for each row execute function customer.judge();
    create function customer.judge_later() returns trigger language plpgsql as $$
    begin
      if new.status = 'later' then raise exception 'too late' using errcode = '23514', constraint = 'judged_later'; end if;
      return null;
    end $$;
    create constraint trigger judge_later after insert or update on customer.customer
      deferrable initially deferred for each row execute function customer.judge_later()`)
    .simple()
})

const headers = ['email', 'city', 'phone', 'country', 'company', 'status', 'total_spent', 'tier']
const row = (name: string, values: Partial<Record<string, string>> = {}) =>
  headers.map((header) => (header === 'email' ? `${name}@example.com` : (values[header] ?? '')))

test.each<[string, Record<string, string>, Record<string, unknown>]>([
  ['a CHECK', { city: '5th' }, { sqlstate: '23514', constraint: 'city_is_no_number' }],
  ['a unique constraint', { phone: 'taken' }, { sqlstate: '23505', constraint: 'customer_phone_un' }],
  ['a unique index', { company: 'TAKEN' }, { sqlstate: '23505', constraint: 'company_once' }],
  ['a foreign key', { country: 'XX' }, { sqlstate: '23503', constraint: 'customer_country_fk' }],
  ["a trigger's raise", { status: 'raise' }, { sqlstate: 'P0001' }],
  ["a trigger's data error", { status: 'data' }, { sqlstate: '22023' }],
  ['a number that rounds up too far', { total_spent: '9999999999.999' }, { sqlstate: '22003' }],
  ['a deferred constraint trigger', { status: 'later' }, { sqlstate: '23514', constraint: 'judged_later' }],
])('%s: the row is rejected with its reason, the others are stored', async (_what, bad, details) => {
  const rounds = [
    [7, true],
    [1_000, false],
    [1, false],
    [1_000, true],
  ] as const
  for (const [batchSize, exists] of rounds.slice(0, samples(4, 2))) {
    const { store, account } = open()
    await store.upsertCustomer(account, { email: 'other@example.com', phone: 'taken', company: 'Taken' })
    if (exists) await store.upsertCustomer(account, { email: 'p33@example.com', city: 'Rome' })
    const before = await store.getCustomer(account, 'p33@example.com')
    const rows = Array.from({ length: 100 }, (_, at) => row(`p${at}`, at === 33 ? { ...bad, tier: 'x' } : {}))
    const result = await store.uploadCsv(account, writeCsv([headers, ...rows]), { batchSize })
    expect(result).toMatchObject({ rowsTotal: 100, customersCreated: 99, rowsRejected: 1, customAttributesFound: [] })
    const [rejected] = result.rejected
    expect(rejected).toMatchObject({ row: 35, line: 35, code: 'ROW_REFUSED', details, record: rows[33] })
    expect(rejected!.message).toMatch(
      /^The database refused the row( by constraint "\w+")? \(SQLSTATE \w{5}\)\. (?:Correct the row|It refers to a row that is not there, or rows of another table refer to it: mend these), or change the rule in the database\.$/,
    )
    expect(JSON.stringify(rejected)).not.toContain('TOPSECRET')
    expect(await store.getCustomer(account, 'p33@example.com')).toEqual(before)
    expect(await store.getAttributeDefinitions(account)).toEqual([])
  }
})

test('a deferred constraint refuses its row, and only it, in one transaction too', async () => {
  const rows = Array.from({ length: 20 }, (_, at) => row(`p${at}`, at === 13 ? { status: 'later' } : {}))
  for (const options of [{ atomic: true }, { atomic: true, batchSize: 3 }, { dryRun: true }]) {
    const { store, account } = open()
    const result = await store.uploadCsv(account, writeCsv([headers, ...rows]), options)
    expect(result).toMatchObject({ rowsTotal: 20, customersCreated: 19, rowsRejected: 1 })
    expect(result.rejected).toMatchObject([{ row: 15, code: 'ROW_REFUSED', details: { constraint: 'judged_later' } }])
  }
})

test('a trigger that swallows rows: each is rejected, none is counted as stored', async () => {
  for (const batchSize of [1, 7, 1_000]) {
    const { store, account } = open()
    await store.upsertCustomer(account, { email: 'p6@example.com' })
    const rows = Array.from({ length: 30 }, (_, at) => row(`p${at}`, at % 3 ? {} : { status: 'swallow', tier: 'x' }))
    const result = await store.uploadCsv(account, writeCsv([headers, ...rows]), { batchSize })
    expect(result).toMatchObject({ rowsTotal: 30, customersCreated: 20, customersUpdated: 0, rowsRejected: 10 })
    expect(result.rejected.map(({ code }) => code)).toEqual(result.rejected.map(() => 'ROW_REFUSED'))
    expect(result.rejected[0]!.message).toContain('may have swallowed it')
    expect((await contentsOf(db.sql, account)).customers).toHaveLength(21)
    expect(await store.getAttributeDefinitions(account)).toEqual([])
  }
})

describe('many refusals', () => {
  const ROWS = samples(2_000, 240)
  const rows = Array.from({ length: ROWS }, (_, at) =>
    row(`p${at}`, at % 2 ? { city: '5', tier: 'lost' } : { tier: 'kept' }),
  )

  test.each([{}, { batchSize: 50, concurrency: 4 }, { atomic: true }, { dryRun: true }])(
    'every second row, %j: exact counts',
    async (options) => {
      const { store, account } = open()
      const heard: number[] = []
      const result = await store.uploadCsv(account, writeCsv([headers, ...rows]), {
        ...options,
        onRejected: ({ row }) => heard.push(row),
      })
      expect(result).toMatchObject({
        rowsTotal: ROWS,
        customersCreated: ROWS / 2,
        rowsRejected: ROWS / 2,
        customAttributesFound: ['tier'],
      })
      expect(heard.sort((a, b) => a - b)).toEqual(Array.from({ length: ROWS / 2 }, (_, at) => 3 + 2 * at))
      const { customers } = await contentsOf(db.sql, account)
      expect(customers).toHaveLength('dryRun' in options ? 0 : ROWS / 2)
      expect(customers.every(({ custom_attributes }) => (custom_attributes as { tier: string }).tier === 'kept')).toBe(
        true,
      )
    },
  )
})

test('rivals for one phone: the counts add up, and exactly one of them is stored', async () => {
  for (const options of [{ batchSize: 1 }, { batchSize: 3, concurrency: 4 }, {}]) {
    const { store, account } = open()
    const rows = Array.from({ length: 20 }, (_, at) => row(`p${at}`, { phone: `${at % 5}` }))
    expect(await store.uploadCsv(account, writeCsv([headers, ...rows]), options)).toMatchObject({
      rowsTotal: 20,
      customersCreated: 5,
      rowsRejected: 15,
    })
    const { customers } = await contentsOf(db.sql, account)
    expect(customers.map(({ phone }) => phone).sort()).toEqual(['0', '1', '2', '3', '4'])
  }
})

test('a refused row between rows of the same customer counts as if row by row', async () => {
  for (const batchSize of [1, 2, 1_000]) {
    const { store, account } = open()
    const rows = [
      row('a', { city: 'Rome' }),
      row('a', { city: '5' }),
      row('a', { city: '5' }),
      row('b', { city: '5' }),
      row('b', { city: 'Rome' }),
      row('a', { city: 'Rome' }),
      row('a', { city: 'Oslo' }),
    ]
    const result = await store.uploadCsv(account, writeCsv([headers, ...rows]), { batchSize })
    expect(result).toMatchObject({ customersCreated: 2, customersUpdated: 1, customersUnchanged: 1, rowsRejected: 3 })
    expect(result.rejected.map(({ row }) => row)).toEqual([3, 4, 5])
  }
})

test("onInvalidRow: 'abort' ends at a refused row too", async () => {
  const { store, account } = open()
  const error = await rejectionOf(
    store.uploadCsv(account, writeCsv([headers, row('a'), row('b', { city: '5' })]), { onInvalidRow: 'abort' }),
  )
  expect(error).toMatchObject({
    code: 'INVALID_ROW',
    details: { row: 3, code: 'ROW_REFUSED', constraint: 'city_is_no_number', sqlstate: '23514' },
  })
})

test('an error that is no refusal ends the upload: what it was stays as the cause', async () => {
  const { store, account } = open()
  await db.sql
    .unsafe(`create function customer.break() returns trigger language plpgsql as $$
    begin raise exception 'out of order' using errcode = 'XX000'; end $$;
    create trigger a_break before insert on customer.customer for each row
    when (new.address2 = 'break') execute function customer.break()`)
    .simple()
  const error = await rejectionOf(
    store.uploadCsv(account, 'email,address2\na@example.com,\nb@example.com,break\n', { batchSize: 1, concurrency: 1 }),
  )
  expect(error).toMatchObject({
    code: 'DATABASE_ERROR',
    status: 500,
    details: { sqlstate: 'XX000', stored: { customersCreated: 1 } },
  })
  expect((error.cause as Error).message).toContain('out of order')
  expect(error.message).not.toContain('out of order')
})

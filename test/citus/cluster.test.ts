import { beforeEach, expect, test } from 'vitest'
import { type CustomAttributesStore, createCustomAttributesStore, type RejectedRow } from '../../src/index.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, readSql, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
let store: CustomAttributesStore
let account: string
beforeEach(() => {
  // A client of its own: what a test does to workers' connections is not the next one's.
  store = createCustomAttributesStore(db.connect())
  account = newAccount()
})

test('both tables are distributed by account_id, side by side', async () => {
  const tables = await db.sql`
    select table_name::text as name, distribution_column as by, colocation_id as beside from citus_tables order by 1`
  expect(tables).toMatchObject([
    { name: 'customer.custom_attribute_definition', by: 'account_id', beside: tables[1]!.beside },
    { name: 'customer.customer', by: 'account_id' },
  ])
})

test('eight appliers at once distribute the tables once', async () => {
  const file = await readSql('citus/0003_distribute_by_account.up.sql')
  const other = await createDatabase()
  try {
    await other.sql.unsafe(await readSql('citus/0003_distribute_by_account.down.sql')).simple()
    expect(await other.sql`select from citus_tables where citus_table_type = 'distributed'`).toHaveLength(0)
    const clients = Array.from({ length: 8 }, () => other.openSql({ max: 1 }))
    await Promise.all(clients.map((client) => client`select 1`))
    await Promise.all(clients.map((client) => client.begin((tx) => tx.unsafe(file).simple())))
    expect(await other.sql`select from citus_tables where citus_table_type = 'distributed'`).toHaveLength(2)
  } finally {
    await other.drop()
  }
})

test('a session whose DateStyle would change days and months on the way is refused', async () => {
  const client = db.connect({ connection: { DateStyle: 'SQL, DMY' } })
  const error = await rejectionOf(createCustomAttributesStore(client).upsertCustomer(account, { email: 'a@x.com' }))
  expect(error.code).toBe('SCHEMA_NOT_READY')
  const remedied = db.connect({ connection: { DateStyle: 'ISO' } })
  await createCustomAttributesStore(remedied).upsertCustomer(account, { email: 'a@x.com' })
})

test('four uploads at once on one account, in all modes, twenty times: no deadlock reaches the caller', async () => {
  const csv = (name: string) =>
    `email,city\n${Array.from({ length: 60 }, (_, at) => `p${at}@x.com,${name}`).join('\n')}\n`
  await store.uploadCsv(account, csv('before'))
  for (let round = 0; round < 20; round++) {
    const results = await Promise.all([
      store.uploadCsv(account, csv(`plain ${round}`), { batchSize: 20 }),
      store.uploadCsv(account, csv(`atomic ${round}`), { atomic: true, batchSize: 20 }),
      store.uploadCsv(account, csv(`dry ${round}`), { dryRun: true, batchSize: 20 }),
      store.uploadCsv(account, csv(`known ${round}`), { unknown: 'reject', batchSize: 20 }),
    ])
    for (const { rowsTotal, rowsRejected } of results) expect([rowsTotal, rowsRejected]).toEqual([60, 0])
  }
})

test('an account does not wait for another one that is locked', async () => {
  const other = newAccount()
  await store.uploadCsv(other, 'email,city\na@x.com,Rome\n')
  await store.uploadCsv(account, 'email,city\na@x.com,Rome\n')
  await db.sql.begin(async (tx) => {
    await tx`update customer.customer set city = 'held' where account_id = ${other}`
    const result = await store.uploadCsv(account, 'email,city\na@x.com,Oslo\nb@x.com,Oslo\n')
    expect(result).toMatchObject({ customersCreated: 1, customersUpdated: 1 })
  })
})

test('a refused row names its constraint as the table does, not as the shard', async () => {
  await db.sql.unsafe(`alter table customer.customer add constraint no_atlantis check (city <> 'Atlantis')`)
  await db.sql.unsafe('create unique index one_phone on customer.customer (account_id, phone)')
  const rows = ['a@x.com,Rome,1', 'b@x.com,Atlantis,2', 'c@x.com,Rome,1', 'd@x.com,Rome,4']
  const refused: RejectedRow[] = []
  const result = await store.uploadCsv(account, `email,city,phone\n${rows.join('\n')}\n`, {
    onRejected: (row) => refused.push(row),
  })
  expect(result).toMatchObject({ customersCreated: 2, rowsRejected: 2 })
  refused.sort((a, b) => a.row - b.row)
  expect(refused.map(({ row, code, details }) => [row, code, details])).toEqual([
    [3, 'ROW_REFUSED', { sqlstate: '23514', constraint: 'no_atlantis' }],
    [4, 'ROW_REFUSED', { sqlstate: '23505', constraint: 'one_phone' }],
  ])
  const error = await rejectionOf(store.upsertCustomer(account, { email: 'e@x.com', city: 'Atlantis' }))
  expect(error.details).toEqual({ sqlstate: '23514', constraint: 'no_atlantis' })
})

test('a worker whose connections end is told as CONNECTION_LOST, and the next call succeeds', async () => {
  await store.upsertCustomer(account, { email: 'a@x.com' })
  const ended = await db.sql.begin(async (tx) => {
    await tx`select from customer.customer where account_id = ${account} for update`
    const call = rejectionOf(store.upsertCustomer(account, { email: 'a@x.com', city: 'Rome' }))
    await tx`select pg_sleep(0.3)`
    await tx`select run_command_on_workers($$
      select count(pg_terminate_backend(pid)) from pg_stat_activity
      where datname = current_database() and application_name like 'citus_internal%' and wait_event_type = 'Lock' $$)`
    return call
  })
  expect(ended).toMatchObject({ code: 'CONNECTION_LOST' })
  expect((await store.upsertCustomer(account, { email: 'a@x.com', city: 'Rome' })).outcome).toBe('updated')
})

test('a worker lost within a transaction is rolled back: no connection stays in it', async () => {
  let batches = 0
  const client = db.connect({
    max: 1,
    debug: (_, text) => {
      if (text.includes('insert into "customer"."customer"') && ++batches === 3) void endWorkers()
    },
  })
  const endWorkers = async () =>
    await db.sql`select run_command_on_workers($$
    select count(pg_terminate_backend(pid)) from pg_stat_activity
    where datname = current_database() and application_name like 'citus_internal%' and pid <> pg_backend_pid() $$)`
  const csv = `email,tier\n${Array.from({ length: 4_000 }, (_, at) => `c${at}@x.com,gold`).join('\n')}\n`
  const error = await rejectionOf(
    createCustomAttributesStore(client).uploadCsv(account, csv, { atomic: true, batchSize: 100 }),
  )
  expect(error).toMatchObject({ code: 'CONNECTION_LOST', details: { stored: { customersCreated: 0 } } })
  await db.assertNoOpenTransaction()
  expect(await db.sql`select from customer.customer where account_id = ${account}`).toHaveLength(0)
  expect(await createCustomAttributesStore(client).uploadCsv(account, csv)).toMatchObject({ customersCreated: 4_000 })
})

test.each([{ atomic: true }, { dryRun: true }])('%o keeps other uploads of the account out', async (mode) => {
  const csv = (by: string) =>
    `email,first_name,tier\n${Array.from({ length: 400 }, (_, at) => `c${at}@x.com,${by},${by}`).join('\n')}\n`
  await store.uploadCsv(account, csv('first'))
  const uploads = [mode, {}, { unknown: 'reject' as const }, { existing: 'replace' as const }, mode]
  const results = await Promise.all(
    uploads.map((options, at) => store.uploadCsv(account, csv(`by ${at}`), { ...options, batchSize: 50 })),
  )
  for (const result of results) expect(result).toMatchObject({ customersUpdated: 400, rowsRejected: 0 })
})

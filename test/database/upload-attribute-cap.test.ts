import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const names = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => `a${from + at}`)
const fileOf = (email: string, columns: string[]) =>
  writeCsv([
    ['email', ...columns],
    [email, ...columns.map(() => 'x')],
  ])

test('a file of 11 attributes is refused before the first row: Maximum 10 custom attributes', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const error = await rejectionOf(store.uploadCsv(account, fileOf('john@example.com', names(1, 11))))
  expect(error.code).toBe('TOO_MANY_ATTRIBUTES')
  expect(error.message).toMatch(/^Maximum 10 custom attributes allowed\. Found 11: a1, a2,/)
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test('the cap holds per customer across uploads: the row over it is rejected whole, the others are stored', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(account, fileOf('full@example.com', names(1, 10)))
  await store.uploadCsv(account, fileOf('half@example.com', names(1, 5)))
  const csv = writeCsv([
    ['email', 'city', ...names(8, 13)],
    ['full@example.com', 'Rome', '', '', '', 'x', '', ''],
    ['half@example.com', 'Rome', 'x', 'x', 'x', 'x', 'x', ''],
    ['new@example.com', 'Rome', 'x', 'x', 'x', 'x', 'x', 'x'],
    ['full@example.com', 'Oslo', 'y', 'y', 'y', '', '', ''],
    ['half@example.com', 'Oslo', '', '', '', '', '', 'x'],
  ])
  for (const batchSize of [1, 2, 1_000]) {
    const result = await store.uploadCsv(account, csv, { batchSize, dryRun: true })
    expect(result).toMatchObject({ rowsTotal: 5, customersCreated: 1, customersUpdated: 2, rowsRejected: 2 })
  }
  const result = await store.uploadCsv(account, csv)
  expect(result.rejected).toMatchObject([
    {
      row: 2,
      line: 2,
      code: 'TOO_MANY_ATTRIBUTES',
      details: { max: 10 },
      record: ['full@example.com', 'Rome', '', '', '', 'x', '', ''],
    },
    { row: 6, line: 6, code: 'TOO_MANY_ATTRIBUTES' },
  ])
  expect(result.rejected[0]!.message).toMatch(/^Maximum 10 custom attributes allowed/)
  const { customers } = await contentsOf(db.sql, account)
  expect(customers).toMatchObject([
    { email: 'full@example.com', city: 'Oslo' },
    { email: 'half@example.com', city: 'Rome' },
    { email: 'new@example.com', city: 'Rome' },
  ])
  expect(customers.map(({ custom_attributes }) => Object.keys(custom_attributes as object).length)).toEqual([10, 10, 6])
})

test('a name that only rejected rows carried is not recorded', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(account, fileOf('full@example.com', names(1, 10)))
  const result = await store.uploadCsv(account, fileOf('full@example.com', ['a1', 'too_much']))
  expect(result).toMatchObject({ rowsRejected: 1, customAttributesFound: [] })
  expect(await store.getAttributeDefinitions(account)).not.toContain('too_much')
})

test('two uploads that race: together they never pass it', async () => {
  const store = createCustomAttributesStore(db.connect({ max: 8 }))
  for (let round = 0; round < 10; round++) {
    const account = newAccount()
    const file = (from: number) =>
      writeCsv([
        ['email', ...names(from, from + 5)],
        ...Array.from({ length: 50 }, (_, at) => [`p${at}@example.com`, ...names(1, 6)]),
      ])
    const results = await Promise.all([1, 7].map((from) => store.uploadCsv(account, file(from), { batchSize: 10 })))
    const sum = (count: 'customersCreated' | 'customersUpdated' | 'rowsRejected') =>
      results.reduce((total, result) => total + result[count], 0)
    expect([sum('customersCreated'), sum('customersUpdated'), sum('rowsRejected')]).toEqual([50, 0, 50])
    const { customers } = await contentsOf(db.sql, account)
    expect(customers.every(({ custom_attributes }) => Object.keys(custom_attributes as object).length === 6)).toBe(true)
  }
})

test('another cap: 3, and none at all', async () => {
  for (const maxCustomAttributes of [3, 0]) {
    const name = `cap_${maxCustomAttributes}`
    const { readMigrations } = await import('../../src/index.js')
    const tables = { customerTable: name, definitionTable: `${name}_definition`, maxCustomAttributes }
    await db.sql.unsafe(
      `create table ${name} (id uuid primary key default gen_random_uuid(), account_id uuid not null, email text not null, unique (account_id, email))`,
    )
    for (const { up } of readMigrations(tables)) await db.sql.unsafe(up).simple()
    const store = createCustomAttributesStore(db.client, tables)
    const account = newAccount()
    const error = await rejectionOf(
      store.uploadCsv(account, fileOf('a@example.com', names(1, maxCustomAttributes + 1))),
    )
    expect(error.message).toContain(`Maximum ${maxCustomAttributes} custom attributes allowed.`)
    expect(await store.uploadCsv(account, fileOf('a@example.com', names(1, maxCustomAttributes)))).toMatchObject({
      customersCreated: 1,
    })
    const more = await store.uploadCsv(account, fileOf('a@example.com', names(2, maxCustomAttributes + 1)))
    expect(more).toMatchObject(maxCustomAttributes === 0 ? { customersUnchanged: 1 } : { rowsRejected: 1 })
  }
})

test('a row over it names the attributes that its customer has, and once one is removed or merged it is stored', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(account, fileOf('full@example.com', names(1, 10)))
  const row = fileOf('full@example.com', ['b1'])
  for (const rows of [row, `${row}${row.split('\n').slice(1).join('\n')}`]) {
    const { rejected } = await store.uploadCsv(account, rows)
    expect(rejected[0]).toMatchObject({ code: 'TOO_MANY_ATTRIBUTES', details: { max: 10, names: names(1, 10).sort() } })
    expect(rejected[0]!.message).toContain('the customer has a1, a10, a2,')
  }
  const customer = { email: 'full@example.com', custom_attributes: { b1: 'x' } }
  const error = await rejectionOf(store.upsertCustomer(account, customer))
  expect(error.details).toMatchObject({ names: names(1, 10).sort() })
  await store.renameAttribute(account, 'a1', 'a2', { onConflict: 'keep-target' })
  expect(await store.uploadCsv(account, row)).toMatchObject({ customersUpdated: 1 })
  await store.removeAttribute(account, 'a3')
  await store.upsertCustomer(account, { email: 'full@example.com', custom_attributes: { b2: 'x' } })
})

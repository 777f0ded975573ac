import { beforeEach, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { UploadOptions } from '../../src/upload/options.js'
import { contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
let store: CustomAttributesStore
let account: string

beforeEach(async () => {
  store = createCustomAttributesStore(db.client)
  account = newAccount()
  await store.uploadCsv(account, 'email,city,tier\np0@example.com,Rome,gold\np1@example.com,Oslo,\n')
})

const rows = [
  'p0@example.com,Rome,gold',
  'p1@example.com,Bonn,silver',
  ...Array.from({ length: 40 }, (_, at) => `new${at}@example.com,,x`),
]
const csv = `email,city,tier\n${rows.join('\n')}\n`
const counts = { rowsTotal: 42, customersCreated: 40, customersUpdated: 1, customersUnchanged: 1, rowsRejected: 0 }
const none = { customersCreated: 0, customersUpdated: 0, customersUnchanged: 0 }
const state = async () => ({
  contents: await contentsOf(db.sql, account),
  versions: await versionsOf(db.sql, account),
  definitions:
    await db.sql`select *, xmin::text from customer.custom_attribute_definition where account_id = ${account} order by attribute_name`,
})

describe('atomic', () => {
  test('stores all of a good file, with the same counts', async () => {
    expect(await store.uploadCsv(account, csv, { atomic: true, batchSize: 7 })).toMatchObject(counts)
    expect((await contentsOf(db.sql, account)).customers).toHaveLength(42)
  })

  test.each<[string, string, UploadOptions, string]>([
    ['a bad row under abort', `${csv}bad,,\n`, { onInvalidRow: 'abort' }, 'INVALID_ROW'],
    ['a quote that is never closed', `${csv}last@example.com,"x,\n`, {}, 'UNCLOSED_QUOTE'],
    ['too many rows', csv, { maxRows: 41 }, 'TOO_MANY_ROWS'],
    [
      'a record too large',
      `${csv}last@example.com,${'x'.repeat(2_000)},\n`,
      { maxRecordBytes: 1_000 },
      'RECORD_TOO_LARGE',
    ],
  ])(
    '%s: both tables are as before, and the error says that nothing was stored',
    async (_what, file, options, code) => {
      const before = await state()
      const error = await rejectionOf(store.uploadCsv(account, file, { ...options, atomic: true, batchSize: 5 }))
      expect(error.code).toBe(code)
      const { stored = none } = error.details as { stored?: typeof none }
      expect(stored).toMatchObject(none)
      expect(await state()).toEqual(before)
    },
  )

  test('a failing source: nothing was stored', async () => {
    const before = await state()
    async function* failing() {
      yield csv
      yield csv.replaceAll('new', 'more').repeat(80)
      throw new Error('gone')
    }
    const error = await rejectionOf(store.uploadCsv(account, failing(), { atomic: true, batchSize: 5 }))
    expect(error.code).toBe('SOURCE_FAILED')
    expect(await state()).toEqual(before)
  })

  test('under skip bad rows are rejected and the rest is stored', async () => {
    const result = await store.uploadCsv(account, `${csv}bad,,\n`, { atomic: true })
    expect(result).toMatchObject({ ...counts, rowsTotal: 43, rowsRejected: 1 })
  })

  test('nobody sees anything of it before its end', async () => {
    let seen: number[] = []
    async function* slow() {
      for (const line of csv.split(/(?<=\n)/)) {
        yield line
        if (line.includes('new2') || line.includes('new39'))
          seen.push((await contentsOf(db.sql, account)).customers.length)
      }
      yield `${'\n'.repeat(70_000)}`
      seen.push((await contentsOf(db.sql, account)).customers.length)
    }
    await store.uploadCsv(account, slow(), { atomic: true, batchSize: 1 })
    expect(new Set(seen)).toEqual(new Set([2]))
    seen = []
    expect((await contentsOf(db.sql, account)).customers).toHaveLength(42)
  })
})

describe('dryRun', () => {
  test.each([{}, { batchSize: 5 }, { concurrency: 4 }, { atomic: true }])(
    'counts as the real run does, and writes nothing: %j',
    async (options) => {
      const before = await state()
      const file = `${csv}bad,,\nfull@example.com,Rome,gold\n`
      const { durationMs: _, ...tried } = await store.uploadCsv(account, file, { ...options, dryRun: true })
      expect(tried).toMatchObject({ ...counts, rowsTotal: 44, customersCreated: 41, rowsRejected: 1 })
      expect(await state()).toEqual(before)
      const { durationMs: __, ...real } = await store.uploadCsv(account, file, options)
      expect(real).toEqual(tried)
    },
  )

  test('a file that is broken is told like in the real run', async () => {
    const before = await state()
    const error = await rejectionOf(store.uploadCsv(account, `${csv}x@example.com,"x`, { dryRun: true, batchSize: 3 }))
    expect(error).toMatchObject({ code: 'UNCLOSED_QUOTE', details: { stored: { customersCreated: 0 } } })
    expect(await state()).toEqual(before)
  })
})

test('neither leaves a connection in a transaction, nor a lock', async () => {
  for (const options of [{ atomic: true }, { dryRun: true }, {}]) {
    await store.uploadCsv(account, csv, options)
    await rejectionOf(store.uploadCsv(account, `${csv}x,"`, options))
  }
  await db.assertNoOpenTransaction()
  const [row] = await db.sql<
    { locks: number }[]
  >`select count(*)::int as locks from pg_locks where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())`
  expect(row!.locks).toBe(0)
})

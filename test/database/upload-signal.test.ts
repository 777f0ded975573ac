import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { UploadOptions, UploadProgress } from '../../src/upload/options.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'
import { until, untilAsleep, untilLocked, untilQuiet } from '../support/waiting.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const customersOf = async (account: string) => (await contentsOf(db.sql, account)).customers.length

beforeAll(async () => {
  await db.sql`alter table customer.customer add constraint not_refused check (city <> 'refused')`
})

test('a signal that has aborted before reads and writes nothing', async () => {
  const { store, account } = open()
  let isRead = false
  async function* source() {
    isRead = true
    yield 'email\na@example.com\n'
  }
  const reason = new Error('never mind')
  const error = await rejectionOf(store.uploadCsv(account, source(), { signal: AbortSignal.abort(reason) }))
  expect(error).toMatchObject({ code: 'ABORTED', status: 499, message: 'The signal stopped the work.' })
  expect(error.cause).toBe(reason)
  expect(isRead).toBe(false)
})

describe('while the source does not answer', () => {
  test.each<UploadOptions>([{}, { atomic: true }, { dryRun: true }])(
    'stops promptly, says what was stored, frees the connection: %j',
    async (options) => {
      const account = newAccount()
      const sql = db.connect({ max: 1, connection: { application_name: 'silent source' } })
      const store = createCustomAttributesStore(sql)
      let isSilent = false
      async function* source() {
        yield `email\n${Array.from({ length: samples(20_000, 3_000) }, (_, at) => `p${at}@example.com`.padEnd(120)).join('\n')}\n`
        isSilent = true
        await new Promise(() => {})
      }
      const controller = new AbortController()
      const uploading = rejectionOf(
        store.uploadCsv(account, source(), { ...options, signal: controller.signal, batchSize: 500 }),
      )
      await until('the file is not read', () => isSilent)
      await untilQuiet(db.sql, 'silent source')
      controller.abort()
      // The source still does not answer, and never will.
      const error = await uploading
      expect(error.code).toBe('ABORTED')
      const stored = await customersOf(account)
      expect(error.details.stored).toMatchObject({ customersCreated: stored })
      if (Object.keys(options).length > 0) expect(stored).toBe(0)
      else expect(stored).toBeGreaterThan(0)
      // The only connection is free again.
      expect(await store.getCustomer(account, 'nobody@example.com')).toBeNull()
    },
  )
})

test('while the database does not answer: the statement is cancelled, and nothing of it is stored', async () => {
  const { store, account } = open()
  await store.upsertCustomer(account, { email: 'locked@example.com' })
  const holder = await db.sql.reserve()
  await holder`begin`
  await holder`update customer.customer set city = 'held' where account_id = ${account}`
  try {
    const controller = new AbortController()
    const uploading = rejectionOf(
      store.uploadCsv(account, 'email,city\nnew@example.com,Rome\nlocked@example.com,Rome\n', {
        signal: controller.signal,
      }),
    )
    await untilLocked(db.sql)
    controller.abort()
    // The lock is still held, until this test gives it back.
    const error = await uploading
    expect(error).toMatchObject({ code: 'ABORTED', details: { stored: { customersCreated: 0, customersUpdated: 0 } } })
    expect(await store.getCustomer(account, 'new@example.com')).toBeNull()
  } finally {
    await holder`rollback`
    holder.release()
  }
})

test.each([{}, { atomic: true }, { dryRun: true }])('while the whole table is locked, %j', async (mode) => {
  const { store, account } = open()
  await store.upsertCustomer(account, { email: 'there@example.com' })
  const holder = await db.sql.reserve()
  await holder`begin`
  await holder`lock table customer.customer in access exclusive mode`
  try {
    const controller = new AbortController()
    const options = { ...mode, signal: controller.signal }
    const uploading = rejectionOf(store.uploadCsv(account, 'email\nthere@example.com\n', options))
    await untilLocked(db.sql)
    controller.abort()
    expect((await uploading).code).toBe('ABORTED')
  } finally {
    await holder`rollback`
    holder.release()
  }
})

test('constraints that wait for the commit are checked before it, where they can be stopped', async () => {
  const { store, account } = open()
  await db.sql`create function customer.dawdle() returns trigger language plpgsql as $$
    begin perform pg_sleep(120); return null; end $$`
  await db.sql`create constraint trigger dawdle after insert on customer.customer deferrable initially deferred
    for each row when (new.city = 'slow') execute function customer.dawdle()`
  try {
    const controller = new AbortController()
    const fresh = createCustomAttributesStore(db.client)
    const csv = 'email,city\na@example.com,slow\n'
    const uploading = rejectionOf(fresh.uploadCsv(account, csv, { signal: controller.signal }))
    await untilAsleep(db.sql)
    controller.abort()
    expect((await uploading).details.stored).toMatchObject({ customersCreated: 0 })
    await db.assertNoOpenTransaction()
    expect(await store.getCustomer(account, 'a@example.com')).toBeNull()
  } finally {
    await db.sql`drop trigger dawdle on customer.customer`
  }
})

// When it aborts no statement may be under way: what comes next must not be sent.
describe('aborted from a callback, between two statements', () => {
  const rows = Array.from({ length: 60 }, (_, at) => `p${at}@example.com,${at === 5 ? 'refused' : 'Rome'}`)
  const csv = `email,city\n${rows.join('\n')}\n`

  test('onRejected, of a row that the database refused', async () => {
    const { store, account } = open()
    const controller = new AbortController()
    const error = await rejectionOf(
      store.uploadCsv(account, csv, {
        batchSize: 1,
        concurrency: 1,
        signal: controller.signal,
        onRejected: () => controller.abort(),
      }),
    )
    expect(error.code).toBe('ABORTED')
    expect(await customersOf(account)).toBe(5)
    expect(error.details.stored).toMatchObject({ customersCreated: 5, rowsRejected: 1 })
  })

  test('onProgress', async () => {
    const { store, account } = open()
    const controller = new AbortController()
    await db.sql
      .unsafe(`create or replace function customer.wait() returns trigger language plpgsql as $$
      begin perform pg_sleep(0.02); return new; end $$;
      create or replace trigger wait before insert on customer.customer for each row
      when (new.email like 'slow%') execute function customer.wait()`)
      .simple()
    let before = 0
    const error = await rejectionOf(
      store.uploadCsv(account, csv.replaceAll('p', 'slow').replace('refused', 'Oslo'), {
        batchSize: 1,
        concurrency: 1,
        signal: controller.signal,
        onProgress: ({ customersCreated }) => {
          before ||= customersCreated
          if (customersCreated > 0) controller.abort()
        },
      }),
    )
    expect(error.code).toBe('ABORTED')
    expect(before).toBeLessThan(30)
    expect(await customersOf(account)).toBe(before)
  })
})

test('when one lane fails no other goes on writing behind its back', async () => {
  const account = newAccount()
  const store = createCustomAttributesStore(db.connect({ max: 4 }))
  await db.sql
    .unsafe(`create or replace function customer.fail() returns trigger language plpgsql as $$
    begin perform pg_sleep(0.05); raise exception 'broken' using errcode = 'XX000'; end $$;
    create or replace trigger fail before insert or update on customer.customer for each row
    when (new.status = 'fail') execute function customer.fail()`)
    .simple()
  // Customers of all lanes, each with many rows that differ, so that every lane has much left when one fails.
  const rows = Array.from({ length: 400 }, (_, at) => `p${at % 8}@example.com,${at},${at === 16 ? 'fail' : ''}`)
  const error = await rejectionOf(
    store.uploadCsv(account, `email,city,status\n${rows.join('\n')}\n`, { batchSize: 1, concurrency: 4 }),
  )
  expect(error.code).toBe('DATABASE_ERROR')
  const atOnce = await contentsOf(db.sql, account)
  await sleep(300)
  expect(await contentsOf(db.sql, account)).toEqual(atOnce)
})

describe('onProgress', () => {
  // Enough for many batches; the waiting is what makes progress due.
  const PIECE = samples(300, 100)

  test('is told of bytes and rows and counts, at most every 100 ms, and once at the end', async () => {
    const { store, account } = open()
    const told: UploadProgress[] = []
    const started = performance.now()
    async function* slow() {
      yield 'email\n'
      for (let at = 0; at < 60; at++) {
        yield Array.from({ length: PIECE }, (_, row) => `p${at}x${row}@example.com\n`).join('')
        await sleep(10)
      }
    }
    const result = await store.uploadCsv(account, slow(), {
      batchSize: 500,
      onProgress: (progress) => told.push(progress),
    })
    expect(told.length).toBeGreaterThan(2)
    // All but the first and the last, each a tenth of a second after the one before.
    expect((told.length - 2) * 100).toBeLessThanOrEqual(performance.now() - started)
    for (const [at, next] of told.slice(1, -1).entries()) {
      const previous = told[at]!
      expect(next.bytesRead).toBeGreaterThanOrEqual(previous.bytesRead)
      expect(next.rowsRead).toBeGreaterThanOrEqual(previous.rowsRead)
      expect(next.customersCreated).toBeGreaterThanOrEqual(previous.customersCreated)
    }
    expect(told.at(-1)).toEqual({
      bytesRead: result.bytesRead,
      rowsRead: 60 * PIECE,
      customersCreated: 60 * PIECE,
      customersUpdated: 0,
      customersUnchanged: 0,
      rowsRejected: 0,
    })
  })
})

test('many lanes and statements at once are no leak for Node to warn of', async () => {
  const warnings: string[] = []
  const listen = (warning: Error) => warnings.push(warning.message)
  process.on('warning', listen)
  try {
    const account = newAccount()
    const store = createCustomAttributesStore(db.connect({ max: 16 }))
    const count = samples(600, 240)
    const rows = Array.from({ length: count }, (_, at) => `p${at}@example.com,${at % 3 ? 'Rome' : 'refused'}`)
    const { signal } = new AbortController()
    const result = await store.uploadCsv(account, `email,city\n${rows.join('\n')}`, {
      batchSize: 5,
      concurrency: 16,
      signal,
    })
    expect(result).toMatchObject({ customersCreated: (2 * count) / 3, rowsRejected: count / 3 })
    await sleep(10)
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', listen)
  }
})

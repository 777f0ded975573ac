import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Sql } from 'postgres'
import { expect, test } from 'vitest'
import { isCustomAttributesError } from '../../src/errors.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'
import { until, untilLocked } from '../support/waiting.js'

const db = useDatabase()
const [A, B] = [newAccount(), newAccount()]
const emails = Array.from({ length: 40 }, (_, at) => `p${at}@example.com`)

/** Runs a method of account A with a signal to its end. */
const METHODS: Record<string, (store: CustomAttributesStore, signal: AbortSignal, seed: number) => Promise<unknown>> = {
  uploadCsv: (store, signal, seed) => store.uploadCsv(A, csv('A', seed), { signal, batchSize: 10 }),
  'uploadCsv with atomic': (store, signal, seed) => store.uploadCsv(A, csv('A', seed), { signal, atomic: true }),
  'uploadCsv with dryRun': (store, signal, seed) => store.uploadCsv(A, csv('A', seed), { signal, dryRun: true }),
  previewCsv: (store, signal, seed) => store.previewCsv(A, csv('A', seed), { signal }),
  pageCustomers: (store, signal) => drain(store.pageCustomers(A, { audience: 'all', pageSize: 7, signal })),
  mailMerge: (store, signal) => drain(store.mailMerge(A, '{{company}}', { audience: 'all', pageSize: 7, signal })),
  'pageCustomers of emails': (store, signal) =>
    drain(store.pageCustomers(A, { audience: { emails }, pageSize: 7, signal })),
  preflight: (store, signal) => store.preflight(A, '{{company}}', { audience: 'all', signal }),
}

const csv = (account: string, seed: number) =>
  `email,company,city\n${emails.map((email) => `${email},${account},${seed}`).join('\n')}\n`

async function drain(pages: AsyncIterable<unknown>): Promise<void> {
  for await (const page of pages) {
    const customers = Array.isArray(page) ? page : [(page as { customer: unknown }).customer]
    for (const customer of customers) expect(customer).toMatchObject({ account_id: A })
  }
}

/** Waits for a promise at most as long as a hung call needs to be told from a slow machine. */
async function settled<T>(name: string, promise: Promise<T>, signal: AbortSignal): Promise<T | string> {
  const aborted = new Promise<string>((resolve) => {
    const count = () => setTimeout(resolve, 120_000, `${name} did not settle`).unref()
    if (signal.aborted) count()
    else signal.addEventListener('abort', count, { once: true })
  })
  const outcome = promise.catch((error: unknown) => {
    if (isCustomAttributesError(error, 'ABORTED')) return 'aborted'
    throw error
  })
  return Promise.race([outcome, aborted])
}

/** The host's own statements, and the account's of the store: each must get its own answer. */
async function others(sql: Sql, store: CustomAttributesStore, number: number): Promise<void> {
  const [row] = await sql`select ${number}::int as number, ${`text ${number}`} as text`
  expect(row).toEqual({ number, text: `text ${number}` })
  const customer = await store.getCustomer(B, emails[number % emails.length]!)
  expect(customer).toMatchObject({ account_id: B, email: emails[number % emails.length], company: 'B' })
}

/** A statement of the host that does not end before it is let go. */
async function blocked(sql: Sql) {
  const holder = await db.sql.reserve()
  await holder`select pg_advisory_lock(1)`
  const head = sql`select pg_advisory_xact_lock_shared(1)`.execute()
  await untilLocked(db.sql)
  const letGo = async () => {
    await holder`select pg_advisory_unlock(1)`
    holder.release()
  }
  return { head, letGo }
}

for (const max of [1, 2, 4]) {
  test(`law: with a pool of ${max}, whatever is aborted when, every answer reaches its own question`, async () => {
    const sql = db.connect({ max })
    const store = createCustomAttributesStore(sql)
    await store.uploadCsv(A, csv('A', 0))
    await store.uploadCsv(B, csv('B', 0))
    const schedule = fc.record({
      method: fc.constantFrom(...Object.keys(METHODS)),
      heads: fc.array(fc.constantFrom(0, 0.05, 0.2, 0.4), { minLength: 0, maxLength: 2 * max }),
      abortAfter: fc.constantFrom(0, 1, 5, 20, 60, 150, 300),
      after: fc.integer({ min: 1, max: 6 }),
      seed: fc.nat(),
    })
    await checkLaw(
      `answers with a pool of ${max}`,
      fc.asyncProperty(schedule, async ({ method, heads, abortAfter, after, seed }) => {
        const controller = new AbortController()
        const head = heads.map((seconds) => sql`select pg_sleep(${seconds}), ${seconds}::float8 as slept`)
        const sleeping = Promise.all(head)
        const call = METHODS[method]!(store, controller.signal, seed)
        const outcome = settled(method, call, controller.signal)
        const before = others(sql, store, after)
        await sleep(abortAfter)
        controller.abort()
        const during = Promise.all(Array.from({ length: after }, (_, number) => others(sql, store, number)))
        expect(await outcome).not.toBe(`${method} did not settle`)
        await Promise.all([before, during])
        expect((await sleeping).map(([row]) => row!.slept)).toEqual(heads)
        await others(sql, store, after + 1)
      }),
      200,
      6,
    )
  })
}

test('a statement waits behind one of the host: the call ends, and nobody gets the row of another account', async () => {
  const sql = db.connect({ max: 1 })
  const store = createCustomAttributesStore(sql)
  await store.uploadCsv(B, csv('B', 0))
  for (const [method, run] of Object.entries(METHODS)) {
    const controller = new AbortController()
    const { head, letGo } = await blocked(sql)
    const call = settled(method, run(store, controller.signal, 1), controller.signal)
    await sleep(20)
    controller.abort()
    // The host's statement still waits.
    expect([method, await call]).toEqual([method, 'aborted'])
    await letGo()
    const [customer, [row]] = await Promise.all([store.getCustomer(B, emails[3]!), sql`select 7 as seven`, head])
    expect(customer).toMatchObject({ account_id: B, company: 'B' })
    expect(row).toEqual({ seven: 7 })
  }
})

test('a batch that waited for a connection when it was aborted is not written afterwards', async () => {
  const sql = db.connect({ max: 1 })
  const store = createCustomAttributesStore(sql)
  const account = newAccount()
  await store.getCustomers(account, [])
  const controller = new AbortController()
  let letGo: (() => Promise<void>) | undefined
  async function* source() {
    yield 'email\n'
    // The batch is about to be sent: the host's statement goes first.
    letGo = (await blocked(sql)).letGo
    yield 'a@example.com\n'
  }
  const call = settled(
    'uploadCsv',
    store.uploadCsv(account, source(), { signal: controller.signal }),
    controller.signal,
  )
  await until('the source is not read', () => letGo !== undefined)
  await sleep(100)
  controller.abort()
  expect(await call).toBe('aborted')
  await letGo!()
  await sql`select 1`
  await sleep(100)
  expect(await store.getCustomer(account, 'a@example.com')).toBeNull()
})

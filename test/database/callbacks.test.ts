import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { UploadOptions } from '../../src/upload/options.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const csv = 'email\na@example.com\nnot an address\nb@example.com\n'

const loose: unknown[] = []
const note = (reason: unknown) => loose.push(reason)
const before = {
  rejections: [] as NodeJS.UnhandledRejectionListener[],
  exceptions: [] as NodeJS.UncaughtExceptionListener[],
}
beforeAll(() => {
  before.rejections = process.listeners('unhandledRejection')
  before.exceptions = process.listeners('uncaughtException')
  process.removeAllListeners('unhandledRejection').removeAllListeners('uncaughtException')
  process.on('unhandledRejection', note).on('uncaughtException', note)
})
afterAll(async () => {
  await new Promise(setImmediate)
  process.removeAllListeners('unhandledRejection').removeAllListeners('uncaughtException')
  for (const listener of before.rejections) process.on('unhandledRejection', listener)
  for (const listener of before.exceptions) process.on('uncaughtException', listener)
  expect(loose).toEqual([])
})

// biome-ignore lint/suspicious/noExplicitAny: each option has a callback of its own type
type Callback = (...given: any[]) => any
/** Every callback of every method: the call that makes it, given the callback and a signal. */
const CALLS: Record<
  string,
  (store: CustomAttributesStore, run: Callback, signal: AbortSignal, account: string) => Promise<unknown>
> = {}
for (const mode of [{}, { atomic: true }, { dryRun: true }] as UploadOptions[]) {
  for (const callback of ['onProgress', 'onRejected'] as const) {
    CALLS[`${callback} of uploadCsv ${JSON.stringify(mode)}`] = (store, run, signal, account) =>
      store.uploadCsv(account, csv, { ...mode, [callback]: run, signal })
  }
}
CALLS['the source of uploadCsv'] = (store, run, signal, account) => store.uploadCsv(account, sourceOf(run), { signal })
CALLS['the source of uploadCsv, atomic'] = (store, run, signal, account) =>
  store.uploadCsv(account, sourceOf(run), { atomic: true, signal })
CALLS['the source of previewCsv'] = (store, run, signal, account) =>
  store.previewCsv(account, sourceOf(run, 0), { signal })
CALLS['onProgress of mailMerge'] = (store, run, signal, account) =>
  drain(store.mailMerge(account, 'x', { audience: 'all', onProgress: run, signal }))
CALLS['extraTags of mailMerge'] = (store, run, signal, account) =>
  drain(store.mailMerge(account, 'x', { audience: 'all', extraTags: run, signal }))
CALLS['extraTags of preflight'] = (store, run, signal, account) =>
  store.preflight(account, 'x', { audience: 'all', extraTags: run, signal })

async function* sourceOf(run: Callback, blankLines = 500) {
  yield 'email\n'
  // More than is read before the first row is written.
  yield `c@example.com\n${`${' '.repeat(999)}\n`.repeat(blankLines)}`
  await run()
  yield 'd@example.com\n'
}

async function drain(results: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of results);
}

const boom = new Error('boom')
const isBoom = (error: unknown) => error === boom || (error as { cause?: unknown }).cause === boom

// One client for all of them: a connection that a call kept would be missing to those after it.
let sql: postgres.Sql
let store: CustomAttributesStore
beforeAll(() => {
  sql = db.connect({ max: 3 })
  store = createCustomAttributesStore(sql)
})

describe.each(Object.entries(CALLS))('%s', (name, call) => {
  const open = async () => {
    const account = newAccount()
    await store.upsertCustomer(account, { email: 'there@example.com' })
    return { account, controller: new AbortController() }
  }
  const isExtraTags = name.startsWith('extraTags')

  test('what it throws is the call’s error', async () => {
    const { account, controller } = await open()
    const failing = call(
      store,
      () => {
        throw boom
      },
      controller.signal,
      account,
    )
    expect(
      isBoom(
        await failing.then(
          () => undefined,
          (error) => error,
        ),
      ),
    ).toBe(true)
  })

  test('what its promise rejects with is the call’s error', async () => {
    const { account, controller } = await open()
    const error = await call(store, () => Promise.reject(boom), controller.signal, account).then(
      () => undefined,
      (reason) => reason,
    )
    if (isExtraTags) expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    else expect(isBoom(error)).toBe(true)
  })

  test('one that never settles does not outlive the signal', async () => {
    const { account, controller } = await open()
    const hang = () => {
      setImmediate(() => controller.abort())
      return new Promise(() => {})
    }
    const error = await rejectionOf(call(store, hang, controller.signal, account))
    // extraTags gives values; a promise is refused as such.
    expect(error.code).toBe(isExtraTags ? 'INVALID_ARGUMENT' : 'ABORTED')
    // Its connection is free.
    await Promise.all(Array.from({ length: 4 }, () => sql`select 1`))
  })

  test('one that calls the store is answered, or told at once that it would wait for its own call', async () => {
    const { account, controller } = await open()
    const told: unknown[] = []
    const reenter = async () => {
      told.push(
        await store.getCustomer(account, 'there@example.com').then(
          () => 'read',
          (error) => error,
        ),
      )
      told.push(
        await store.upsertCustomer(account, { email: 'again@example.com' }).then(
          () => 'written',
          (error) => error,
        ),
      )
    }
    let reentered = Promise.resolve()
    const callback = () => {
      reentered = reenter()
      return isExtraTags ? {} : reentered
    }
    await call(store, callback, controller.signal, account).catch((error) => told.push(error))
    await reentered
    expect(told[0]).toBe('read')
    const holds = /atomic|dryRun/.test(name)
    if (holds) {
      expect(told[1]).toMatchObject({ code: 'INVALID_ARGUMENT' })
      expect((told[1] as Error).message).toMatch(/upsertCustomer.*uploadCsv with (?:atomic|dryRun).*account's lock/)
    } else expect(told[1]).toBe('written')
  })
})

test('with one connection, a callback of an upload that keeps it is told so', async () => {
  const store = createCustomAttributesStore(db.connect({ max: 1 }))
  const account = newAccount()
  const call = store.uploadCsv(account, csv, {
    atomic: true,
    onRejected: () => store.getCustomer(account, 'a@example.com'),
  })
  expect((await rejectionOf(call)).message).toMatch(/getCustomer.*uploadCsv with atomic.*the client's last connection/)
})

test('on a transaction: a callback writes between batches, and not within a dry run', async () => {
  const root = createCustomAttributesStore(db.client)
  const account = newAccount()
  await db.client.begin(async (tx) => {
    const store = root.with(tx)
    const onRejected = () => store.upsertCustomer(account, { email: 'told@example.com' })
    await store.uploadCsv(account, csv, { onRejected })
    const refused = await rejectionOf(store.uploadCsv(account, csv, { dryRun: true, onRejected }))
    expect(refused.message).toMatch(/upsertCustomer.*uploadCsv with dryRun.*its transaction/)
    const outside = () => root.upsertCustomer(account, { email: 'outside@example.com' })
    const held = await rejectionOf(store.uploadCsv(account, csv, { onRejected: outside }))
    expect(held.message).toMatch(/upsertCustomer.*uploadCsv on a transaction.*account's lock/)
  })
  expect(await root.getCustomer(account, 'told@example.com')).not.toBeNull()
})

test('progress is never told twice at once, and the last always', async () => {
  const store = createCustomAttributesStore(db.client)
  const rows: number[] = []
  let running = 0
  let most = 0
  async function* slow() {
    yield 'email\n'
    for (let at = 0; at < 12; at++) {
      yield `p${at}@example.com\n${`${' '.repeat(999)}\n`.repeat(70)}`
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
  const result = await store.uploadCsv(newAccount(), slow(), {
    onProgress: async ({ rowsRead }) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 150))
      rows.push(rowsRead)
      running--
    },
  })
  expect(most).toBe(1)
  expect(rows.at(-1)).toBe(result.rowsTotal)
})

describe('a source that misbehaves', () => {
  const store = () => createCustomAttributesStore(db.client)
  const iterable = (iterator: Partial<AsyncIterator<string>>) =>
    ({ [Symbol.asyncIterator]: () => iterator }) as AsyncIterable<string>

  test.each(['throws', 'rejects'])('whose return() %s does not hide what went wrong', async (how) => {
    let at = 0
    const source = iterable({
      next: async () => ({ done: false, value: at++ === 0 ? 'email\n' : 'no address\n'.repeat(1_000) }),
      return: () => {
        if (how === 'throws') throw boom
        return Promise.reject(boom)
      },
    })
    const error = await rejectionOf(store().uploadCsv(newAccount(), source, { onInvalidRow: 'abort' }))
    expect(error.code).toBe('INVALID_ROW')
  })

  test.each([undefined, null, 7])('whose next() gives %s is told so', async (value) => {
    const error = await rejectionOf(store().uploadCsv(newAccount(), iterable({ next: async () => value as never })))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED' })
  })

  test.each(['', new Uint8Array(0)])('that gives empty chunks without end hears the signal', async (empty) => {
    const controller = new AbortController()
    const source = iterable({ next: async () => ({ done: false, value: empty as string }) })
    setTimeout(() => controller.abort(), 20)
    const error = await rejectionOf(store().uploadCsv(newAccount(), source, { signal: controller.signal }))
    expect(error.code).toBe('ABORTED')
  })
})

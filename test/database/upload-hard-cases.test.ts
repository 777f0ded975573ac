import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/index.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'
import { untilLocked } from '../support/waiting.js'

const db = useDatabase()
const account = '00000000-0000-4000-8000-000000000001'

test.each([{}, { atomic: true }, { dryRun: true }])(
  'a callback that fails like a connection is not taken for one: %o',
  async (mode) => {
    const client = db.connect({ max: 1 })
    const error = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    const upload = createCustomAttributesStore(client).uploadCsv(account, 'email,first_name\nbad,x\n', {
      ...mode,
      onRejected: async () => {
        throw error
      },
    })
    await expect(upload).rejects.toBe(error)
    expect(await client`select 1 as one`).toEqual([{ one: 1 }])
  },
)

test('a callback whose own statement is refused: its error passes as it is', async () => {
  const upload = createCustomAttributesStore(db.client).uploadCsv(account, 'email\nbad\n', {
    onRejected: () => db.sql`select 1 / 0`,
  })
  await expect(upload).rejects.toMatchObject({ code: '22012' })
})

test('an onProgress that throws at the end rolls an atomic upload back', async () => {
  const store = createCustomAttributesStore(db.client)
  const upload = store.uploadCsv(account, 'email\nprogress@x.com\n', {
    atomic: true,
    onProgress: () => {
      throw new Error('no')
    },
  })
  await expect(upload).rejects.toThrow('no')
  expect(await store.getCustomer(account, 'progress@x.com')).toBeNull()
})

test('a file that is not there is SOURCE_FAILED, whatever is asked of the database first', async () => {
  const store = createCustomAttributesStore(db.client)
  await expect(store.uploadCsv(account, createReadStream('/no/such/file.csv'))).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
  })
  await expect(store.previewCsv(account, createReadStream('/no/such/file.csv'))).rejects.toMatchObject({
    code: 'SOURCE_FAILED',
  })
})

test('a source is closed when the upload fails before it is read', async () => {
  const store = createCustomAttributesStore(db.client)
  for (const [id, options] of [
    ['no uuid', {}],
    [account, { batchsize: 1 }],
    [account, { signal: AbortSignal.abort() }],
  ] as const) {
    const source = new PassThrough()
    await expect(store.uploadCsv(id, source, options as never)).rejects.toThrow()
    expect(source.destroyed).toBe(true)
  }
})

test('a batch that fails ends the upload, though its source has stalled', async () => {
  await db.sql.unsafe(`alter table customer.customer add constraint no_rome check (city <> 'Rome')`)
  async function* source(): AsyncGenerator<string> {
    yield `email,city\n${Array.from({ length: samples(30_000, 4_000) }, (_, at) => `c${at}@x.com,${at === 5 ? 'Rome' : 'Oslo'}`.padEnd(120)).join('\n')}\n`
    await sleep(3_600_000, undefined, { ref: false })
  }
  const upload = createCustomAttributesStore(db.client).uploadCsv(account, source(), {
    onInvalidRow: 'abort',
    batchSize: 50,
  })
  await expect(upload).rejects.toMatchObject({ code: 'INVALID_ROW', details: { row: 7 } })
})

test('values with the bytes that separate them stay in their columns, also in rows that are written one by one', async () => {
  const store = createCustomAttributesStore(db.client)
  await db.sql.unsafe(`alter table customer.customer add constraint no_bad check (first_name <> 'bad')`)
  const plain = Array.from(
    { length: samples(9_000, 4_500) },
    (_, at) => `z${9_999 - at}@x.com,First${at},Last${at},Company ${at} with a long name,Oslo`,
  )
  const odd = ['a0@x.com,f\u001fSHIFT,ll,co,ci', 'y1@x.com,bad,l,c,i', 'a1@x.com,f,l,c,i']
  const result = await store.uploadCsv(
    account,
    `email,first_name,last_name,company,city\n${[...plain, ...odd].join('\n')}\n`,
  )
  expect(result).toMatchObject({ customersCreated: plain.length + 2, rowsRejected: 1 })
  expect(await store.getCustomer(account, 'a0@x.com')).toMatchObject({
    first_name: 'f\u001fSHIFT',
    last_name: 'll',
    company: 'co',
    city: 'ci',
  })
})

test('columns by position: a value that looks like a header is not taken for one', async () => {
  const store = createCustomAttributesStore(db.client)
  const csv = 'Correo,Canal\np1@x.com,sms\np2@x.com,email\np3@x.com,sms\n'
  const columns = [{ field: 'email' }, { attribute: 'Canal' }] as const
  expect(await store.uploadCsv(account, csv, { columns })).toMatchObject({ customersCreated: 3, warnings: [] })
  const preview = await store.previewCsv(account, `Report of today\n\n${csv}`, {
    columns: { Correo: { field: 'email' } },
  })
  expect(await store.uploadCsv(account, `Report of today\n\n${csv}`, { columns: preview.columns })).toMatchObject({
    customersUnchanged: 3,
    rowsRejected: 0,
  })
})

describe('four uploads of one new account at once do not deadlock', () => {
  const ROWS = samples(400, 160)
  type Rows = (upload: number, round: number) => string[]
  const several: Rows = (upload, round) =>
    Array.from({ length: ROWS }, (_, at) => `w${(at * (upload + 3) * 7 + round) % 20}@x.com,${upload}${at % 3},ok,`)
  const once: Rows = (upload) => Array.from({ length: 60 }, (_, at) => `w${(at * 7 + upload) % 60}@x.com,${upload},ok,`)

  test.each<[string, Rows]>([
    ['whose customers come several times', several],
    ['of which some have a customer several times', (upload, round) => (upload % 2 ? several : once)(upload, round)],
    [
      'of which half of the rows are refused',
      (upload, round) =>
        Array.from(
          { length: ROWS },
          (_, at) => `w${(at * (upload + 3) * 7 + round) % 61}@x.com,${upload}${at % 3},${at % 2 ? 'bad' : 'ok'},`,
        ),
    ],
    ['each with an attribute more', (upload, round) => several(upload, round).map((row, at) => `${row}${at}`)],
  ])('%s', async (_what, rows) => {
    await db.sql`alter table customer.customer add constraint refuses_bad check (first_name <> 'bad')`
    const deadlocks = async () =>
      (await db.sql`select deadlocks::int as n from pg_stat_database where datname = current_database()`)[0]!.n
    const before = await deadlocks()
    const client = db.connect({ max: 8 })
    try {
      const store = createCustomAttributesStore(client)
      for (let round = 0; round < samples(30, 2); round++) {
        const account = newAccount()
        const upload = (at: number) =>
          store.uploadCsv(account, `email,n,first_name,${'badc'[at]}\n${rows(at, round).join('\n')}\n`)
        await Promise.all([0, 1, 2, 3].map(upload))
      }
    } finally {
      await db.sql`alter table customer.customer drop constraint refuses_bad`
      // A connection counts what it met at the latest when it ends.
      await client.end()
    }
    expect(await deadlocks()).toBe(before)
  })
})

test('a customer whom the host holds keeps rows that are written one by one waiting, and nobody else', async () => {
  await db.sql`alter table customer.customer add constraint refuses_bad check (first_name <> 'bad')`
  const account = newAccount()
  const store = createCustomAttributesStore(db.client)
  await store.upsertCustomer(account, { email: 'held@x.com' })
  let upload: Promise<unknown> | undefined
  await db.sql.begin(async (tx) => {
    await tx`update customer.customer set city = 'Bern' where account_id = ${account}`
    upload = store.uploadCsv(account, 'email,first_name\nheld@x.com,new\nnew@x.com,bad\n', { concurrency: 1 })
    await untilLocked(db.sql)
    expect(await store.upsertCustomer(account, { email: 'other@x.com' })).toMatchObject({ outcome: 'created' })
    expect(await store.uploadCsv(account, 'email\nanother@x.com\n')).toMatchObject({ customersCreated: 1 })
  })
  expect(await upload).toMatchObject({ customersUpdated: 1, rowsRejected: 1 })
  await db.sql`alter table customer.customer drop constraint refuses_bad`
})

test('a Map of attributes is refused, and so is an attribute named like a field', async () => {
  const store = createCustomAttributesStore(db.client)
  const map = { email: 'm@x.com', custom_attributes: new Map([['a', '1']]) } as never
  await expect(store.upsertCustomer(account, map)).rejects.toMatchObject({ code: 'INVALID_CUSTOMER' })
  const named = { email: 'm@x.com', custom_attributes: { first_name: 'x' } }
  await expect(store.upsertCustomer(account, named)).rejects.toMatchObject({ code: 'INVALID_ATTRIBUTE_NAME' })
  await expect(store.upsertAttributeDefinitions(account, ['email'])).rejects.toMatchObject({
    code: 'INVALID_ATTRIBUTE_NAME',
  })
})

import { createReadStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

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

test('uploads whose customers come several times do not deadlock', async () => {
  const [before] = await db.sql`select deadlocks::int as n from pg_stat_database where datname = current_database()`
  const store = createCustomAttributesStore(db.connect({ max: 8 }))
  for (let round = 0; round < samples(10, 2); round++) {
    const files = Array.from({ length: 4 }, (_, upload) =>
      Array.from(
        { length: samples(400, 160) },
        (_row, at) => `w${(at * (upload + 3) * 7 + round) % 20}@x.com,${upload}${at % 3}`,
      ).join('\n'),
    )
    await Promise.all(files.map((rows) => store.uploadCsv(account, `email,n\n${rows}\n`)))
  }
  await db.sql`select pg_stat_clear_snapshot()`
  const [after] = await db.sql`select deadlocks::int as n from pg_stat_database where datname = current_database()`
  expect(after).toEqual(before)
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

import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { UploadOptions } from '../../src/upload/options.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()
beforeAll(async () => {
  await addOptionalTables(db.sql)
})
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const NOTHING = {
  customersRestored: 0,
  customersRemoved: 0,
  customersKept: 0,
  valuesKept: 0,
  customersGone: 0,
  attributesRemoved: [],
}

describe('the history of an upload', () => {
  test('has its counts, times, options and columns, the newest first', async () => {
    const { store, account } = open()
    const first = await store.uploadCsv(account, 'email,tier\na@x.com,gold\nbad,x\n', {
      history: { reference: 'job 7', fileName: 'customers.csv' },
    })
    const second = await store.uploadCsv(account, 'email,city\na@x.com,Rome\n', {
      history: {},
      existing: 'replace',
      optOuts: 'overwrite',
      numberFormat: 'comma',
    })
    const uploads = await store.listUploads(account)
    expect(uploads.map(({ id }) => id)).toEqual([second.uploadId, first.uploadId])
    expect(uploads[1]).toMatchObject({
      status: 'completed',
      reference: 'job 7',
      fileName: 'customers.csv',
      counts: { rowsTotal: 2, customersCreated: 1, rowsRejected: 1 },
      newAttributes: ['tier'],
      options: {
        existing: 'merge',
        columns: [
          { header: 'email', target: { field: 'email' } },
          { header: 'tier', target: { attribute: 'tier' } },
        ],
      },
      undoneAt: null,
    })
    expect(uploads[0]).toMatchObject({
      reference: null,
      options: { existing: 'replace', optOuts: 'overwrite', numberFormat: 'comma' },
    })
    expect(await store.listUploads(account, { limit: 1 })).toEqual([uploads[0]])
    expect(await store.listUploads(account, { before: second.uploadId! })).toEqual([uploads[1]])
    expect(await store.listUploads(newAccount())).toEqual([])
  })

  test('keeps the rejected rows where it is asked to', async () => {
    const { store, account } = open()
    const csv = `email,tier\n${Array.from({ length: 1_200 }, (_, at) => `bad${at},x`).join('\n')}\na@x.com,gold\n`
    const kept = await store.uploadCsv(account, csv, { history: { keepRejected: true } })
    const { rejected } = await store.getUpload(account, kept.uploadId!)
    expect(rejected).toHaveLength(1_200)
    expect(rejected.slice(0, 100)).toEqual(kept.rejected)
    const not = await store.uploadCsv(account, csv, { history: {} })
    expect((await store.getUpload(account, not.uploadId!)).rejected).toEqual([])
  })

  test('of one that failed says so, and undoing takes back what it had stored', async () => {
    const { store, account } = open()
    async function* source() {
      yield `email,tier\n${Array.from({ length: 1_000 }, (_, at) => `c${at}@x.com,${'gold'.repeat(150)}\n`).join('')}`
      await expect
        .poll(async () => (await db.sql`select from customer.customer where account_id = ${account}`).length)
        .toBeGreaterThan(0)
      throw new Error('the disk went away')
    }
    const before = await contentsOf(db.sql, account)
    await rejectionOf(store.uploadCsv(account, source(), { history: {}, batchSize: 100 }))
    const [upload] = await store.listUploads(account)
    expect(upload!.status).toBe('failed')
    const undone = await store.undoUpload(account, upload!.id)
    expect(undone.customersRemoved).toBeGreaterThan(0)
    expect(await contentsOf(db.sql, account)).toEqual(before)
  })

  test('a dry run has none, and without the tables it is told which file to apply', async () => {
    const { store, account } = open()
    expect(await store.uploadCsv(account, 'email\na@x.com\n', { history: {}, dryRun: true })).not.toHaveProperty(
      'uploadId',
    )
    const other = createCustomAttributesStore(db.client, { uploadTable: 'customer.no_such_table' })
    for (const call of [
      () => other.uploadCsv(account, 'email\na@x.com\n', { history: {} }),
      () => other.listUploads(account),
      () => other.undoUpload(account, newAccount()),
    ]) {
      const error = await rejectionOf(call())
      expect(error).toMatchObject({ code: 'SCHEMA_NOT_READY' })
      expect(error.message).toContain('sql/0003_create_upload_history.up.sql')
    }
    const wrong = { history: { reference: 5 } } as unknown as UploadOptions
    expect(await rejectionOf(store.uploadCsv(account, 'email\n', wrong))).toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('undoUpload', () => {
  const BEFORE = 'email,first_name,city,tier,plan\na@x.com,Ann,Rome,gold,pro\nb@x.com,Bob,,silver,\n'
  const MISTAKE =
    'email,first_name,city,tier,junk\na@x.com,XXX,Oslo,lead,1\nb@x.com,Bob,Oslo,,2\nnew@x.com,New,,gold,3\n'

  test.each<UploadOptions>([
    {},
    { existing: 'replace' },
    { emptyValues: 'clear' },
    { atomic: true },
    { batchSize: 1, concurrency: 3 },
    { unknown: 'reject' },
  ])('gives everything back, once: %j', async (options) => {
    const { store, account } = open()
    await store.uploadCsv(account, BEFORE)
    const before = await contentsOf(db.sql, account)
    const { uploadId, customersCreated, customersUpdated } = await store.uploadCsv(account, MISTAKE, {
      ...options,
      history: {},
    })
    const after = await contentsOf(db.sql, account)
    const expected = {
      ...NOTHING,
      customersRestored: customersUpdated,
      customersRemoved: customersCreated,
      attributesRemoved: ['junk'],
    }
    expect(await store.undoUpload(account, uploadId!, { dryRun: true })).toEqual(expected)
    expect(await contentsOf(db.sql, account)).toEqual(after)
    expect(await store.undoUpload(account, uploadId!)).toEqual(expected)
    expect(await contentsOf(db.sql, account)).toEqual(before)
    expect(await store.undoUpload(account, uploadId!)).toEqual(NOTHING)
    expect((await store.getUpload(account, uploadId!)).status).toBe('undone')
  })

  test('leaves what somebody changed since, and says how much', async () => {
    const { store, account } = open()
    await store.uploadCsv(account, BEFORE)
    const { uploadId } = await store.uploadCsv(account, MISTAKE, { history: {} })
    await store.upsertCustomer(account, { email: 'a@x.com', city: 'Paris', custom_attributes: { tier: 'platinum' } })
    await store.upsertCustomer(account, { email: 'new@x.com', custom_attributes: { note: 'called' } })
    await db.sql`delete from customer.customer where account_id = ${account} and email = 'b@x.com'`
    expect(await store.undoUpload(account, uploadId!)).toEqual({
      ...NOTHING,
      customersRestored: 1,
      customersKept: 1,
      valuesKept: 2,
      customersGone: 1,
    })
    const { customers } = await contentsOf(db.sql, account)
    expect(customers).toMatchObject([
      { email: 'a@x.com', first_name: 'Ann', city: 'Paris', custom_attributes: { tier: 'platinum', plan: 'pro' } },
      { email: 'new@x.com', custom_attributes: { tier: 'gold', junk: '3', note: 'called' } },
    ])
  })

  test.each(['', 'deferrable initially deferred', 'on delete cascade', 'on delete set null'])(
    'keeps a customer that something of the host refers to: %s',
    async (rule) => {
      const { store, account } = open()
      const { uploadId } = await store.uploadCsv(account, 'email\na@x.com\nb@x.com\nc@x.com\n', { history: {} })
      await db.sql.unsafe(`create table customer.purchase (customer_id uuid references customer.customer (id) ${rule})`)
      await db.sql`insert into customer.purchase select id from customer.customer where account_id = ${account} and email = 'b@x.com'`
      const expected = { ...NOTHING, customersRemoved: 2, customersKept: 1 }
      expect(await store.undoUpload(account, uploadId!, { dryRun: true })).toEqual(expected)
      expect(await store.undoUpload(account, uploadId!)).toEqual(expected)
      expect(await db.sql`select from customer.purchase where customer_id is not null`).toHaveLength(1)
      await db.sql`drop table customer.purchase`
    },
  )

  test('a customer that stands in the file several times is taken back step by step', async () => {
    const { store, account } = open()
    await store.upsertCustomer(account, { email: 'a@x.com', custom_attributes: { n: '0' } })
    const before = await contentsOf(db.sql, account)
    const rows = Array.from({ length: 50 }, (_, at) => `a@x.com,${at % 7},v${at}\nnew@x.com,${at},\n`).join('')
    const { uploadId } = await store.uploadCsv(account, `email,n,m\n${rows}`, { history: {}, batchSize: 5 })
    await store.undoUpload(account, uploadId!)
    expect(await contentsOf(db.sql, account)).toEqual(before)
  })

  test('is refused for an upload that the account does not have', async () => {
    const { store, account } = open()
    const { uploadId } = await store.uploadCsv(account, 'email\na@x.com\n', { history: {} })
    expect(await rejectionOf(store.undoUpload(newAccount(), uploadId!))).toMatchObject({ code: 'UPLOAD_NOT_FOUND' })
    expect(await rejectionOf(store.undoUpload(account, newAccount()))).toMatchObject({ code: 'UPLOAD_NOT_FOUND' })
    expect(await rejectionOf(store.undoUpload(account, '1; drop table x'))).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(await store.pruneUploads(account, { olderThan: new Date('2000-01-01') })).toBe(0)
    expect(await store.pruneUploads(account, { olderThan: new Date('2999-01-01') })).toBe(1)
    expect(await rejectionOf(store.undoUpload(account, uploadId!))).toMatchObject({ code: 'UPLOAD_NOT_FOUND' })
    const [left] =
      await db.sql`select count(*)::int as n from customer.custom_attribute_upload_change where account_id = ${account}`
    expect(left).toEqual({ n: 0 })
  })
})

const cell = fc.constantFrom('', 'x', 'y', 'z')
const fileOf = (prefix: string) =>
  fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e'), cell, cell, cell), { minLength: 1, maxLength: 12 })
    .map(
      (rows) =>
        `email,first_name,tier,${prefix}\n${rows.map(([who, ...cells]) => `${who}@x.com,${cells.join()}`).join('\n')}\n`,
    )
const options = fc.record({
  existing: fc.constantFrom('merge' as const, 'merge' as const, 'replace' as const),
  emptyValues: fc.constantFrom('keep' as const, 'clear' as const),
  atomic: fc.boolean(),
  batchSize: fc.constantFrom(1, 3, 100),
})

test('law: an upload that is undone was never there', async () => {
  const store = createCustomAttributesStore(db.client)
  await checkLaw(
    'undo',
    fc.asyncProperty(fileOf('one'), fileOf('two'), options, async (earlier, file, choice) => {
      const account = newAccount()
      await store.uploadCsv(account, earlier)
      const before = await contentsOf(db.sql, account)
      const { uploadId } = await store.uploadCsv(account, file, { ...choice, history: {} })
      await store.undoUpload(account, uploadId!)
      expect(await contentsOf(db.sql, account)).toEqual(before)
    }),
    300,
    5,
  )
})

test('law: of two uploads the first undone leaves what the second says, and else what was before', async () => {
  const store = createCustomAttributesStore(db.client)
  const merging = options.map((choice) => ({ ...choice, existing: 'merge' as const, emptyValues: 'keep' as const }))
  await checkLaw(
    'undo below another',
    fc.asyncProperty(fileOf('one'), fileOf('two'), fileOf('three'), merging, async (earlier, a, b, choice) => {
      const [account, without] = [newAccount(), newAccount()]
      for (const each of [account, without]) await store.uploadCsv(each, earlier)
      const { uploadId } = await store.uploadCsv(account, a, { ...choice, history: {} })
      const afterA = valuesOf(await contentsOf(db.sql, account))
      await store.uploadCsv(account, b, { ...choice, history: {} })
      const afterB = valuesOf(await contentsOf(db.sql, account))
      const before = valuesOf(await contentsOf(db.sql, without))
      await store.undoUpload(account, uploadId!)
      const undone = valuesOf(await contentsOf(db.sql, account))
      const created = new Set(
        [...afterA.keys()].map(whoOf).filter((who) => ![...before.keys()].map(whoOf).includes(who)),
      )
      for (const place of new Set([...before.keys(), ...afterA.keys(), ...afterB.keys()])) {
        const isTouched = afterA.get(place) !== afterB.get(place)
        // A customer that A created stays whole where B touched it.
        const isKeptWhole =
          created.has(whoOf(place)) &&
          [...afterB].some(([at, value]) => whoOf(at) === whoOf(place) && afterA.get(at) !== value)
        const expected = isTouched || isKeptWhole ? afterB.get(place) : before.get(place)
        expect([place, undone.get(place)]).toEqual([place, expected])
      }
    }),
    300,
    5,
  )
})

const whoOf = (place: string) => place.split(' ')[0]!

/** Every value of an account by its customer and name. */
function valuesOf({ customers }: Awaited<ReturnType<typeof contentsOf>>): Map<string, unknown> {
  return new Map(
    customers.flatMap(({ email, first_name, custom_attributes }) => [
      [`${email} first_name`, first_name ?? undefined] as const,
      ...Object.entries(custom_attributes as object).map(([name, value]) => [`${email} ${name}`, value] as const),
    ]),
  )
}

test('names, headers and rejected rows are kept without what no text in a database may have', async () => {
  const { store, account } = open()
  const rows = [
    ['email', 'note', 'no\0te'],
    ['a@x.com', 'a\0b\ud800', 'x'],
    ['b@x.com', 'fine \u{1f600}', 'x'],
  ]
  const { uploadId, rowsRejected, customersCreated } = await store.uploadRows(account, rows, {
    columns: [{ field: 'email' }, { attribute: 'note' }, null],
    history: { keepRejected: true, reference: '\0', fileName: 'a\udc00.csv' },
  })
  expect([rowsRejected, customersCreated]).toEqual([1, 1])
  const kept = await store.getUpload(account, uploadId!)
  expect(kept).toMatchObject({ reference: '\ufffd', fileName: 'a\ufffd.csv' })
  expect(kept.options.columns).toMatchObject([{ header: 'email' }, { header: 'note' }, { header: 'no\ufffdte' }])
  expect(kept.rejected).toMatchObject([{ code: 'INVALID_CHARACTER', record: ['a@x.com', 'a\ufffdb\ufffd', 'x'] }])
})

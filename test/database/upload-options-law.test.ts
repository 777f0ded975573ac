import fc from 'fast-check'
import type { Sql } from 'postgres'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { UploadOptions, UploadResult } from '../../src/upload/options.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { checkLaw, samples } from '../support/law.js'
import { pairwise } from '../support/pairwise.js'
import {
  accountOf,
  bytesOf,
  fileFor,
  type GeneratedFile,
  HOSTS,
  MAX_VALUE_LENGTH,
  prepareHosts,
  uploadOneByOne,
} from '../support/upload-law.js'

const db = useDatabase()

beforeAll(() => prepareHosts(db.sql))

/** All that can be asked of an upload; every two of these choices meet. */
const CHOICES = {
  host: HOSTS,
  client: ['prepared', 'unprepared', 'one connection'],
  inTransaction: [false, true],
  existing: [undefined, 'merge', 'replace', 'reject'],
  unknown: [undefined, 'create', 'reject'],
  emptyValues: [undefined, 'keep', 'clear'],
  fillable: [undefined, 'all', ['first_name', 'birthday', 'orders_count'], []],
  attributes: [undefined, 'all', 'none', ['TIER', 'extra 1', 'extra 2']],
  columns: [undefined, { tier: { attribute: 'Stufe' }, city: null, phone: { attribute: 'Handy' } }],
  onInvalidRow: [undefined, 'skip'],
  atomic: [undefined, false, true],
  dryRun: [undefined, false, true],
  dateFormat: [undefined, 'iso', 'mdy', 'dmy'],
  delimiter: ['auto', 'named'],
  encoding: [undefined, 'auto', 'utf-8'],
  concurrency: [undefined, 1, 2, 3, 4],
  batchSize: [undefined, 1, 2, 7, 2_000],
} as const
const TABLE = pairwise(CHOICES)
type Choice = (typeof TABLE)[number]

/** The files of an account, one after the other, and how the last of them is uploaded. */
const scenario = fc.constantFrom(...TABLE.keys()).chain((at) => {
  // One fewer than a file may have, because `columns` turns a field into one more.
  const file = fileFor(TABLE[at]!.host.maxCustomAttributes - 1)
  return fc.tuple(fc.constant(at), fc.array(file, { maxLength: 1 }), file)
})

type Stores = Record<Choice['client'], { sql: Sql; store: CustomAttributesStore }>

let stores: Map<Choice['host'], Stores>
beforeAll(() => {
  stores = makeStores()
})

/** The stores of every host. A statement that waits for itself must fail, not hang. */
function makeStores(): Map<Choice['host'], Stores> {
  const clients = {
    prepared: db.connect({ max: 4 }),
    unprepared: db.connect({ max: 4, prepare: false }),
    'one connection': db.connect({ max: 1 }),
  }
  return new Map(
    HOSTS.map((host) => [
      host,
      Object.fromEntries(
        Object.entries(clients).map(([name, sql]) => [
          name,
          { sql, store: createCustomAttributesStore(sql, { ...host, maxValueLength: MAX_VALUE_LENGTH }) },
        ]),
      ) as Stores,
    ]),
  )
}

function optionsOf(choice: Choice, file: GeneratedFile): UploadOptions {
  const { host: _host, client: _client, inTransaction: _inTransaction, columns, delimiter, ...options } = choice
  const known = Object.entries(columns ?? {}).filter(([header]) => file.headers.includes(header))
  return {
    ...(options as UploadOptions),
    columns: columns && Object.fromEntries(known),
    delimiter: delimiter === 'named' ? (file.delimiter as UploadOptions['delimiter']) : delimiter,
  }
}

/** All that both tables hold of an account, byte for byte, with the versions of the rows. */
async function stateOf(sql: Sql, account: string, { customerTable, definitionTable }: Choice['host']) {
  const rows = (table: string, key: string) =>
    sql.unsafe(
      `select t::text as row, concat_ws(' ', xmin, ctid) as version from ${table} t
       where account_id::text = $1 order by ${key}::text collate "C"`,
      [account],
    )
  return {
    customers: [...(await rows(customerTable, 'email'))],
    names: [...(await rows(definitionTable, 'attribute_name'))],
  }
}

/** Everything of a result that two uploads of the same bytes must agree in. */
function withoutTime({ durationMs: _, ...result }: UploadResult): Omit<UploadResult, 'durationMs'> {
  return result
}

describe('law: whatever the options', () => {
  test(`counts add up, bulk = one by one, cut anywhere = whole, a dry run counts and writes nothing (${TABLE.length} rows of options)`, async () => {
    const met = new Set<number>()
    const rows = { stored: 0, unchanged: 0, rejected: 0 }
    await checkLaw(
      'whatever the options',
      fc.asyncProperty(scenario, async ([at, before, file]) => {
        met.add(at)
        const choice = TABLE[at]!
        const { sql, store } = stores.get(choice.host)![choice.client]
        const accounts = [newAccount(), newAccount(), newAccount()] as const
        const [inPieces, whole, oneByOne] = accounts
        for (const earlier of before) {
          for (const account of accounts) await store.uploadCsv(account, bytesOf(earlier).bytes)
        }
        const { dryRun, ...options } = optionsOf(choice, file)
        const upload = (account: string, csv: Parameters<typeof store.uploadCsv>[1], more?: UploadOptions) =>
          choice.inTransaction
            ? sql.begin((tx) => store.with(tx).uploadCsv(account, csv, { ...options, ...more }))
            : store.uploadCsv(account, csv, { ...options, ...more })
        const source = bytesOf(file)

        const heard: string[] = []
        const untouched = dryRun ? await stateOf(sql, inPieces, choice.host) : undefined
        const tried = dryRun ? await upload(inPieces, source.inPieces(), { dryRun }) : undefined
        if (dryRun) expect(await stateOf(sql, inPieces, choice.host)).toEqual(untouched)
        const result = await upload(inPieces, source.inPieces(), {
          onRejected: ({ row, code }) => heard.push(`${row} ${code}`),
        })
        if (tried) expect(withoutTime(tried), 'a dry run counts as the real one').toEqual(withoutTime(result))
        expect(withoutTime(await upload(whole, source.bytes)), 'cut anywhere = whole').toEqual(withoutTime(result))

        const { counts, rejected, found } = accountOf(result)
        const { rowsTotal, customersCreated, customersUpdated, customersUnchanged, rowsRejected } = counts
        expect(customersCreated + customersUpdated + customersUnchanged + rowsRejected).toBe(rowsTotal)
        expect(heard.toSorted()).toEqual(rejected.toSorted())

        const { existing, unknown, emptyValues, dateFormat, columns, attributes, fillable } = options
        const given = { existing, unknown, emptyValues, dateFormat }
        const single = await uploadOneByOne(store, oneByOne, file, given, { columns, attributes, fillable })
        expect({ counts, rejected, found }, 'bulk = one by one').toEqual(single)
        const contents = await contentsOf(sql, inPieces, choice.host)
        expect(contents).toEqual(await contentsOf(sql, oneByOne, choice.host))
        expect(contents).toEqual(await contentsOf(sql, whole, choice.host))

        rows.stored += customersCreated + customersUpdated
        rows.unchanged += customersUnchanged
        rows.rejected += rowsRejected
      }),
      600,
    )
    console.log(`${met.size} of ${TABLE.length} rows of options met; rows: ${JSON.stringify(rows)}`)
    expect(met.size).toBeGreaterThanOrEqual(samples(TABLE.length, TABLE.length / 5))
    expect(Math.min(...Object.values(rows))).toBeGreaterThan(samples(100, 0))
  }, 900_000)

  test('atomic with one bad row and abort: both tables byte for byte as before', async () => {
    let filled = 0
    await checkLaw(
      'atomic and abort',
      fc.asyncProperty(scenario, fc.nat(), async ([at, before, file], place) => {
        const choice = TABLE[at]!
        const { sql, store } = stores.get(choice.host)![choice.client]
        const account = newAccount()
        for (const earlier of before) await store.uploadCsv(account, bytesOf(earlier).bytes)
        const bad = file.headers.map((header) => (header === 'email' ? 'nobody' : ''))
        const rows = file.rows.toSpliced(place % (file.rows.length + 1), 0, bad)
        const options = { ...optionsOf(choice, file), dryRun: false, atomic: true, onInvalidRow: 'abort' } as const
        const untouched = await stateOf(sql, account, choice.host)
        const upload = (on: CustomAttributesStore) =>
          on.uploadCsv(account, bytesOf({ ...file, rows }).inPieces(), options)

        // A host that goes on after the failure keeps its transaction, without the upload.
        const error = choice.inTransaction
          ? await sql.begin((tx) => rejectionOf(upload(store.with(tx))))
          : await rejectionOf(upload(store))
        expect(error.code).toBe('INVALID_ROW')
        expect(error.details.stored).toMatchObject({ customersCreated: 0, customersUpdated: 0, customersUnchanged: 0 })
        expect(await stateOf(sql, account, choice.host)).toEqual(untouched)
        if (untouched.customers.length > 0) filled++
      }),
      500,
      40,
    )
    expect(filled).toBeGreaterThan(samples(100, 5))
  }, 900_000)
})

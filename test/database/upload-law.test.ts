import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw, isFull } from '../support/law.js'
import {
  type Account,
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

async function uploadAtOnce(
  store: CustomAttributesStore,
  account: string,
  file: GeneratedFile,
  dryRun = false,
): Promise<Account> {
  const heard: string[] = []
  const result = await store.uploadCsv(account, bytesOf(file).inPieces(), {
    ...file.merge,
    batchSize: file.batchSize,
    concurrency: file.concurrency,
    dryRun,
    onRejected: ({ row, code }) => heard.push(`${row} ${code}`),
  })
  const told = accountOf(result)
  expect(heard.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual(told.rejected)
  return told
}

const scenario = fc
  .nat(HOSTS.length - 1)
  .chain((host) =>
    fc.tuple(
      fc.constant(HOSTS[host]!),
      fc.array(fileFor(HOSTS[host]!.maxCustomAttributes), { minLength: 1, maxLength: 3 }),
    ),
  )

test('law: a CSV uploaded at once is its rows given one by one, in stored rows, counts and definitions', async () => {
  const sql = db.connect({ max: 8 })
  const stores = new Map(
    HOSTS.map((host) => [host, createCustomAttributesStore(sql, { ...host, maxValueLength: MAX_VALUE_LENGTH })]),
  )
  const reached: Record<string, number> = {}
  const count = (what: string, rows = 1) => {
    reached[what] = (reached[what] ?? 0) + rows
  }

  await checkLaw(
    'at once = one by one',
    fc.asyncProperty(scenario, async ([host, files]) => {
      const store = stores.get(host)!
      const atOnce = newAccount()
      const oneByOne = newAccount()
      for (const file of files.flatMap((file) => (file.isGivenTwice ? [file, file] : [file]))) {
        const before = file.isTriedFirst ? await contentsOf(sql, atOnce, host) : undefined
        const tried = file.isTriedFirst ? await uploadAtOnce(store, atOnce, file, true) : undefined
        if (before) expect(await contentsOf(sql, atOnce, host), 'a dry run stores nothing').toEqual(before)

        const [bulk, single] = await Promise.all([
          uploadAtOnce(store, atOnce, file),
          uploadOneByOne(store, oneByOne, file, file.merge),
        ])
        expect(bulk).toEqual(single)
        if (tried) expect(tried, 'a dry run counts as the real one').toEqual(bulk)
        expect(await contentsOf(sql, atOnce, host)).toEqual(await contentsOf(sql, oneByOne, host))

        count('created', bulk.counts.customersCreated)
        count('updated', bulk.counts.customersUpdated)
        count('unchanged', bulk.counts.customersUnchanged)
        for (const reason of bulk.rejected) count(reason.split(' ')[1]!)
      }
    }),
    400,
  )

  // A law that meets only easy rows says little.
  console.log(`rows reached: ${JSON.stringify(reached)}`)
  const expected = ['created', 'updated', 'unchanged', 'COLUMN_COUNT_MISMATCH', 'CUSTOMER_EXISTS', 'CUSTOMER_NOT_FOUND']
  expected.push('EMAIL_REQUIRED', 'INVALID_CHARACTER', 'INVALID_EMAIL', 'INVALID_VALUE', 'ROW_REFUSED')
  expected.push('TOO_MANY_ATTRIBUTES', 'VALUE_TOO_LONG')
  // With few samples not every outcome need be met; each has tests of its own.
  expect(expected).toEqual(expect.arrayContaining(Object.keys(reached)))
  if (isFull) {
    expect(Object.keys(reached).sort()).toEqual(expected.sort())
    expect(Math.min(...Object.values(reached))).toBeGreaterThan(5)
  }
}, 600_000)

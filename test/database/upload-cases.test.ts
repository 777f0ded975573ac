import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { UploadOptions } from '../../src/upload/options.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const folder = new URL('../fixtures/cases/', import.meta.url)
const files = readdirSync(folder)
const file = (start: string) => readFileSync(new URL(files.find((name) => name.startsWith(start))!, folder))

/** Uploads files into one account, and says what it has. */
async function stored(starts: string[], options?: UploadOptions) {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  const results = []
  for (const start of starts) results.push(await store.uploadCsv(account, file(start), options))
  const { customers } = await contentsOf(db.sql, account)
  return { customers, results, last: results.at(-1)!, account, store }
}

describe('headers', () => {
  test('02a: a cell that says Email makes no header', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    const headers = ['Requester email', 'Requester name', 'Via']
    const error = await rejectionOf(store.uploadCsv(account, file('02a')))
    expect(error).toMatchObject({ code: 'EMAIL_COLUMN_MISSING', details: { headers } })
    const preview = await store.previewCsv(account, file('02a'))
    expect(preview).toMatchObject({ headers, preamble: [] })
    const columns = preview.columns.map((column, at) => (at === 0 ? { target: { field: 'email' as const } } : column))
    expect(await store.uploadCsv(account, file('02a'), { columns })).toMatchObject({
      customersCreated: 4,
      rowsTotal: 4,
    })
  })

  test('02b: labels and values above the header', async () => {
    const { customers, store, account } = await stored(['02b'])
    expect(customers).toMatchObject([
      { email: 'a@x.com', custom_attributes: { Tier: 'gold' } },
      { email: 'b@x.com', custom_attributes: { Tier: 'silver' } },
    ])
    const { headers, preamble } = await store.previewCsv(account, file('02b'))
    expect(headers).toEqual(['Email', 'Name', 'Tier'])
    expect(preamble).toEqual([
      ['Account', 'Acme', ''],
      ['Email', 'owner@acme.com', ''],
    ])
  })

  test('02d: no header', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    for (const call of [store.uploadCsv, store.previewCsv]) {
      const error = await rejectionOf(call(account, file('02d')))
      expect(error.code).toBe('HEADER_MISSING')
      expect(error.message).toContain('headers')
    }
    expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
    const headers = ['email', 'first_name']
    expect((await store.previewCsv(account, file('02d'), { headers })).rows).toHaveLength(2)
    expect((await stored(['02d'], { headers })).customers).toMatchObject([
      { email: 'a@x.com', first_name: 'Ann' },
      { email: 'b@x.com', first_name: 'Bob' },
    ])
  })
})

describe('quotes, blanks and marks', () => {
  test.each([
    ['03a', [{ email: 'a@x.com', first_name: 'Ann', custom_attributes: { tier: 'gold' } }], 1],
    ['03b', [{ email: 'a@x.com', first_name: 'Ann' }], 0],
    ['03d', [{ email: 'a@x.com', postal_code: '00720' }], 0],
    ['07a', [{ email: 'a@x.com', custom_attributes: { Tier: 'gold' } }], 0],
    ['07c', [{ email: 'a@x.com', custom_attributes: { Tier: 'gold' } }], 0],
    ['08a', [{ email: 'john@x.com', custom_attributes: { tier: 'platinum' } }], 0],
    ['09a', [{ email: 'a@x.com', custom_attributes: { tier: 'gold' } }], 0],
    ['09b', [{ email: 'a@x.com', phone: '+46 1', custom_attributes: { tier: 'gold' } }], 0],
  ])('%s', async (start, expected, rejected) => {
    const { customers, last } = await stored([start])
    expect(customers).toMatchObject(expected)
    expect(customers).toHaveLength(expected.length)
    expect(last.rowsRejected).toBe(rejected)
  })

  test('09b: again it changes nothing', async () => {
    expect((await stored(['09b', '09b'])).last.customersUnchanged).toBe(1)
  })

  test('11: the delimiter', async () => {
    const store = createCustomAttributesStore(db.client)
    const preview = await store.previewCsv(newAccount(), file('11'))
    expect(preview).toMatchObject({ delimiter: ';', headers: { length: 3 } })
  })
})

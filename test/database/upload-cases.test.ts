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

describe('where a column goes does not change from week to week', () => {
  test('01a, 01b', async () => {
    const { customers } = await stored(['01a', '01b'])
    expect(customers).toMatchObject([{ phone: '111', custom_attributes: { Mobile: '333' } }])
  })

  test.each([
    ['postal_code', 'Zip'],
    ['phone', 'SMS'],
    ['province', 'State'],
    ['company', 'Organization'],
  ] as const)('%s beside %s', async (field, alias) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, `email,${field},${alias}\na@x.com,111,222\n`)
    const again = await store.uploadCsv(account, `email,${alias}\na@x.com,333\n`)
    expect(again).toMatchObject({ customAttributesFound: [alias], warnings: [] })
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
      [field]: '111',
      custom_attributes: { [alias]: '333' },
    })
  })

  test('after the host mapped it once', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, 'email,Zip\na@x.com,1\n', { columns: { Zip: { attribute: 'Zip' } } })
    await store.uploadCsv(account, 'email,ZIP\na@x.com,2\n')
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject({
      postal_code: null,
      custom_attributes: { Zip: '2' },
    })
  })
})

describe('names that differ in a sign are different', () => {
  test('04a, 04b, 04c', async () => {
    const names = ['Growth %', 'Growth $'] as const
    const { customers } = await stored(['04a', '04b'])
    expect(customers).toMatchObject([{ custom_attributes: { [names[0]]: '12', [names[1]]: '99000' } }])
    const both = await stored(['04a', '04c'])
    expect(both.customers[0]!.custom_attributes).toEqual({ [names[0]]: '13', [names[1]]: '88000' })
    const { store, account } = await stored(['04a'])
    await store.uploadCsv(account, file('04c'), { attributes: [names[0]] })
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [names[0]]: '13' })
  })

  test('04f', async () => {
    expect((await stored(['04f'])).customers).toMatchObject([{ custom_attributes: { Tier: 'gold', tier: '1' } }])
  })

  test.each([
    ['Share %', 'Share #'],
    ['Q1_1', 'Q11'],
    ['v1.2', 'v12'],
    ['Revenue €', 'Revenue'],
  ])('%s, then %s, then both', async (one, other) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, `email,${one}\na@x.com,12\n`)
    await store.uploadCsv(account, `email,${other}\na@x.com,99000\n`)
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '12', [other]: '99000' })
    await store.uploadCsv(account, `email,${one},${other}\na@x.com,13,88000\n`)
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '13', [other]: '88000' })
    await store.uploadCsv(account, `email,${one},${other}\na@x.com,14,1\n`, { attributes: [one] })
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ [one]: '14', [other]: '88000' })
  })

  test('Tier and tier are two attributes, whatever is known', async () => {
    const store = createCustomAttributesStore(db.client)
    for (const known of [[], ['Tier'], ['tier'], ['TIER']]) {
      const account = newAccount()
      await store.upsertAttributeDefinitions(account, known)
      await store.uploadCsv(account, file('04f'))
      expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ Tier: 'gold', tier: '1' })
    }
  })
})

describe('a line break in a header is a blank of the name', () => {
  test('12a', async () => {
    const { customers, last } = await stored(['12a'])
    expect(customers).toMatchObject([{ custom_attributes: { 'Loyalty Tier': 'gold' } }])
    expect(last).toMatchObject({ customAttributesFound: ['Loyalty Tier'], headers: ['email', 'Loyalty\nTier'] })
  })

  test.each([
    ['"Loyalty\r\nTier"', { custom_attributes: { 'Loyalty Tier': 'gold' } }],
    ['"Loyalty \n\n Tier\n"', { custom_attributes: { 'Loyalty Tier': 'gold' } }],
    ['"First\nName"', { first_name: 'gold' }],
  ])('%j', async (header, expected) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, `email,${header}\na@x.com,gold\n`)
    expect(await store.getCustomer(account, 'a@x.com')).toMatchObject(expected)
  })
})

describe('a header that cannot name an attribute', () => {
  test('12b', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    const error = await rejectionOf(store.uploadCsv(account, file('12b')))
    expect(error.code).toBe('INVALID_ATTRIBUTE_NAME')
    expect(error.message).toContain('"# of visits"; usable is "of visits #"')
    const { columns } = await store.previewCsv(account, file('12b'))
    expect(await store.uploadCsv(account, file('12b'), { columns })).toMatchObject({ customersCreated: 1 })
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ 'of visits #': '3' })
  })

  test.each([
    ['a|b', 'a/b'],
    ['>= 5', '5 >='],
    ['=x', 'x ='],
    ['x'.repeat(120), 'x'.repeat(100)],
  ])('%s: the preview tells it once and proposes %s, under which the file is stored', async (header, name) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    const csv = `email,${header},city\na@x.com,3,Rome\n`
    const preview = await store.previewCsv(account, csv, { delimiter: ',' })
    expect(preview.problems).toMatchObject([{ code: 'INVALID_ATTRIBUTE_NAME' }])
    expect(preview.columns[1]).toMatchObject({ target: { attribute: name }, reason: 'attribute', samples: ['3'] })
    expect(preview.rows).toMatchObject([{ standard: { city: 'Rome' }, custom_attributes: { [name]: '3' } }])
    const refused = await rejectionOf(store.uploadCsv(account, csv, { delimiter: ',' }))
    expect(refused).toMatchObject({ code: 'INVALID_ATTRIBUTE_NAME' })
    expect(refused.message).toContain(`usable is "${name.slice(0, 60)}`)
    const { columns } = preview
    expect((await store.previewCsv(account, csv, { columns, delimiter: ',' })).problems).toEqual([])
    await store.uploadCsv(account, csv, { columns, delimiter: ',' })
    expect(await store.getAttributeDefinitions(account)).toEqual([name])
  })
})

describe('short and long rows', () => {
  test('05a: the missing cell is that of a column that is ignored', async () => {
    const { customers, last } = await stored(['05a'])
    expect(customers).toMatchObject([
      { email: 'a@x.com', first_name: 'Ann' },
      { email: 'b@x.com', first_name: 'Bob' },
    ])
    expect(last.rowsRejected).toBe(0)
  })

  test('a missing cell of another column, and what to set', async () => {
    const { store, account } = await stored(['05a'])
    const csv = 'email,tier,plan\na@x.com,gold\n'
    const { rejected } = await store.uploadCsv(account, csv)
    expect(rejected).toMatchObject([{ code: 'COLUMN_COUNT_MISMATCH', details: { headers: 3, cells: 2 } }])
    expect(rejected[0]!.message).toContain("set shortRows to 'fill'")
    expect((await store.previewCsv(account, csv, { shortRows: 'fill' })).rejected).toEqual([])
    expect(await store.uploadCsv(account, csv, { shortRows: 'fill' })).toMatchObject({ customersUpdated: 1 })
  })

  test('12c: blank cells beyond the header', async () => {
    const { customers, last } = await stored(['12c'])
    expect(customers.map(({ email }) => email)).toEqual(['a@x.com', 'b@x.com'])
    expect(last).toMatchObject({ customersCreated: 2, rowsTotal: 2, rowsRejected: 0 })
  })
})

describe('values', () => {
  test('06a: hours of one digit', async () => {
    const { customers } = await stored(['06a'], { dateFormat: 'mdy' })
    const hours = customers.map(({ last_order_date }) => String(last_order_date))
    expect(hours).toEqual([expect.stringMatching(/2024-01-05.09:05/), expect.stringMatching(/2024-01-05.10:05/)])
  })

  test('06c: UTC', async () => {
    const { customers } = await stored(['06c'])
    expect(customers).toHaveLength(2)
    expect(customers[0]!.last_order_date).toEqual(customers[1]!.last_order_date)
  })

  test('06d: whole numbers and booleans with a decimal', async () => {
    const { customers } = await stored(['06d'])
    expect(customers).toMatchObject([{ orders_count: 3 }, { orders_count: 3 }, { accepts_marketing: true }])
  })

  test('numberFormat and emptyMarkers: upload, preview, constants, checkRow and upsertCustomer', async () => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    const csv = 'email;total_spent;city\na@x.com;1.234,50;NULL\n'
    const { rejected } = await store.uploadCsv(account, csv)
    expect(rejected).toMatchObject([{ code: 'INVALID_VALUE', column: 'total_spent' }])
    expect(rejected[0]!.message).toContain('numberFormat')
    const options = {
      numberFormat: 'comma',
      emptyMarkers: ['NULL'],
      constants: { last_order_price: '1.000,5', Campaign: 'NULL' },
    } as const
    const preview = await store.previewCsv(account, csv, options)
    expect([preview.rejected, preview.problems]).toEqual([[], []])
    expect(preview.rows).toMatchObject([{ standard: { total_spent: '1234.50' } }])
    // A check gives back what it was given.
    await store.uploadCsv(account, csv, { ...options, checkRow: (row) => row })
    const { customers } = await contentsOf(db.sql, account)
    expect(customers).toMatchObject([{ city: null, custom_attributes: {} }])
    expect(Number(customers[0]!.total_spent)).toBe(1234.5)
    expect(Number(customers[0]!.last_order_price)).toBe(1000.5)
    const again = { email: 'a@x.com', total_spent: '1.234,50', last_order_price: 1000.5 }
    expect((await store.upsertCustomer(account, again, { numberFormat: 'comma' })).outcome).toBe('unchanged')
  })
})

test('10a, 10b: broken UTF-8 is no other encoding', async () => {
  const { store, account, customers } = await stored(['10a'])
  const error = await rejectionOf(store.uploadCsv(account, file('10b')))
  expect(error).toMatchObject({ code: 'INVALID_ENCODING', details: { line: 4 } })
  expect((await contentsOf(db.sql, account)).customers).toEqual(customers)
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

describe('a position that says email', () => {
  test.each([
    [
      'Name,Preferred,Requester\nAnn,email,\nBob,phone,b@x.com\n',
      [{ attribute: 'Name' }, undefined, { field: 'email' }],
    ],
    ['Asker,Via\nx,E-mail\nb@x.com,phone\n', [{ field: 'email' }, undefined]],
    ['Asker,Via\nx,Mail\nb@x.com,phone\n', [{ target: { field: 'email' } }, undefined]],
    ['Via,Asker\nemail,x\nphone,b@x.com\n', [undefined, { field: 'email' }]],
  ] as [string, never][])('makes no other cell a header: %j', async (csv, columns) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    expect(await store.uploadCsv(account, csv, { columns })).toMatchObject({
      headers: csv.split('\n')[0]!.split(','),
      rowsTotal: 2,
      customersCreated: 1,
      rowsRejected: 1,
      warnings: [],
    })
  })
})

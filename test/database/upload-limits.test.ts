import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

test('maxRows: as many are stored, one more is TOO_MANY_ROWS with the number; blank rows do not count', async () => {
  const { store, account } = open()
  const csv = `email\n\n${Array.from({ length: 10 }, (_, at) => `p${at}@example.com\n\n`).join('')}`
  expect(await store.uploadCsv(account, csv, { maxRows: 10 })).toMatchObject({ customersCreated: 10 })
  const error = await rejectionOf(store.uploadCsv(account, csv, { maxRows: 9 }))
  expect(error).toMatchObject({ code: 'TOO_MANY_ROWS', status: 413, details: { maxRows: 9 } })
  expect(error.message).toBe('The file has more than 9 rows. Split it into several files, or raise maxRows.')
})

test('the limits of reading are options of an upload', async () => {
  const { store, account } = open()
  const csv = 'email,a,b\na@example.com,1,2\n'
  for (const [options, code] of [
    [{ maxBytes: 20 }, 'FILE_TOO_LARGE'],
    [{ maxColumns: 2 }, 'TOO_MANY_COLUMNS'],
    [{ maxRecordBytes: 12 }, 'RECORD_TOO_LARGE'],
  ] as const) {
    expect((await rejectionOf(store.uploadCsv(account, csv, options))).code).toBe(code)
  }
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test('what is wrong with the head of a file is found before anything is written', async () => {
  const { store, account } = open()
  for (const [csv, code] of [
    ['', 'EMPTY_FILE'],
    ['\n\n', 'EMPTY_FILE'],
    ['%PDF-1.7', 'UNSUPPORTED_FILE'],
    ['name\nJohn\n', 'EMAIL_COLUMN_MISSING'],
    ['email,tier,tier\na@example.com,1,2\n', 'DUPLICATE_COLUMN'],
    ['email,a|b\na@example.com,1\n', 'INVALID_ATTRIBUTE_NAME'],
    ['email,__proto__\na@example.com,1\n', 'INVALID_ATTRIBUTE_NAME'],
    ['email,constructor\na@example.com,1\n', 'INVALID_ATTRIBUTE_NAME'],
    ['email\n"a@example.com\n', 'UNCLOSED_QUOTE'],
  ] as const) {
    expect((await rejectionOf(store.uploadCsv(account, csv))).code, csv).toBe(code)
  }
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test('a header and nothing else is an upload of no rows', async () => {
  const { store, account } = open()
  for (const options of [{}, { atomic: true }, { dryRun: true }]) {
    expect(await store.uploadCsv(account, 'email,tier\n', options)).toMatchObject({
      rowsTotal: 0,
      customersCreated: 0,
      rowsRejected: 0,
      customAttributesFound: [],
      headers: ['email', 'tier'],
    })
  }
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
})

test('hostile rows cost only themselves', async () => {
  const { store, account } = open()
  const csv = `email,tier,toString\n__proto__@example.com,constructor,x\n\0,\0,\0\n${'\u001f'}@x,${'\u001e'},\na@example.com,__proto__,"{""__proto__"":1}"\n`
  expect(await store.uploadCsv(account, csv)).toMatchObject({ customersCreated: 2, rowsRejected: 2 })
  expect((await store.getCustomer(account, 'a@example.com'))!.custom_attributes).toEqual({
    tier: '__proto__',
    toString: '{"__proto__":1}',
  })
})

test('values with the bytes that the library separates with come back as they are, early or late in the file', async () => {
  const { store, account } = open()
  const odd = ['\u001f', '\u001e', '\u001fa\u001e', '\u001c\u001d', '\\', '{}', '"', 'a\u001fb\u001fc']
  const plain = Array.from({ length: 5_000 }, (_, at) => `p${at}@example.com,x,y`)
  const rows = [
    ...plain,
    ...odd.map((value, at) => `odd${at}@example.com,"${value.replaceAll('"', '""')}",z`),
    ...plain.map((row) => `q${row}`),
  ]
  for (const batchSize of [3, 2_000]) {
    const own = newAccount()
    const part = batchSize === 3 ? rows.slice(4_900, 5_100) : rows
    expect(await store.uploadCsv(own, `email,city,tier\n${part.join('\n')}`, { batchSize })).toMatchObject({
      customersCreated: part.length,
      rowsRejected: 0,
    })
    for (const [at, value] of odd.entries()) {
      expect((await store.getCustomer(own, `odd${at}@example.com`))!.city).toBe(value)
    }
  }
  expect(await store.getCustomer(account, 'p1@example.com')).toBeNull()
})

test('the upload after a failed one works', async () => {
  const { account } = open()
  const store = createCustomAttributesStore(db.connect({ max: 1 }))
  await rejectionOf(store.uploadCsv(account, `email\n${'a@example.com\n'.repeat(5_000)}"x`))
  expect(await store.uploadCsv(account, 'email\nb@example.com\n')).toMatchObject({ customersCreated: 1 })
})

import { expect, test } from 'vitest'
import { type RejectedRow, rejectedRowsCsv } from '../../src/rejected-rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

const csv = `email,note,city
a@example.com,"one
two",Oslo
b@example.com,5" pipe,Rome
c@example.com,"He said "hi", bye",Bern
d@example.com,"3",Paris
`
const rejected = [
  { row: 3, line: 4, code: 'INVALID_QUOTE', column: 'note', record: ['b@example.com', '5" pipe', 'Rome'] },
  {
    row: 4,
    line: 5,
    code: 'INVALID_QUOTE',
    column: 'note',
    record: ['c@example.com', '"He said "hi"', ' bye"', 'Bern'],
  },
]

test('a row with a quote out of place is rejected, the others are stored', async () => {
  const { store, account } = open()
  const result = await store.uploadCsv(account, csv)
  expect(result).toMatchObject({ rowsTotal: 4, customersCreated: 2, rowsRejected: 2, rejected })
  expect(result.rejected[0]).toMatchObject({
    message:
      'A quote stands in the middle of the cell on line 4 (column 2). ' +
      'Put the whole cell in quotes and double the ones that belong to its text (RFC 4180, section 2). ' +
      'Among rejected rows, correct the cell and empty error_code.',
    details: { column: 'note' },
  })
  expect([...(await store.getCustomers(account, ['a@example.com', 'd@example.com'])).values()]).toMatchObject([
    { custom_attributes: { note: 'one\ntwo' } },
    { custom_attributes: { note: '3' } },
  ])
})

test('its CSV shows the cells; unmended it is rejected again, mended or said to be right it is stored', async () => {
  const { store, account } = open()
  const rows: RejectedRow[] = []
  const { headers } = await store.uploadCsv(account, csv, { onRejected: (row) => void rows.push(row) })
  const unmended = rejectedRowsCsv(headers, rows)
  expect(await store.uploadCsv(account, unmended)).toMatchObject({ customersCreated: 0, rowsRejected: 2 })
  // As the message says: the first row is right as it shows.
  const mended = unmended.replace('INVALID_QUOTE', '')
  const again = await store.uploadCsv(account, mended)
  expect(again).toMatchObject({ customersCreated: 1, rowsRejected: 1 })
  expect(await store.getCustomer(account, 'b@example.com')).toMatchObject({
    city: 'Rome',
    custom_attributes: { note: '5" pipe' },
  })
})

test('a preview and a dry run show it', async () => {
  const { store, account } = open()
  const preview = await store.previewCsv(account, csv)
  expect(preview).toMatchObject({
    problems: [],
    rejected,
    rows: [
      { row: 2, line: 2 },
      { row: 5, line: 6 },
    ],
  })
  expect(await store.uploadCsv(account, csv, { dryRun: true })).toMatchObject({ customersCreated: 2, rejected })
  expect((await contentsOf(db.sql, account)).customers).toEqual([])
})

test("onInvalidRow 'abort' ends at it", async () => {
  const { store, account } = open()
  const error = await rejectionOf(store.uploadCsv(account, csv, { onInvalidRow: 'abort', atomic: true }))
  expect(error).toMatchObject({
    code: 'INVALID_ROW',
    details: { row: 3, line: 4, code: 'INVALID_QUOTE', column: 'note', stored: { customersCreated: 0 } },
  })
})

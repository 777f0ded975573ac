import { expect, test } from 'vitest'
import type { RejectedRow } from '../../src/rejected-rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

test('a bad row costs only itself; it is told with row, line, code, column, message and cells', async () => {
  const { store, account } = open()
  const csv = [
    'sep=;',
    'Export of 2024',
    '',
    'E-Mail;Orders Count;Birthday;Accepts Marketing;Total Spent;Tier', // line 4
    'ok@example.com;5;1990-05-01;yes;1.5;"two\nlines"', // 5
    '', // 7
    ';5;;;;no email', // 8
    'bad;;;;;', // 9
    'a@example.com;five;;;;', // 10
    'b@example.com;;31.12.1990;;;', // 11
    'c@example.com;;;perhaps;;', // 12
    'd@example.com;;;;1,50;', // 13
    `e@example.com;;;;;${'x'.repeat(10_001)}`, // 14
    'f@example.com;;;;;a\0b', // 15
    'g@example.com;;', // 16
    'h@example.com;;;;;;too many', // 17
    'fine@example.com;;;;;;', // 18
    ';;;;;', // 19
    ' ok@example.com ;6;;;;', // 20
  ].join('\n')
  const result = await store.uploadCsv(account, csv)
  expect(result).toMatchObject({
    rowsTotal: 13,
    customersCreated: 2,
    customersUpdated: 1,
    customersUnchanged: 0,
    rowsRejected: 10,
  })
  const told = result.rejected.map(({ row, line, code, column }) => [row, line, code, column])
  expect(told).toEqual([
    [6, 8, 'EMAIL_REQUIRED', 'E-Mail'],
    [7, 9, 'INVALID_EMAIL', 'E-Mail'],
    [8, 10, 'INVALID_VALUE', 'Orders Count'],
    [9, 11, 'INVALID_VALUE', 'Birthday'],
    [10, 12, 'INVALID_VALUE', 'Accepts Marketing'],
    [11, 13, 'INVALID_VALUE', 'Total Spent'],
    [12, 14, 'VALUE_TOO_LONG', 'Tier'],
    [13, 15, 'INVALID_CHARACTER', 'Tier'],
    [14, 16, 'COLUMN_COUNT_MISMATCH', undefined],
    [15, 17, 'COLUMN_COUNT_MISMATCH', undefined],
  ])
  expect(result.rejected[2]).toEqual({
    row: 8,
    line: 10,
    code: 'INVALID_VALUE',
    column: 'Orders Count',
    message: 'The value must be a whole number. Correct the cell.',
    details: { column: 'Orders Count' },
    record: ['a@example.com', 'five', '', '', '', ''],
  })
  expect(result.rejected[0]!.message).toBe('email is required: the cell is empty.')
  expect(result.rejected[8]!.message).toMatch(/^Headers and row must have same length: 6 headers, only 3 cells\./)
  expect(result.rejected[7]!.record).toEqual(['f@example.com', '', '', '', '', 'a\0b'])
})

test('no message repeats a cell', async () => {
  const { store, account } = open()
  const csv =
    'email,orders_count,birthday,tier\nTOPSECRET,,,\na@x.com,TOPSECRET,,\nb@x.com,,TOPSECRET,\nc@x.com,,,TOPSECRET\0\nTOPSECRET\n'
  const { rejected } = await store.uploadCsv(account, csv)
  expect(rejected).toHaveLength(5)
  for (const { message, details, column } of rejected) {
    expect(message + JSON.stringify(details) + column).not.toContain('TOPSECRET')
  }
})

test('the result carries the first 100 in row order, onRejected every one, its promise waited for', async () => {
  const { store, account } = open()
  const rows = Array.from({ length: 1_000 }, (_, at) => (at % 2 ? `p${at}@example.com,x` : `bad ${at},x`))
  const heard: RejectedRow[] = []
  let busy = 0
  let mostBusy = 0
  const result = await store.uploadCsv(account, `email,tier\n${rows.join('\n')}`, {
    batchSize: 10,
    concurrency: 2,
    onRejected: async (row) => {
      mostBusy = Math.max(mostBusy, ++busy)
      await new Promise((resolve) => setTimeout(resolve, 0))
      heard.push(row)
      busy--
    },
  })
  expect(result.rowsRejected).toBe(500)
  expect(heard).toHaveLength(500)
  expect(busy).toBe(0)
  expect(mostBusy).toBe(1)
  expect(result.rejected.map(({ row }) => row)).toEqual(Array.from({ length: 100 }, (_, at) => 2 + 2 * at))
  expect(result.rejected.every((row) => heard.includes(row))).toBe(true)
})

test("an error of the host's own callback ends the upload and passes as it is", async () => {
  const { store, account } = open()
  const failure = new Error('the log is full')
  for (const options of [
    {
      onRejected: () => {
        throw failure
      },
    },
    { onRejected: () => Promise.reject(failure) },
    {
      onProgress: () => {
        throw failure
      },
    },
  ]) {
    await expect(store.uploadCsv(account, 'email\nbad\n', options)).rejects.toBe(failure)
  }
  await db.assertNoOpenTransaction()
  expect(await store.uploadCsv(account, 'email\na@example.com\n')).toMatchObject({ customersCreated: 1 })
})

test("onInvalidRow: 'abort' ends with INVALID_ROW at the first bad row, and says what was stored", async () => {
  const { store, account } = open()
  const csv = `email,tier\n${Array.from({ length: 50 }, (_, at) => `p${at}@example.com,x`).join('\n')}\nbad,x\n`
  const error = await rejectionOf(
    store.uploadCsv(account, csv, { onInvalidRow: 'abort', batchSize: 10, concurrency: 1 }),
  )
  expect(error).toMatchObject({
    code: 'INVALID_ROW',
    status: 422,
    details: { row: 52, line: 52, code: 'INVALID_EMAIL', column: 'email' },
  })
  expect(error.message).toMatch(
    /^Row 52 \(line 52\) was rejected, and onInvalidRow is 'abort': Not a valid email address/,
  )
  const stored = (await contentsOf(db.sql, account)).customers.length
  expect(error.details.stored).toMatchObject({ customersCreated: stored, rowsRejected: 1 })
})

import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { rejectedRowsCsv } from '../../src/rejected-rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { RowVerdict } from '../../src/upload/row-checks.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })
const rowsOf = (count: number) =>
  `email,phone,Tier\n${Array.from({ length: count }, (_, at) => `p${at}@example.com,0${at},gold\n`).join('')}`

test('checkRow sees every good row in file order, with its place, sync or async', async () => {
  for (const isAsync of [false, true]) {
    const { store, account } = open()
    const seen: unknown[] = []
    await store.uploadCsv(account, 'email,Tier\na@x.com,gold\nno address,x\n\nb@x.com,"sil\nver"\nc@x.com,\n', {
      checkRow: (row, place) => {
        seen.push([row.standard.email, row.custom_attributes, place])
        return isAsync ? sleep(1).then(() => undefined) : undefined
      },
    })
    expect(seen).toEqual([
      ['a@x.com', { Tier: 'gold' }, { row: 2, line: 2 }],
      ['b@x.com', { Tier: 'sil\nver' }, { row: 5, line: 5 }],
      ['c@x.com', {}, { row: 6, line: 7 }],
    ])
  }
})

test('a row that it changes is stored as changed, and checked like any other', async () => {
  const { store, account } = open()
  const result = await store.uploadCsv(account, rowsOf(4), {
    constants: { country: '' },
    checkRow: ({ standard, custom_attributes }) => {
      const phone = `+46 ${standard.phone}`
      const email = standard.email === 'p3@example.com' ? 'not an address' : standard.email!
      return {
        standard: { ...standard, email, phone, country: 'SE' },
        custom_attributes: { Tier: `${custom_attributes.Tier}!` },
      }
    },
  })
  expect(result).toMatchObject({ customersCreated: 3, rowsRejected: 1 })
  expect(result.rejected[0]).toMatchObject({ code: 'INVALID_EMAIL', row: 5, record: ['p3@example.com', '03', 'gold'] })
  const customer = await store.getCustomer(account, 'p1@example.com')
  expect(customer).toMatchObject({ phone: '+46 01', country: 'SE', custom_attributes: { Tier: 'gold!' } })
})

test('an objection rejects the row; mended and uploaded again it passes', async () => {
  const { store, account } = open()
  const checkRow = ({ standard }: { standard: { phone?: string } }): RowVerdict =>
    standard.phone === '01' ? { column: 'phone', message: 'This number is somebody else’s.' } : undefined
  const result = await store.uploadCsv(account, rowsOf(3), { checkRow })
  expect(result).toMatchObject({ customersCreated: 2, rowsRejected: 1 })
  expect(result.rejected[0]).toMatchObject({
    code: 'ROW_NOT_ALLOWED',
    column: 'phone',
    message: 'This number is somebody else’s.',
  })
  const file = rejectedRowsCsv(result.headers, result.rejected)
  expect(await store.uploadCsv(account, file, { checkRow })).toMatchObject({ rowsTotal: 1, rowsRejected: 1 })
  expect(await store.uploadCsv(account, file.replace('01', '99'), { checkRow })).toMatchObject({ customersCreated: 1 })
})

test('checkRows is asked once for a batch, after checkRow', async () => {
  const { store, account } = open()
  const sizes: number[] = []
  const result = await store.uploadCsv(account, rowsOf(250), {
    batchSize: 100,
    checkRow: ({ standard }) => (standard.phone === '07' ? { message: 'not seven' } : undefined),
    checkRows: async (rows) => {
      sizes.push(rows.length)
      await sleep(1)
      return rows.map(({ row, standard }) => {
        expect(`p${row - 2}@example.com`).toBe(standard.email)
        return standard.phone === '08' ? { message: 'not eight' } : undefined
      })
    },
  })
  expect(sizes).toEqual([100, 100, 49])
  expect(result).toMatchObject({ customersCreated: 248, rowsRejected: 2 })
  expect(result.rejected.map(({ message }) => message)).toEqual(['not seven', 'not eight'])
})

test('onInvalidRow abort ends the upload at the first objection', async () => {
  const { store, account } = open()
  const error = await rejectionOf(
    store.uploadCsv(account, rowsOf(3), { onInvalidRow: 'abort', checkRow: () => ({ message: 'Closed.' }) }),
  )
  expect(error).toMatchObject({ code: 'INVALID_ROW', details: { code: 'ROW_NOT_ALLOWED', row: 2 } })
})

test.each([
  ['a text', 'no', /checkRow must give nothing/],
  [
    'an unknown name',
    { standard: { email: 'a@x.com', city: 'Rome' }, custom_attributes: {} },
    /constants: \{ "city": '' \}/,
  ],
  [
    'a number as value',
    { standard: { email: 'a@x.com', phone: 5 }, custom_attributes: {} },
    /for row 2 it gave an object/,
  ],
])('%s as an answer is an error that says what is expected', async (_, answer, message) => {
  const { store, account } = open()
  const error = await rejectionOf(store.uploadCsv(account, rowsOf(1), { checkRow: () => answer as never }))
  expect(error.code).toBe('INVALID_ARGUMENT')
  expect(error.message).toMatch(message)
})

test('an answer for a batch of another length is an error', async () => {
  const { store, account } = open()
  const error = await rejectionOf(store.uploadCsv(account, rowsOf(3), { checkRows: () => [undefined] }))
  expect(error.message).toMatch(/an entry for each of 3 rows, or nothing, got 1 entries/)
})

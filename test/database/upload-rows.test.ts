import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

const ROWS = [
  ['email', 'First Name', 'Tier'],
  ['a@example.com', 'Ann', 'gold'],
  ['no address', null, 'x'],
  [null, undefined, ''],
  ['b@example.com', 'Bob'],
  ['c@example.com', 'Cy', null, ''],
]

test.each<[string, () => Iterable<(string | null | undefined)[]> | AsyncIterable<(string | null | undefined)[]>]>([
  ['an array', () => ROWS],
  ['a generator', () => ROWS.values()],
  [
    'an async generator',
    async function* () {
      yield* ROWS
    },
  ],
])('%s of rows is uploaded as a file of them would be', async (_, make) => {
  const { store, account } = open()
  const result = await store.uploadRows(account, make())
  expect(result).toMatchObject({ rowsTotal: 4, customersCreated: 2, rowsRejected: 2, customAttributesFound: ['Tier'] })
  expect(result.rejected.map(({ row, code, record }) => [row, code, record])).toEqual([
    [3, 'INVALID_EMAIL', ['no address', '', 'x']],
    [5, 'COLUMN_COUNT_MISMATCH', ['b@example.com', 'Bob']],
  ])
})

test('headers name the columns of rows that have none', async () => {
  const { store, account } = open()
  const result = await store.uploadRows(account, [['a@example.com', 'gold']], { headers: ['email', 'Tier'] })
  expect(result).toMatchObject({ customersCreated: 1, headers: ['email', 'Tier'] })
})

test('law: rows and the same rows as CSV come to the same', async () => {
  const cell = fc.constantFrom('', 'gold', ' x ', 'a"b', 'c,d', 'e\nf', '\x1f', "'=1", 'ä')
  const rows = fc.array(fc.tuple(fc.constantFrom('a@x.com', 'b@x.com', 'c@x.com', 'bad', ''), cell, cell), {
    maxLength: 12,
  })
  await checkLaw(
    'rows and CSV',
    fc.asyncProperty(rows, async (rows) => {
      const { store } = open()
      const [one, other] = [newAccount(), newAccount()]
      const all = [['email', 'city', 'Tier'], ...rows]
      const csv = all.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(',')).join('\n')
      const fromRows = await store.uploadRows(one, all)
      const fromCsv = await store.uploadCsv(other, csv)
      const comparable = ({ bytesRead: _b, durationMs: _d, rejected, ...result }: typeof fromRows) => ({
        ...result,
        rejected: rejected.map(({ line: _line, ...row }) => row),
      })
      expect(comparable(fromRows)).toEqual(comparable(fromCsv))
      expect(await contentsOf(db.sql, one)).toEqual(await contentsOf(db.sql, other))
    }),
    40,
  )
})

test('what is no row of texts is an error with its place, and what came before is told', async () => {
  const { store, account } = open()
  const wrong = (rows: unknown) => rejectionOf(store.uploadRows(account, rows as string[][]))
  expect((await wrong('email')).message).toMatch(/rows must be an iterable/)
  expect((await wrong([['email'], ['a@example.com'], 'b@example.com'])).message).toMatch(/Row 3 must be an array/)
  const numbers = await wrong([
    ['email', 'Age'],
    ['a@example.com', 41],
  ])
  expect(numbers).toMatchObject({ code: 'INVALID_ARGUMENT', details: { row: 2, stored: { rowsTotal: 0 } } })
  expect(numbers.message).toMatch(/String\(value\)/)
  expect((await wrong([])).code).toBe('EMPTY_FILE')
  expect((await wrong([Array(501).fill('x')])).code).toBe('TOO_MANY_COLUMNS')
  function* failing() {
    yield ['email']
    throw new Error('the disk went away')
  }
  expect((await wrong(failing())).code).toBe('SOURCE_FAILED')
  expect((await rejectionOf(store.uploadRows(account, ROWS, { delimiter: ';' } as never))).code).toBe('INVALID_OPTION')
})

test('a source of rows that hangs hears the signal, and is closed', async () => {
  const { store, account } = open()
  let isClosed = false
  const controller = new AbortController()
  const rows = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        setImmediate(() => controller.abort())
        return new Promise<never>(() => {})
      },
      return: async () => {
        isClosed = true
        return { done: true as const, value: undefined }
      },
    }),
  }
  const uploading = rejectionOf(store.uploadRows(account, rows, { signal: controller.signal }))
  expect((await uploading).code).toBe('ABORTED')
  expect(isClosed).toBe(true)
})

test.each([
  [
    'a cell that says email',
    [
      ['ann@x.com', 'Ann', 'email'],
      ['bob@x.com', 'Bob', 'phone'],
      ['c@x.com', 'Cy', 'd@x.com'],
    ],
  ],
  [
    'no cell that does',
    [
      ['a@x.com', 'Ann'],
      ['b@x.com', 'Bob'],
    ],
  ],
  [
    'blanks around it',
    [
      ['Ann', ' a@x.com '],
      ['Bob', 'b@x.com'],
    ],
  ],
  ['one row', [['a@x.com']]],
])('a first row with an address is no header: %s', async (_, rows) => {
  const { store, account } = open()
  const error = await rejectionOf(store.uploadRows(account, rows))
  expect(error.code).toBe('HEADER_MISSING')
  expect(error.message).toContain('headers')
  expect((await contentsOf(db.sql, account)).customers).toEqual([])
  const headers = rows[0]!.map((cell, at) => (cell.includes('@') ? 'email' : `n${at}`))
  expect(await store.uploadRows(account, rows, { headers })).toMatchObject({ customersCreated: rows.length })
})

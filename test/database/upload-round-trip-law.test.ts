import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RejectedRow, rejectedRowsCsv } from '../../src/rejected-rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()

/** How spreadsheets and editors write a file that they have opened. */
interface Saving {
  delimiter: ',' | ';' | '\t'
  quotes: 'all' | 'needed'
  lineEnd: '\n' | '\r\n'
  mark: '' | '\ufeff'
}

const saving: fc.Arbitrary<Saving> = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t'),
  quotes: fc.constantFrom('all', 'needed'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  mark: fc.constantFrom('', '\ufeff'),
})

function save(cells: readonly (readonly string[])[], { delimiter, quotes, lineEnd, mark }: Saving): string {
  const write = (cell: string) =>
    quotes === 'all' || /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell
  return mark + cells.map((row) => row.map(write).join(delimiter) + lineEnd).join('')
}

/** The cells of what `rejectedRowsCsv` writes, as a spreadsheet opens it. */
function open(csv: string): string[][] {
  const rows: string[][] = [[]]
  for (const [, cell = '', end = ''] of csv.matchAll(/("(?:[^"]|"")*"|[^,\r\n"]*)(,|\r?\n|$)/g)) {
    rows.at(-1)!.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell)
    if (end !== ',') rows.push([])
  }
  return rows.filter((row) => row.some((cell) => cell !== ''))
}

const good = fc.constantFrom('Rome', 'a b', '', "'t Hooft", '=1', '007', 'x;y', 'ä')
const misquoted = fc.constantFrom('"5" pipe"', 'a"b', '"x"y', '5" pipe', '"a""b"c')
const row = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.tuple(good, good).map(([city, note]) => ({ kind: 'good', cells: [quote(city), quote(note)] })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(good, misquoted).map(([city, note]) => ({ kind: 'quote', cells: [quote(city), note] })),
  },
  { weight: 1, arbitrary: good.map((city) => ({ kind: 'short', cells: [quote(city)] })) },
  { weight: 1, arbitrary: good.map((city) => ({ kind: 'long', cells: [quote(city), 'x', 'y'] })) },
)
const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`

/** What people leave above a header: no record of it has an address. */
const above = fc.array(fc.constantFrom('My contacts', 'Exported,2026-11-26,', '', 'Name,Tier'), { maxLength: 3 })

test('law: whatever stands above the header, rows stored and rejected are the rows of the file; unmended they are rejected again', async () => {
  await checkLaw(
    'unmended round trip',
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), above, saving, async (rows, preamble, style) => {
      const store = createCustomAttributesStore(db.client)
      const account = newAccount()
      const lines = rows.map(({ cells }, at) => [`p${at}@example.com`, ...cells].join(','))
      const csv = [...preamble, 'email,city,note', ...lines].join('\n')
      const rejected: RejectedRow[] = []
      const first = await store.uploadCsv(account, csv, { onRejected: (one) => void rejected.push(one) })
      expect(first.customersCreated + first.rowsRejected).toBe(rows.length)
      expect(first.rowsTotal).toBe(rows.length)
      if (rejected.length === 0) return
      rejected.sort((a, b) => a.row - b.row)

      const before = await contentsOf(db.sql, account)
      const cells = open(rejectedRowsCsv(first.headers, rejected))
      const again = await store.uploadCsv(account, save(cells, style))
      expect(again).toMatchObject({ rowsTotal: rejected.length, rowsRejected: rejected.length })
      expect(await contentsOf(db.sql, account)).toEqual(before)

      const [header, ...rest] = cells
      const mended = [
        header!,
        ...rest.map((one) => [
          one[0]!,
          'Rome',
          'mended',
          ...one.slice(3).map((cell, at) => (header![at + 3]?.startsWith('error') ? cell : '')),
        ]),
      ]
      expect(await store.uploadCsv(account, save(mended, style))).toMatchObject({ customersCreated: rejected.length })
    }),
    500,
    40,
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readCsv, readEverySplit, writeCsv } from '../support/csv.js'
import { checkLaw } from '../support/law.js'

const numbers = (read: Awaited<ReturnType<typeof readCsv>>) => read.rows.map(({ row, line }) => `${row}/${line}`)

test('row is what a spreadsheet shows, line where it starts in the file', async () => {
  const read = await readEverySplit('Title\n"two\nlines"\n\nemail,x\n\na@example.com,"1\n2\r\n3"\nb@example.com,\n')
  expect(read.headers).toEqual(['email', 'x'])
  expect(numbers(read)).toEqual(['5/6', '6/7', '7/10'])
})

test('a sep= line is a line of the file, but no row of a spreadsheet', async () => {
  expect(numbers(await readEverySplit('sep=,\r\nemail\r\na@example.com\r\n'))).toEqual(['2/3'])
})

test('a header over several lines is one row', async () => {
  expect(numbers(await readEverySplit('email,"first\r\nname"\na@example.com,\n'))).toEqual(['2/3'])
})

test('rows of empty cells count', async () => {
  expect(numbers(await readCsv('email,x\n,\n\n , \na@example.com,1\n'))).toEqual(['2/2', '3/3', '4/4', '5/5'])
})

test('law: lines are counted right whatever stands in quotes', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\r\n', '"', ','), maxLength: 6 })
  const lineBreaks = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0
  await checkLaw(
    'line numbers',
    fc.asyncProperty(
      fc.array(fc.tuple(cell, cell), { maxLength: 10 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.infiniteStream(fc.boolean()),
      async (rows, lineEnd, coins) => {
        const records = [['email', 'x'], ...rows]
        const lines = records.map((_, at) => 1 + at + lineBreaks(writeCsv(records.slice(0, at), { lineEnd: '' })))
        const read = await readCsv(writeCsv(records, { lineEnd, quotes: () => coins.next().value }))
        expect(numbers(read)).toEqual(rows.map((_, at) => `${at + 2}/${lines[at + 1]}`))
      },
    ),
    500,
  )
})

test('numbers stay right over many pieces', async () => {
  const rows = Array.from({ length: 20_000 }, (_, at) => [`a${at}@example.com`, at % 3 === 0 ? 'two\r\nlines' : ''])
  const read = await readCsv(writeCsv([['email', 'x'], ...rows], { lineEnd: '\r\n' }))
  let line = 2
  for (const [at, { row, line: found, record }] of read.rows.entries()) {
    if (row !== at + 2 || found !== line) expect({ row, line: found }).toEqual({ row: at + 2, line })
    line += record[1] === '' ? 1 : 2
  }
  expect(read.rows).toHaveLength(20_000)
})

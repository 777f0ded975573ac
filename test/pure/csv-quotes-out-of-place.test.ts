import { expect, test } from 'vitest'
import { leastTimes } from '../support/cost.js'
import { readCsv, readEverySplit } from '../support/csv.js'
import { samples, someOf } from '../support/law.js'

const messageAt = (line: number, column: number) =>
  `A quote stands in the middle of the cell on line ${line} (column ${column}). ` +
  'Put the whole cell in quotes and double the ones that belong to its text (RFC 4180, section 2).'

test.each([
  ['a quote within an unquoted cell', 'b@example.com,5" pipe', ['b@example.com', '5" pipe'], 2],
  ['text after a closing quote', 'b@example.com,"1"2', ['b@example.com', '"1"2'], 2],
  ['blanks before a quoted cell that goes on', 'b@example.com, "1"2', ['b@example.com', ' "1"2'], 2],
  ['a formula that goes on', 'b@example.com,="1"&"2"', ['b@example.com', '="1"&"2"'], 2],
  ['blanks and text behind a quote', 'b@example.com,"1" 2', ['b@example.com', '"1" 2'], 2],
  ['two quotes before it', 'b@example.com,"a ""b"" c"d', ['b@example.com', '"a ""b"" c"d'], 2],
  ['quotes after it', 'b"@example.com,"a",b', ['b"@example.com', '"a"', 'b'], 1],
  ['quotes that are not doubled', 'b@example.com,"He said "hi,"', ['b@example.com', '"He said "hi', '"'], 2],
  ['no letter before it', '"é"é,"1', ['"é"é', '"1'], 1],
])('a quote out of place costs its line and no other: %s', async (_what, line, record, column) => {
  for (const lineEnd of someOf(['\n', '\r\n', '\r'], 1)) {
    const lines = ['email,x', 'a@example.com,"1', '2"', line, '', 'c@example.com,"3"', line]
    const { rows } = await readEverySplit(lines.join(lineEnd))
    expect(rows).toEqual([
      { row: 2, line: 2, record: ['a@example.com', `1${lineEnd}2`] },
      {
        row: 3,
        line: 4,
        record,
        fault: { code: 'INVALID_QUOTE', message: messageAt(4, column), details: { line: 4, column } },
      },
      { row: 4, line: 5, record: [''] },
      { row: 5, line: 6, record: ['c@example.com', '3'] },
      {
        row: 6,
        line: 7,
        record,
        fault: { code: 'INVALID_QUOTE', message: messageAt(7, column), details: { line: 7, column } },
      },
    ])
  }
})

test('behind a cell of two lines, row and quote have each their own line', async () => {
  const { rows } = await readEverySplit('email,x,y\n"a\nb",1,5" pipe\nc@example.com,2,3\n')
  expect(rows.map(({ row, line, record, fault }) => [row, line, record, fault?.details])).toEqual([
    [2, 2, ['a\nb', '1', '5" pipe'], { line: 3, column: 3 }],
    [3, 4, ['c@example.com', '2', '3'], undefined],
  ])
})

test('a delimiter under which only the rows have quotes out of place is still found', async () => {
  const read = await readEverySplit('Name;E-mail\n"Joe";"a,b"c\n"5"" pipe";b@example.com\n')
  expect(read.delimiter).toBe(';')
  expect(read.rows.map(({ record, fault }) => [record, fault?.code])).toEqual([
    [['Joe', '"a,b"c'], 'INVALID_QUOTE'],
    [['5" pipe', 'b@example.com'], undefined],
  ])
})

const ROWS = samples(50_000, 500)

test(`${4 * ROWS} lines with a quote out of place take a time that grows no faster than they`, async () => {
  const read = (rows: number) => {
    const csv = Buffer.from(`email,x\n${'a@example.com,"1"2\n'.repeat(rows)}`)
    return async () => expect((await readCsv(csv)).rows.filter(({ fault }) => fault)).toHaveLength(rows)
  }
  const [quarter, whole] = await leastTimes([read(ROWS), read(4 * ROWS)], 3)
  // Twice and a half more for what else the machine does; were each line to cost its file, it would be sixteen times.
  expect(whole).toBeLessThan(10 * quarter!)
})

test.each([
  ['text behind the closing quote', '"2\n3"x', ['b@x.com', '"2\n3"x']],
  ['a word in quotes', '"2\nsay "hi" now"', ['b@x.com', '"2\nsay "hi" now"']],
  ['inches', '"2\r\n5" pipe"', ['b@x.com', '"2\r\n5" pipe"']],
  ['a doubled quote before it', '"2 ""\n3"x,y', ['b@x.com', '"2 ""\n3"x', 'y']],
])('in a cell of several lines it costs its row too: %s', async (_what, cell, record) => {
  const { rows } = await readEverySplit(`email,A\na@x.com,1\nb@x.com,${cell}\nc@x.com,4\n`)
  expect(rows.map(({ row, line, fault }) => [row, line, fault?.code])).toEqual([
    [2, 2, undefined],
    [3, 3, 'INVALID_QUOTE'],
    [4, 5, undefined],
  ])
  expect(rows[1]!.record).toEqual(record)
  expect(rows[1]!.fault!.message).toContain('on line 4 (column 2), of a cell that begins on line 3.')
})

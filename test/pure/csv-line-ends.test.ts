import { describe, expect, test } from 'vitest'
import { readCsv, readEverySplit, recordsOf } from '../support/csv.js'

const rows = [
  ['a@example.com', '1'],
  ['b@example.com', '2'],
  ['c@example.com', '3'],
]

describe.each(['\n', '\r\n', '\r'])('line end %j', (lineEnd) => {
  const text = ['email,x', ...rows.map((cells) => cells.join(','))].join(lineEnd)

  test.each(['', lineEnd, lineEnd + lineEnd])('with %j at the end of the file', async (end) => {
    const read = await readEverySplit(text + end)
    expect(recordsOf(read).filter((record) => record.join('') !== '')).toEqual(rows)
  })

  test('within quotes belongs to the cell', async () => {
    const read = await readEverySplit(
      `email,x${lineEnd}a@example.com,"1${lineEnd}2${lineEnd}"${lineEnd}b@example.com,3`,
    )
    expect(recordsOf(read)).toEqual([
      ['a@example.com', `1${lineEnd}2${lineEnd}`],
      ['b@example.com', '3'],
    ])
    expect(read.rows.map(({ line }) => line)).toEqual([2, 5])
  })
})

test('may change from line to line', async () => {
  const read = await readEverySplit('email,x\ra@example.com,1\nb@example.com,2\r\nc@example.com,3\r')
  expect(recordsOf(read)).toEqual(rows)
  expect(read.rows.map(({ line }) => line)).toEqual([2, 3, 4])
})

test('a header with CRLF and rows with LF keep no carriage return', async () => {
  expect(recordsOf(await readEverySplit('email,x\r\na@example.com,1\nb@example.com,2\nc@example.com,3'))).toEqual(rows)
})

test('CR CR LF is a blank line', async () => {
  const read = await readEverySplit('email\r\r\na@example.com')
  expect(read.rows).toEqual([
    { row: 2, line: 2, record: [''] },
    { row: 3, line: 3, record: ['a@example.com'] },
  ])
})

test('other separators of lines are no line ends', async () => {
  const cell = 'a\u2028b\u2029c\u0085d\u000be\u000cf'
  expect(recordsOf(await readCsv(`email,x\na@example.com,${cell}\n`))).toEqual([['a@example.com', cell]])
})

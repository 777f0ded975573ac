import { expect, test } from 'vitest'
import { readCsv, readEverySplit, recordsOf } from '../support/csv.js'

test.each([
  ['blanks on both sides', ' "a@x.com" , "A, ""n""" ', ['a@x.com', 'A, "n"']],
  ['a no-break space and a TAB', '\u00a0"a@x.com"\t,\t"1"\u00a0', ['a@x.com', '1']],
  ['a text formula', 'a@x.com,="00720"', ['a@x.com', '00720']],
  ['a byte order mark', '\ufeff"a@x.com","1"', ['a@x.com', '1']],
  ['two byte order marks and line breaks', '\ufeff\ufeff"a@x.com","1\n2"', ['a@x.com', '1\n2']],
])('a quoted cell beside %s', async (_what, line, cells) => {
  const read = await readEverySplit(`"email", "x"\n${line}\nb@x.com,2\n`)
  expect(read.headers).toEqual(['email', 'x'])
  expect(recordsOf(read).map((record) => record.map((cell) => cell.trim()))).toEqual([cells, ['b@x.com', '2']])
  expect(read.rows.map(({ line }) => line)).toEqual([2, cells[1]!.includes('\n') ? 4 : 3])
})

test.each([
  ['65', ' '.repeat(65)],
  ['100,000', ' '.repeat(100_000)],
  ['100,000 no-break spaces', '\u00a0'.repeat(100_000)],
  ['byte order marks and tabs', '\ufeff\t'.repeat(20_000)],
])('any number of blanks beside a quoted cell: %s', async (_what, blanks) => {
  const row = `${blanks}"a@x.com"${blanks},${blanks}"1\n2"${blanks}`
  const read = await readCsv(`email,x\n${row}\nb@x.com,2\n${row}`, { maxRecordBytes: 2_000_000 })
  const cells = recordsOf(read).map((record) => record.map((cell) => cell.replace(/[\ufeff\s]+$/, '')))
  expect(cells).toEqual([
    ['a@x.com', '1\n2'],
    ['b@x.com', '2'],
    ['a@x.com', '1\n2'],
  ])
  expect(read.rows.map(({ line, fault }) => [line, fault])).toEqual([
    [2, undefined],
    [4, undefined],
    [5, undefined],
  ])
})

test.each([70, 70_000])('text behind a quoted cell and %i blanks costs its row', async (count) => {
  const blanks = ' '.repeat(count)
  for (const line of [`"a ""b"""${blanks}c,d`, ` "a"${blanks}"c",d`, `"a"${blanks}"c",d`]) {
    const read = await readCsv(`email,x\n${line}\nb@x.com,2\n`)
    expect(read.rows.map(({ record, fault }) => [record, fault?.code, fault?.details])).toEqual([
      [[line.slice(0, -2), 'd'], 'INVALID_QUOTE', { line: 2, column: 1 }],
      [['b@x.com', '2'], undefined, undefined],
    ])
    await expect(readCsv(`email,${line}\nb@x.com,2\n`)).rejects.toMatchObject({ code: 'INVALID_QUOTE' })
  }
})

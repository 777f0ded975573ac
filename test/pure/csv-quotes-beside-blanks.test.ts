import { expect, test } from 'vitest'
import { readEverySplit, recordsOf } from '../support/csv.js'

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

import { expect, test } from 'vitest'
import { readCsv, readEverySplit, recordsOf } from '../support/csv.js'
import { rejectionOf } from '../support/errors.js'

test('quoted cells may hold anything; two quotes are one', async () => {
  const read = await readEverySplit('email,x\n"a@example.com","1,2;""3""\n4"\n"b@example.com",""\n')
  expect(recordsOf(read)).toEqual([
    ['a@example.com', '1,2;"3"\n4'],
    ['b@example.com', ''],
  ])
})

test.each([
  ['in the header', 'email,"x\na@example.com,1\n', 1, 2],
  ['in the first cell', '"email,x\na@example.com,1\n', 1, 1],
  ['in a row', 'email,x\na@example.com,1\nb@example.com,"2\nc@example.com,3\n', 3, 2],
  ['after cells over several lines', 'email,x,y\n"a\nb","c\r\nd","e\nf@example.com,1,2\n', 4, 3],
  ['at the end of the file', 'email,x\na@example.com,"', 2, 2],
  ['after blank lines', '\n\r\n\remail,x\n\na@example.com,"1\n', 6, 2],
  ['after a sep= line', 'sep=,\nemail,x\na@example.com,"1\n', 3, 2],
  ['a cell below is quoted from its line’s start', 'email,x\na@example.com,"1\n"b@example.com","2"\n', 2, 2],
  ['a cell below is quoted behind a blank', 'email,x\na@example.com,"1\nb@example.com, "2"\n', 2, 2],
  ['closed by the next quote, far below', 'email,x\na@example.com,"1\nb@example.com,2\nc@example.com,"3"\n', 2, 2],
])('UNCLOSED_QUOTE names the line where it opened: %s', async (_what, text, line, column) => {
  const error = await rejectionOf(readEverySplit(text))
  expect(error).toMatchObject({ code: 'UNCLOSED_QUOTE', status: 400, details: { line, column } })
  expect(error.message).toBe(
    `The quote opened on line ${line} (column ${column}) is never closed. ` +
      'Close it, or double a quote that belongs to the text.',
  )
})

test('an unclosed quote on row 2 of an endless file is found without reading on', async () => {
  let sent = 0
  async function* endless() {
    yield 'email,x\na@example.com,"never closed\n'
    while (true) {
      sent += 100
      yield `${`row${sent}@example.com,1\n`.repeat(100)}`
    }
  }
  const error = await rejectionOf(readCsv(endless()))
  expect(error).toMatchObject({ code: 'UNCLOSED_QUOTE', details: { line: 2, column: 2 } })
  expect(sent).toBeLessThan(100_000)
})

test.each([
  ['within a cell of the header', 'email,x"y\na@example.com,1\n', 1, 2],
  ['behind a quoted header', 'email,"x"y\na@example.com,1\n', 1, 2],
  ['in a preamble', 'Notes,a 5" pipe\n\nemail,x\na@example.com,1\n', 1, 2],
])('INVALID_QUOTE up to the header ends the reading: %s', async (_what, text, line, column) => {
  const error = await rejectionOf(readEverySplit(text))
  expect(error).toMatchObject({ code: 'INVALID_QUOTE', status: 400, details: { line, column } })
  expect(error.message).toBe(
    `A quote stands in the middle of the cell on line ${line} (column ${column}). ` +
      'Put the whole cell in quotes and double the ones that belong to its text (RFC 4180, section 2).',
  )
})

test('no message repeats a cell', async () => {
  for (const text of ['email,x\nTOPSECRET,"TOPSECRET\n', 'email,TOPSECRET"TOPSECRET\n']) {
    const error = await rejectionOf(readCsv(text))
    expect(error.message + JSON.stringify(error.details)).not.toContain('TOPSECRET')
  }
})

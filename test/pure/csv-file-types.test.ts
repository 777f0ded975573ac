import { expect, test } from 'vitest'
import { costOf } from '../support/cost.js'
import { chunks, readCsv } from '../support/csv.js'
import { latin1 } from '../support/csv-fixtures.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'

const EMPTY_LINES = samples(1_000_000, 100_000)

const filler = '\0'.repeat(600)

test.each([
  ['an .xlsx workbook', `PK\x03\x04\x14\0\x06\0${filler}`, 'a zip archive or an Excel workbook (.xlsx)'],
  ['an empty zip', `PK\x05\x06${filler}`, 'an empty zip archive'],
  ['an .xls workbook', `\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1${filler}`, 'an old Excel workbook (.xls)'],
  ['a PDF', '%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'a PDF'],
  ['a PNG', `\x89PNG\r\n\x1a\n${filler}`, 'a PNG image'],
  ['a JPEG', `\xff\xd8\xff\xe0${filler}`, 'a JPEG image'],
  ['a GIF', 'GIF89a\x01\0', 'a GIF image'],
  ['a WebP', 'RIFF\x24\0\0\0WEBPVP8 ', 'a media file'],
  ['a BMP', 'BM\x36\0\x0c\0\0\0\0\0\x36\0', 'a BMP image'],
  ['a gzip', '\x1f\x8b\x08\0', 'a gzip archive'],
  ['an RTF', '{\\rtf1\\ansi', 'an RTF document'],
  ['a web page', '<!DOCTYPE html>\n<html><body>email,name</body></html>', 'an HTML or XML page'],
  ['a web page after blanks', '\r\n  <html lang="en">', 'an HTML or XML page'],
  ['a table of a web page', '<table><tr><td>email</td></tr></table>', 'an HTML or XML page'],
  ['an XML file', '\xef\xbb\xbf<?xml version="1.0"?><customers/>', 'an HTML or XML page'],
])('UNSUPPORTED_FILE: %s', async (_what, start, format) => {
  for (const input of [latin1(start), chunks(latin1(start), [1, 2, 3])]) {
    const error = await rejectionOf(readCsv(input))
    expect(error).toMatchObject({ code: 'UNSUPPORTED_FILE', status: 400, details: { format } })
    expect(error.message).toBe(
      `File must be CSV, but this is ${format}. Open it in a spreadsheet and save it as "CSV UTF-8".`,
    )
  }
})

test('the type is said before anything else: a workbook that is too large, and no UTF-8, is a workbook', async () => {
  const error = await rejectionOf(readCsv(latin1(`PK\x03\x04\xff\xfe${filler}`), { maxBytes: 10, encoding: 'utf-8' }))
  expect(error.code).toBe('UNSUPPORTED_FILE')
})

test.each(['BMW,email', 'PK,email', 'Rare,email', '<email>,email', 'GIF,email', '{a},email'])(
  'a header that only resembles such a start is a header: %s',
  async (header) => {
    expect((await readCsv(latin1(`${header}\n1,a@example.com\n`))).headers).toEqual(header.split(','))
  },
)

test.each([
  ['nothing', ''],
  ['blank lines', '\n\r\n \n'],
  ['one byte', ' '],
  ['a sep= line alone', 'sep=;\n'],
  [`${EMPTY_LINES} empty lines`, '\n'.repeat(EMPTY_LINES)],
])('EMPTY_FILE: %s', async (_what, text) => {
  const read = async () =>
    expect(await rejectionOf(readCsv(text))).toMatchObject({
      code: 'EMPTY_FILE',
      message: 'The file has no header row. Write the column names into the first row, one of them "email".',
    })
  expect(await costOf(read, 1)).toBeLessThan(samples(1_500, 150))
})

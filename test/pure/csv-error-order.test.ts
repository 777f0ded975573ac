import { expect, test } from 'vitest'
import { readCsv } from '../support/csv.js'
import { latin1 } from '../support/csv-fixtures.js'
import { rejectionOf } from '../support/errors.js'

/** Starts as a workbook, is too large, is not UTF-8, has an open quote, has no header; from line to line one fault less. */
const steps: [string, string, string][] = [
  ['type', 'PK\x03\x04\xff"\n', 'UNSUPPORTED_FILE'],
  ['size', `\xff"${'\n'.repeat(100)}`, 'FILE_TOO_LARGE'],
  ['encoding', '\xff"\n', 'INVALID_ENCODING'],
  ['quotes', '\n"\n', 'UNCLOSED_QUOTE'],
  ['header', '\n \n', 'EMPTY_FILE'],
]

test.each(steps)('%s is found before what comes after it', async (_what, file, code) => {
  expect((await rejectionOf(readCsv(latin1(file), { maxBytes: 50, encoding: 'utf-8' }))).code).toBe(code)
})

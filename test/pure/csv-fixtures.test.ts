import { describe, expect, test } from 'vitest'
import { isBlankRecord } from '../../src/csv/dialect.js'
import { readCsv, readEverySplit } from '../support/csv.js'
import { CSV_FIXTURES } from '../support/csv-fixtures.js'

describe.each(CSV_FIXTURES)('$name', ({ bytes, headers, rows, encoding, delimiter, warnings }) => {
  const expected = { headers, rows, encoding, delimiter, warnings, bytesRead: bytes.length }

  const summary = (read: Awaited<ReturnType<typeof readCsv>>) => ({
    ...read,
    rows: read.rows.filter(({ record }) => !isBlankRecord(record)),
    warnings: read.warnings.map(({ code }) => code),
  })

  test('is read as it is', async () => {
    expect(summary(await readCsv(bytes))).toEqual(expected)
  })

  test('is read the same when it comes split at any byte', async () => {
    expect(summary(await readEverySplit(bytes))).toEqual(expected)
  })
})

import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mapColumns } from '../../src/columns.js'
import { type RejectedRow, type RejectedRowsCsvOptions, rejectedRowsCsv } from '../../src/rejected-rows.js'
import { parseRow } from '../../src/rows.js'
import { thrownBy } from '../support/errors.js'
import { checkLaw } from '../support/law.js'

const rejected = (...record: string[]): RejectedRow => ({
  row: 2,
  line: 2,
  code: 'INVALID_EMAIL',
  message: 'Not a valid email address.',
  record,
})

/** What a CSV reader makes of it; nothing here is the library's own. */
const read = (text: string, delimiter = ','): string[][] =>
  parse(text, { delimiter, bom: true, relax_column_count: true })

test('writes the columns of the file, error_code and error_message, with CRLF', () => {
  expect(rejectedRowsCsv(['email', 'tier'], [rejected('john', 'gold'), rejected('', 'a,"b"')])).toBe(
    'email,tier,error_code,error_message\r\n' +
      'john,gold,INVALID_EMAIL,Not a valid email address.\r\n' +
      ',"a,""b""",INVALID_EMAIL,Not a valid email address.\r\n',
  )
})

test('without rows it is the header alone', () => {
  expect(rejectedRowsCsv(['email'], [])).toBe('email,error_code,error_message\r\n')
})

test('takes any iterable', () => {
  function* rows() {
    yield rejected('a')
    yield rejected('b')
  }
  expect(read(rejectedRowsCsv(['email'], rows()))).toHaveLength(3)
})

test('the error columns are not doubled when a mended file is rejected again', () => {
  const text = rejectedRowsCsv(
    ['error_code', 'email', 'tier', 'error_message'],
    [rejected('OLD', 'john', 'gold', 'old message')],
  )
  expect(read(text)).toEqual([
    ['email', 'tier', 'error_code', 'error_message'],
    ['john', 'gold', 'INVALID_EMAIL', 'Not a valid email address.'],
  ])
})

test('the error columns are known in every spelling that an upload ignores', () => {
  const headers = ['email', 'ERROR_CODE', ' Error_Message ']
  expect(mapColumns(headers).ignored).toHaveLength(2)
  expect(read(rejectedRowsCsv(headers, []))[0]).toEqual(['email', 'error_code', 'error_message'])
})

test('an upload ignores the two columns', () => {
  const [headers] = read(rejectedRowsCsv(['email', 'tier'], []))
  expect(mapColumns(headers!)).toMatchObject({
    standard: ['email'],
    custom: ['tier'],
    ignored: [
      { header: 'error_code', position: 3, reason: 'rejected_rows' },
      { header: 'error_message', position: 4, reason: 'rejected_rows' },
    ],
  })
})

describe('formula cells', () => {
  test.each(['=1+1', '+45 12', '-5', '@handle', '\tx', '\rx', '=HYPERLINK("http://x","y")', "=cmd|'/c calc'!A1"])(
    '%j is put behind an apostrophe, which an upload drops again',
    (cell) => {
      const [, row] = read(rejectedRowsCsv(['email', 'x'], [rejected('a@example.com', cell)]))
      expect(row![1]).toBe(`'${cell}`)
      expect(parseRow(['email', 'x'], row!.slice(0, 2))).toEqual(parseRow(['email', 'x'], ['a@example.com', cell]))
    },
  )

  test.each(["'t Hooft", "'", "'=1", "''=1", "'007", '007', '1+1', 'a=b', ' =1', 'x@y'])(
    '%j stays and comes back as it was',
    (cell) => {
      const [, row] = read(rejectedRowsCsv(['email', 'x'], [rejected('a@example.com', cell)]))
      expect(row![1]).toBe(cell)
    },
  )

  test('headers too', () => {
    const [headers] = read(rejectedRowsCsv(['email', '+1 allowed'], []))
    expect(headers![1]).toBe("'+1 allowed")
    expect(mapColumns(headers!).custom).toEqual(['+1 allowed'])
  })
})

test('cells that a row has too many are kept behind the two columns', () => {
  const [, row] = read(rejectedRowsCsv(['email', 'tier'], [rejected('a', 'b', 'c', 'd')]))
  expect(row).toEqual(['a', 'b', 'INVALID_EMAIL', 'Not a valid email address.', 'c', 'd'])
})

test.each([',', ';', '\t', '|'] as const)('delimiter %j', (delimiter) => {
  const row = rejected('a@b.c', `x${delimiter}y`, 'a,b;c\td|e')
  const text = rejectedRowsCsv(['email', 'x', 'y'], [row], { delimiter })
  expect(read(text, delimiter)[1]!.slice(0, 3)).toEqual(row.record)
})

test('bom starts the text with a byte order mark', () => {
  expect(rejectedRowsCsv(['email'], [], { bom: true })).toBe('\ufeffemail,error_code,error_message\r\n')
})

test('what is no list of headers, and unknown options, are errors', () => {
  const error = thrownBy(() => rejectedRowsCsv('email' as unknown as string[], []))
  expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'headers must be an array of strings.' })
  expect(
    thrownBy(() => rejectedRowsCsv([], [], { delimiter: ':' } as unknown as RejectedRowsCsvOptions)),
  ).toMatchObject({
    code: 'INVALID_OPTION',
    message: 'rejectedRowsCsv: delimiter must be "," or ";" or "\\t" or "|", got the string ":".',
  })
})

test('law: read again it is what was written, and parsed again it means the same', async () => {
  const cell = fc.oneof(
    fc.constantFrom('', ' ', '"', '""', "'", "'t Hooft", '=1', "'=1", ' =1', '\n', '\r\n', 'a\rb', '\t', ',', ';', '|'),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', '\n', ' ', ',', ';', '"', 'a'),
      maxLength: 6,
    }),
  )
  const meaning = (value: string) => {
    const { custom_attributes } = parseRow(['email', 'x'], ['a@example.com', value])
    return custom_attributes.x ?? ''
  }
  await checkLaw(
    'rejectedRowsCsv',
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { maxLength: 5 }),
      fc.constantFrom(',' as const, ';' as const, '\t' as const, '|' as const),
      fc.boolean(),
      (records, delimiter, bom) => {
        const text = rejectedRowsCsv(
          ['email', 'x', 'y'],
          records.map((record) => rejected(...record)),
          { delimiter, bom },
        )
        const [headers, ...rows] = read(text, delimiter)
        expect(headers).toEqual(['email', 'x', 'y', 'error_code', 'error_message'])
        expect(rows).toHaveLength(records.length)
        for (const [at, record] of records.entries()) {
          const cells = rows[at]!.slice(0, 3)
          expect(cells.map((cell, column) => (cell === `'${record[column]}` ? record[column] : cell))).toEqual(record)
          expect(cells.map(meaning)).toEqual(record.map(meaning))
          expect(cells.every((cell) => !/^[=+\-@\t\r]\s*\S/.test(cell))).toBe(true)
        }
      },
    ),
    2_000,
  )
})

import { describe, expect, test } from 'vitest'
import { CSV_DEFAULTS } from '../../src/csv/file.js'
import { costOf, leastTimes } from '../support/cost.js'
import { chunks, readCsv, recordsOf } from '../support/csv.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'

test('the defaults are those of the design', () => {
  expect(CSV_DEFAULTS).toMatchObject({ maxBytes: 100 * 1024 * 1024, maxColumns: 500, maxRecordBytes: 256 * 1024 })
})

describe('maxBytes', () => {
  const bytes = new TextEncoder().encode('email\na@example.com\n')

  test('a file of exactly so many is read, one more is FILE_TOO_LARGE with the number', async () => {
    expect((await readCsv(bytes, { maxBytes: bytes.length })).rows).toHaveLength(1)
    for (const input of [bytes, chunks(bytes, [5]), new Blob([bytes]), 'email\na@example.com\n']) {
      const error = await rejectionOf(readCsv(input, { maxBytes: bytes.length - 1 }))
      expect(error).toMatchObject({ code: 'FILE_TOO_LARGE', status: 413, details: { maxBytes: 19 } })
      expect(error.message).toBe('The file is over 19 bytes. Split it into several files, or raise maxBytes.')
    }
  })

  test('bytes count, not characters', async () => {
    expect((await rejectionOf(readCsv('email,ä\n', { maxBytes: 8 }))).code).toBe('FILE_TOO_LARGE')
  })

  test('a stream is not read much beyond it', async () => {
    let sent = 0
    async function* endless() {
      yield 'email\n'
      while (true) {
        sent += 1
        yield 'a@example.com\n'
      }
    }
    expect((await rejectionOf(readCsv(endless(), { maxBytes: 200_000 }))).code).toBe('FILE_TOO_LARGE')
    expect(sent).toBeLessThan(22_900)
  })

  test('a large Blob is refused by its size, before it is read', async () => {
    const blob = new Blob(['email\n', 'a@example.com\n'.repeat(100_000)])
    expect((await rejectionOf(readCsv(blob, { maxBytes: 1_000_000 }))).code).toBe('FILE_TOO_LARGE')
  })
})

describe('maxColumns', () => {
  test.each([
    ['a row', `email,b\n1,2${','.repeat(600)}\n`],
    ['a blank row', `email,b\n1,2\n${','.repeat(600)}\n`],
    ['a row of blanks', `email,b\n1,2\n${' ,'.repeat(600)}\u00a0\n`],
    ['the header', `email,b${','.repeat(600)}\n1,2\n`],
    ['a row of many', `email,b\n1,2${','.repeat(250_000)}\n`],
  ])('blank cells over it are nothing: %s', async (_what, csv) => {
    const read = await readCsv(csv)
    expect(read.headers.slice(0, 3).join()).toMatch(/^email,b,?$/)
    expect(recordsOf(read)[0]!.slice(0, 2)).toEqual(['1', '2'])
    for (const record of recordsOf(read)) expect(record.length).toBeLessThanOrEqual(500)
  })

  test('a filled cell over it counts wherever it stands', async () => {
    for (const blanks of [600, 70_000, 200_000]) {
      expect((await rejectionOf(readCsv(`email,b\n1,2${','.repeat(blanks)}x\n`))).code).toBe('TOO_MANY_COLUMNS')
    }
  })

  const record = (cells: number) => Array.from({ length: cells }, (_, at) => `c${at}`).join(',')

  test('500 cells are read, 501 are TOO_MANY_COLUMNS with line and number', async () => {
    expect((await readCsv(`email,${record(499)}\n`)).headers).toHaveLength(500)
    for (const [text, line] of [
      [`email,${record(500)}\n`, 1],
      [`email\na@example.com\n\n${record(501)}\n`, 4],
    ] as const) {
      const error = await rejectionOf(readCsv(text))
      expect(error).toMatchObject({ code: 'TOO_MANY_COLUMNS', status: 413, details: { line, maxColumns: 500 } })
      expect(error.message).toBe(`Line ${line} has more than 500 cells. Remove columns, or raise maxColumns.`)
    }
  })

  test('another limit', async () => {
    expect(recordsOf(await readCsv('email,b\n1,2\n', { maxColumns: 2 }))).toEqual([['1', '2']])
    expect((await rejectionOf(readCsv('email,b\n1,2,3\n', { maxColumns: 2 }))).details).toEqual({
      line: 2,
      maxColumns: 2,
    })
  })

  test('50,000 columns, and a line of a hundred million commas, end at once', async () => {
    async function* commas() {
      yield 'email\n'
      for (let sent = 0; sent < 100_000_000; sent += 100_000) yield ','.repeat(100_000)
    }
    const read = async () => {
      expect((await rejectionOf(readCsv(`email,${record(50_000)}\n`))).code).toBe('TOO_MANY_COLUMNS')
      expect(['TOO_MANY_COLUMNS', 'RECORD_TOO_LARGE']).toContain((await rejectionOf(readCsv(commas()))).code)
    }
    expect(await costOf(read, samples(3, 1))).toBeLessThan(200)
  })
})

describe('maxRecordBytes', () => {
  const row = (bytes: number) => `a@example.com,${'x'.repeat(bytes - 14)}`

  test('a record well within is read, one over is RECORD_TOO_LARGE with line and number', async () => {
    expect(recordsOf(await readCsv(`email,x\n${row(1_000)}\n`, { maxRecordBytes: 1_000 }))[0]!.join(',')).toHaveLength(
      1_000,
    )
    for (const text of [`email,x\n\n${row(1_100)}\n`, `email,x\n\n"a@example.com","${'x'.repeat(1_100)}"\n`]) {
      const error = await rejectionOf(readCsv(text, { maxRecordBytes: 1_000 }))
      expect(error).toMatchObject({
        code: 'RECORD_TOO_LARGE',
        status: 413,
        details: { line: 3, maxRecordBytes: 1_000 },
      })
      expect(error.message).toBe('The record on line 3 is over 1000 bytes. Shorten it, or raise maxRecordBytes.')
    }
  })

  test('bytes count, not characters', async () => {
    const text = `email,x\na@example.com,${'€'.repeat(400)}\n`
    expect((await rejectionOf(readCsv(text, { maxRecordBytes: 1_000 }))).code).toBe('RECORD_TOO_LARGE')
  })

  test('many small cells count together', async () => {
    const text = `email\n${'abcdefghi,'.repeat(200)}\n`
    expect((await rejectionOf(readCsv(text, { maxRecordBytes: 1_000 }))).code).toBe('RECORD_TOO_LARGE')
  })

  test('a cell of 10 MB ends at once', async () => {
    const read = async () => {
      const error = await rejectionOf(readCsv(`email,x\na@example.com,${'x'.repeat(10_000_000)}\n`))
      expect(error.details).toEqual({ line: 2, maxRecordBytes: 256 * 1024 })
    }
    expect(await costOf(read, samples(3, 1))).toBeLessThan(200)
  })

  test('a header over it is refused too', async () => {
    const error = await rejectionOf(readCsv(`email,${'x'.repeat(300_000)}\na@example.com,1\n`))
    expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', details: { line: 1 } })
  })
})

const ROWS = samples(200_000, 10_000)

test.each([
  ['blank lines', ''],
  ['rows that are too short', 'a@example.com'],
  ['rows that are too long', 'a@example.com,1,2,3'],
])(`${ROWS} %s under a longer header cost no more than other rows`, async (_what, row) => {
  const header = 'email,a,b\n'
  const read = (line: string) => async () =>
    expect((await readCsv(`${header}${`${line}\n`.repeat(ROWS)}`)).rows).toHaveLength(ROWS)
  const [usual, cost] = await leastTimes([read('a@example.com,1,2'), read(row)], 3)
  // Far from what it takes when each such line costs its file; and problems have places and messages to be made.
  expect(cost).toBeLessThan(5 * usual!)
})

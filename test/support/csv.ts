import { expect } from 'vitest'
import { isEmailHeader } from '../../src/column-targets.js'
import { CSV_DEFAULTS, type CsvOptions, type CsvWarning, openCsv } from '../../src/csv/file.js'
import type { QuoteFault } from '../../src/csv/records.js'
import type { CsvInput } from '../../src/csv/source.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { samples } from './law.js'

/** How a CSV is written: which cells get quotes although they need none, and what stands between cells and records. */
export interface CsvStyle {
  delimiter?: string
  lineEnd?: string
  /** whether a cell is quoted that need not be */
  quotes?: (row: number, column: number) => boolean
  /** whether the last record ends with a line end */
  endsWithLineEnd?: boolean
}

/** Writes records as RFC 4180 has it. */
export function writeCsv(records: readonly (readonly string[])[], style: CsvStyle = {}): string {
  const { delimiter = ',', lineEnd = '\n', quotes = () => false, endsWithLineEnd = true } = style
  const lines = records.map((cells, row) =>
    cells
      .map((cell, column) =>
        quotes(row, column) || cell.includes(delimiter) || /["\r\n]/.test(cell)
          ? `"${cell.replaceAll('"', '""')}"`
          : cell,
      )
      .join(delimiter),
  )
  return lines.join(lineEnd) + (endsWithLineEnd ? lineEnd : '')
}

/** Bytes in chunks that end at the given positions. */
export async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(from, cut)
    from = cut
  }
  yield bytes.subarray(from)
}

/** What a CSV says, read to its end. */
export interface ReadCsv {
  headers: readonly string[]
  delimiter: string
  encoding: string
  warnings: CsvWarning[]
  bytesRead: number
  rows: { row: number; line: number; record: string[]; fault?: QuoteFault }[]
}

/** Reads a CSV as an upload does; blank rows are listed too. */
export async function readCsv(csv: CsvInput, options: CsvOptions & { signal?: AbortSignal } = {}): Promise<ReadCsv> {
  const file = await openCsv(csv, { ...CSV_DEFAULTS, ...options }, isEmailHeader())
  const rows: ReadCsv['rows'] = []
  for await (const { records, lines, faults } of file.records()) {
    for (const [at, record] of records.entries()) {
      const fault = faults?.get(record)
      rows.push({ row: file.firstRow + rows.length, line: lines[at]!, record, ...(fault && { fault }) })
    }
  }
  return {
    headers: file.headers,
    delimiter: file.delimiter,
    encoding: file.encoding(),
    warnings: file.warnings(),
    bytesRead: file.bytesRead(),
    rows,
  }
}

/** The cells of the rows after the header. */
export function recordsOf({ rows }: ReadCsv): string[][] {
  return rows.map(({ record }) => record)
}

/** What reading comes to: the file, or the code and the message of the error. */
export async function outcomeOf(csv: CsvInput, options?: CsvOptions): Promise<ReadCsv | string> {
  try {
    return await readCsv(csv, options)
  } catch (error) {
    if (isCustomAttributesError(error)) return `${error.code}: ${error.message}`
    throw error
  }
}

/**
 * Reads a CSV whole, then cut in two at every byte (at every fifth in `npm test`), then byte by byte: all must say the same.
 *
 * @returns what the whole file says
 */
export async function readEverySplit(csv: string | Uint8Array, options?: CsvOptions): Promise<ReadCsv> {
  const bytes = typeof csv === 'string' ? new TextEncoder().encode(csv) : csv
  const whole = await outcomeOf(bytes, options)
  for (let cut = 0; cut <= bytes.length; cut += samples(1, 5)) {
    expect(await outcomeOf(chunks(bytes, [cut]), options), `cut at byte ${cut}`).toEqual(whole)
  }
  const everywhere = Array.from({ length: bytes.length }, (_, at) => at)
  expect(await outcomeOf(chunks(bytes, everywhere), options), 'byte by byte').toEqual(whole)
  return readCsv(bytes, options)
}

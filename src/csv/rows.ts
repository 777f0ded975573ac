import { orAborted, stopIfAborted } from '../abort.js'
import { CustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { trim } from '../trim.js'
import { hasAddress } from './dialect.js'
import { type CsvFile, headerMissing } from './file.js'
import type { RecordBatch } from './records.js'

/** Rows of cells, one after the other; a cell is a text, and `null` or `undefined` an empty one. */
export type RowsInput = Iterable<RowCells> | AsyncIterable<RowCells>
export type RowCells = readonly (string | null | undefined)[]

/** Rows that are handed on at a time. */
const BATCH_ROWS = 500

/**
 * Opens rows that another reader made (of a spreadsheet, of JSON) as a CSV is opened: what follows is the same.
 *
 * @param rows - the rows, the first of them the headers unless `headers` says them
 * @throws CustomAttributesError `INVALID_ARGUMENT`, `EMPTY_FILE`, `HEADER_MISSING`; while reading `SOURCE_FAILED`, `TOO_MANY_COLUMNS`
 */
export async function openRows(
  rows: RowsInput,
  options: { headers: readonly string[] | undefined; maxColumns: number; signal: AbortSignal },
): Promise<CsvFile> {
  const { headers, signal } = options
  const iterator = iteratorOf(rows)
  let number = 0
  let isOpen = true

  const next = async (): Promise<string[] | undefined> => {
    stopIfAborted(signal)
    const { done, value } = await orAborted(read(iterator), signal)
    if (done) {
      isOpen = false
      return undefined
    }
    return toRecord(value, ++number, options.maxColumns)
  }
  const close = async () => {
    if (!isOpen) return
    isOpen = false
    // A source that hangs must not keep the upload from ending: closing is asked for, not waited for.
    const closing = async () => iterator.return?.()
    void closing().catch(() => {})
  }

  async function* records(): AsyncGenerator<RecordBatch, void> {
    try {
      let batch: RecordBatch = { records: [], lines: [] }
      for (let record = await next(); record; record = await next()) {
        batch.records.push(record)
        batch.lines.push(number)
        if (batch.records.length < BATCH_ROWS) continue
        yield batch
        batch = { records: [], lines: [] }
      }
      yield batch
    } finally {
      await close()
    }
  }

  try {
    const header = headers ?? (await next())
    if (header === undefined) {
      throw new CustomAttributesError(
        'EMPTY_FILE',
        'There is no row. The first one must be the column names, one of them "email"; or name them with headers.',
      )
    }
    if (!headers && hasAddress(header)) throw headerMissing()
    return {
      headers: [...header],
      preamble: [],
      delimiter: ',',
      firstRow: number + 1,
      rareBytes: { nul: true, separators: true },
      encoding: () => 'utf-8',
      warnings: () => [],
      bytesRead: () => 0,
      records,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function iteratorOf(rows: RowsInput): Iterator<RowCells> | AsyncIterator<RowCells> {
  const source = rows as Partial<Iterable<RowCells> & AsyncIterable<RowCells>> | null
  if (typeof rows === 'object' && typeof source?.[Symbol.asyncIterator] === 'function') {
    return (rows as AsyncIterable<RowCells>)[Symbol.asyncIterator]()
  }
  if (typeof rows === 'object' && typeof source?.[Symbol.iterator] === 'function') {
    return (rows as Iterable<RowCells>)[Symbol.iterator]()
  }
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    `rows must be an iterable or async iterable of arrays of strings, got ${kindOf(rows)}.`,
    { argument: 'rows' },
  )
}

async function read(iterator: Iterator<RowCells> | AsyncIterator<RowCells>): Promise<IteratorResult<RowCells>> {
  try {
    return await iterator.next()
  } catch (error) {
    throw new CustomAttributesError(
      'SOURCE_FAILED',
      'Reading the rows failed; see cause. Upload them again: rows that were stored are then unchanged.',
      {},
      { cause: error },
    )
  }
}

function toRecord(cells: unknown, row: number, maxColumns: number): string[] {
  if (!Array.isArray(cells)) throw notCells(row, cells)
  const isFilled = (cell: unknown) =>
    cell !== null && cell !== undefined && !(typeof cell === 'string' && trim(cell) === '')
  if (cells.length > maxColumns && cells.slice(maxColumns).some(isFilled)) {
    throw new CustomAttributesError(
      'TOO_MANY_COLUMNS',
      `Row ${row} has more than ${maxColumns} cells. Remove columns, or raise maxColumns.`,
      { row, maxColumns },
    )
  }
  return Array.from(cells.slice(0, maxColumns), (cell: unknown) => {
    if (typeof cell === 'string') return cell
    if (cell === null || cell === undefined) return ''
    throw notCells(row, cell)
  })
}

function notCells(row: number, value: unknown): CustomAttributesError {
  return new CustomAttributesError(
    'INVALID_ARGUMENT',
    `Row ${row} must be an array of strings, with null for an empty cell, got ${typeof value === 'object' ? kindOf(value) : `a ${typeof value}`}. ` +
      'Write numbers as String(value) and dates as value.toISOString().',
    { argument: 'rows', row },
  )
}

import { isEmail } from '../email.js'
import { isCustomAttributesError } from '../errors.js'
import { cleanValue } from '../text-mark.js'
import { trim } from '../trim.js'
import { type Delimiter, type RecordBatch, RecordReader } from './records.js'

/** The delimiters that are looked for. */
export const DELIMITERS: readonly Delimiter[] = [',', ';', '\t', '|']

/** Among how many records the header is looked for. */
const HEAD_RECORDS = 10
/** By how many records in all the header and the delimiter are judged. */
const JUDGED_RECORDS = 20

/** How a file's records are written, and which of them is the header. */
export interface Dialect {
  delimiter: Delimiter
  /** index of the header among all records, blank ones too; undefined when every record is blank, or none is a header */
  headerIndex: number | undefined
  /** there are records, and the first of them is data */
  isHeaderMissing: boolean
}

/**
 * Finds the delimiter and the header record in the head of a file. The delimiter is one under which the quotes of the header
 * fit, and a header of several cells has an address below its e-mail column; else, or where several are, the one under which most of the first records say that
 * it is: by as many cells as the header has, and by an e-mail address in a cell. Where that is even, it
 * is the one under which a record has an email header, the earlier the better, then the one that cuts the header most.
 *
 * @param head - the first bytes, in UTF-8
 * @param isWhole - whether the head is the whole file
 * @param delimiter - the delimiter when it is known
 * @param isEmailHeader - whether a cell names the email column
 * @param headers - the header where the file has none
 */
export function findDialect(
  head: Buffer,
  isWhole: boolean,
  delimiter: Delimiter | undefined,
  isEmailHeader: (cell: string, index: number) => boolean,
  headers?: readonly string[],
): Dialect {
  const readings = (delimiter ? [delimiter] : DELIMITERS).map((candidate) => {
    const { records, faulty } = readHead(head, isWhole, candidate)
    const filled = records.filter((record) => !isBlankRecord(record))
    const named = findEmailHeader(filled, isEmailHeader)
    const header = named ?? (filled[0] && !hasAddress(filled[0]) ? filled[0] : undefined)
    // Under a wrong delimiter quotes rarely fit: such a record says nothing of it.
    const sound = filled.filter((record) => !faulty.has(record))
    const { length } = headers ?? header ?? filled[0] ?? []
    const rows = headers || !header ? sound : sound.filter((record) => filled.indexOf(record) > filled.indexOf(header))
    const fitting = length > 1 ? rows.filter((record) => record.length === length).length : 0
    return {
      delimiter: candidate,
      headerIndex: header === undefined ? undefined : records.indexOf(header),
      isHeaderMissing: header === undefined && filled.length > 0,
      ranks: [
        faulty.has(header ?? filled[0] ?? []) ? 0 : 1,
        isProven(named, filled, isEmailHeader) ? 1 : 0,
        fitting + rows.filter(hasAddress).length,
        named === undefined ? Number.NEGATIVE_INFINITY : -records.indexOf(named),
        header === undefined || faulty.has(header) ? 0 : header.length,
      ],
    }
  })
  const { ranks: _ranks, ...dialect } = readings.reduce((a, b) => (isAbove(b.ranks, a.ranks) ? b : a))
  return dialect
}

function isAbove(ranks: readonly number[], others: readonly number[]): boolean {
  const at = ranks.findIndex((rank, index) => rank !== others[index])
  return at !== -1 && ranks[at]! > others[at]!
}

/**
 * The first record that names the email column and is no row of data itself. Below a row of data, and with rows of its own
 * below another record of its width, only one counts whose email column has an address further down: else it is a row with an
 * odd value.
 */
function findEmailHeader(
  filled: readonly string[][],
  isEmailHeader: (cell: string, index: number) => boolean,
): string[] | undefined {
  let isBelowData = false
  const widths = new Set<number>()
  for (const [at, record] of filled.slice(0, HEAD_RECORDS).entries()) {
    const isData = hasAddress(record)
    const column = isData ? -1 : record.findIndex(isEmailHeader)
    const below = filled.slice(at + 1)
    const needsProof = isBelowData || (widths.has(record.length) && below.length > 0)
    if (column !== -1 && (!needsProof || below.some((row) => isAddress(row[column] ?? '')))) return record
    isBelowData ||= isData
    widths.add(record.length)
  }
  return undefined
}

/** Whether a header of several cells has an address below its e-mail column: then it is one, and so is its delimiter. */
function isProven(
  header: readonly string[] | undefined,
  filled: readonly (readonly string[])[],
  isEmailHeader: (cell: string, index: number) => boolean,
): boolean {
  if (header === undefined || header.length < 2) return false
  const column = header.findIndex(isEmailHeader)
  return filled.slice(filled.indexOf(header) + 1).some((row) => isAddress(row[column] ?? ''))
}

/** Whether a record has an e-mail address in a cell: such a record is no header. */
export function hasAddress(record: readonly string[]): boolean {
  return record.some(isAddress)
}

function isAddress(cell: string): boolean {
  return cell.includes('@') && isEmail(cleanValue(cell))
}

/** The `sep=;` line that Excel writes and reads, or undefined. Its length is in bytes. */
export function readSepLine(head: Buffer): { delimiter: Delimiter; length: number } | undefined {
  const match = /^"?sep=([,;\t|])"?(?:\r\n|\n|\r)/i.exec(head.toString('latin1', 0, 16))
  return match ? { delimiter: match[1] as Delimiter, length: match[0].length } : undefined
}

/** Whether every cell of a record is blank: such a record is no row. */
export function isBlankRecord(record: readonly string[]): boolean {
  for (const cell of record) if (cell !== '' && trim(cell) !== '') return false
  return true
}

function readHead(head: Buffer, isWhole: boolean, delimiter: Delimiter) {
  const reader = new RecordReader(delimiter, { maxColumns: head.length + 1, maxRecordBytes: head.length + 1 })
  const step = 8 * 1024
  const records: string[][] = []
  const faulty = new Set<readonly string[]>()
  let filled = 0
  const keep = (batch: RecordBatch) => {
    for (const record of batch.faults?.keys() ?? []) faulty.add(record)
    for (const record of batch.records) {
      if (filled === JUDGED_RECORDS) break
      records.push(record)
      if (!isBlankRecord(record)) filled++
    }
  }
  try {
    for (let at = 0; at < head.length && filled < JUDGED_RECORDS; at += step) {
      keep(reader.feed(head.subarray(at, at + step), isWhole && at + step >= head.length))
    }
  } catch (error) {
    // Under a wrong delimiter a quote may never close; under the right one the reading of the file will say so.
    if (!isCustomAttributesError(error)) throw error
    keep(reader.takeRecords())
  }
  return { records, faulty }
}

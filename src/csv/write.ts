import { isFlag, oneOf, withDefault } from '../options.js'
import { trim } from '../trim.js'
import type { Delimiter } from './records.js'

/** How a CSV is written. */
export interface CsvWriteOptions {
  /** The delimiter. Default `','`. */
  delimiter?: Delimiter
  /** Starts the text with a byte order mark, by which Excel recognises UTF-8. Default `false`. */
  bom?: boolean
}

export const CSV_WRITE_OPTIONS = {
  delimiter: withDefault(oneOf(',', ';', '\t', '|'), ','),
  bom: withDefault(isFlag, false),
}

export const BYTE_ORDER_MARK = '\ufeff'

/** Writes one record: cells in quotes where RFC 4180 says so or a reader might trim them, and CRLF. */
export function writeRecord(cells: readonly string[], delimiter: Delimiter): string {
  return `${cells.map((cell) => writeCell(cell, delimiter)).join(delimiter)}\r\n`
}

/** Writes one cell of a record. */
export function writeCell(cell: string, delimiter: Delimiter): string {
  return cell.includes(delimiter) || /["\r\n]/.test(cell) || cell !== trim(cell)
    ? `"${cell.replaceAll('"', '""')}"`
    : cell
}

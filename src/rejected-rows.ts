import { BYTE_ORDER_MARK, CSV_WRITE_OPTIONS, type CsvWriteOptions, writeRecord } from './csv/write.js'
import { CustomAttributesError, type ErrorCode, type ErrorDetails } from './errors.js'
import { isTextList, resolveOptions } from './options.js'
import { markText } from './text-mark.js'
import { trim } from './trim.js'

/** A row of an upload that was not stored, with its reason. */
export interface RejectedRow {
  /** the row's number as a spreadsheet shows it: header, preamble and blank rows count; from 1 */
  row: number
  /** the physical line on which the row starts; from 1 */
  line: number
  code: ErrorCode
  /** the header of the column at fault, where there is one */
  column?: string
  message: string
  /** facts for a machine, such as `sqlstate` and `constraint`; JSON-safe, without values */
  details?: ErrorDetails
  /** the row's cells as the file has them */
  record: readonly string[]
}

/** Options of {@link rejectedRowsCsv}. */
export interface RejectedRowsCsvOptions extends CsvWriteOptions {}

/**
 * Writes rejected rows as a CSV in the file's own columns plus `error_code,error_message`: mended and uploaded again it
 * changes only the mended rows, as an upload ignores these two columns.
 *
 * Cells are quoted as RFC 4180 says, with CRLF line ends. A cell that a spreadsheet would run as a formula (it starts
 * with `= + - @`, TAB or CR) gets an apostrophe before it, which an upload drops again. A row with too few cells is
 * filled up with empty ones (as long as its `error_code` cell says so and its last cell is empty, an upload rejects it
 * again); the cells that a row has too many stand behind the two columns, so that none is lost.
 *
 * @param headers - the file's header row (`UploadResult.headers`)
 * @param rejectedRows - the rejected rows, from `UploadResult.rejected` or collected by `onRejected`
 * @param options - see {@link RejectedRowsCsvOptions}
 * @throws CustomAttributesError `INVALID_ARGUMENT`, `INVALID_OPTION`
 */
export function rejectedRowsCsv(
  headers: readonly string[],
  rejectedRows: Iterable<RejectedRow>,
  options?: RejectedRowsCsvOptions,
): string {
  if (isTextList(headers) !== undefined) {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'headers must be an array of strings.', { argument: 'headers' })
  }
  const { delimiter, bom } = resolveOptions('rejectedRowsCsv', CSV_WRITE_OPTIONS, options)
  // A mended file that is rejected again has the two columns already: they are written anew, never doubled.
  const kept = headers.flatMap((header, index) => (/^error_(?:code|message)$/i.test(trim(header)) ? [] : [index]))
  const line = (cells: readonly string[]) => writeRecord(cells.map(markText), delimiter)
  let text = bom ? BYTE_ORDER_MARK : ''
  text += line([...kept.map((index) => headers[index]!), 'error_code', 'error_message'])
  for (const { record, code, message } of rejectedRows) {
    text += line([...kept.map((index) => record[index] ?? ''), code, message, ...record.slice(headers.length)])
  }
  return text
}

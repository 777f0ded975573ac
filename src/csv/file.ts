import { CustomAttributesError } from '../errors.js'
import {
  defaultsOf,
  isTextList,
  LIMITS,
  type OptionRule,
  oneOf,
  type Resolved,
  wholeNumber,
  withDefault,
} from '../options.js'
import { createDecoder, type Decoder, hasUtf8Letters } from './decode.js'
import { DELIMITERS, findDialect, isBlankRecord, readSepLine } from './dialect.js'
import { chooseEncoding, type Encoding, isEncoding, readByteOrderMark } from './encoding.js'
import { checkFileType } from './file-type.js'
import { type Delimiter, type RecordBatch, RecordReader } from './records.js'
import { type CsvInput, isWhole, openSource } from './source.js'

/** How a CSV is read, and how large it may be. */
export interface CsvOptions {
  /** The delimiter. Default `'auto'`: found from the header record, or from a `sep=;` first line. */
  delimiter?: 'auto' | Delimiter
  /**
   * The encoding, by any label of the WHATWG Encoding Standard that the runtime's `TextDecoder` knows: `'utf-8'`,
   * `'windows-1251'`, `'shift_jis'`, `'macintosh'` … Default `'auto'`: a byte order mark, else strict UTF-8, else
   * windows-1252 with a warning. Text given as strings is not decoded at all.
   */
  encoding?: 'auto' | Encoding
  /** The column names of a file without a header row: all its rows are data. Default none: the file has a header row. */
  headers?: readonly string[]
  /** Most bytes of the file. Default 100 MB (104,857,600). */
  maxBytes?: number
  /** Most cells of a record. Default 500. */
  maxColumns?: number
  /** Most bytes of a record. Default 256 KiB (262,144). */
  maxRecordBytes?: number
}

const isHeaderList: OptionRule = (value) =>
  isTextList(value) === undefined && (value as readonly string[]).length > 0 ? undefined : 'a filled array of strings'

export const CSV_OPTIONS = {
  delimiter: withDefault(oneOf('auto', ...DELIMITERS), 'auto'),
  encoding: withDefault(isEncoding, 'auto'),
  headers: isHeaderList,
  maxBytes: withDefault(wholeNumber(1), LIMITS.maxBytes),
  maxColumns: withDefault(wholeNumber(1), LIMITS.maxColumns),
  maxRecordBytes: withDefault(wholeNumber(1), LIMITS.maxRecordBytes),
}
export const CSV_DEFAULTS = defaultsOf(CSV_OPTIONS)

/** The options with nothing left open. */
export type ResolvedCsvOptions = Resolved<CsvOptions, typeof CSV_OPTIONS>

/** Something about a file that its owner should know, though it could be read. */
export interface CsvWarning {
  code: 'ENCODING_ASSUMED' | 'PREAMBLE_SKIPPED'
  message: string
}

/** An opened CSV: its header is read, its rows are still to come. */
export interface CsvFile {
  headers: readonly string[]
  /** the filled records above the header */
  preamble: readonly (readonly string[])[]
  delimiter: Delimiter
  /** the row number of the first record after the header; from 1 */
  firstRow: number
  /** whether what was read so far holds NUL, or ASCII's field or row separators; nearly no file does */
  readonly rareBytes: { nul: boolean; separators: boolean }
  /** the encoding as far as the file was read */
  encoding(): Encoding
  warnings(): CsvWarning[]
  bytesRead(): number
  /** the records after the header, blank ones too */
  records(): AsyncGenerator<RecordBatch, void>
  /** lets go of the source; only needed when `records` is not read */
  close(): Promise<void>
}

/**
 * Opens a CSV: finds its type, encoding, delimiter and header, and leaves its rows to be read.
 *
 * @param csv - the file, whole or in chunks
 * @param options - resolved {@link CsvOptions}, and the signal that stops the reading
 * @param isEmailHeader - whether a header names the email column, by which the header is told from a preamble
 * @throws CustomAttributesError in this order `UNSUPPORTED_FILE`, `FILE_TOO_LARGE`, `INVALID_ENCODING`,
 *   `UNCLOSED_QUOTE` and the other errors of {@link RecordReader.feed}, `HEADER_MISSING`, `EMPTY_FILE`
 */
export async function openCsv(
  csv: CsvInput,
  options: ResolvedCsvOptions & { signal?: AbortSignal | undefined },
  isEmailHeader: (header: string, index: number) => boolean,
): Promise<CsvFile> {
  const bytes = createByteReader(csv, options)
  const pieces = bytes.pieces()
  try {
    const head: Buffer[] = []
    let headBytes = 0
    let ended = false
    while (headBytes < options.maxRecordBytes && !ended) {
      const next = await pieces.next()
      if (next.done) ended = true
      else {
        head.push(next.value)
        headBytes += next.value.length
      }
    }
    const start = Buffer.concat(head)
    const sep = readSepLine(start)
    const forced = options.delimiter === 'auto' ? sep?.delimiter : options.delimiter
    const text = start.subarray(sep?.length ?? 0)
    const dialect = findDialect(text, ended, forced, isEmailHeader, options.headers)
    if (dialect.isHeaderMissing && !options.headers) {
      throw headerMissing(', and no row below it names the email column above an e-mail address')
    }
    // What is wrong up to the header ends the reading: rows cannot be told by a header that was guessed at.
    const strictRecords = options.headers ? 0 : (dialect.headerIndex ?? Number.POSITIVE_INFINITY) + 1
    const reader = new RecordReader(dialect.delimiter, options, sep ? 2 : 1, strictRecords)

    // The head is fed in small steps like all else: what a record may take is judged by the reader.
    const rest = readRecords(reader, text, ended, pieces)
    const header = options.headers ? givenHeader(options.headers) : await takeHeader(rest, dialect.headerIndex)
    return {
      headers: header.record,
      preamble: header.above,
      delimiter: dialect.delimiter,
      // A spreadsheet obeys the sep= line and does not show it.
      firstRow: header.index + 2,
      encoding: bytes.encoding,
      rareBytes: bytes.rareBytes,
      bytesRead: bytes.bytesRead,
      warnings: () => [
        ...(bytes.isAssumed() ? [encodingAssumed()] : []),
        ...(header.above.length > 0 ? [preambleSkipped(header.above.length)] : []),
      ],
      async *records() {
        if (header.rest) yield header.rest
        yield* rest
      },
      async close() {
        await rest.return()
        await pieces.return()
      },
    }
  } catch (error) {
    await pieces.return()
    throw error
  }
}

/** The file's bytes as UTF-8, checked for type, size and encoding. */
function createByteReader(csv: CsvInput, options: ResolvedCsvOptions & { signal?: AbortSignal | undefined }) {
  const source = openSource(csv, options.signal)
  const rareBytes = { nul: false, separators: false }
  let decoder: Decoder | undefined
  let bytes = 0

  const checkSize = (size: number) => {
    if (size <= options.maxBytes) return
    throw new CustomAttributesError(
      'FILE_TOO_LARGE',
      `The file is over ${options.maxBytes} bytes. Split it into several files, or raise maxBytes.`,
      { maxBytes: options.maxBytes },
    )
  }

  async function* pieces(): AsyncGenerator<Buffer, void> {
    for await (let piece of source.pieces()) {
      bytes += piece.length
      if (!decoder) {
        checkFileType(piece)
        checkSize(source.size ?? 0)
        checkSize(bytes)
        const mark = readByteOrderMark(piece)
        decoder = createDecoder(chooseEncoding(piece, mark?.encoding, options.encoding, source.isText()))
        piece = piece.subarray(mark?.length ?? 0)
      }
      checkSize(bytes)
      const wasAssumed = decoder.isAssumed()
      const text = decoder.decode(piece)
      // What is there as a whole is looked at as a whole, before any row of it is stored.
      if (isWhole(csv) && !wasAssumed && decoder.isAssumed()) {
        if (await hasUtf8Letters(openSource(csv, options.signal).pieces())) throw decoder.brokenUtf8!()
      }
      rareBytes.nul ||= text.includes(0)
      rareBytes.separators ||= text.includes(0x1f) || text.includes(0x1e)
      yield text
    }
    if (decoder) yield decoder.decode(Buffer.alloc(0), true)
  }

  return {
    pieces,
    rareBytes,
    bytesRead: () => bytes,
    encoding: (): Encoding => decoder?.encoding() ?? 'utf-8',
    isAssumed: () => decoder?.isAssumed() ?? false,
  }
}

async function* readRecords(
  reader: RecordReader,
  head: Buffer,
  isWhole: boolean,
  pieces: AsyncGenerator<Buffer, void>,
): AsyncGenerator<RecordBatch, void> {
  try {
    const step = 64 * 1024
    for (let at = 0; at < head.length; at += step) yield reader.feed(head.subarray(at, at + step))
    if (!isWhole) for await (const piece of pieces) yield reader.feed(piece)
    yield reader.feed(Buffer.alloc(0), true)
  } finally {
    await pieces.return()
  }
}

async function takeHeader(batches: AsyncGenerator<RecordBatch, void>, headerIndex: number | undefined) {
  let index = 0
  const above: string[][] = []
  while (true) {
    const next = await batches.next()
    if (next.done) break
    const { records, lines, ...faults } = next.value
    for (const [at, record] of records.entries()) {
      const isHeader = headerIndex === undefined ? !isBlankRecord(record) : index === headerIndex
      if (isHeader) {
        const rest = { records: records.slice(at + 1), lines: lines.slice(at + 1), ...faults }
        return { record, index, above, rest }
      }
      if (!isBlankRecord(record)) above.push(record)
      index++
    }
  }
  throw new CustomAttributesError(
    'EMPTY_FILE',
    'The file has no header row. Write the column names into the first row, one of them "email".',
  )
}

/** The header that the caller gives stands above the first record. */
function givenHeader(headers: readonly string[]) {
  return { record: headers, index: -1, above: [], rest: undefined }
}

/** @param below - what was looked for below the first row, in vain */
export function headerMissing(below = ''): CustomAttributesError {
  return new CustomAttributesError(
    'HEADER_MISSING',
    `No row names the columns: a cell of the first row is an e-mail address, so it is data${below}. Write the column ` +
      'names into the first row, without anything above them, or, where all rows are data, name the columns with headers, ' +
      "such as headers: ['email', 'first_name'].",
  )
}

function encodingAssumed(): CsvWarning {
  return {
    code: 'ENCODING_ASSUMED',
    message: 'The file is not UTF-8 and was read as windows-1252. Check accented letters, or name its encoding.',
  }
}

function preambleSkipped(rows: number): CsvWarning {
  return {
    code: 'PREAMBLE_SKIPPED',
    message: `${rows} ${rows === 1 ? 'row before the header was' : 'rows before the header were'} skipped.`,
  }
}

import { type CsvError, Parser } from 'csv-parse'
import { CustomAttributesError, type Problem, throwProblem } from '../errors.js'
import { trim } from '../trim.js'

/** A delimiter between cells. */
export type Delimiter = ',' | ';' | '\t' | '|'

/** Limits of one record. */
export interface RecordLimits {
  maxColumns: number
  maxRecordBytes: number
}

/** Records in file order, blank ones too, each with the physical line on which it starts. */
export interface RecordBatch {
  records: string[][]
  lines: number[]
  /** the records with a quote out of place, where there are any; their line is cut at each delimiter, quotes and all */
  faults?: Map<readonly string[], QuoteFault>
}

/** A quote out of place: the first of its record. */
export interface QuoteFault extends Problem {
  code: 'INVALID_QUOTE'
  /** the line of the quote, and the number of its cell; both from 1 */
  details: { line: number; column: number }
}

/** The parts of csv-parse's public but untyped `state` that say where an error stands, and lead out of it. */
interface ParserState {
  quoting: boolean
  recordHasError: boolean
  needMoreDataSize: number
  record: string[]
  field: { length: number; toString(encoding: 'utf8'): string; reset(): void; append(byte: number): void }
}

/** How many bytes behind a closing quote are always at hand: more blanks than stand there in nearly any file. */
const LOOK_AHEAD = 64

/** The parts of csv-parse's own parser that it asks whether a comment starts at a byte, or a quote stands there. */
interface ParserApi {
  __compareBytes(comment: Buffer, bytes: Buffer, at: number): number
  __isQuote(bytes: Buffer, at: number): boolean
}

const QUOTE = 34
/** A byte that no UTF-8 has. */
const NO_QUOTE = 0xff

/**
 * Reads records (RFC 4180, with any of the four delimiters and any line end) out of UTF-8 bytes fed piece by piece.
 *
 * It is csv-parse's parser driven by hand: records are taken where it would queue them on its stream, and the line is
 * derived from its counter there, which its option `info` would do at half the speed.
 */
export class RecordReader extends Parser {
  readonly #delimiter: Delimiter
  readonly #limits: RecordLimits
  readonly #strictRecords: number
  #recordsRead = 0
  #fault: QuoteFault | undefined
  /** what stands before the quote of a cell, and which cell it is: blanks, or the `=` of a spreadsheet's text formula */
  #before: { text: string; cell: number } | undefined
  /** a quoted cell behind which there were only blanks as far as the bytes went: its text, and which cell it is */
  #undecided: { text: string; cell: number } | undefined
  #quote = QUOTE
  #batch: RecordBatch = { records: [], lines: [] }
  #line: number
  #linesBefore = 0
  /** blank cells over the limit that the record had so far; csv-parse does not count delimiters as bytes */
  #blanksCut = 0
  /** Empty rows share one record: csv-parse gives each room for 17 cells, and a file can have a million of them. */
  #empty: string[] = []

  /**
   * @param delimiter - the delimiter between cells
   * @param limits - `maxColumns` and `maxRecordBytes`
   * @param line - the physical line on which the bytes start; from 1
   * @param strictRecords - in how many records at the start a quote out of place is an error and not a fault
   */
  constructor(delimiter: Delimiter, limits: RecordLimits, line = 1, strictRecords = 0) {
    super({
      delimiter,
      // All three at once: by itself csv-parse takes the first line's delimiter for the whole file's.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      max_record_size: limits.maxRecordBytes,
      skip_records_with_error: true,
      // Only so that csv-parse asks what follows a closing quote; there are no comments.
      comment: '#',
      comment_no_infix: true,
    })
    const state = this.#state()
    state.needMoreDataSize = LOOK_AHEAD + 1
    const { api } = this as unknown as { api: ParserApi }
    const closesBehind = blanksBehindQuote(delimiter)
    api.__compareBytes = (_comment, bytes, at) => {
      if (!state.quoting) return 0
      const closes = closesBehind(bytes, at)
      if (closes === undefined) {
        this.#undecided ??= { text: state.field.toString('utf8'), cell: state.record.length + 1 }
      }
      return closes === false ? 0 : 1
    }
    api.__isQuote = (bytes, at) => {
      if (bytes[at] !== this.#quote) return false
      // Else it opens a cell, or csv-parse says that it is out of place: at the price of an Error, which blanks are not worth.
      if (!state.quoting && state.field.length !== 0) this.#openBehindBlanks()
      return true
    }
    this.#delimiter = delimiter
    this.#limits = limits
    this.#line = line
    this.#strictRecords = strictRecords
    // What is thrown here csv-parse returns as its error.
    this.on('skip', (error: CsvError) => this.#takeFault(error))
  }

  override push(record: string[] | null): boolean {
    if (record === null) return false
    const isEmpty = record[0] === '' && record.every((cell) => cell === '')
    if (isEmpty && record.length !== this.#empty.length) this.#empty = record
    this.#recordsRead++
    if (this.#undecided) {
      this.#decide(record, this.#undecided)
      this.#undecided = undefined
    }
    this.#before = undefined
    if (this.#fault) {
      this.#batch.faults ??= new Map()
      this.#batch.faults.set(record, this.#fault)
      this.#fault = undefined
      this.#quote = QUOTE
    }
    this.#batch.records.push(isEmpty ? this.#empty : record)
    this.#batch.lines.push(this.#line)
    // A record of another length than the first costs csv-parse a whole Error, even relaxed: let each be the first.
    ;(this.info as { records: number }).records = 0
    // csv-parse counts a CRLF within quotes twice, so more than one line means to count.
    const lines = this.info.lines - this.#linesBefore === 1 ? 1 : 1 + countLineBreaks(record)
    this.#linesBefore = this.info.lines
    this.#line += lines
    if (!this.#cutBlanks(record)) throw this.#tooManyColumns(this.#line - lines)
    this.#blanksCut = 0
    return true
  }

  /**
   * Takes bytes and returns the records that are complete with them.
   *
   * @param bytes - the next bytes, at most some tens of kilobytes, which bound the memory that a row of endless
   *   delimiters can take
   * @param end - whether these are the last
   * @throws CustomAttributesError `UNCLOSED_QUOTE`, `RECORD_TOO_LARGE`, `TOO_MANY_COLUMNS`, in the first records
   *   `INVALID_QUOTE`
   */
  feed(bytes: Buffer, end = false): RecordBatch {
    let failure: Error | null | undefined
    const keep = (error?: Error | null) => {
      failure ??= error
    }
    if (bytes.length > 0) this._transform(bytes, 'utf8', keep)
    if (end && !failure) this._flush(keep)
    if (failure) throw failure
    if (!this.#cutBlanks(this.#state().record)) throw this.#tooManyColumns(this.#line)
    return this.takeRecords()
  }

  /** Takes the records that are complete; after an error those before it. */
  takeRecords(): RecordBatch {
    const batch = this.#batch
    this.#batch = { records: [], lines: [] }
    return batch
  }

  #state(): ParserState {
    return (this as unknown as { state: ParserState }).state
  }

  /** Drops blank cells over the limit, so that they take no room; false when one over it is filled. */
  #cutBlanks(record: string[]): boolean {
    const { maxColumns } = this.#limits
    for (let at = maxColumns; at < record.length; at++) if (trim(record[at]!) !== '') return false
    if (record.length <= maxColumns) return true
    this.#blanksCut += record.length - maxColumns
    if (this.#blanksCut > this.#limits.maxRecordBytes) throw this.#recordTooLarge()
    record.length = maxColumns
    return true
  }

  #recordTooLarge(): CustomAttributesError {
    const { maxRecordBytes } = this.#limits
    return new CustomAttributesError(
      'RECORD_TOO_LARGE',
      `The record on line ${this.#line} is over ${maxRecordBytes} bytes. Shorten it, or raise maxRecordBytes.`,
      { line: this.#line, maxRecordBytes },
    )
  }

  #tooManyColumns(line: number): CustomAttributesError {
    const { maxColumns } = this.#limits
    return new CustomAttributesError(
      'TOO_MANY_COLUMNS',
      `Line ${line} has more than ${maxColumns} cells. Remove columns, or raise maxColumns.`,
      { line, maxColumns },
    )
  }

  /** Throws what ends the file. After a quote out of place the rest of its line is read as if quotes meant nothing. */
  #takeFault(error: CsvError): void {
    const state = this.#state()
    const cell = state.field.toString('utf8')
    const column = state.record.length + 1
    const opened = this.#line + countLineBreaks(state.record)
    const line = opened + countLineBreaks([cell])
    const isTooLarge = error.code === 'CSV_MAX_RECORD_SIZE'
    // Lines later, a cell that is too large or meets a quote that opens another one was itself never closed.
    const isForgotten = state.quoting && line > opened && (isTooLarge || this.#isCellStart(cell))
    if (error.code === 'CSV_QUOTE_NOT_CLOSED' || isForgotten) {
      throw new CustomAttributesError(
        'UNCLOSED_QUOTE',
        `The quote opened on line ${opened} (column ${column}) is never closed. ` +
          'Close it, or double a quote that belongs to the text.',
        { line: opened, column },
      )
    }
    if (isTooLarge) throw this.#recordTooLarge()
    this.#fault = misplaced(opened, line, column)
    if (this.#recordsRead < this.#strictRecords) throwProblem(this.#fault)
    if (state.quoting) {
      state.field.reset()
      const before = this.#before?.cell === column ? this.#before.text : ''
      for (const byte of Buffer.from(`${before}"${cell.replaceAll('"', '""')}`)) state.field.append(byte)
    }
    state.quoting = false
    state.recordHasError = false
    this.#quote = NO_QUOTE
  }

  /** Whether a quote behind this text stands where a cell starts. */
  #isCellStart(text: string): boolean {
    const before = text.replace(/[ \u00a0\ufeff]+$/, '')
    return before.endsWith(this.#delimiter) || before.endsWith('\n') || before.endsWith('\r')
  }

  /** Lets a quote open its cell though blanks, a byte order mark, or the `=` of `="00720"` stand before it. */
  #openBehindBlanks(): void {
    const { field, record } = this.#state()
    const text = field.toString('utf8')
    if (!isBlankOrFormula(text)) return
    this.#before = { text, cell: record.length + 1 }
    field.reset()
  }

  /** Looks at what finally came behind a quoted cell and the blanks that followed it. */
  #decide(record: string[], { text, cell }: { text: string; cell: number }): void {
    const behind = record[cell - 1]!.slice(text.length)
    if (trim(behind) === '') return
    const before = this.#before?.cell === cell ? this.#before.text : ''
    record[cell - 1] = `${before}"${text.replaceAll('"', '""')}"${behind}`
    const opened = this.#line + countLineBreaks(record.slice(0, cell - 1))
    this.#fault = misplaced(opened, opened + countLineBreaks([text]), cell)
    if (this.#recordsRead <= this.#strictRecords) throwProblem(this.#fault)
  }
}

function misplaced(opened: number, line: number, column: number): QuoteFault {
  const where = line > opened ? `, of a cell that begins on line ${opened}` : ''
  return {
    code: 'INVALID_QUOTE',
    message:
      `A quote stands in the middle of the cell on line ${line} (column ${column})${where}. ` +
      'Put the whole cell in quotes and double the ones that belong to its text (RFC 4180, section 2).',
    details: { line, column },
  }
}

/** Whether a quote behind this text opens its cell: behind blanks, a byte order mark, or the `=` of `="00720"`. */
function isBlankOrFormula(text: string): boolean {
  const start = trim(text)
  return start === '' || start === '='
}

/** Makes the test whether only blanks stand from a byte to the cell's end; undefined when the bytes end before. */
function blanksBehindQuote(delimiter: Delimiter): (bytes: Buffer, at: number) => boolean | undefined {
  const ends = new Set([...`${delimiter}\r\n`].map((char) => char.charCodeAt(0)))
  const isText = (byte: number) => byte > 32 && byte < 128 && !ends.has(byte)
  return (bytes, at) => {
    const first = bytes[at]
    // Most quotes close right before the cell's end, or stand before a letter or another quote.
    if (first === undefined || ends.has(first) || (first > 32 && first < 128)) return false
    let end = at
    while (end < bytes.length && !ends.has(bytes[end]!) && !isText(bytes[end]!)) end++
    // A character that is cut off at the end of the bytes is left to what follows.
    if (end < bytes.length) return !isText(bytes[end]!) && trim(bytes.toString('utf8', at, end)) === ''
    return trim(bytes.toString('utf8', at, end).replace(/\ufffd+$/, '')) === '' ? undefined : false
  }
}

function countLineBreaks(cells: readonly string[]): number {
  let count = 0
  for (const cell of cells) count += cell.match(/\r\n|\r|\n/g)?.length ?? 0
  return count
}

import { COLUMN_OPTIONS, type ColumnMapping, type ColumnOptions } from './column-targets.js'
import { mapColumns } from './columns.js'
import { isEmail } from './email.js'
import { CustomAttributesError, type ErrorCode, type ErrorDetails, throwProblem } from './errors.js'
import { defaultsOf, isTextList, LIMITS, oneOf, resolveOptions, wholeNumber, withDefault } from './options.js'
import { cleanValue } from './text-mark.js'
import { trim } from './trim.js'

/** A row as the library stores it: strings under the database's names; empty values are left out. */
export interface ParsedRow {
  standard: { [field: string]: string }
  custom_attributes: Record<string, string>
}

/** How the values of a row are read. */
export interface RowOptions {
  /** `'lower'` (default) lower-cases email addresses, `'preserve'` keeps them as typed. */
  emailCase?: 'lower' | 'preserve'
  /** Most characters of one value. Default 10,000. */
  maxValueLength?: number
}

/** How the cells of a row are read. */
export interface CellOptions {
  /**
   * What a row does that ends before its last column, ignored columns aside: `'reject'` (default) rejects it as
   * `COLUMN_COUNT_MISMATCH`, `'fill'` takes the missing cells for empty.
   */
  shortRows?: 'reject' | 'fill'
  /** Values that stand for none, as spelt: `['NULL', 'N/A', '\\N']`. A cell with one of them is empty. Default none. */
  emptyMarkers?: readonly string[]
}

export const CELL_OPTIONS = {
  shortRows: withDefault(oneOf('reject', 'fill'), 'reject'),
  emptyMarkers: withDefault(isTextList, []),
}

export const ROW_OPTIONS = {
  emailCase: withDefault(oneOf('lower', 'preserve'), 'lower'),
  maxValueLength: withDefault(wholeNumber(1), LIMITS.maxValueLength),
}

/** Why a row cannot be stored. */
export interface RowProblem {
  code: ErrorCode
  message: string
  /** the header of the column, where the problem has one */
  column?: string
  details: ErrorDetails
}

/** One column that is read: where it stands, what it is called in the file, and what it fills. */
export interface RowTarget {
  index: number
  header: string
  field?: string
  attribute?: string
}

/**
 * Reads rows by a mapping whose header work is done: `read` writes each target's value into `values`, in the order of
 * `targets` (`''` where it is empty), or returns why the row cannot be stored. Whoever knows that no cell holds NUL or a
 * lone surrogate passes `mayBeUnstorable: false`.
 */
export interface RowReader {
  readonly targets: readonly RowTarget[]
  read(row: readonly string[], values: string[], mayBeUnstorable?: boolean): RowProblem | undefined
}

const UNSTORABLE = /\0|\p{Cs}/u

/**
 * Parses one row into standard fields and custom attributes. Values are trimmed strings; one leading apostrophe before
 * `= + - @`, TAB or CR (a spreadsheet's text mark) is dropped; empty values are left out.
 *
 * @param headersOrMapping - the header row, or better the {@link ColumnMapping} made once by `mapColumns`: then nothing
 *   is done per row for the headers
 * @param row - the cells, as many as there are headers; further cells are fine as long as all of them are empty, and
 *   missing ones at the end as long as their columns are ignored
 * @param options - `emailCase`, `maxValueLength`, `shortRows` and `emptyMarkers`; see {@link RowOptions} and {@link CellOptions}; for
 *   headers also `fields`, the catalogue by which they are read
 * @throws CustomAttributesError `EMAIL_REQUIRED`, `INVALID_EMAIL`, `COLUMN_COUNT_MISMATCH`, `INVALID_CHARACTER`,
 *   `VALUE_TOO_LONG`; with headers also the problems of `mapColumns`
 */
export function parseRow(
  headersOrMapping: readonly string[] | ColumnMapping,
  row: readonly string[],
  options?: RowOptions & CellOptions & Pick<ColumnOptions, 'fields'>,
): ParsedRow {
  const reader = readerFor(headersOrMapping, options)
  if (isTextList(row)) throw new CustomAttributesError('INVALID_ARGUMENT', 'row must be an array of strings.')
  const values: string[] = []
  const problem = reader.read(row, values)
  if (problem) throwProblem(problem)
  return toParsedRow(reader.targets, values)
}

/** The row that a reader's values stand for. */
export function toParsedRow(targets: readonly RowTarget[], values: readonly string[]): ParsedRow {
  const parsed: ParsedRow = { standard: {}, custom_attributes: {} }
  for (const [index, { field, attribute }] of targets.entries()) {
    const value = values[index]
    if (!value) continue
    if (field) parsed.standard[field] = value
    else parsed.custom_attributes[attribute!] = value
  }
  return parsed
}

const PARSE_OPTIONS = { ...ROW_OPTIONS, ...CELL_OPTIONS, fields: COLUMN_OPTIONS.fields }
const PARSE_DEFAULTS = defaultsOf(PARSE_OPTIONS)
const DEFAULT_READERS = new WeakMap<ColumnMapping, RowReader>()

function readerFor(
  headersOrMapping: readonly string[] | ColumnMapping,
  options: (RowOptions & CellOptions & Pick<ColumnOptions, 'fields'>) | undefined,
): RowReader {
  const resolved = resolveOptions('parseRow', PARSE_OPTIONS, options)
  const mapping = Array.isArray(headersOrMapping)
    ? mapColumns(headersOrMapping, { fields: resolved.fields })
    : (headersOrMapping as ColumnMapping)
  if (!Array.isArray((mapping as ColumnMapping | undefined)?.columns)) {
    throw new CustomAttributesError(
      'INVALID_ARGUMENT',
      'parseRow needs an array of headers or the mapping that mapColumns returns.',
    )
  }
  if (options !== undefined) return createRowReader(mapping, resolved)
  const reader = DEFAULT_READERS.get(mapping) ?? createRowReader(mapping, resolved)
  DEFAULT_READERS.set(mapping, reader)
  return reader
}

/** Compiles a mapping into a {@link RowReader}. */
export function createRowReader(
  mapping: ColumnMapping,
  { emailCase, maxValueLength, shortRows, emptyMarkers }: Required<RowOptions & CellOptions> = PARSE_DEFAULTS,
): RowReader {
  const width = mapping.columns.length
  const targets = mapping.columns.flatMap(({ target, header, position }): RowTarget[] =>
    target === null ? [] : [{ index: position - 1, header, ...target }],
  )
  const indexes = targets.map(({ index }) => index)
  // Also where the columns of a preview came back as an option: their reason is then another.
  const own = mapping.columns.filter(
    ({ target, header }) => target === null && /^error_(?:code|message)$/i.test(header),
  )
  const ownAt = own.map(({ position }) => position)
  const errorCodeAt = own.find(({ header }) => header.toLowerCase() === 'error_code')?.position
  const lastCellAt = Math.max(0, ...targets.map(({ index }) => index + 1))
  const isEmptyMarker = emptyMarkerTest(emptyMarkers)
  const fewest = shortRows === 'fill' ? 0 : lastCellAt
  const emailAt = targets.findIndex(({ field }) => field === 'email')
  if (emailAt === -1) {
    throw new CustomAttributesError('EMAIL_COLUMN_MISSING', 'email is required: the mapping has no email column.')
  }

  return {
    targets,
    read(row, values, mayBeUnstorable = true) {
      const still = errorCodeAt === undefined ? undefined : unmended(row, errorCodeAt, fewest, ownAt, width)
      if (still) return still
      if (row.length < fewest) return tooFew(row.length, width)
      if (row.length > width && hasFilledAfter(row, width)) return tooMany(row.length, width)
      for (let at = 0; at < indexes.length; at++) {
        const value = cleanValue(row[indexes[at]!] ?? '')
        if (value.length > maxValueLength && [...value].length > maxValueLength) {
          return valueTooLong(targets[at]!.header, maxValueLength)
        }
        if (mayBeUnstorable && UNSTORABLE.test(value)) return invalidCharacter(targets[at]!.header)
        values[at] = isEmptyMarker?.(value) ? '' : value
      }
      const email = values[emailAt]!
      const problem = emailProblem(email, targets[emailAt]!.header)
      if (problem) return problem
      if (emailCase === 'lower') values[emailAt] = email.toLowerCase()
      return undefined
    },
  }
}

/** Tells the texts that stand for no value; undefined where there are none. */
export function emptyMarkerTest(emptyMarkers: readonly string[]): ((value: string) => boolean) | undefined {
  if (emptyMarkers.length === 0) return undefined
  const markers = new Set(emptyMarkers.map(trim))
  return (value) => markers.has(value)
}

/** Why `email` cannot identify a customer, or undefined when it can. */
export function emailProblem(email: string, column: string): RowProblem | undefined {
  if (email === '') {
    return { code: 'EMAIL_REQUIRED', message: 'email is required: the cell is empty.', column, details: { column } }
  }
  if (isEmail(email)) return undefined
  return {
    code: 'INVALID_EMAIL',
    message: `Not a valid email address (HTML standard, at most ${LIMITS.maxEmailLength} characters). ${hiddenIn(email)}Correct the cell.`,
    column,
    details: { column },
  }
}

/** Names the character of an address that nobody sees. */
function hiddenIn(email: string): string {
  const found = /[\p{Cf}\p{Cc}]|(?! )\p{Z}/u.exec(email)
  if (!found) return ''
  const code = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')
  return `Character ${[...email.slice(0, found.index)].length + 1} is an invisible one, U+${code}. `
}

export function valueTooLong(column: string, max: number): RowProblem {
  return {
    code: 'VALUE_TOO_LONG',
    message: `The value is over ${max} characters. Shorten it; nothing is ever cut off.`,
    column,
    details: { column, max },
  }
}

export function invalidCharacter(column: string): RowProblem {
  return {
    code: 'INVALID_CHARACTER',
    message: 'The value holds a NUL character or half of a surrogate pair, which PostgreSQL cannot store. Remove it.',
    column,
    details: { column },
  }
}

/** Whether a value holds what PostgreSQL's text cannot: NUL or a lone surrogate. */
export function isUnstorable(value: string): boolean {
  return UNSTORABLE.test(value)
}

/** A text as PostgreSQL can keep it: what it cannot becomes U+FFFD. */
export function toStorable(value: string): string {
  return value.replace(new RegExp(UNSTORABLE, 'gu'), '\ufffd')
}

function hasFilledAfter(row: readonly string[], width: number): boolean {
  for (let index = width; index < row.length; index++) if (trim(row[index]!) !== '') return true
  return false
}

/**
 * Why a row that `rejectedRowsCsv` wrote is still as it was, as far as its `error_code` cell and its others show: filled up
 * with empty cells or freed from its faulty quoting by the writing, it must not pass as a whole row, nor where a
 * spreadsheet gave its surplus cells a column. Positions count from 1.
 *
 * @param fewest - the cells that a row must have; 0 where missing ones are empty
 */
function unmended(
  row: readonly string[],
  errorCodeAt: number,
  fewest: number,
  own: readonly number[],
  width: number,
): RowProblem | undefined {
  const code = trim(row[errorCodeAt - 1] ?? '')
  if (code === 'COLUMN_COUNT_MISMATCH') {
    if (hasFilledAfter(row, Math.max(...own))) return tooMany(row.length, width)
    if (fewest > 0 && trim(row[fewest - 1] ?? '') === '') return stillShort()
  }
  const isOwn = (at: number) => own.includes(at + 1)
  return code === 'INVALID_QUOTE' && row.some((cell, at) => !isOwn(at) && cell.includes('"'))
    ? stillQuoted()
    : undefined
}

function stillQuoted(): RowProblem {
  return {
    code: 'INVALID_QUOTE',
    message:
      'The row was rejected for a quote in the middle of a cell, and still has quotes. Put the values into their columns ' +
      'without them; if the row is right as it is, empty its error_code cell.',
    details: {},
  }
}

function stillShort(): RowProblem {
  return {
    code: 'COLUMN_COUNT_MISMATCH',
    message:
      'The row was rejected for having too few cells, and its last cell is still empty. Put the values into their ' +
      'columns; if the row is right as it is, empty its error_code cell.',
    details: {},
  }
}

function tooFew(cells: number, headers: number): RowProblem {
  return {
    code: 'COLUMN_COUNT_MISMATCH',
    message:
      `Headers and row must have same length: ${headers} headers, only ${cells} ${cells === 1 ? 'cell' : 'cells'}. ` +
      "Add the missing cells, or set shortRows to 'fill' where rows may end early: what is missing is then empty.",
    details: { headers, cells },
  }
}

function tooMany(cells: number, headers: number): RowProblem {
  return {
    code: 'COLUMN_COUNT_MISMATCH',
    message:
      `Headers and row must have same length: ${headers} headers, ${cells} cells. ` +
      'A cell that holds the delimiter or a line break must stand in double quotes.',
    details: { headers, cells },
  }
}

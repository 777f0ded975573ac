import type { ColumnMapping } from '../column-targets.js'
import type { QuoteFault } from '../csv/records.js'
import { type BatchRow, compareJsonbKeys } from '../db/batch.js'
import { type DateFormat, type NumberFormat, valueCheck } from '../db/field-values.js'
import { FIELD_SEPARATOR, rareSeparator } from '../db/separators.js'
import type { TableColumn } from '../db/table-catalogue.js'
import type { TableShape } from '../db/table-shape.js'
import { CustomAttributesError } from '../errors.js'
import {
  type CellOptions,
  createRowReader,
  invalidCharacter,
  isUnstorable,
  type ParsedRow,
  type RowOptions,
  type RowProblem,
  type RowTarget,
  toParsedRow,
  valueTooLong,
} from '../rows.js'
import { trim } from '../trim.js'
import type { Constant } from './constants.js'

/** A row on its way into the database. Thousands wait at a time, so it is few objects: what dies young costs little. */
export interface Entry extends BatchRow {
  /** the customer: the email as the table compares it */
  key: string
  row: number
  line: number
  /** the cells as the file has them, joined by the separator; see {@link recordOf} */
  cells: string
  /** rows right after this one that say the same of the same customer: they share its fate */
  twins: Entry[] | undefined
  /** which of its customer's rows this is, while it waits in a lane */
  wave: number
}

/** The row's cells as the file has them. */
export function recordOf({ cells, separator }: Entry): string[] {
  return cells.split(separator)
}

/** Whether the row has a value for an attribute; the name as JSON. */
export function hasAttribute({ text, separator }: Entry, name: string): boolean {
  const json = text.slice(text.lastIndexOf(separator) + separator.length)
  // Within a string of JSON a quote never follows a bare comma or brace, so this finds keys only.
  return json.startsWith(`{${name}:`) || json.includes(`,${name}:`)
}

/** A quote out of place as the problem of its row, which names the column by its header. */
export function quoteProblem(fault: QuoteFault | undefined, headers: readonly string[]): RowProblem | undefined {
  if (fault === undefined) return undefined
  const { code } = fault
  // Among rejected rows the cell is quoted already.
  const message = `${fault.message} Among rejected rows, correct the cell and empty error_code.`
  const column = headers[fault.details.column - 1]
  return column === undefined ? { code, message, details: {} } : { code, message, column, details: { column } }
}

/** What the file holds so far that only rare files do; checked on its bytes, so that no cell needs to be. */
export interface RareBytes {
  nul: boolean
  separators: boolean
}

/** Reads rows and checks their values against the table; what a preview needs of an upload. */
export interface RowChecker {
  /** the fields that are filled, without email: where their value stands, and their column */
  readonly fields: readonly { at: number; column: TableColumn }[]
  /** the attributes that are filled, in file order */
  readonly attributes: readonly { at: number; name: string }[]
  readonly emailAt: number
  /** Writes the row's values, as they are stored, into `values`, or returns why the row cannot be stored. */
  check(record: readonly string[], values: string[], mayBeUnstorable?: boolean): RowProblem | undefined
  /**
   * The same for a row that the host's check changed.
   *
   * @throws CustomAttributesError `INVALID_ARGUMENT` when it has a name that neither the file nor the constants fill
   */
  revise(row: ParsedRow, values: string[]): RowProblem | undefined
  toParsedRow(values: readonly string[]): ParsedRow
}

/** How rows and their values are read. */
export type ReadOptions = Required<RowOptions & CellOptions> & {
  dateFormat: DateFormat
  numberFormat: NumberFormat | undefined
}

/** Those of an upload's or a preview's options. */
export function readingOf(
  options: Pick<ReadOptions, 'shortRows' | 'emptyMarkers' | 'dateFormat'> & { numberFormat?: NumberFormat | undefined },
) {
  const { shortRows, emptyMarkers, dateFormat, numberFormat } = options
  return { shortRows, emptyMarkers, dateFormat, numberFormat }
}

/** Compiles a mapping, so that the work per row is only the row's own. */
export function createRowChecker(
  mapping: ColumnMapping,
  shape: TableShape,
  constants: readonly Constant[],
  options: ReadOptions,
): RowChecker {
  const rows = createRowReader(mapping, options)
  const ofFile = rows.targets.length
  const targets: readonly RowTarget[] = [...rows.targets, ...constants]
  const fields = targets.flatMap(({ field }, at) =>
    field === undefined || field === 'email' ? [] : [{ at, column: shape.columns.get(field)! }],
  )
  const emailAt = targets.findIndex(({ field }) => field === 'email')
  const checked = [...fields, { at: emailAt, column: shape.columns.get('email')! }]
  const checksUnder = (numberFormat: NumberFormat | undefined) =>
    checked.flatMap(({ at, column }) => {
      // Constants were read when they were resolved.
      const check = valueCheck(column, options.dateFormat, at < ofFile ? numberFormat : undefined)
      return check ? [{ at, check, header: targets[at]!.header }] : []
    })
  const ofCells = { rows, checks: checksUnder(options.numberFormat) }
  // The host's check gets and gives values as they are stored: the file's notation no longer holds.
  const ofHost = { rows: createRowReader(mapping, { ...options, emptyMarkers: [] }), checks: checksUnder(undefined) }
  const atOf = new Map(targets.map(({ field, attribute }, at) => [field ?? attribute!, at]))
  const width = mapping.columns.length
  /** A row changed by the host as the cells that would say the same, and the constants beside them. */
  const toCells = ({ standard, custom_attributes }: ParsedRow): [record: string[], values: string[]] => {
    const record: string[] = new Array(width).fill('')
    const others = constants.map(() => '')
    for (const [name, value] of [...Object.entries(standard), ...Object.entries(custom_attributes)]) {
      const at = atOf.get(name)
      if (at === undefined) throw unfilled(name, [...atOf.keys()])
      if (at < ofFile) record[targets[at]!.index] = value
      else others[at - ofFile] = value
    }
    return [record, others]
  }

  function check(
    record: readonly string[],
    values: string[],
    mayBeUnstorable: boolean | undefined,
    others: readonly string[],
    { rows, checks }: typeof ofCells,
  ): RowProblem | undefined {
    const problem = rows.read(record, values, mayBeUnstorable)
    if (problem) return problem
    for (let index = 0; index < others.length; index++) values[ofFile + index] = others[index]!
    for (let index = 0; index < checks.length; index++) {
      const { at, check, header } = checks[index]!
      const value = values[at]!
      if (value === '') continue
      const result = check(value)
      if (typeof result !== 'string') return { ...result, column: header, details: { column: header } }
      values[at] = result
    }
    return undefined
  }

  const constantValues = constants.map(({ value }) => value)
  return {
    fields,
    attributes: targets.flatMap(({ attribute }, at) => (attribute === undefined ? [] : [{ at, name: attribute }])),
    emailAt,
    check: (record, values, mayBeUnstorable) => check(record, values, mayBeUnstorable, constantValues, ofCells),
    revise(row, values) {
      const [record, others] = toCells(row)
      for (const [at, value] of others.entries()) {
        const { header } = constants[at]!
        if (isUnstorable(value)) return invalidCharacter(header)
        if ([...value].length > options.maxValueLength) return valueTooLong(header, options.maxValueLength)
      }
      return check(record, values, true, others.map(trim), ofHost)
    },
    toParsedRow: (values) => toParsedRow(targets, values),
  }
}

function unfilled(name: string, names: readonly string[]): CustomAttributesError {
  return new CustomAttributesError(
    'INVALID_ARGUMENT',
    `A check gave ${JSON.stringify(name)}, which the upload does not fill. It fills ${names.join(', ')}; ` +
      `for another name say constants: { ${JSON.stringify(name)}: '' }.`,
    { name },
  )
}

/** Turns records into entries by a mapping that was checked against the table. */
export interface EntryReader {
  /** the fields that entries carry, in the order of their text */
  readonly fields: readonly TableColumn[]
  /** the attribute names of the file */
  readonly attributes: readonly string[]
  read(record: readonly string[], row: number, line: number): Entry | RowProblem
  /** The row of the entry that was read last. */
  lastRow(): ParsedRow
  /** The entry with the values that the host's check gave. */
  revise(entry: Entry, row: ParsedRow): Entry | RowProblem
}

/** Makes the reader of an upload's rows. */
export function createEntryReader(
  mapping: ColumnMapping,
  shape: TableShape,
  constants: readonly Constant[],
  options: ReadOptions,
  rareBytes: RareBytes,
): EntryReader {
  const checker = createRowChecker(mapping, shape, constants, options)
  const { fields, emailAt } = checker
  const attributes = checker.attributes
    .map(({ at, name }) => ({ at, name, key: JSON.stringify(name) }))
    .sort((a, b) => compareJsonbKeys(a.name, b.name))
  const values: string[] = []
  const parts: string[] = []
  const rare = rareSeparator()
  const areConstantsRare = constants.some(({ value }) => value.includes('\x1e') || value.includes('\x1f'))

  /** The entry of the values, with the cells that its file has for it. */
  function toEntry(cells: string, separator: string, row: number, line: number): Entry {
    const email = values[emailAt]!
    parts[0] = email
    for (let index = 0; index < fields.length; index++) parts[index + 1] = values[fields[index]!.at]!
    if (attributes.length > 0) {
      let json = '{'
      for (let index = 0; index < attributes.length; index++) {
        const { at, key } = attributes[index]!
        const value = values[at]!
        if (value !== '') json += `${json === '{' ? '' : ','}${key}:${JSON.stringify(value)}`
      }
      parts[fields.length + 1] = `${json}}`
    }
    return {
      email,
      // Joined and not added up: a string that is added up keeps all its parts alive.
      text: parts.join(separator),
      separator,
      key: shape.isEmailCaseInsensitive ? email.toLowerCase() : email,
      row,
      line,
      cells,
      twins: undefined,
      wave: 0,
    }
  }

  return {
    fields: fields.map(({ column }) => column),
    attributes: checker.attributes.map(({ name }) => name),
    read(record, row, line) {
      const problem = checker.check(record, values, rareBytes.nul)
      if (problem) return problem
      const separator = rareBytes.separators || areConstantsRare ? rare : FIELD_SEPARATOR
      return toEntry(record.join(separator), separator, row, line)
    },
    lastRow: () => checker.toParsedRow(values),
    revise(entry, changed) {
      const problem = checker.revise(changed, values)
      // What the host gave may hold the file's separators.
      return problem ?? toEntry(entry.cells.replaceAll(entry.separator, rare), rare, entry.row, entry.line)
    },
  }
}

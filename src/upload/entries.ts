import type { ColumnMapping } from '../columns.js'
import type { QuoteFault } from '../csv/records.js'
import { type BatchRow, compareJsonbKeys } from '../db/batch.js'
import { type DateFormat, valueCheck } from '../db/field-values.js'
import { FIELD_SEPARATOR, rareSeparator } from '../db/separators.js'
import type { TableColumn, TableShape } from '../db/table-shape.js'
import { createRowReader, type ParsedRow, type RowOptions, type RowProblem, toParsedRow } from '../rows.js'

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
  const { code, message } = fault
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
  toParsedRow(values: readonly string[]): ParsedRow
}

/** Compiles a mapping, so that the work per row is only the row's own. */
export function createRowChecker(
  mapping: ColumnMapping,
  shape: TableShape,
  options: Required<RowOptions> & { dateFormat: DateFormat },
): RowChecker {
  const rows = createRowReader(mapping, options)
  const fields = rows.targets.flatMap(({ field }, at) =>
    field === undefined || field === 'email' ? [] : [{ at, column: shape.columns.get(field)! }],
  )
  const emailAt = rows.targets.findIndex(({ field }) => field === 'email')
  const checked = [...fields, { at: emailAt, column: shape.columns.get('email')! }]
  const checks = checked.flatMap(({ at, column }) => {
    const check = valueCheck(column, options.dateFormat)
    return check ? [{ at, check, header: rows.targets[at]!.header }] : []
  })
  return {
    fields,
    attributes: rows.targets.flatMap(({ attribute }, at) => (attribute === undefined ? [] : [{ at, name: attribute }])),
    emailAt,
    check(record, values, mayBeUnstorable) {
      const problem = rows.read(record, values, mayBeUnstorable)
      if (problem) return problem
      for (let index = 0; index < checks.length; index++) {
        const { at, check, header } = checks[index]!
        const value = values[at]!
        if (value === '') continue
        const result = check(value)
        if (typeof result !== 'string') return { ...result, column: header, details: { column: header } }
        values[at] = result
      }
      return undefined
    },
    toParsedRow: (values) => toParsedRow(rows.targets, values),
  }
}

/** Turns records into entries by a mapping that was checked against the table. */
export interface EntryReader {
  /** the fields that entries carry, in the order of their text */
  readonly fields: readonly TableColumn[]
  /** the attribute names of the file */
  readonly attributes: readonly string[]
  read(record: readonly string[], row: number, line: number): Entry | RowProblem
}

/** Makes the reader of an upload's rows. */
export function createEntryReader(
  mapping: ColumnMapping,
  shape: TableShape,
  options: Required<RowOptions> & { dateFormat: DateFormat },
  rareBytes: RareBytes,
): EntryReader {
  const checker = createRowChecker(mapping, shape, options)
  const { fields, emailAt } = checker
  const attributes = checker.attributes
    .map(({ at, name }) => ({ at, name, key: JSON.stringify(name) }))
    .sort((a, b) => compareJsonbKeys(a.name, b.name))
  const values: string[] = []
  const parts: string[] = []
  const rare = rareSeparator()

  return {
    fields: fields.map(({ column }) => column),
    attributes: checker.attributes.map(({ name }) => name),
    read(record, row, line) {
      const problem = checker.check(record, values, rareBytes.nul)
      if (problem) return problem
      const separator = rareBytes.separators ? rare : FIELD_SEPARATOR
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
        cells: record.join(separator),
        twins: undefined,
        wave: 0,
      }
    },
  }
}

import type { ColumnMapping } from '../columns.js'
import { type BatchRow, compareJsonbKeys } from '../db/batch.js'
import { type DateFormat, valueCheck } from '../db/field-values.js'
import type { TableColumn, TableShape } from '../db/table-shape.js'
import { createRowReader, type RowOptions, type RowProblem } from '../rows.js'

/** A row on its way into the database. */
export interface Entry extends BatchRow {
  /** the customer: the email as the table compares it */
  key: string
  /** the names of the attributes that the row has a value for */
  names: readonly string[]
  row: number
  line: number
  record: readonly string[]
  /** rows right after this one that say the same of the same customer: they share its fate */
  twins: Entry[]
  /** which of its customer's rows this is, while it waits in a lane */
  wave: number
}

/** Turns records into entries by a mapping that was checked against the table. */
export interface EntryReader {
  /** the fields that entries carry, in the order of `Entry.values` */
  readonly fields: readonly TableColumn[]
  /** the attribute names of the file */
  readonly attributes: readonly string[]
  read(record: readonly string[], row: number, line: number): Entry | RowProblem
}

/** Compiles a mapping, so that the work per row is only the row's own. */
export function createEntryReader(
  mapping: ColumnMapping,
  shape: TableShape,
  options: Required<RowOptions> & { dateFormat: DateFormat },
): EntryReader {
  const rows = createRowReader(mapping, options)
  const emailAt = rows.targets.findIndex(({ field }) => field === 'email')
  const fields = rows.targets.flatMap(({ field, header }, at) => {
    if (field === undefined || field === 'email') return []
    const column = shape.columns.get(field)!
    return [{ at, header, column, check: valueCheck(column, options.dateFormat) }]
  })
  const attributes = rows.targets
    .flatMap(({ attribute }, at) =>
      attribute === undefined ? [] : [{ at, name: attribute, key: JSON.stringify(attribute) }],
    )
    .sort((a, b) => compareJsonbKeys(a.name, b.name))
  const cells: string[] = []

  return {
    fields: fields.map(({ column }) => column),
    attributes: rows.targets.flatMap(({ attribute }) => attribute ?? []),
    read(record, row, line) {
      const problem = rows.read(record, cells)
      if (problem) return problem
      const values: string[] = new Array(fields.length)
      for (let index = 0; index < fields.length; index++) {
        const { at, check, header } = fields[index]!
        const value = cells[at]!
        const checked = check && value !== '' ? check(value) : value
        if (typeof checked !== 'string') return { ...checked, column: header, details: { column: header } }
        values[index] = checked
      }
      let json = '{'
      const names: string[] = []
      for (const { at, name, key } of attributes) {
        const value = cells[at]!
        if (value === '') continue
        json += `${json === '{' ? '' : ','}${key}:${JSON.stringify(value)}`
        names.push(name)
      }
      const email = cells[emailAt]!
      return {
        email,
        key: shape.isEmailCaseInsensitive ? email.toLowerCase() : email,
        values,
        attributes: `${json}}`,
        names,
        row,
        line,
        record,
        twins: [],
        wave: 0,
      }
    },
  }
}

/** Whether two entries of one customer say the same. */
export function saysTheSame(a: Entry, b: Entry): boolean {
  return a.attributes === b.attributes && a.email === b.email && a.values.every((value, at) => value === b.values[at])
}

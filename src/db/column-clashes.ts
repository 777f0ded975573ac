import { CustomAttributesError } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'
import { type LiveValues, OWN_NAMES, type TableNames } from './table-names.js'

/** The columns that tell customers and tenants apart, and that of the attributes: no file may fill them as a field. */
const KEPT = ['id', 'account_id', 'email', 'custom_attributes'] as const

/** The columns that the library writes by itself: a value that says who lives would not stay. */
const NOT_LIVE = [...KEPT, 'created_at', 'updated_at'] as const

/** The column of a field: what `columns` says of a field's own name holds for the field. */
export function columnOfField(fields: FieldCatalogue, field: string, names: TableNames): string | null {
  if (field === 'email') return names.email
  const { column } = fields.get(field)!
  return column === field && Object.hasOwn(names, field) ? names[field as keyof TableNames] : column
}

/**
 * Checks that the store's options name no column for two things.
 *
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function checkColumnClashes({
  fields,
  columns,
  live,
}: {
  fields: FieldCatalogue
  columns: Partial<TableNames>
  live: LiveValues
}): void {
  const names = { ...OWN_NAMES, ...columns }
  checkNameClashes('createCustomAttributesStore', columns)
  const fieldOf = new Map<string, string>()
  for (const field of fields.names) {
    const column = columnOfField(fields, field, names)
    if (column === null) continue
    const kept = KEPT.find((own) => names[own] === column)
    if (kept !== undefined && field !== kept) throw taken(field, column, kept)
    const other = fieldOf.get(column)
    if (other !== undefined) throw twice('fields', column, other, field)
    fieldOf.set(column, field)
  }
  for (const column of Object.keys(live)) {
    const kept = NOT_LIVE.find((own) => names[own] === column)
    if (kept !== undefined) throw notLive(column, kept)
  }
}

/**
 * Checks that no two names of the library are in one column.
 *
 * @param where - the function whose option `columns` is
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function checkNameClashes(where: string, columns: Partial<TableNames>): void {
  const owners = new Map<string, string>()
  for (const [own, column] of Object.entries({ ...OWN_NAMES, ...columns })) {
    if (column === null) continue
    const other = owners.get(column)
    if (other !== undefined) throw twice('columns', column, other, own, where)
    owners.set(column, own)
  }
}

function twice(option: string, column: string, first: string, second: string, where?: string): CustomAttributesError {
  const remedy =
    option === 'columns'
      ? 'Give each a column of its own; created_at, updated_at and status can be null, for none.'
      : 'Leave one of the two out of what defineFields is given.'
  return invalid(
    option,
    `${option} has ${first} and ${second} in one column, ${JSON.stringify(column)}. ${remedy}`,
    where,
  )
}

function taken(field: string, column: string, own: string): CustomAttributesError {
  return invalid(
    'fields',
    `the field ${JSON.stringify(field)} is in the column ${JSON.stringify(column)}, which is that of ${own}: no file may ` +
      'fill it. Give the store fields, made by defineFields, without it; ' +
      `every customer has ${own} as it is.`,
  )
}

function notLive(column: string, own: string): CustomAttributesError {
  return invalid(
    'live',
    `live has the column ${JSON.stringify(column)}, which is that of ${own}: the library writes it, so it cannot say who lives.`,
  )
}

function invalid(option: string, what: string, where = 'createCustomAttributesStore'): CustomAttributesError {
  return new CustomAttributesError('INVALID_OPTION', `${where}: ${what}`, { function: where, option })
}

import { valueCheck } from './field-values.js'
import type { SchemaFault } from './schema-fault.js'
import type { CatalogueTable, TableColumn } from './table-catalogue.js'
import type { LiveValues } from './table-names.js'

/** Finds the entries of `live` whose value their column cannot have: no row would live, or no statement would run. */
export function* liveFaults({ name: table, columns }: CatalogueTable, live: LiveValues): Generator<SchemaFault> {
  for (const [name, value] of Object.entries(live)) {
    const column = columns.get(name)
    const fault = column && faultOf(column, value)
    if (fault === undefined) continue
    yield { message: `live.${name} of ${table}: ${fault}`, details: { table, column: name, option: 'live' } }
  }
}

/** Types without an operator that compares for equality. */
const INCOMPARABLE = new Set(['json', 'xml', 'point', 'polygon'])

function faultOf(column: TableColumn, value: LiveValues[string]): string | undefined {
  const { type, isNotNull } = column
  if (value === null)
    return isNotNull ? 'the column is NOT NULL, so no row would live. Say which value a living row has.' : undefined
  const other = type === 'bool' ? 'true or false' : 'null or a text of its type'
  if (typeof value === 'boolean') {
    return type === 'bool' ? undefined : `the column is ${type}, which is never ${value}. Say ${other}.`
  }
  if (INCOMPARABLE.has(type)) return `the column is ${type}, which nothing equals. Say null.`
  return typeof valueCheck(column, 'iso')?.(value) === 'object'
    ? `the column is ${type}, which cannot hold the text. Say ${isNotNull ? 'a text of its type' : other}.`
    : undefined
}

import type { FieldCatalogue } from '../fields.js'
import type { SqlClient } from './client.js'
import { columnOfField } from './column-clashes.js'
import { hasPageIndex, type Identity } from './identity.js'
import { type OptOutColumns, type OptOuts, resolveOptOuts } from './opt-outs.js'
import {
  type CatalogueTable,
  isDistributed,
  readAttributeChecks,
  readDateStyle,
  readIdIndexes,
  readTable,
  readTraits,
  type TableColumn,
  type TableTraits,
} from './table-catalogue.js'
import { type LiveValues, liveConditions, OWN_NAMES, type TableNames } from './table-names.js'
import {
  type AccountIdType,
  checkCustomerTable,
  checkDefinitionTable,
  requireCustomerTable,
  requireIsoDates,
} from './table-verdicts.js'

/** What the library knows of the two tables, read once from the catalogue. */
export interface TableShape extends Omit<TableTraits, 'hasCitus'> {
  /** the customer table as SQL text, with its schema, so that the search path does not matter */
  customerTable: string
  definitionTable: string
  /** whether its rows have ids as the shipped table's */
  hasDefinitionIds: boolean
  /** whether they say when an attribute was first recorded */
  hasDefinitionDates: boolean
  accountIdType: AccountIdType
  idType: string
  /** where the application makes the ids: the unique indexes that refuse one which is there */
  idIndexes: readonly string[]
  /** the columns that the library needs, as SQL */
  sql: Readonly<Record<'id' | 'account_id' | 'email' | 'custom_attributes', string>>
  /** the columns by the library's name for them: its own, and the fields */
  columns: ReadonlyMap<string, TableColumn>
  /** the fields that the host says its customers have */
  catalogue: FieldCatalogue
  /** the fields of the catalogue that the table has, in its order */
  standardFields: readonly string[]
  /** those of them that files and upserts may fill, and when */
  fillable: ReadonlyMap<string, true | 'new'>
  /** those that can be read and not written, and why */
  readOnly: ReadonlyMap<string, string>
  /** the columns by which customers opt out */
  optOuts: OptOutColumns
  /** what identifies a customer */
  identity: Identity
  /** whether `a@x` and `A@x` are one email to the table (`citext`, or a unique index by `lower()`) */
  isEmailCaseInsensitive: boolean
  /** the conditions that a row lives, as SQL on a table of an alias; none where every row does */
  live(alias: string): readonly string[]
  /** the columns and values that a new row gets so that it lives, without those that the database computes */
  liveValues: LiveValues
  /** the first key of the index of pages, as SQL of a customer `c`; undefined where there is none */
  pageKey: string | undefined
  /** whether Citus keeps the table's rows on several servers, by account */
  isDistributed: boolean
}

/** Why fields can be read and not written, for messages. */
export function whyReadOnly({ readOnly }: TableShape, fields: readonly string[]): string {
  return [...new Set(fields.flatMap((field) => readOnly.get(field) ?? []))].join(', or ')
}

/** The columns that are filled only when a customer is created. */
export function onlyNewColumns({ fillable, columns }: TableShape): ReadonlySet<TableColumn> {
  return new Set([...fillable].flatMap(([name, when]) => (when === 'new' ? [columns.get(name)!] : [])))
}

/** The tables, their columns and the cap that a store works with. */
export interface TableOptions {
  customerTable: string
  definitionTable: string
  maxCustomAttributes: number
  fields: FieldCatalogue
  columns: Partial<TableNames>
  live: LiveValues
  newId?: unknown
  optOut?: OptOuts
  /** whether addresses can be suppressed, and in which table */
  suppressions?: unknown
  suppressionTable?: string
}

/**
 * Reads the shape of the host's tables and checks that they have what the library needs.
 *
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply; `INVALID_OPTION` for an `optOut` that
 *   the table cannot have
 */
export async function loadTableShape(sql: SqlClient, options: TableOptions): Promise<TableShape> {
  const { fields, live, maxCustomAttributes } = options
  const names = { ...OWN_NAMES, ...options.columns }
  const customer = await readTable(sql, options.customerTable)
  requireCustomerTable(options.customerTable, customer)
  const checks = await readAttributeChecks(sql, customer, names.custom_attributes)
  const hasNewId = options.newId !== undefined
  const checked = checkCustomerTable(customer, checks, { names, live, maxCustomAttributes, hasNewId })
  const { id, account, email, attributes, accountIdType, identity } = checked
  const definition = await readTable(sql, options.definitionTable)
  checkDefinitionTable(options.definitionTable, definition, accountIdType)

  const columns = namedColumns(customer.columns, names, fields)
  const standardFields = fields.names.filter((name) => columns.has(name))
  const readOnly = new Map<string, string>()
  const fillable = new Map<string, true | 'new'>()
  for (const name of standardFields) {
    const { fillable: when } = fields.get(name)!
    const column = columns.get(name)!
    const why =
      when === false
        ? 'the catalogue of fields says so'
        : column.isGenerated
          ? 'the database computes it'
          : Object.hasOwn(live, column.name)
            ? 'it says whether a customer lives (live)'
            : column.name === names.updated_at
              ? 'the library keeps it (updated_at)'
              : undefined
    if (why !== undefined) readOnly.set(name, why)
    else if (when !== false) fillable.set(name, when)
  }
  const { hasCitus, ...traits } = await readTraits(sql, customer, {
    account_id: account.name,
    id: id.name,
    identity: identity.index,
  })
  const distributed = hasCitus && (await isDistributed(sql, customer))
  const shape = {
    customerTable: customer.name,
    definitionTable: definition.name,
    hasDefinitionIds: definition.columns.get('id')?.type === 'uuid',
    hasDefinitionDates: definition.columns.get('created_at')?.type === 'timestamptz',
    accountIdType,
    idType: id.castType,
    idIndexes: hasNewId ? await readIdIndexes(sql, customer, { id: id.name, account_id: account.name }) : [],
    sql: { id: id.sql, account_id: account.sql, email: email.sql, custom_attributes: attributes.sql },
    columns,
    catalogue: fields,
    standardFields,
    fillable,
    readOnly,
    optOuts: resolveOptOuts(options.optOut ?? {}, fieldColumns(customer, options)),
    identity,
    isEmailCaseInsensitive: email.type === 'citext' || identity.isLower,
    live: (alias: string) => liveConditions(live, alias),
    liveValues: Object.fromEntries(Object.entries(live).filter(([name]) => !customer.columns.get(name)!.isGenerated)),
    ...traits,
    // On Citus a page is found by a plain account alone.
    pageKey: hasPageIndex(customer, names, live) && !distributed ? `(c.${account.sql}::text || '')` : undefined,
    isDistributed: distributed,
  }
  if (shape.isDistributed) requireIsoDates(customer.name, await readDateStyle(sql))
  return shape
}

/** The fields of the catalogue that the table has, and their columns. */
export function fieldColumns(
  { columns }: CatalogueTable,
  { fields, columns: names }: Pick<TableOptions, 'fields' | 'columns'>,
): Map<string, TableColumn> {
  const named = namedColumns(columns, { ...OWN_NAMES, ...names }, fields)
  return new Map(fields.names.flatMap((name) => (named.has(name) ? [[name, named.get(name)!] as const] : [])))
}

/** The columns of the table by the library's names. */
function namedColumns(
  columns: ReadonlyMap<string, TableColumn>,
  names: TableNames,
  fields: FieldCatalogue,
): Map<string, TableColumn> {
  const named = new Map<string, TableColumn>()
  const add = (name: string, column: string | null) => {
    const found = column === null ? undefined : columns.get(column)
    if (found) named.set(name, found)
  }
  for (const name of fields.names) add(name, columnOfField(fields, name, names))
  for (const [name, column] of Object.entries(names)) add(name, column)
  return named
}

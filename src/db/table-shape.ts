import { STANDARD_COLUMNS, type StandardColumn } from '../names.js'
import type { SqlClient } from './client.js'
import {
  isDistributed,
  readAttributeChecks,
  readDateStyle,
  readTable,
  readTraits,
  type TableColumn,
  type TableTraits,
} from './table-catalogue.js'
import {
  type AccountIdType,
  CUSTOMER_KEY,
  checkCustomerTable,
  checkDefinitionTable,
  DEFINITION_KEY,
  requireCustomerTable,
  requireIsoDates,
} from './table-verdicts.js'

/** What the library knows of the two tables, read once from the catalogue. */
export interface TableShape extends TableTraits {
  /** the customer table as SQL text, with its schema, so that the search path does not matter */
  customerTable: string
  definitionTable: string
  accountIdType: AccountIdType
  idType: string
  columns: ReadonlyMap<string, TableColumn>
  /** the standard fields that the table has, in the order of `STANDARD_COLUMNS` */
  standardFields: readonly StandardColumn[]
  /** whether `a@x` and `A@x` are one email to the table (`citext`) */
  isEmailCaseInsensitive: boolean
  /** whether Citus keeps the table's rows on several servers, by account */
  isDistributed: boolean
}

/** The tables and the cap a store works with. */
export interface TableOptions {
  customerTable: string
  definitionTable: string
  maxCustomAttributes: number
}

/**
 * Reads the shape of the host's tables and checks that they have what the library needs.
 *
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply
 */
export async function loadTableShape(sql: SqlClient, options: TableOptions): Promise<TableShape> {
  const customer = await readTable(sql, options.customerTable, CUSTOMER_KEY)
  requireCustomerTable(options.customerTable, customer)
  const checks = await readAttributeChecks(sql, customer)
  const { id, email, accountIdType } = checkCustomerTable(customer, checks, options.maxCustomAttributes)
  const definition = await readTable(sql, options.definitionTable, DEFINITION_KEY)
  checkDefinitionTable(options.definitionTable, definition, accountIdType)

  const { columns } = customer
  const isWritable = (name: string) => columns.get(name)?.isGenerated === false
  const shape = {
    customerTable: customer.name,
    definitionTable: definition.name,
    accountIdType,
    idType: id.castType,
    columns,
    standardFields: STANDARD_COLUMNS.filter(isWritable),
    isEmailCaseInsensitive: email.type === 'citext',
    ...(await readTraits(sql, customer)),
    isDistributed: await isDistributed(sql, customer),
  }
  if (shape.isDistributed) requireIsoDates(customer.name, await readDateStyle(sql))
  return shape
}

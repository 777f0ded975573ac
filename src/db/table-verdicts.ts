import { CustomAttributesError } from '../errors.js'
import { quoteIdentifier } from './identifiers.js'
import type { CatalogueTable, TableCheck, TableColumn } from './table-catalogue.js'

/** Types that `account_id` may have. */
export type AccountIdType = 'uuid' | 'bigint' | 'integer' | 'text'

const ACCOUNT_ID_TYPES: Readonly<Record<string, AccountIdType>> = {
  uuid: 'uuid',
  int8: 'bigint',
  int4: 'integer',
  text: 'text',
  varchar: 'text',
}

/** What identifies a row of the tables. */
export const CUSTOMER_KEY = ['account_id', 'email'] as const
export const DEFINITION_KEY = ['account_id', 'attribute_name'] as const

const MIGRATION_1 = 'Apply sql/0001_add_custom_attributes.up.sql (or readMigrations for other names).'
const MIGRATION_2 = 'Apply sql/0002_create_attribute_definitions.up.sql (or readMigrations for other names).'

/** @throws CustomAttributesError `SCHEMA_NOT_READY` */
export function requireCustomerTable(
  option: string,
  table: CatalogueTable | undefined,
): asserts table is CatalogueTable {
  if (table) return
  throw notReady(
    `Table ${option} does not exist. Create it (sql/reference/customer_table.sql is one to start from), ` +
      'or name yours with customerTable.',
    { table: option },
  )
}

/**
 * Checks that the customer table has what the library needs.
 *
 * @param checks - those on `custom_attributes`
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply
 */
export function checkCustomerTable(
  table: CatalogueTable,
  checks: readonly TableCheck[],
  maxCustomAttributes: number,
): { id: TableColumn; email: TableColumn; accountIdType: AccountIdType } {
  const id = requireColumn(table, 'id', 'The library needs it, with a default.')
  const account = requireColumn(table, 'account_id', 'The library needs it: the tenant every customer belongs to.')
  const email = requireColumn(table, 'email', 'The library needs it: a customer is identified by account and email.')
  requireAttributes(table.name, requireColumn(table, 'custom_attributes', MIGRATION_1))
  const accountIdType = ACCOUNT_ID_TYPES[account.type]
  if (!accountIdType) {
    throw notReady(`account_id of ${table.name} is ${account.type}; it must be uuid, bigint, integer or text.`, {
      table: table.name,
      column: 'account_id',
    })
  }
  if (!id.defaultSql && !id.isGenerated) {
    throw notReady(
      `Column id of ${table.name} has no default. For a uuid: ` +
        `alter table ${table.name} alter column id set default gen_random_uuid();`,
      { table: table.name, column: 'id' },
    )
  }
  requireUnique(table, CUSTOMER_KEY)
  requireCap(table.name, checks, maxCustomAttributes)
  requireNoOtherNotNull(table, FILLED_OF_CUSTOMER)
  requireActiveStatus(table.name, table.columns.get('status'))
  return { id, email, accountIdType }
}

/**
 * Checks that the definition table has what the library needs.
 *
 * @param wanted - type of the customer table's `account_id`
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply
 */
export function checkDefinitionTable(
  option: string,
  table: CatalogueTable | undefined,
  wanted: AccountIdType,
): asserts table is CatalogueTable {
  if (!table) throw notReady(`Table ${option} does not exist. ${MIGRATION_2}`, { table: option })
  const account = requireColumn(table, 'account_id', MIGRATION_2)
  requireColumn(table, 'attribute_name', MIGRATION_2)
  requireColumn(table, 'last_seen_at', MIGRATION_2)
  const found = ACCOUNT_ID_TYPES[account.type]
  if (found !== wanted) {
    throw notReady(
      `account_id is ${wanted} in the customer table but ${found ?? 'another type'} in ${table.name}. ` +
        `Make it the same: readMigrations({ accountIdType: '${wanted}' }) has the statement.`,
      { table: table.name, column: 'account_id' },
    )
  }
  requireUnique(table, DEFINITION_KEY)
  requireNoOtherNotNull(table, FILLED_OF_DEFINITION)
}

/** @throws CustomAttributesError `SCHEMA_NOT_READY` for a distributed table that is written in another style than ISO */
export function requireIsoDates(table: string, dateStyle: string | undefined): void {
  if (dateStyle?.startsWith('ISO')) return
  throw notReady(
    `Citus sends moments to its workers in the session's DateStyle, ${dateStyle}, in which days and months can change places. ` +
      "Give the client an ISO one: postgres(url, { connection: { DateStyle: 'ISO' } }).",
    { table, setting: 'DateStyle' },
  )
}

function requireColumn(table: CatalogueTable, name: string, remedy: string): TableColumn {
  const column = table.columns.get(name)
  if (column) return column
  throw notReady(`Table ${table.name} has no column ${name}. ${remedy}`, { table: table.name, column: name })
}

/** A column that was there before the migration may be another one. */
function requireAttributes(table: string, { type, isNotNull, defaultSql }: TableColumn): void {
  if (type === 'jsonb' && isNotNull && defaultSql) return
  throw notReady(
    `Column custom_attributes of ${table} must be jsonb not null default '{}'. ` +
      (type === 'jsonb'
        ? `update ${table} set custom_attributes = '{}' where custom_attributes is null; alter table ${table} ` +
          `alter column custom_attributes set default '{}', alter column custom_attributes set not null;`
        : `It is ${type}: rename it, and apply sql/0001_add_custom_attributes.up.sql.`),
    { table, column: 'custom_attributes' },
  )
}

function requireUnique({ name, isKeyUnique }: CatalogueTable, key: readonly string[]): void {
  if (isKeyUnique) return
  throw notReady(
    `Table ${name} has no unique constraint on (${key.join(', ')}). alter table ${name} add unique (${key.join(', ')});`,
    { table: name, columns: key },
  )
}

function requireCap(table: string, checks: readonly TableCheck[], cap: number): void {
  const caps = checks.flatMap(({ definition }) => {
    const found = /jsonb_path_query_array\(.*<= (\d+)/s.exec(definition)
    return found ? [Number(found[1])] : []
  })
  const details = { table, maxCustomAttributes: cap, found: caps }
  if (caps.length === 0) {
    throw notReady(`custom_attributes of ${table} has no CHECK for its number of names. ${MIGRATION_1}`, details)
  }
  if (Math.min(...caps) === cap) return
  const drops = checks
    .filter(({ definition }) => definition.includes('jsonb_path_query_array'))
    .map(({ name }) => `drop constraint ${quoteIdentifier(name)}`)
  throw notReady(
    `The CHECK on custom_attributes of ${table} allows ${Math.min(...caps)} names, maxCustomAttributes is ${cap}. ` +
      `For ${cap} names: alter table ${table} ${drops.join(', ')}; ` +
      `then run the first up of readMigrations({ maxCustomAttributes: ${cap} }), which adds it anew.`,
    details,
  )
}

/** Columns that the library fills by itself on every insert. */
const FILLED_OF_CUSTOMER = ['account_id', 'email', 'custom_attributes', 'status', 'created_at', 'updated_at']
const FILLED_OF_DEFINITION = ['account_id', 'attribute_name']

function requireNoOtherNotNull({ name: table, columns }: CatalogueTable, filled: readonly string[]): void {
  for (const { name, isNotNull, defaultSql, isGenerated } of columns.values()) {
    if (!isNotNull || defaultSql || isGenerated || filled.includes(name)) continue
    throw notReady(
      `Column ${name} of ${table} is NOT NULL without a default, so no new row could be stored. ` +
        `alter table ${table} alter column ${quoteIdentifier(name)} set default …;`,
      { table, column: name },
    )
  }
}

/** Types that can hold the status of a new customer; besides enums that have it. */
const TEXTS = ['text', 'varchar', 'bpchar', 'citext']

function requireActiveStatus(table: string, status: TableColumn | undefined): void {
  if (!status || status.isGenerated) return
  const { type, labels, maxLength } = status
  if (labels ? labels.includes('active') : TEXTS.includes(type) && (maxLength ?? 6) >= 6) return
  throw notReady(
    `Column status of ${table} cannot hold 'active', the status of a new customer. Give it a type that can, such as text.`,
    { table, column: 'status' },
  )
}

function notReady(message: string, details: Record<string, unknown>): CustomAttributesError {
  return new CustomAttributesError('SCHEMA_NOT_READY', message, details)
}

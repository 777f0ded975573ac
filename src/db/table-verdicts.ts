import { CustomAttributesError } from '../errors.js'
import { quoteIdentifier } from './identifiers.js'
import { findIdentity, type Identity } from './identity.js'
import type { CatalogueTable, TableCheck, TableColumn } from './table-catalogue.js'
import { type LiveValues, OWN_NAMES, type TableNames } from './table-names.js'

/** Types that `account_id` may have. */
export type AccountIdType = 'uuid' | 'bigint' | 'integer' | 'text'

const ACCOUNT_ID_TYPES: Readonly<Record<string, AccountIdType>> = {
  uuid: 'uuid',
  int8: 'bigint',
  int4: 'integer',
  text: 'text',
  varchar: 'text',
}

/** What identifies a row of the definition table. */
const DEFINITION_KEY = ['account_id', 'attribute_name'] as const

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

/** What a store says of its customer table. */
export interface CustomerTableOptions {
  names: TableNames
  live: LiveValues
  maxCustomAttributes: number
  /** whether the application makes the ids */
  hasNewId: boolean
}

/** What of the customer table holds once it was checked. */
export interface CheckedCustomerTable {
  id: TableColumn
  account: TableColumn
  email: TableColumn
  attributes: TableColumn
  accountIdType: AccountIdType
  identity: Identity
}

/**
 * Checks that the customer table has what the library needs.
 *
 * @param checks - those on the attributes
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply
 */
export function checkCustomerTable(
  table: CatalogueTable,
  checks: readonly TableCheck[],
  { names, live, maxCustomAttributes, hasNewId }: CustomerTableOptions,
): CheckedCustomerTable {
  const require = (own: keyof TableNames & string, remedy: string) =>
    requireColumn(table, names[own]!, names[own] === own ? remedy : `${remedy} Name yours with columns: { ${own}: … }.`)
  const id = require('id', 'The library needs it, with a default.')
  const account = require('account_id', 'The library needs it: the tenant every customer belongs to.')
  const email = require('email', 'The library needs it: a customer is identified by account and email.')
  const attributes = require('custom_attributes', MIGRATION_1)
  requireAttributes(table.name, attributes)
  const accountIdType = ACCOUNT_ID_TYPES[account.type]
  if (!accountIdType) {
    throw notReady(`${account.name} of ${table.name} is ${account.type}; it must be uuid, bigint, integer or text.`, {
      table: table.name,
      column: account.name,
    })
  }
  for (const column of [account, email]) requireWritable(table.name, column)
  if (hasNewId) requireWritable(table.name, id)
  else if (!id.defaultSql && !id.isGenerated) {
    throw notReady(
      `Column ${id.name} of ${table.name} has no default. For a uuid: ` +
        `alter table ${table.name} alter column ${id.sql} set default gen_random_uuid(); or give the store newId.`,
      { table: table.name, column: id.name },
    )
  }
  for (const name of [names.created_at, names.updated_at, names.status]) {
    if (name !== null && !Object.hasOwn(OWN_NAMES, name)) requireColumn(table, name, 'It is named in columns.')
  }
  for (const name of Object.keys(live)) requireColumn(table, name, 'It is named in live.')
  const identity = findIdentity(table, names, live)
  if (!identity)
    throw noUnique(
      table.name,
      names,
      table.uniqueIndexes.some(({ predicate }) => predicate !== undefined),
    )
  requireCap(table.name, checks, maxCustomAttributes)
  requireNoOtherNotNull(table, [...Object.values(names).filter((name) => name !== null), ...Object.keys(live)])
  requireActiveStatus(table.name, names.status === null ? undefined : table.columns.get(names.status))
  return { id, account, email, attributes, accountIdType, identity }
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
  const isUnique = table.uniqueIndexes.some(
    ({ keys, predicate }) => predicate === undefined && DEFINITION_KEY.every((name) => keys.includes(name)),
  )
  if (!isUnique) throw noUniqueConstraint(table.name, DEFINITION_KEY)
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
function requireAttributes(table: string, { name, sql, type, isNotNull, defaultSql }: TableColumn): void {
  if (type === 'jsonb' && isNotNull && defaultSql) return
  throw notReady(
    `Column ${name} of ${table} must be jsonb not null default '{}'. ` +
      (type === 'jsonb'
        ? `update ${table} set ${sql} = '{}' where ${sql} is null; alter table ${table} ` +
          `alter column ${sql} set default '{}', alter column ${sql} set not null;`
        : `It is ${type}: rename it, and apply sql/0001_add_custom_attributes.up.sql.`),
    { table, column: name },
  )
}

/** What the database computes cannot be written. An identity that is by default can: `insert` names no such column. */
function requireWritable(table: string, { name, isGenerated }: TableColumn): void {
  if (!isGenerated) return
  throw notReady(
    `Column ${name} of ${table} is generated by the database, and the library must write it. ` +
      `alter table ${table} alter column ${quoteIdentifier(name)} drop expression;`,
    { table, column: name },
  )
}

function noUnique(table: string, names: TableNames, hasPartial: boolean): CustomAttributesError {
  const key = [names.account_id, names.email]
  const error = noUniqueConstraint(table, key)
  if (!hasPartial) return error
  const remedy =
    'An index that holds some rows only counts where its condition is that of live, as in live: { deleted_at: null }.'
  return notReady(`${error.message} ${remedy}`, error.details)
}

function noUniqueConstraint(table: string, key: readonly string[]): CustomAttributesError {
  const columns = key.map((name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name))).join(', ')
  return notReady(
    `Table ${table} has no unique constraint on (${columns}). alter table ${table} add unique (${columns});`,
    { table, columns: key },
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

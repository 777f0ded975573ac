import { CustomAttributesError } from '../errors.js'
import { quoteIdentifier } from './identifiers.js'
import { findIdentity, type Identity } from './identity.js'
import { liveFaults } from './live-verdicts.js'
import type { SchemaFault } from './schema-fault.js'
import type { CatalogueTable, TableCheck, TableColumn } from './table-catalogue.js'
import { type LiveValues, liveConditions, OWN_NAMES, type TableNames } from './table-names.js'

/** Types that `account_id` may have. */
export type AccountIdType = 'uuid' | 'bigint' | 'integer' | 'text'

const ACCOUNT_ID_TYPES: Readonly<Record<string, AccountIdType>> = {
  uuid: 'uuid',
  int8: 'bigint',
  int4: 'integer',
  text: 'text',
  varchar: 'text',
}

/** What an account id of this column is, or undefined where it can be none. */
export function accountIdTypeOf(column: TableColumn | undefined): AccountIdType | undefined {
  return column && ACCOUNT_ID_TYPES[column.type]
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
  if (!table) throw notReady(noTable(option))
}

/** What is said of a customer table that does not exist. */
export function noTable(option: string): SchemaFault {
  return {
    message:
      `Table ${option} does not exist. Create it (sql/reference/customer_table.sql is one to start from), ` +
      'or name yours with customerTable.',
    details: { table: option },
  }
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
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, the first of {@link findCustomerFaults}
 */
export function checkCustomerTable(
  table: CatalogueTable,
  checks: readonly TableCheck[],
  options: CustomerTableOptions,
): CheckedCustomerTable {
  for (const fault of findCustomerFaults(table, checks, options)) throw notReady(fault)
  const { names, live } = options
  const [id, account, email, attributes] = OWN_REQUIRED.map(([own]) => table.columns.get(names[own])!)
  return {
    id: id!,
    account: account!,
    email: email!,
    attributes: attributes!,
    accountIdType: ACCOUNT_ID_TYPES[account!.type]!,
    identity: findIdentity(table, names, live)!,
  }
}

const OWN_REQUIRED = [
  ['id', 'The library needs it, with a default.'],
  ['account_id', 'The library needs it: the tenant every customer belongs to.'],
  ['email', 'The library needs it: a customer is identified by account and email.'],
  ['custom_attributes', MIGRATION_1],
] as const

/** Finds all that a customer table lacks, in the order in which it is told. */
export function* findCustomerFaults(
  table: CatalogueTable,
  checks: readonly TableCheck[],
  { names, live, maxCustomAttributes, hasNewId }: CustomerTableOptions,
): Generator<SchemaFault> {
  const { name: sql, columns } = table
  for (const [own, remedy] of OWN_REQUIRED) {
    const name = names[own]
    if (columns.has(name)) continue
    const naming = name === own && own !== 'custom_attributes' ? '' : ` Name yours with columns: { ${own}: … }.`
    const fault = noColumn(table, name, own === 'custom_attributes' && name === own ? remedy : remedy + naming)
    yield own === 'custom_attributes' ? { ...fault, migration: 0 } : fault
  }
  const [id, account, email, attributes] = OWN_REQUIRED.map(([own]) => columns.get(names[own]))
  if (attributes) yield* attributesFaults(sql, attributes)
  if (account && !ACCOUNT_ID_TYPES[account.type]) {
    yield {
      message: `${account.name} of ${sql} is ${account.type}; it must be uuid, bigint, integer or text.`,
      details: { table: sql, column: account.name },
    }
  }
  for (const column of [account, email]) if (column) yield* writableFaults(sql, column)
  if (id && hasNewId) yield* writableFaults(sql, id, ' Or leave newId out: the database makes the ids.')
  if (id && !hasNewId && !id.defaultSql && !id.isGenerated) {
    const remedy = `alter table ${sql} alter column ${id.sql} set default gen_random_uuid();`
    yield {
      message: `Column ${id.name} of ${sql} has no default. For a uuid: ${remedy} or give the store newId.`,
      details: { table: sql, column: id.name },
      ...(id.type === 'uuid' ? { sql: remedy } : {}),
    }
  }
  for (const name of [names.created_at, names.updated_at, names.status]) {
    const isOwn = name === null || Object.hasOwn(OWN_NAMES, name)
    if (!isOwn && !columns.has(name)) yield noColumn(table, name, 'It is named in columns.')
  }
  for (const name of Object.keys(live)) {
    if (!columns.has(name)) yield noColumn(table, name, 'It is named in live.')
  }
  yield* liveFaults(table, live)
  if (account && email && !findIdentity(table, names, live)) yield noUnique(table, names, live)
  if (attributes) yield* capFaults(sql, attributes.name, checks, maxCustomAttributes)
  yield* notNullFaults(table, [...Object.values(names).filter((name) => name !== null), ...Object.keys(live)])
  const isFilled = names.status !== null && !Object.hasOwn(live, names.status)
  yield* statusFaults(sql, isFilled ? columns.get(names.status!) : undefined)
}

/**
 * Checks that the definition table has what the library needs.
 *
 * @param wanted - type of the customer table's `account_id`
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, the first of {@link findDefinitionFaults}
 */
export function checkDefinitionTable(
  option: string,
  table: CatalogueTable | undefined,
  wanted: AccountIdType,
): asserts table is CatalogueTable {
  for (const fault of findDefinitionFaults(option, table, wanted)) throw notReady(fault)
}

/** Finds all that a definition table lacks, in the order in which it is told. */
export function* findDefinitionFaults(
  option: string,
  table: CatalogueTable | undefined,
  wanted: AccountIdType | undefined,
): Generator<SchemaFault> {
  if (!table) {
    yield { message: `Table ${option} does not exist. ${MIGRATION_2}`, details: { table: option }, migration: 1 }
    return
  }
  for (const name of [...DEFINITION_KEY, 'last_seen_at']) {
    if (!table.columns.has(name)) yield noColumn(table, name, MIGRATION_2)
  }
  const account = table.columns.get('account_id')
  const found = account && ACCOUNT_ID_TYPES[account.type]
  if (account && wanted !== undefined && found !== wanted) {
    yield {
      message:
        `account_id is ${wanted} in the customer table but ${found ?? 'another type'} in ${table.name}. ` +
        `Make it the same: readMigrations({ accountIdType: '${wanted}' }) has the statement.`,
      details: { table: table.name, column: 'account_id' },
    }
  }
  const isUnique = table.uniqueIndexes.some(
    ({ keys, predicate }) => predicate === undefined && DEFINITION_KEY.every((name) => keys.includes(name)),
  )
  if (!isUnique) yield noUniqueConstraint(table.name, DEFINITION_KEY)
  yield* notNullFaults(table, FILLED_OF_DEFINITION)
}

/** @throws CustomAttributesError `SCHEMA_NOT_READY` for a distributed table that is written in another style than ISO */
export function requireIsoDates(table: string, dateStyle: string | undefined): void {
  if (dateStyle?.startsWith('ISO')) return
  throw notReady({
    message:
      `Citus sends moments to its workers in the session's DateStyle, ${dateStyle}, in which days and months can change places. ` +
      "Give the client an ISO one: postgres(url, { connection: { DateStyle: 'ISO' } }).",
    details: { table, setting: 'DateStyle' },
  })
}

function noColumn(table: CatalogueTable, name: string, remedy: string): SchemaFault {
  return {
    message: `Table ${table.name} has no column ${name}. ${remedy}`,
    details: { table: table.name, column: name },
  }
}

/** A column that was there before the migration may be another one. */
function* attributesFaults(table: string, column: TableColumn): Generator<SchemaFault> {
  const { name, sql, type, isNotNull, defaultSql } = column
  if (type === 'jsonb' && isNotNull && defaultSql) return
  const message = `Column ${name} of ${table} must be jsonb not null default '{}'. `
  const details = { table, column: name }
  if (type !== 'jsonb') {
    const remedy = `It is ${type}: rename it, and apply sql/0001_add_custom_attributes.up.sql.`
    yield {
      message: message + remedy,
      details,
      sql: `alter table ${table} rename column ${sql} to ${quoteIdentifier(`${name}_before`)};`,
    }
    return
  }
  const mend =
    `update ${table} set ${sql} = '{}' where ${sql} is null; alter table ${table} ` +
    `alter column ${sql} set default '{}', alter column ${sql} set not null;`
  yield { message: message + mend, details, sql: mend }
}

/** What the database computes cannot be written. */
function* writableFaults(table: string, column: TableColumn, orElse = ''): Generator<SchemaFault> {
  const { name, sql, isGenerated, isVirtual, identity } = column
  if (!isGenerated || identity === 'by default') return
  const message = `Column ${name} of ${table} is generated by the database, but the library has to write it.`
  const details = { table, column: name }
  if (isVirtual) {
    yield { message: `${message} It is virtual: drop it, and add one in its place that is filled.${orElse}`, details }
    return
  }
  const mend = `alter table ${table} alter column ${sql} ${identity ? 'set generated by default' : 'drop expression'};`
  yield { message: `${message} ${mend}${orElse}`, details, sql: mend }
}

function noUnique(table: CatalogueTable, names: TableNames, live: LiveValues): SchemaFault {
  const holdsSome = table.uniqueIndexes.some(({ predicate }) => predicate !== undefined)
  const remark =
    'An index that holds some rows only counts where its condition is that of live, as in live: { deleted_at: null }.'
  return noUniqueConstraint(table.name, [names.account_id, names.email], {
    remark: holdsSome ? ` ${remark}` : '',
    conditions: liveConditions(live),
  })
}

/** @param conditions - those of the rows that must be unique; none for all */
function noUniqueConstraint(
  table: string,
  key: readonly string[],
  { remark = '', conditions = [] }: { remark?: string; conditions?: readonly string[] } = {},
): SchemaFault {
  const columns = key.map((name) => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteIdentifier(name))).join(', ')
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`
  const mend = where
    ? `create unique index on ${table} (${columns})${where};`
    : `alter table ${table} add unique (${columns});`
  const duplicates = `select ${columns}, count(*) from ${table}${where} group by ${columns} having count(*) > 1;`
  return {
    message:
      `Table ${table} has no unique constraint on (${columns}).${remark} ${mend} ` +
      `Where rows stand in its way, this finds them: ${duplicates}`,
    details: { table, columns: key, duplicates },
    sql: mend,
  }
}

function* capFaults(table: string, column: string, checks: readonly TableCheck[], cap: number): Generator<SchemaFault> {
  const caps = checks.flatMap(({ definition }) => {
    const found = /jsonb_path_query_array\(.*<= (\d+)/s.exec(definition)
    return found ? [Number(found[1])] : []
  })
  const details = { table, maxCustomAttributes: cap, found: caps }
  if (caps.length === 0) {
    const message = `${column} of ${table} has no CHECK for its number of names. ${MIGRATION_1}`
    yield { message, details, migration: 0 }
    return
  }
  if (Math.min(...caps) === cap) return
  const drops = checks
    .filter(({ definition }) => definition.includes('jsonb_path_query_array'))
    .map(({ name }) => `drop constraint ${quoteIdentifier(name)}`)
  const mend = `alter table ${table} ${drops.join(', ')};`
  yield {
    message:
      `The CHECK on ${column} of ${table} allows ${Math.min(...caps)} names, maxCustomAttributes is ${cap}. ` +
      `For ${cap} names: ${mend} then run the first up of readMigrations({ maxCustomAttributes: ${cap} }), which adds it anew.`,
    details,
    sql: mend,
  }
}

/** Columns that the library fills by itself on every insert. */
const FILLED_OF_DEFINITION = ['account_id', 'attribute_name']

function* notNullFaults({ name: table, columns }: CatalogueTable, filled: readonly string[]): Generator<SchemaFault> {
  for (const { name, sql, isNotNull, defaultSql, isGenerated } of columns.values()) {
    if (!isNotNull || defaultSql || isGenerated || filled.includes(name)) continue
    yield {
      message:
        `Column ${name} of ${table} is NOT NULL without a default, so no new row could be stored. ` +
        `alter table ${table} alter column ${sql} set default …; or let it be empty with drop not null.`,
      details: { table, column: name },
      sql: `alter table ${table} alter column ${sql} drop not null;`,
    }
  }
}

/** Types that can hold the status of a new customer; besides enums that have it. */
const TEXTS = ['text', 'varchar', 'bpchar', 'citext']

function* statusFaults(table: string, status: TableColumn | undefined): Generator<SchemaFault> {
  if (!status || status.isGenerated) return
  const { name, sql, type, labels, maxLength } = status
  if (labels ? labels.includes('active') : TEXTS.includes(type) && (maxLength ?? 6) >= 6) return
  yield {
    message: `Column ${name} of ${table} cannot hold 'active', the status of a new customer. Give it a type that can, such as text.`,
    details: { table, column: name },
    sql: `alter table ${table} alter column ${sql} type text using ${sql}::text;`,
  }
}

function notReady({ message, details }: SchemaFault): CustomAttributesError {
  return new CustomAttributesError('SCHEMA_NOT_READY', message, details)
}

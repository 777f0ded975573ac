import { CustomAttributesError } from '../errors.js'
import { STANDARD_COLUMNS, type StandardColumn } from '../names.js'
import { query, type SqlClient, type TextRow } from './client.js'
import { formatTableName, parseTableName, quoteIdentifier } from './identifiers.js'

/** A column of the host's customer table. */
export interface TableColumn {
  name: string
  /** name of the base type in `pg_type`, such as `int4`, `varchar`, `citext` */
  type: string
  /** type to cast a text to: with the modifier, except for `varchar` and `char`, where an explicit cast cuts silently */
  castType: string
  /** characters that fit into a `varchar(n)` or `char(n)` */
  maxLength: number | undefined
  /** `numeric(precision, scale)` */
  numeric: { precision: number; scale: number } | undefined
  /** labels of an enum */
  labels: readonly string[] | undefined
  isNotNull: boolean
  /** SQL of the default, or undefined */
  defaultSql: string | undefined
  /** computed by the database: it cannot be written */
  isGenerated: boolean
}

/** Types that `account_id` may have. */
export type AccountIdType = 'uuid' | 'bigint' | 'integer' | 'text'

/** What the library knows of the two tables, read once from the catalogue. */
export interface TableShape {
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
  /** whether a trigger or a rule may swallow or change a row that is inserted */
  hasInsertTriggers: boolean
  /** whether a constraint or trigger may wait for the end of the transaction */
  hasDeferredChecks: boolean
  /** whether an index other than the unique one begins with the account: the planner can take it for as good */
  hasRivalIndex: boolean
  /** whether an index finds a customer by the id alone */
  hasIdIndex: boolean
  /** whether Citus keeps the table's rows on several servers, by account */
  isDistributed: boolean
}

/** The tables and the cap a store works with. */
export interface TableOptions {
  customerTable: string
  definitionTable: string
  maxCustomAttributes: number
}

const ACCOUNT_ID_TYPES: Readonly<Record<string, AccountIdType>> = {
  uuid: 'uuid',
  int8: 'bigint',
  int4: 'integer',
  text: 'text',
  varchar: 'text',
}

/**
 * Reads the shape of the host's tables and checks that they have what the library needs.
 *
 * @throws CustomAttributesError `SCHEMA_NOT_READY`, naming the file or the statement to apply
 */
export async function loadTableShape(sql: SqlClient, options: TableOptions): Promise<TableShape> {
  const customer = await findTable(sql, options.customerTable)
  if (!customer) {
    throw notReady(
      `Table ${options.customerTable} does not exist. Create it (sql/reference/customer_table.sql is one to start from), ` +
        'or name yours with customerTable.',
      { table: options.customerTable },
    )
  }
  const columns = await loadColumns(sql, customer.oid)
  const require = (name: string, remedy: string): TableColumn => {
    const column = columns.get(name)
    if (column) return column
    throw notReady(`Table ${customer.name} has no column ${name}. ${remedy}`, { table: customer.name, column: name })
  }
  const migration1 = 'Apply sql/0001_add_custom_attributes.up.sql (or readMigrations for other names).'
  const id = require('id', 'The library needs it, with a default.')
  const account = require('account_id', 'The library needs it: the tenant every customer belongs to.')
  const email = require('email', 'The library needs it: a customer is identified by account and email.')
  requireAttributes(customer.name, require('custom_attributes', migration1))

  const accountIdType = ACCOUNT_ID_TYPES[account.type]
  if (!accountIdType) {
    throw notReady(`account_id of ${customer.name} is ${account.type}; it must be uuid, bigint, integer or text.`, {
      table: customer.name,
      column: 'account_id',
    })
  }
  if (!id.defaultSql && !id.isGenerated) {
    throw notReady(
      `Column id of ${customer.name} has no default. For a uuid: ` +
        `alter table ${customer.name} alter column id set default gen_random_uuid();`,
      { table: customer.name, column: 'id' },
    )
  }
  await requireUnique(sql, customer, ['account_id', 'email'])
  await requireCap(sql, customer, options.maxCustomAttributes, migration1)
  requireNoOtherNotNull(customer.name, columns, FILLED_OF_CUSTOMER)
  requireActiveStatus(customer.name, columns.get('status'))

  const definition = await findTable(sql, options.definitionTable)
  if (!definition) {
    throw notReady(
      `Table ${options.definitionTable} does not exist. ` +
        'Apply sql/0002_create_attribute_definitions.up.sql (or readMigrations for other names).',
      { table: options.definitionTable },
    )
  }
  await requireDefinitionColumns(sql, definition, account)

  const isWritable = (name: string) => columns.get(name)?.isGenerated === false
  return {
    customerTable: customer.name,
    definitionTable: definition.name,
    accountIdType,
    idType: id.castType,
    columns,
    standardFields: STANDARD_COLUMNS.filter(isWritable),
    isEmailCaseInsensitive: email.type === 'citext',
    hasInsertTriggers: await hasInsertTriggers(sql, customer),
    hasDeferredChecks: await hasDeferredChecks(sql, customer),
    hasRivalIndex: await hasRivalIndex(sql, customer),
    hasIdIndex: await hasIdIndex(sql, customer),
    isDistributed: await isDistributed(sql, customer),
  }
}

interface FoundTable {
  oid: string
  name: string
}

async function findTable(sql: SqlClient, option: string): Promise<FoundTable | undefined> {
  const name = formatTableName(parseTableName(option))
  const rows = await query(
    sql,
    `select c.oid::text, n.nspname::text, c.relname::text from pg_catalog.pg_class c
     join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.oid = pg_catalog.to_regclass($1::text) and c.relkind in ('r', 'p')`,
    [name],
  )
  const [row] = rows
  return row && { oid: row[0]!, name: `${quoteIdentifier(row[1]!)}.${quoteIdentifier(row[2]!)}` }
}

async function loadColumns(sql: SqlClient, oid: string): Promise<Map<string, TableColumn>> {
  const rows = await query(
    sql,
    `with recursive col as (
       select a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull or y.typnotnull as attnotnull, a.attgenerated, a.attidentity,
              coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_expr(y.typdefaultbin, 0)) as default_sql
       from pg_catalog.pg_attribute a
       join pg_catalog.pg_type y on y.oid = a.atttypid
       left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
       where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped
     ), typ as (
       select attnum, atttypid as oid, atttypmod as typmod from col
       union all
       select typ.attnum, t.typbasetype, t.typtypmod from typ join pg_catalog.pg_type t on t.oid = typ.oid
       where t.typtype = 'd'
     )
     select col.attname::text, t.typname::text, n.nspname::text, typ.typmod::text,
            pg_catalog.format_type(t.oid, typ.typmod)::text,
            col.attnotnull::text, col.default_sql::text, (col.attgenerated <> '')::text, col.attidentity::text,
            (select pg_catalog.json_agg(e.enumlabel order by e.enumsortorder)::text
             from pg_catalog.pg_enum e where e.enumtypid = t.oid)
     from col
     join typ on typ.attnum = col.attnum
     join pg_catalog.pg_type t on t.oid = typ.oid and t.typtype <> 'd'
     join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     order by col.attnum`,
    [oid],
  )
  return new Map(rows.map((row) => [row[0]!, toColumn(row)]))
}

function toColumn(row: TextRow): TableColumn {
  const [name, type, schema, modifier, formatted, notNull, defaultSql, generated, identity, labels] = row
  const typmod = Number(modifier)
  const isSized = type === 'varchar' || type === 'bpchar'
  const qualified = `${quoteIdentifier(schema!)}.${quoteIdentifier(type!)}`
  return {
    name: name!,
    type: type!,
    castType: isSized || schema !== 'pg_catalog' ? qualified : formatted!,
    maxLength: isSized && typmod > 4 ? typmod - 4 : undefined,
    numeric: type === 'numeric' && typmod > 4 ? readNumericModifier(typmod - 4) : undefined,
    labels: labels === null || labels === undefined ? undefined : JSON.parse(labels),
    isNotNull: notNull === 'true',
    defaultSql: generated === 'true' ? undefined : (defaultSql ?? undefined),
    isGenerated: generated === 'true' || identity !== '',
  }
}

/** Precision in the upper 16 bits; the scale, which may be negative, in the lower 11. */
function readNumericModifier(modifier: number): { precision: number; scale: number } {
  return { precision: (modifier >> 16) & 0xffff, scale: ((modifier & 0x7ff) ^ 1024) - 1024 }
}

async function requireUnique(sql: SqlClient, table: FoundTable, names: readonly string[]): Promise<void> {
  const rows = await query(
    sql,
    `select 1::text from pg_catalog.pg_index i
     where i.indrelid = $1::oid and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
       and i.indnkeyatts = 2 and 2 = (
         select count(*) from pg_catalog.pg_attribute a
         where a.attrelid = i.indrelid and a.attnum = any ((i.indkey::int2[])[0:1]) and a.attname in ($2::text, $3::text))
     limit 1`,
    [table.oid, names[0]!, names[1]!],
  )
  if (rows.length > 0) return
  throw notReady(
    `Table ${table.name} has no unique constraint on (${names.join(', ')}). ` +
      `alter table ${table.name} add unique (${names.join(', ')});`,
    { table: table.name, columns: names },
  )
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

async function hasInsertTriggers(sql: SqlClient, table: FoundTable): Promise<boolean> {
  const rows = await query(
    sql,
    `select 1::text from pg_catalog.pg_class c where c.oid = $1::oid and c.relhasrules
     union all
     select 1::text from pg_catalog.pg_trigger t
     where not t.tgisinternal and t.tgtype & 6 = 6 -- before insert
       and (t.tgrelid = $1::oid or t.tgrelid in (select p.relid from pg_catalog.pg_partition_tree($1::oid::regclass) p))
     limit 1`,
    [table.oid],
  )
  return rows.length > 0
}

/** Whether another index than the unique one begins with the account. */
async function hasRivalIndex(sql: SqlClient, table: FoundTable): Promise<boolean> {
  const rows = await query(
    sql,
    `select 1::text from pg_catalog.pg_index i
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = 'account_id'
     left join pg_catalog.pg_attribute e on e.attrelid = i.indrelid and e.attnum = i.indkey[1]
     where i.indrelid = $1::oid and not (i.indisunique and i.indnkeyatts = 2 and e.attname = 'email' and i.indpred is null)
     limit 1`,
    [table.oid],
  )
  return rows.length > 0
}

/** Whether an index finds a customer by the id alone. */
async function hasIdIndex(sql: SqlClient, table: FoundTable): Promise<boolean> {
  const rows = await query(
    sql,
    `select 1::text from pg_catalog.pg_index i
     join pg_catalog.pg_class x on x.oid = i.indexrelid
     join pg_catalog.pg_am m on m.oid = x.relam and m.amname = 'btree'
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = 'id'
     join pg_catalog.pg_opclass o on o.oid = i.indclass[0] and o.opcdefault
     where i.indrelid = $1::oid and i.indisvalid and i.indpred is null and i.indcollation[0] = a.attcollation
     limit 1`,
    [table.oid],
  )
  return rows.length > 0
}

async function hasDeferredChecks(sql: SqlClient, table: FoundTable): Promise<boolean> {
  const rows = await query(
    sql,
    `select 1::text from pg_catalog.pg_trigger t where t.tgdeferrable
     and (t.tgrelid = $1::oid or t.tgrelid in (select p.relid from pg_catalog.pg_partition_tree($1::oid::regclass) p))
     limit 1`,
    [table.oid],
  )
  return rows.length > 0
}

async function isDistributed(sql: SqlClient, table: FoundTable): Promise<boolean> {
  const [citus] = await query(sql, `select pg_catalog.to_regclass('pg_catalog.pg_dist_partition')::text`)
  if (citus?.[0] == null) return false
  const rows = await query(sql, 'select 1::text from pg_catalog.pg_dist_partition where logicalrelid = $1::oid', [
    table.oid,
  ])
  if (rows.length === 0) return false
  const [style] = await query(sql, `select pg_catalog.current_setting('DateStyle')::text`)
  if (style?.[0]?.startsWith('ISO')) return true
  throw notReady(
    `Citus sends moments to its workers in the session's DateStyle, ${style?.[0]}, in which days and months can change places. ` +
      "Give the client an ISO one: postgres(url, { connection: { DateStyle: 'ISO' } }).",
    { table: table.name, setting: 'DateStyle' },
  )
}

async function requireCap(sql: SqlClient, table: FoundTable, cap: number, migration: string): Promise<void> {
  const rows = await query(
    sql,
    `select pg_catalog.pg_get_constraintdef(c.oid)::text, c.conname::text from pg_catalog.pg_constraint c
     join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
     where c.conrelid = $1::oid and c.contype = 'c' and a.attname = 'custom_attributes'`,
    [table.oid],
  )
  const caps = rows.flatMap(([definition]) => {
    const found = /jsonb_path_query_array\(.*<= (\d+)/s.exec(definition ?? '')
    return found ? [Number(found[1])] : []
  })
  const constraints = rows
    .filter(([definition]) => definition?.includes('jsonb_path_query_array'))
    .map(([, name]) => name!)
  const details = { table: table.name, maxCustomAttributes: cap, found: caps }
  if (caps.length === 0) {
    throw notReady(`custom_attributes of ${table.name} has no CHECK for its number of names. ${migration}`, details)
  }
  if (Math.min(...caps) === cap) return
  throw notReady(
    `The CHECK on custom_attributes of ${table.name} allows ${Math.min(...caps)} names, maxCustomAttributes is ${cap}. ` +
      `For ${cap} names: alter table ${table.name} ${constraints.map((name) => `drop constraint ${quoteIdentifier(name)}`).join(', ')}; ` +
      `then run the first up of readMigrations({ maxCustomAttributes: ${cap} }), which adds it anew.`,
    details,
  )
}

/** Columns that the library fills by itself on every insert. */
const FILLED_OF_CUSTOMER = ['account_id', 'email', 'custom_attributes', 'status', 'created_at', 'updated_at']
const FILLED_OF_DEFINITION = ['account_id', 'attribute_name']

function requireNoOtherNotNull(
  table: string,
  columns: ReadonlyMap<string, TableColumn>,
  filled: readonly string[],
): void {
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

async function requireDefinitionColumns(sql: SqlClient, table: FoundTable, account: TableColumn): Promise<void> {
  const columns = await loadColumns(sql, table.oid)
  const remedy = 'Apply sql/0002_create_attribute_definitions.up.sql (or readMigrations for other names).'
  for (const name of ['account_id', 'attribute_name', 'last_seen_at']) {
    if (!columns.has(name)) {
      throw notReady(`Table ${table.name} has no column ${name}. ${remedy}`, { table: table.name, column: name })
    }
  }
  const found = ACCOUNT_ID_TYPES[columns.get('account_id')!.type]
  const wanted = ACCOUNT_ID_TYPES[account.type]
  if (found !== wanted) {
    throw notReady(
      `account_id is ${wanted} in the customer table but ${found ?? 'another type'} in ${table.name}. ` +
        `Make it the same: readMigrations({ accountIdType: '${wanted}' }) has the statement.`,
      { table: table.name, column: 'account_id' },
    )
  }
  await requireUnique(sql, table, ['account_id', 'attribute_name'])
  requireNoOtherNotNull(table.name, columns, FILLED_OF_DEFINITION)
}

function notReady(message: string, details: Record<string, unknown>): CustomAttributesError {
  return new CustomAttributesError('SCHEMA_NOT_READY', message, details)
}

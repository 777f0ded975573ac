import { query, type SqlClient, type TextRow } from './client.js'
import { formatTableName, parseTableName, quoteIdentifier } from './identifiers.js'

/** A column of the host's customer table. */
export interface TableColumn {
  /** as the database spells it */
  name: string
  /** the name as SQL */
  sql: string
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
  /** computed when it is read: there is nothing stored that it could go on from */
  isVirtual?: boolean
  /** `generated … as identity`: `always`, which takes no value, or `by default`, which takes the application's */
  identity?: 'always' | 'by default'
}

/** A table as the catalogue has it. */
export interface CatalogueTable {
  oid: string
  /** SQL text, with its schema */
  name: string
  columns: ReadonlyMap<string, TableColumn>
  /** the unique indexes on two columns or expressions that an insert can be told to heed */
  uniqueIndexes: readonly TwoKeyIndex[]
  /** the other indexes on two columns or expressions */
  otherIndexes: readonly TwoKeyIndex[]
}

/** An index on two columns or expressions. */
export interface TwoKeyIndex {
  oid: string
  /** each as SQL: a column's name, or an expression */
  keys: readonly [string, string]
  /** what it is limited to, as SQL */
  predicate: string | undefined
}

/** A CHECK constraint. */
export interface TableCheck {
  definition: string
  name: string
}

/** Reads the table that an option names, or undefined. */
export async function readTable(sql: SqlClient, option: string): Promise<CatalogueTable | undefined> {
  const rows = await query(
    sql,
    `with recursive tab as (
       select c.oid, n.nspname, c.relname from pg_catalog.pg_class c
       join pg_catalog.pg_namespace n on n.oid = c.relnamespace
       where c.oid = pg_catalog.to_regclass($1::text) and c.relkind in ('r', 'p')
     ), col as (
       select a.attnum, a.attname, a.atttypid, a.atttypmod, a.attnotnull or y.typnotnull as attnotnull, a.attgenerated, a.attidentity,
              coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.pg_get_expr(y.typdefaultbin, 0)) as default_sql
       from tab
       join pg_catalog.pg_attribute a on a.attrelid = tab.oid and a.attnum > 0 and not a.attisdropped
       join pg_catalog.pg_type y on y.oid = a.atttypid
       left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
     ), typ as (
       select attnum, atttypid as oid, atttypmod as typmod from col
       union all
       select typ.attnum, t.typbasetype, t.typtypmod from typ join pg_catalog.pg_type t on t.oid = typ.oid
       where t.typtype = 'd'
     ), des as (
       select col.attnum, col.attname, t.typname, n.nspname as typschema, typ.typmod,
              pg_catalog.format_type(t.oid, typ.typmod) as formatted,
              col.attnotnull, col.default_sql, col.attgenerated, col.attidentity,
              (select pg_catalog.json_agg(e.enumlabel order by e.enumsortorder)
               from pg_catalog.pg_enum e where e.enumtypid = t.oid) as labels
       from col
       join typ on typ.attnum = col.attnum
       join pg_catalog.pg_type t on t.oid = typ.oid and t.typtype <> 'd'
       join pg_catalog.pg_namespace n on n.oid = t.typnamespace
     )
     select tab.oid::text, tab.nspname::text, tab.relname::text,
            des.attname::text, des.typname::text, des.typschema::text, des.typmod::text, des.formatted::text,
            des.attnotnull::text, des.default_sql::text, des.attgenerated::text, des.attidentity::text, des.labels::text
     from tab left join des on true
     order by des.attnum`,
    [formatTableName(parseTableName(option))],
  )
  const [row] = rows
  if (!row) return undefined
  const [oid, schema, name] = row
  const columns = rows.filter((row) => row[3] !== null).map((row) => toColumn(row.slice(3)))
  return {
    oid: oid!,
    name: `${quoteIdentifier(schema!)}.${quoteIdentifier(name!)}`,
    columns: new Map(columns.map((column) => [column.name, column])),
    ...(await readIndexes(sql, oid!)),
  }
}

async function readIndexes(
  sql: SqlClient,
  oid: string,
): Promise<Pick<CatalogueTable, 'uniqueIndexes' | 'otherIndexes'>> {
  const rows = await query(
    sql,
    `select i.indexrelid::text, pg_catalog.pg_get_indexdef(i.indexrelid, 1, true)::text, pg_catalog.pg_get_indexdef(i.indexrelid, 2, true)::text,
            pg_catalog.pg_get_expr(i.indpred, i.indrelid, true)::text, (i.indisunique and i.indimmediate)::text
     from pg_catalog.pg_index i
     where i.indrelid = $1::oid and i.indisvalid and i.indnkeyatts = 2
     order by i.indexrelid`,
    [oid],
  )
  const toIndex = ([indexOid, first, second, predicate]: TextRow): TwoKeyIndex => ({
    oid: indexOid!,
    keys: [first!, second!],
    predicate: predicate ?? undefined,
  })
  const isUnique = (row: TextRow) => row[4] === 'true'
  return {
    uniqueIndexes: rows.filter(isUnique).map(toIndex),
    otherIndexes: rows.filter((row) => !isUnique(row)).map(toIndex),
  }
}

function toColumn(row: TextRow): TableColumn {
  const [name, type, schema, modifier, formatted, notNull, defaultSql, generated, identity, labels] = row
  const typmod = Number(modifier)
  const isSized = type === 'varchar' || type === 'bpchar'
  const qualified = `${quoteIdentifier(schema!)}.${quoteIdentifier(type!)}`
  return {
    name: name!,
    sql: quoteIdentifier(name!),
    type: type!,
    castType: isSized || schema !== 'pg_catalog' ? qualified : formatted!,
    maxLength: isSized && typmod > 4 ? typmod - 4 : undefined,
    numeric: type === 'numeric' && typmod > 4 ? readNumericModifier(typmod - 4) : undefined,
    labels: labels === null || labels === undefined ? undefined : JSON.parse(labels),
    isNotNull: notNull === 'true',
    defaultSql: generated !== '' ? undefined : (defaultSql ?? undefined),
    isGenerated: generated !== '' || identity !== '',
    ...(generated === 'v' ? { isVirtual: true } : {}),
    ...(identity === '' ? {} : { identity: identity === 'a' ? ('always' as const) : ('by default' as const) }),
  }
}

/** Precision in the upper 16 bits; the scale, which may be negative, in the lower 11. */
function readNumericModifier(modifier: number): { precision: number; scale: number } {
  return { precision: (modifier >> 16) & 0xffff, scale: ((modifier & 0x7ff) ^ 1024) - 1024 }
}

/** The CHECK constraints on the attributes. */
export async function readAttributeChecks(
  sql: SqlClient,
  { oid }: CatalogueTable,
  attributes: string,
): Promise<TableCheck[]> {
  const rows = await query(
    sql,
    `select pg_catalog.pg_get_constraintdef(c.oid)::text, c.conname::text from pg_catalog.pg_constraint c
     join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = any (c.conkey)
     where c.conrelid = $1::oid and c.contype = 'c' and a.attname = $2::text`,
    [oid, attributes],
  )
  return rows.map(([definition, name]) => ({ definition: definition ?? '', name: name! }))
}

/** What is true of a customer table when its query finds a row; `$2` is the column of the account, `$3` the unique index, `$4` the id. */
const TRAITS = {
  /** whether a trigger or a rule may swallow or change a row that is inserted */
  hasInsertTriggers: `select from pg_catalog.pg_class c where c.oid = $1::oid and c.relhasrules
     union all
     select from pg_catalog.pg_trigger t
     where not t.tgisinternal and t.tgtype & 6 = 6 -- before insert
       and (t.tgrelid = $1::oid or t.tgrelid in (select p.relid from pg_catalog.pg_partition_tree($1::oid::regclass) p))`,
  /** whether a constraint or trigger may wait for the end of the transaction */
  hasDeferredChecks: `select from pg_catalog.pg_trigger t where t.tgdeferrable
     and (t.tgrelid = $1::oid or t.tgrelid in (select p.relid from pg_catalog.pg_partition_tree($1::oid::regclass) p))`,
  /** whether an index other than the unique one begins with the account: the planner can take it for as good */
  hasRivalIndex: `select from pg_catalog.pg_index i
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = $2::text
     where i.indrelid = $1::oid and i.indexrelid <> $3::text::oid`,
  /** whether an index finds a customer by the id alone */
  hasIdIndex: `select from pg_catalog.pg_index i
     join pg_catalog.pg_class x on x.oid = i.indexrelid
     join pg_catalog.pg_am m on m.oid = x.relam and m.amname = 'btree'
     join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = $4::text
     join pg_catalog.pg_opclass o on o.oid = i.indclass[0] and o.opcdefault
     where i.indrelid = $1::oid and i.indisvalid and i.indpred is null and i.indcollation[0] = a.attcollation`,
  /** whether Citus may keep rows on several servers */
  hasCitus: "select where pg_catalog.to_regclass('pg_catalog.pg_dist_partition') is not null",
} as const

/** What else the catalogue says of a customer table. */
export type TableTraits = { -readonly [Trait in keyof typeof TRAITS]: boolean }

export async function readTraits(
  sql: SqlClient,
  { oid }: CatalogueTable,
  names: { account_id: string; id: string; identity: string },
): Promise<TableTraits> {
  const traits = Object.entries(TRAITS)
  const [row] = await query(sql, `select ${traits.map(([, found]) => `(exists (${found}))::text`).join(', ')}`, [
    oid,
    names.account_id,
    names.identity,
    names.id,
  ])
  return Object.fromEntries(traits.map(([trait], at) => [trait, row![at] === 'true'])) as TableTraits
}

/** The unique indexes, also of partitions, that the id alone decides, or with the account. */
export async function readIdIndexes(
  sql: SqlClient,
  { oid }: CatalogueTable,
  { id, account_id }: { id: string; account_id: string },
): Promise<string[]> {
  const rows = await query(
    sql,
    `select x.relname::text from pg_catalog.pg_index i
     join pg_catalog.pg_class x on x.oid = i.indexrelid
     join lateral (select pg_catalog.array_agg(a.attname::text) as names from pg_catalog.pg_attribute a
       where a.attrelid = i.indrelid and a.attnum = any (i.indkey)) k on true
     where i.indisunique and i.indexprs is null and $2::text = any (k.names) and k.names <@ array[$2::text, $3::text]
       and (i.indrelid = $1::oid or i.indrelid in (select p.relid from pg_catalog.pg_partition_tree($1::oid::regclass) p))`,
    [oid, id, account_id],
  )
  return rows.map(([name]) => name!)
}

/** Whether Citus, where the database has it, keeps the table's rows on several servers. */
export async function isDistributed(sql: SqlClient, { oid }: CatalogueTable): Promise<boolean> {
  const text = 'select 1::text from pg_catalog.pg_dist_partition where logicalrelid = $1::oid'
  return (await query(sql, text, [oid])).length > 0
}

/** How the session writes moments. */
export async function readDateStyle(sql: SqlClient): Promise<string | undefined> {
  const [style] = await query(sql, `select pg_catalog.current_setting('DateStyle')::text`)
  return style?.[0] ?? undefined
}

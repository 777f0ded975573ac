import { query, type SqlClient } from './client.js'
import { parseTableName, quoteIdentifier } from './identifiers.js'
import { hasPageIndex } from './identity.js'
import { readMigrations } from './migrations.js'
import { optOutFaults } from './opt-outs.js'
import type { SchemaFault } from './schema-fault.js'
import { noSuppressionTable } from './suppressions.js'
import { type CatalogueTable, readAttributeChecks, readTable } from './table-catalogue.js'
import { OWN_NAMES } from './table-names.js'
import { fieldColumns, type TableOptions } from './table-shape.js'
import { accountIdTypeOf, findCustomerFaults, findDefinitionFaults, noTable } from './table-verdicts.js'

/** Something that the host's schema lacks, or would be better with. */
export interface SchemaProblem {
  /** `error`: the store's methods fail with `SCHEMA_NOT_READY`, or the database refuses them; `advice`: they are slower */
  severity: 'error' | 'advice'
  message: string
  /** SQL that mends it, for a role that may; absent where there is more than one way, or it is not for SQL to mend */
  sql?: string
  details: Readonly<Record<string, unknown>>
}

/** Finds everything that the tables, and the rights on them, lack. */
export async function findSchemaProblems(sql: SqlClient, options: TableOptions): Promise<SchemaProblem[]> {
  const suppressionTable = options.suppressions ? options.suppressionTable : undefined
  const tables = [options.customerTable, options.definitionTable, ...(suppressionTable ? [suppressionTable] : [])]
  const hidden = await schemaRights(sql, tables)
  if (hidden.length > 0) return hidden
  const customer = await readTable(sql, options.customerTable)
  const definition = await readTable(sql, options.definitionTable)
  const names = { ...OWN_NAMES, ...options.columns }
  const accountIdType = customer && accountIdTypeOf(customer.columns.get(names.account_id))
  const migrations = readMigrations({
    customerTable: options.customerTable,
    definitionTable: options.definitionTable,
    maxCustomAttributes: options.maxCustomAttributes,
    columns: options.columns,
    suppressions: true,
    ...(suppressionTable ? { suppressionTable } : {}),
    ...(accountIdType ? { accountIdType } : {}),
  })
  const toProblem = ({ message, details, sql, migration }: SchemaFault): SchemaProblem => {
    const mend = sql ?? (migration === undefined ? undefined : migrations[migration]!.up)
    return { severity: 'error', message, ...(mend === undefined ? {} : { sql: mend }), details }
  }
  const faults: SchemaFault[] = []
  if (customer) {
    const checks = await readAttributeChecks(sql, customer, names.custom_attributes)
    const { live, maxCustomAttributes, newId } = options
    faults.push(
      ...findCustomerFaults(customer, checks, { names, live, maxCustomAttributes, hasNewId: newId !== undefined }),
    )
    faults.push(...optOutFaults(options.optOut ?? {}, fieldColumns(customer, options)))
  } else faults.push(noTable(options.customerTable))
  faults.push(...findDefinitionFaults(options.definitionTable, definition, accountIdType))
  const suppression = suppressionTable ? await readTable(sql, suppressionTable) : undefined
  if (suppressionTable && !suppression) {
    const message = noSuppressionTable(suppressionTable)
    faults.push({ message, details: { table: suppressionTable }, sql: migrations.at(-1)!.up })
  }
  return [
    ...faults.map(toProblem),
    ...(await tableRights(sql, [customer, definition])),
    ...(await tableRights(sql, [suppression], ['select', 'insert', 'delete'])),
    ...(customer ? await findAdvice(sql, customer, names, hasPageIndex(customer, names, options.live)) : []),
  ]
}

async function schemaRights(sql: SqlClient, tables: readonly string[]): Promise<SchemaProblem[]> {
  const schemas = new Set(tables.flatMap((table) => parseTableName(table).schema ?? []))
  const problems: SchemaProblem[] = []
  for (const schema of schemas) {
    const [row] = await query(
      sql,
      `select quote_ident(current_user)::text, pg_catalog.has_schema_privilege(n.oid, 'usage')::text
       from pg_catalog.pg_namespace n where n.nspname = $1::text`,
      [schema],
    )
    if (!row || row[1] === 'true') continue
    problems.push(lackOf(`usage on schema ${quoteIdentifier(schema)}`, row[0]!, { schema }))
  }
  return problems
}

/** The rights on the tables, and on the sequence of a serial id; one on every column is as good as one on the table. */
async function tableRights(
  sql: SqlClient,
  tables: readonly (CatalogueTable | undefined)[],
  rights: readonly string[] = ['select', 'insert', 'update'],
): Promise<SchemaProblem[]> {
  const problems: SchemaProblem[] = []
  for (const table of tables) {
    if (!table) continue
    const [row] = await query(
      sql,
      `select quote_ident(current_user)::text,
         concat_ws(', ', ${rights
           .map(
             (right) =>
               `case when not pg_catalog.has_table_privilege($1::oid, '${right}') and not coalesce((
                  select bool_and(pg_catalog.has_column_privilege($1::oid, a.attnum, '${right}')) from pg_catalog.pg_attribute a
                  where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped), false) then '${right}' end`,
           )
           .join(', ')})::text`,
      [table.oid],
    )
    if (row![1]) problems.push(lackOf(`${row![1]} on ${table.name}`, row![0]!, { table: table.name }))
    const sequences = await query(
      sql,
      `select quote_ident(current_user)::text, d.refobjid::regclass::text from pg_catalog.pg_depend d
       join pg_catalog.pg_attrdef f on f.oid = d.objid and f.adrelid = $1::oid
       join pg_catalog.pg_class c on c.oid = d.refobjid
       where d.classid = 'pg_catalog.pg_attrdef'::regclass
         and case when c.relkind = 'S' then not pg_catalog.has_sequence_privilege(c.oid, 'usage') end`,
      [table.oid],
    )
    for (const [role, sequence] of sequences) {
      problems.push(lackOf(`usage on sequence ${sequence}`, role!, { table: table.name, sequence }))
    }
  }
  return problems
}

function lackOf(right: string, role: string, details: Record<string, unknown>): SchemaProblem {
  const mend = `grant ${right} to ${role};`
  return {
    severity: 'error',
    message: `The role ${role} lacks ${right}. ${mend}`,
    sql: mend,
    details: { ...details, role },
  }
}

async function findAdvice(
  sql: SqlClient,
  { oid, name, columns }: CatalogueTable,
  { account_id, id }: { account_id: string; id: string },
  isPaged: boolean,
): Promise<SchemaProblem[]> {
  const [account, key] = [columns.get(account_id), columns.get(id)]
  if (!account || !key) return []
  const [row] = await query(
    sql,
    `select (c.reltuples < 0)::text, exists (
       select from pg_catalog.pg_index i
       join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0] and a.attname = $2::text
       join pg_catalog.pg_attribute b on b.attrelid = i.indrelid and b.attnum = i.indkey[1] and b.attname = $3::text
       where i.indrelid = c.oid and i.indisvalid)::text
     from pg_catalog.pg_class c where c.oid = $1::oid`,
    [oid, account_id, id],
  )
  const [isUnseen, hasIndex] = row!
  const advice = (message: string, mend: string): SchemaProblem => ({
    severity: 'advice',
    message: `${message} ${mend}`,
    sql: mend,
    details: { table: name },
  })
  return [
    ...(hasIndex === 'true' || isPaged
      ? []
      : [
          advice(
            `No index of ${name} is on (${account.sql}, ${key.sql}), in whose order campaigns read an account.`,
            `create index concurrently on ${name} (${account.sql}, ${key.sql});`,
          ),
        ]),
    ...(isUnseen === 'true' ? [advice(`Statistics of ${name} were never gathered.`, `analyze ${name};`)] : []),
  ]
}

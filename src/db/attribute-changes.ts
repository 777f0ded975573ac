import type { Account } from './accounts.js'
import { emailOrderSql } from './batch-statement.js'
import { execute, query } from './client.js'
import { accountOfIdsSql, touchSql } from './customers.js'
import { rareSeparator } from './separators.js'
import type { TableShape } from './table-shape.js'

/** Which value a customer keeps that has both names. */
export type KeptValue = 'target' | 'source'

/** Renames a definition; one that has the new name already becomes one with it. Returns whether there was the old one. */
export async function renameDefinition(
  { sql, shape, accountId }: Account,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const own = `account_id = $1::${shape.accountIdType}`
  const isMerged = `${own} and attribute_name = $3::text
     and exists (select from ${shape.definitionTable} d where d.${own} and d.attribute_name = $2::text)`
  const [older] = await query(
    sql,
    `select last_seen_at::text from ${shape.definitionTable} where ${isMerged} for update`,
    [accountId, from, to],
    { signal },
  )
  if (older) {
    await execute(sql, `delete from ${shape.definitionTable} where ${isMerged}`, [accountId, from, to], { signal })
  }
  // The row keeps its id: by it an upload that runs meanwhile knows the attribute again.
  const renamed = await execute(
    sql,
    `update ${shape.definitionTable} set attribute_name = $3::text where ${own} and attribute_name = $2::text`,
    [accountId, from, to],
    { signal },
  )
  if (older) {
    await execute(
      sql,
      `update ${shape.definitionTable} set last_seen_at = $3::text::timestamptz
       where ${own} and attribute_name = $2::text and last_seen_at < $3::text::timestamptz`,
      [accountId, to, older[0]!],
      { signal },
    )
  }
  return renamed > 0
}

/** What is done to the customers that have an attribute. */
export type AttributeChange = { from: string; to: string; keeps: KeptValue } | { from: string; to?: undefined }

/** How many living customers have all of these attributes. */
export async function countHaving(
  { sql, shape, accountId }: Account,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<number> {
  const separator = rareSeparator()
  const [row] = await query(
    sql,
    `select count(*)::text from ${shape.customerTable} c
     where ${ownSql(shape)} and c.${shape.sql.custom_attributes} ?& string_to_array($3::text, $2::text)`,
    [accountId, separator, names.join(separator)],
    { signal },
  )
  return Number(row![0])
}

/** Ids of living customers that have an attribute, in their order. */
export async function readIdsHaving(
  { sql, shape, accountId }: Account,
  name: string,
  after: string | null,
  limit: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const { id, custom_attributes } = shape.sql
  const rows = await query(
    sql,
    `select c.${id}::text from ${shape.customerTable} c
     where ${ownSql(shape)} and c.${custom_attributes} ? $2::text
       and ${after === null ? '$3::text is null' : `c.${id} > $3::text::${shape.idType}`}
     order by c.${id} limit ${limit}`,
    [accountId, name, after],
    { signal, isOneOfMany: true },
  )
  return rows.map(([found]) => found!)
}

/**
 * Changes the living customers that have an attribute, or those of them with these ids; returns how many. They are locked in
 * the order in which all statements take their locks.
 */
export async function changeCustomers(
  { sql, shape, accountId }: Account,
  change: AttributeChange,
  { ids, alsoHaving }: { ids?: readonly string[]; alsoHaving?: string } = {},
  signal?: AbortSignal,
): Promise<number> {
  const { id, custom_attributes } = shape.sql
  const parameters = [accountId, change.from]
  const parameter = (text: string) => `$${parameters.push(text)}::text`
  const separator = rareSeparator()
  const conditions = [
    ids ? accountOfIdsSql(shape) : `c.${shape.sql.account_id} = $1::${shape.accountIdType}`,
    ...shape.live('c'),
    `c.${custom_attributes} ? $2::text`,
    ...(alsoHaving === undefined ? [] : [`c.${custom_attributes} ? ${parameter(alsoHaving)}`]),
    ...(ids
      ? [`c.${id} = any (string_to_array(${parameter(ids.join(separator))}, '${separator}')::${shape.idType}[])`]
      : []),
  ]
  const changed = changedSql(change, `c.${custom_attributes}`, parameter)
  return execute(
    sql,
    `with w as materialized (
       select c.${id} as id from ${shape.customerTable} c where ${conditions.join(' and ')}
       order by ${emailOrderSql(shape, `c.${shape.sql.email}`)} for no key update)
     update ${shape.customerTable} c set ${[`${custom_attributes} = ${changed}`, ...touchSql(shape)].join(', ')}
     from w where ${accountOfIdsSql(shape)} and c.${id} = w.id`,
    parameters,
    { signal, isOneOfMany: true },
  )
}

/** Of immutable functions alone: Citus takes no others in an update that names a column. */
function changedSql(change: AttributeChange, own: string, parameter: (text: string) => string): string {
  if (change.to === undefined) return `${own} - $2::text`
  const to = parameter(change.to)
  const moved = `jsonb_set(${own} - $2::text, array[${to}], ${own} -> $2::text)`
  return change.keeps === 'target' ? `case when ${own} ? ${to} then ${own} - $2::text else ${moved} end` : moved
}

function ownSql(shape: TableShape): string {
  return [`c.${shape.sql.account_id} = $1::${shape.accountIdType}`, ...shape.live('c')].join(' and ')
}

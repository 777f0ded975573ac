import { CustomAttributesError } from '../errors.js'
import { attributeNameFault } from '../names.js'
import { isTextList } from '../options.js'
import type { Account } from './accounts.js'
import { query } from './client.js'
import { rareSeparator } from './separators.js'
import type { TableShape } from './table-shape.js'

/** A definition of an account: what it is called, and what it stays when it is renamed. */
export interface Definition {
  /** null where the host's table has no ids of the shipped kind */
  id: string | null
  name: string
}

/** The account's attributes, sorted by code point. */
export async function readDefinitions({ sql, shape, accountId }: Account, signal?: AbortSignal): Promise<Definition[]> {
  const rows = await query(
    sql,
    `select ${shape.hasDefinitionIds ? 'id::text' : 'null::text'}, attribute_name::text from ${shape.definitionTable}
     where account_id = $1::${shape.accountIdType} order by attribute_name::text collate "C"`,
    [accountId],
    { signal },
  )
  return rows.map(([id, name]) => ({ id: id!, name: name! }))
}

/** The account's attribute names, sorted by code point. */
export async function readAttributeNames(account: Account, signal?: AbortSignal): Promise<string[]> {
  return (await readDefinitions(account, signal)).map(({ name }) => name)
}

/** Records names, and moves `last_seen_at` of those that were recorded before. In name order, so that none deadlock. */
export async function recordDefinitions(
  { sql, shape, accountId }: Account,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (names.length === 0) return
  const separator = rareSeparator()
  // Citus refuses now() in "do update"; the default of the proposed row is the same moment.
  await query(
    sql,
    `insert into ${shape.definitionTable} as d (account_id, attribute_name)
     select $1::${shape.accountIdType}, n.name
     from (select distinct unnest(string_to_array($3::text, $2::text)) as name) n order by n.name collate "C"
     on conflict (account_id, attribute_name) do update set last_seen_at = excluded.last_seen_at`,
    [accountId, separator, names.join(separator)],
    { signal },
  )
}

/** Takes definitions away; returns those that were there. */
export async function deleteDefinitions(
  { sql, shape, accountId }: Account,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  const separator = rareSeparator()
  const rows = await query(
    sql,
    `delete from ${shape.definitionTable}
     where account_id = $1::${shape.accountIdType} and attribute_name = any (string_to_array($3::text, $2::text))
     returning attribute_name::text`,
    [accountId, separator, names.join(separator)],
    { signal },
  )
  return rows.map(([name]) => name!)
}

/** @throws CustomAttributesError `INVALID_ARGUMENT`, `INVALID_ATTRIBUTE_NAME` */
export function checkAttributeNames(names: readonly string[], shape: TableShape): void {
  if (isTextList(names) !== undefined) {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'names must be an array of strings.', { argument: 'names' })
  }
  for (const [index, name] of names.entries()) {
    const fault = attributeNameFault(name) ?? fieldNameFault(name, shape)
    if (fault === undefined) continue
    throw new CustomAttributesError(
      'INVALID_ATTRIBUTE_NAME',
      `Not usable as the name of a custom attribute: name ${index + 1} (${fault}).`,
      { index, reason: fault },
    )
  }
}

/** Why an attribute cannot have a name that means a standard field of the table: its merge tag would print the field. */
export function fieldNameFault(name: string, { standardFields }: TableShape): string | undefined {
  return (standardFields as readonly string[]).includes(name) ? 'it is a standard field of the table' : undefined
}

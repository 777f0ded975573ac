import type { CatalogueTable, UniqueIndex } from './table-catalogue.js'
import type { LiveValues, TableNames } from './table-names.js'

/** What identifies a customer: the unique index on account and email that the table has. */
export interface Identity {
  /** oid of the index */
  index: string
  /** whether emails are compared by `lower()` */
  isLower: boolean
  /** what stands behind `on conflict` */
  conflictTarget: string
  /** whether the index holds the living alone, so that a dead row of the same email is in nobody's way */
  isOfLiving: boolean
}

/**
 * Finds the unique index that identifies customers: on (account, email) or (account, lower(email)), in either order, for all
 * rows or for the living ones. Where there are several, one for all rows goes first, and then the one by `lower()`: what
 * it allows, the other allows, too.
 */
export function findIdentity(table: CatalogueTable, names: TableNames, live: LiveValues): Identity | undefined {
  const found = table.uniqueIndexes.flatMap((index) => {
    const identity = readIdentity(index, names, live)
    return identity ? [identity] : []
  })
  const rank = ({ isOfLiving, isLower }: Identity) => (isOfLiving ? 2 : 0) + (isLower ? 0 : 1)
  return found.sort((a, b) => rank(a) - rank(b))[0]
}

function readIdentity(
  { oid, keys, predicate }: UniqueIndex,
  names: TableNames,
  live: LiveValues,
): Identity | undefined {
  const plain = keys.map(plainName)
  const other = plain[0] === names.account_id ? 1 : plain[1] === names.account_id ? 0 : undefined
  if (other === undefined) return undefined
  const isLower = plain[other] === undefined && lowerOf(keys[other]!) === names.email
  if (!isLower && plain[other] !== names.email) return undefined
  const conditions = predicate === undefined ? [] : conditionsOf(predicate)
  const living = Object.entries(live).map(([column, value]) => spellingsOf(column, value))
  if (!conditions.every((condition) => living.some((spellings) => spellings.includes(condition)))) return undefined
  return {
    index: oid,
    isLower,
    conflictTarget: `(${keys.join(', ')})${predicate === undefined ? '' : ` where ${predicate}`}`,
    isOfLiving: predicate !== undefined && conditions.length === living.length,
  }
}

/** The name of a key that is a column, as the database spells it. */
function plainName(key: string): string | undefined {
  if (/^[a-z_][a-z0-9_$]*$/.test(key)) return key
  return /^"(?:[^"]|"")+"$/.test(key) ? key.slice(1, -1).replaceAll('""', '"') : undefined
}

/** The column of a key that is `lower(column)`, as PostgreSQL prints it. */
function lowerOf(key: string): string | undefined {
  const found = /^lower\((.*)\)$/.exec(key)
  const inner = found?.[1]?.replace(/::text$/, '').replace(/^\((.*)\)$/, '$1')
  return inner === undefined ? undefined : plainName(inner)
}

function conditionsOf(predicate: string): string[] {
  return predicate.split(/\s+and\s+/i).map(withoutBrackets)
}

function withoutBrackets(sql: string): string {
  return sql
    .replace(/[()]/g, '')
    .replace(/::(?:text|bpchar|character varying|[a-z_]+)/g, '')
    .trim()
}

/** How PostgreSQL prints the condition that a column has a value. */
function spellingsOf(column: string, value: LiveValues[string]): string[] {
  const quoted = `"${column.replaceAll('"', '""')}"`
  return [column, quoted].flatMap((sql) => {
    if (value === null) return [`${sql} IS NULL`]
    if (value === true) return [sql, `${sql} = true`, `${sql} IS TRUE`]
    if (value === false) return [`NOT ${sql}`, `${sql} = false`, `${sql} IS FALSE`]
    return [`${sql} = '${value.replaceAll("'", "''")}'`]
  })
}

import { conditionsOf, spellingOf } from './predicate.js'
import type { CatalogueTable, TwoKeyIndex } from './table-catalogue.js'
import type { LiveValues, TableNames } from './table-names.js'

/** What identifies a customer: the unique index on account and email that the table has. */
export interface Identity {
  /** oid of the index */
  index: string
  /** whether emails are compared by `lower()` */
  isLower: boolean
  /** what stands behind `on conflict` */
  conflictTarget: string
  /** those columns and values of `live` that the rows of the index have; others are in nobody's way */
  holds: LiveValues
  /** further indexes that hold rows which this one does not find: dead ones may have the only place of an email, too */
  others: readonly Omit<Identity, 'others'>[]
}

/**
 * Finds the unique index that identifies customers: on (account, email) or (account, lower(email)), in either order, for all
 * rows or for such as live. Where there are several, one by `lower()` goes first, and then the one with the fewest
 * conditions: what it allows, the others allow, too, unless they hold rows that it does not.
 */
export function findIdentity(table: CatalogueTable, names: TableNames, live: LiveValues): Identity | undefined {
  const found = table.uniqueIndexes.flatMap((index) => {
    const identity = readIdentity(index, names, live)
    return identity ? [identity] : []
  })
  const rank = ({ holds, isLower }: OneIdentity) => Object.keys(holds).length + (isLower ? 0 : 1_000)
  const [first, ...rest] = found.sort((a, b) => rank(a) - rank(b))
  if (!first) return undefined
  const isFound = ({ holds }: OneIdentity) => Object.keys(first.holds).every((column) => Object.hasOwn(holds, column))
  return { ...first, others: rest.filter((other) => !isFound(other)) }
}

type OneIdentity = Omit<Identity, 'others'>

function readIdentity(
  { oid, keys, predicate }: TwoKeyIndex,
  names: TableNames,
  live: LiveValues,
): OneIdentity | undefined {
  const plain = keys.map(plainName)
  const other = plain[0] === names.account_id ? 1 : plain[1] === names.account_id ? 0 : undefined
  if (other === undefined) return undefined
  const isLower = plain[other] === undefined && lowerOf(keys[other]!) === names.email
  if (!isLower && plain[other] !== names.email) return undefined
  const columns = columnsOf(predicate, live)
  if (!columns) return undefined
  return {
    index: oid,
    isLower,
    conflictTarget: `(${keys.join(', ')})${predicate === undefined ? '' : ` where ${predicate}`}`,
    holds: Object.fromEntries(Object.entries(live).filter(([column]) => columns.includes(column))),
  }
}

/** The columns of `live` that a predicate speaks of; undefined when it says anything else. */
function columnsOf(predicate: string | undefined, live: LiveValues): (string | undefined)[] | undefined {
  const conditions = predicate === undefined ? [] : conditionsOf(predicate)
  const columns = conditions.map((condition) =>
    Object.keys(live).find((column) => spellingsOf(column, live[column]!).includes(condition)),
  )
  return columns.includes(undefined) ? undefined : columns
}

/**
 * Whether a table has the index of pages, of all rows or of those that live: its first key is the account as a text with an
 * empty one behind it.
 */
export function hasPageIndex({ otherIndexes }: CatalogueTable, names: TableNames, live: LiveValues): boolean {
  return otherIndexes.some(({ keys: [key, id], predicate }) => {
    const account = /^\(?(.+?)(?:::text)? \|\| ''::text\)?$/.exec(key)?.[1]?.replace(/^\((.*)\)$/, '$1')
    const isKey = account !== undefined && plainName(account) === names.account_id && plainName(id) === names.id
    return isKey && columnsOf(predicate, live) !== undefined
  })
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

/** How a predicate can say that a column has a value. */
function spellingsOf(column: string, value: LiveValues[string]): string[] {
  const sql = `"${column.replaceAll('"', '""')}"`
  const ways = () => {
    if (value === null) return [`${sql} IS NULL`]
    if (value === true) return [sql, `${sql} = true`, `${sql} IS TRUE`]
    if (value === false) return [`NOT ${sql}`, `${sql} = false`, `${sql} IS FALSE`]
    return [`${sql} = '${value.replaceAll("'", "''")}'`]
  }
  return ways().map(spellingOf)
}

import { createHash } from 'node:crypto'
import { CustomAttributesError } from '../errors.js'
import { isObject, isSecret, type OptionRule } from '../options.js'
import type { Account, SuppressionTable } from './accounts.js'
import { execute, query, queryRow, type SqlClient } from './client.js'
import { formatTableName, parseTableName } from './identifiers.js'
import { rareSeparator } from './separators.js'
import type { TableShape } from './table-shape.js'
import type { SqlCondition } from './where.js'

/** An address that nothing is sent to. */
export interface Suppression {
  /** the address in lower case; under a salt its hash, 64 hex digits */
  address: string
  /** why, as it was given; null without one */
  reason: string | null
  /** ISO 8601 in UTC */
  createdAt: string
}

/** Rule of the option `suppressions`. */
export const areSuppressions: OptionRule = (value) => {
  if (typeof value === 'boolean') return undefined
  const { salt, ...others } = isObject(value) === undefined ? (value as { salt?: unknown }) : {}
  const isSalted = isSecret(salt) === undefined && Object.keys(others).length === 0
  return isSalted ? undefined : `true, false or { salt: ${isSecret(undefined)} }`
}

/** That a table of suppressed addresses is missing. */
export function noSuppressionTable(table: string): string {
  return `Table ${table} does not exist. Apply sql/0005_create_suppression.up.sql (or readMigrations({ suppressions: true })).`
}

/**
 * Checks that the table of suppressed addresses is there.
 *
 * @param option - the table, as the store was given it
 * @param salt - the store's, where it keeps hashes
 * @throws CustomAttributesError `SCHEMA_NOT_READY`
 */
export async function loadSuppressionTable(
  sql: SqlClient,
  option: string,
  salt: string | undefined,
): Promise<SuppressionTable> {
  const table = formatTableName(parseTableName(option, 'suppressionTable'))
  const [found] = await queryRow(sql, 'select to_regclass($1::text)::text', [table])
  if (found === null) throw new CustomAttributesError('SCHEMA_NOT_READY', noSuppressionTable(table), { table })
  // A statement's parameters can stand in the server's log: the salt itself never does.
  return { table, salt: salt === undefined ? undefined : sha256(salt) }
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/**
 * An address as it is kept. Only A to Z become lower case: of other letters PostgreSQL and JavaScript, and one database and another,
 * think differently.
 *
 * @param accountId - as the database prints it
 */
export function keptAddress(address: string, salt: string | undefined, accountId: string): string {
  const bare = address.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '')
  const lower = bare.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  // The salt's hash has one length, and the account's is said: no two inputs become one text.
  return salt === undefined ? lower : sha256(`${salt}${[...accountId].length}:${accountId}${lower}`)
}

/** The address of a customer `c` as {@link keptAddress} makes it; the hashed salt is the parameter. */
export function keptAddressSql({ sql }: TableShape, salt: string | undefined): string {
  // The collation "C" knows the case of A to Z alone. Blanks around an address, which a host may have stored, do not count.
  const lower = `lower(btrim(c.${sql.email}::text, E' \\t\\r\\n') collate "C")`
  if (salt === undefined) return lower
  const account = `c.${sql.account_id}::text`
  return `encode(sha256(convert_to(${salt}::text || length(${account}) || ':' || ${account} || ${lower}, 'UTF8')), 'hex')`
}

/**
 * The condition that a customer's address is suppressed.
 *
 * @param at - the number of its first parameter
 */
export function suppressedSql(shape: TableShape, { table, salt }: SuppressionTable, at: number): SqlCondition {
  const address = keptAddressSql(shape, salt === undefined ? undefined : `$${at}`)
  const own = `select from ${table} s where s.account_id = $1::${shape.accountIdType}`
  // Asked once for a statement: an account without suppressions pays nothing for its customers. `offset 0` keeps the rest a look-up
  // by the primary key for each customer: a join would read all suppressions for a page of a few.
  return {
    sql: `((select exists (${own})) and exists (${own} and s.address = ${address} offset 0))`,
    parameters: salt === undefined ? [] : [salt],
  }
}

/** Suppresses addresses; returns how many were not. The first reason stays. */
export async function addSuppressions(
  account: Account,
  table: SuppressionTable,
  addresses: readonly string[],
  reason: string | undefined,
  signal?: AbortSignal,
): Promise<number> {
  const separator = rareSeparator()
  return execute(
    account.sql,
    `insert into ${table.table} (account_id, address, reason)
     select $1::${account.shape.accountIdType}, a, $4::text from unnest(string_to_array($3::text, $2::text)) a
     on conflict do nothing`,
    [account.accountId, separator, (await keptAddresses(account, table, addresses)).join(separator), reason ?? null],
    { signal },
  )
}

/** Takes addresses out of the suppressed ones; returns how many there were. */
export async function removeSuppressions(
  account: Account,
  table: SuppressionTable,
  addresses: readonly string[],
): Promise<number> {
  const separator = rareSeparator()
  return execute(
    account.sql,
    `delete from ${table.table} s where s.account_id = $1::${account.shape.accountIdType}
       and s.address = any (string_to_array($3::text, $2::text))`,
    [account.accountId, separator, (await keptAddresses(account, table, addresses)).join(separator)],
  )
}

/** Each once, in one order: so two calls never wait for each other in a circle. */
async function keptAddresses(
  { sql, shape, accountId }: Account,
  { salt }: SuppressionTable,
  addresses: readonly string[],
): Promise<string[]> {
  // One account can be spelt in several ways.
  const account =
    salt === undefined ? '' : (await queryRow(sql, `select $1::${shape.accountIdType}::text`, [accountId]))[0]!
  return [...new Set(addresses.map((address) => keptAddress(address, salt, account)))].sort()
}

/** Suppressed addresses in their order, after one of them. */
export async function readSuppressions(
  { sql, shape, accountId }: Account,
  { table }: SuppressionTable,
  { limit, after }: { limit: number; after?: string | undefined },
  signal?: AbortSignal,
): Promise<Suppression[]> {
  const rows = await query(
    sql,
    `select s.address, s.reason, to_char(s.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
     from ${table} s where s.account_id = $1::${shape.accountIdType} and ($2::text is null or s.address > $2::text collate "C")
     order by s.address limit $3::text::integer`,
    [accountId, after ?? null, String(limit)],
    { signal },
  )
  return rows.map(([address, reason, createdAt]) => ({
    address: address!,
    reason: reason ?? null,
    createdAt: createdAt!,
  }))
}

import type { StandardColumn } from '../names.js'
import type { Account } from './accounts.js'
import { emailKeySql, hasTimestamp } from './batch-statement.js'
import { query, type TextRow } from './client.js'
import { rareSeparator } from './separators.js'
import type { TableColumn } from './table-catalogue.js'
import type { TableShape } from './table-shape.js'
import type { SqlCondition } from './where.js'

/**
 * A customer as the store returns it: `id`, `account_id`, `email`, the standard fields that the table has (texts as
 * PostgreSQL prints them, dates in ISO 8601 and UTC, booleans as booleans, null), and the custom attributes.
 */
export type Customer = {
  id: string
  account_id: string
  email: string
  custom_attributes: Record<string, string>
  /** ISO 8601 in UTC, where the table has the column */
  created_at?: string | null
  updated_at?: string | null
} & { [Field in Exclude<StandardColumn, 'email'>]?: string | boolean | null } & {
  /** other fields of the host's catalogue */
  [field: string]: string | boolean | null | undefined | Record<string, string>
}

/** How many emails one statement looks up. */
const EMAILS_PER_STATEMENT = 5_000

/** Whether an account has no customer. */
export async function isAccountEmpty({ sql, shape, accountId }: Account, signal?: AbortSignal): Promise<boolean> {
  const rows = await query(
    sql,
    `select 1::text from ${shape.customerTable} c where c.${shape.sql.account_id} = $1::${shape.accountIdType} limit 1`,
    [accountId],
    { signal },
  )
  return rows.length === 0
}

/** Reads customers by the emails under which they are stored. */
export async function readCustomers(
  { sql, shape, accountId }: Account,
  emails: readonly string[],
): Promise<Customer[]> {
  const reader = customerReader(shape)
  const found: Customer[] = []
  for (let at = 0; at < emails.length; at += EMAILS_PER_STATEMENT) {
    const part = emails.slice(at, at + EMAILS_PER_STATEMENT)
    const separator = rareSeparator()
    const rows = await query(
      sql,
      `select ${reader.columns} from ${shape.customerTable} c
       where c.${shape.sql.account_id} = $1::${shape.accountIdType} and ${emailsSql(shape)}${readableSql(shape)}`,
      [accountId, separator, part.join(separator)],
    )
    for (const row of rows) found.push(reader.read(row))
  }
  return found
}

/** An email in the form by which the table tells one from another. */
export const emailKey = ({ isEmailCaseInsensitive }: TableShape, email: string): string =>
  isEmailCaseInsensitive ? email.toLowerCase() : email

/** The names of the attributes that customers have, sorted, by their emails as the table compares them. */
export async function readNamesOf(account: Account, emails: readonly string[]): Promise<(email: string) => string[]> {
  const key = (email: string) => emailKey(account.shape, email)
  const rows = await readCustomers(account, emails)
  const found = new Map(rows.map(({ email, custom_attributes }) => [key(email), Object.keys(custom_attributes).sort()]))
  return (email) => found.get(key(email)) ?? []
}

/** Which of an account's customers, in id order; `condition` uses parameters from `$4` on. */
export interface PageRequest {
  /** the id after which they start, or null */
  after: string | null
  limit: number
  condition: string
  parameters: readonly string[]
}

/** Reads one keyset page, as rows of {@link customerReader}. */
export function readCustomerPage(
  { sql, shape, accountId }: Account,
  page: PageRequest,
  signal?: AbortSignal,
): Promise<TextRow[]> {
  const condition = `${page.condition}${readableSql(shape)}`
  return query(
    sql,
    `select ${customerReader(shape).columns} from ${shape.customerTable} c
     where ${
       shape.pageKey
         ? `${inPageIndexSql(shape, shape.pageKey, page)} and ${likelySql(condition)}
     order by ${shape.pageKey}, c.${shape.sql.id}`
         : `${afterSql(shape, page)} and ${condition}
     order by c.${shape.sql.id}`
     } limit $3::text::integer`,
    [accountId, page.after, String(page.limit), ...page.parameters],
    { signal, isOneOfMany: true },
  )
}

/** How many of the next `limit` customers of an account meet the condition; where the table has the index of pages. */
export async function countAmongNext(
  { sql, shape, accountId }: Account,
  page: PageRequest,
  pageKey: string,
  signal?: AbortSignal,
): Promise<number> {
  const [row] = await query(
    sql,
    `select count(*)::text from (
       select c.* from ${shape.customerTable} c where ${inPageIndexSql(shape, pageKey, page)}
       order by ${pageKey}, c.${shape.sql.id} limit $3::text::integer) c
     where ${page.condition}${readableSql(shape)}`,
    [accountId, page.after, String(page.limit), ...page.parameters],
    { signal, isOneOfMany: true },
  )
  return Number(row![0])
}

/** Ids of an account's customers, in their order: those of many pages at once, as one text, because rows took as long again. */
export async function readPageIds(
  { sql, shape, accountId }: Account,
  page: PageRequest,
  signal?: AbortSignal,
): Promise<string[]> {
  const separator = rareSeparator()
  const [row] = await query(
    sql,
    `select string_agg(c.id::text, '${separator}' order by c.id) from (
       select c.${shape.sql.id} as id from ${shape.customerTable} c
       where ${afterSql(shape, page)}
         and ${page.condition}${readableSql(shape)}
       order by c.${shape.sql.id} limit $3::text::integer) c`,
    [accountId, page.after, String(page.limit), ...page.parameters],
    { signal, isOneOfMany: true },
  )
  return row?.[0]?.split(separator) ?? []
}

/**
 * Reads the customers with these ids that still meet the condition, in id order, as rows of {@link customerReader}. Each is
 * looked up by the id; the account and the condition are compared where no index can offer to find the customer by them.
 */
export function readCustomersById(
  account: Account,
  ids: readonly string[],
  { condition, parameters }: Pick<PageRequest, 'condition' | 'parameters'>,
  signal?: AbortSignal,
): Promise<TextRow[]> {
  return queryByIds(account, customerReader(account.shape).columns, ids, { condition, parameters }, signal)
}

/** Which of these customers still meet the condition: their emails by their ids. */
export async function readEmailsStillIn(
  account: Account,
  ids: readonly string[],
  { sql: condition, parameters }: SqlCondition,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const { id, email } = account.shape.sql
  const rows = await queryByIds(account, `c.${id}::text, c.${email}::text`, ids, { condition, parameters }, signal)
  return new Map(rows.map(([id, email]) => [id!, email!]))
}

/** The first column must be the id as a text. */
async function queryByIds(
  { sql, shape, accountId }: Account,
  columns: string,
  ids: readonly string[],
  { condition, parameters }: Pick<PageRequest, 'condition' | 'parameters'>,
  signal: AbortSignal | undefined,
): Promise<TextRow[]> {
  const list = `string_to_array($3::text, $2::text)::${shape.idType}[]`
  const separator = rareSeparator()
  const rows = await query(
    sql,
    shape.hasIdIndex && !shape.isDistributed
      ? `select ${columns} from unnest(${list}) i(id)
         cross join lateral (select c.* from ${shape.customerTable} c
           where c.${shape.sql.id} = i.id and ${hiddenAccountSql(shape)} offset 0) c
         where ${condition}${readableSql(shape)}`
      : `select ${columns} from ${shape.customerTable} c
         where c.${shape.sql.account_id} = $1::${shape.accountIdType} and c.${shape.sql.id} = any (${list}) and ${condition}${readableSql(shape)}`,
    [accountId, separator, ids.join(separator), ...parameters],
    { signal, isOneOfMany: true },
  )
  // Sorted by the server, the first customer would wait for the last; so they are read while the others are looked up.
  const places = new Map(ids.map((id, place) => [id, place]))
  return rows.sort((a, b) => places.get(a[0]!)! - places.get(b[0]!)!)
}

/** The condition that a customer is of the account and comes after an id. */
export function afterSql({ accountIdType, idType, sql }: TableShape, { after }: PageRequest): string {
  return `c.${sql.account_id} = $1::${accountIdType} and ${after === null ? '$2::text is null' : `c.${sql.id} > $2::text::${idType}`}`
}

/**
 * As {@link afterSql}, for the index of pages. Of a comparison of rows the planner expects many customers even where it knows
 * nothing of the table, so that it reads the index in its order, and not all that it has of the account.
 */
function inPageIndexSql(shape: TableShape, key: string, { after }: PageRequest): string {
  const account = `($1::${shape.accountIdType}::text || '')`
  const start =
    after === null
      ? `$2::text is null and (${key}, true) >= (${account}, true)`
      : `(${key}, c.${shape.sql.id}) > (${account}, $2::text::${shape.idType})`
  return `${start} and ${key} <= ${account} and ${likelySql(`c.${shape.sql.account_id} = $1::${shape.accountIdType}`)}`
}

/** A condition of which the planner expects nearly all customers, and for which it knows no index: what is not null, it takes for that. */
function likelySql(condition: string): string {
  return `case when ${condition} then true end is not null`
}

/** How many living customers that meet a condition have no e-mail address: they are in no audience. */
export async function countWithoutEmail(
  { sql, shape, accountId }: Account,
  { condition, parameters }: Pick<PageRequest, 'condition' | 'parameters'>,
  signal?: AbortSignal,
): Promise<number> {
  // The condition's parameters begin at $4.
  const [row] = await query(
    sql,
    `select count(*)::text from ${shape.customerTable} c
     where c.${shape.sql.account_id} = $1::${shape.accountIdType} and $2::text is null and $3::text is null
       and ${isEmailMissing(shape)}${shape
         .live('c')
         .map((live) => ` and ${live}`)
         .join('')} and ${condition}`,
    [accountId, null, null, ...parameters],
    { signal, isOneOfMany: true },
  )
  return Number(row![0])
}

/** In words that the unique index answers. */
export function isEmailMissing(shape: TableShape): string {
  const key = emailKeySql(shape, `c.${shape.sql.email}`)
  return shape.columns.get('email')!.isNotNull ? `${key} = ''` : `(${key} = '' or ${key} is null)`
}

/** What every customer that is read must meet: it lives, and has an e-mail address. */
export function readableSql(shape: TableShape): string {
  // Null differs from nothing.
  const conditions = [...shape.live('c'), `c.${shape.sql.email} <> ''`]
  return conditions.map((condition) => ` and ${condition}`).join('')
}

/** The condition that a customer has one of the emails, its parameters numbered from `$4`. */
export function emailsCondition(shape: TableShape, emails: readonly string[]): SqlCondition {
  if (emails.length === 0) return { sql: 'false', parameters: [] }
  const separator = rareSeparator()
  return { sql: emailsSql(shape, '$4', `'${separator}'`), parameters: [emails.join(separator)] }
}

/** The condition that a customer has one of the emails in a parameter, joined by a separator. */
function emailsSql(shape: TableShape, list = '$3', separator = '$2'): string {
  const emails = `string_to_array(${list}::text, ${separator}::text)::${shape.columns.get('email')!.castType}[]`
  return shape.identity.isLower
    ? `lower(c.${shape.sql.email}) = any (array(select lower(e) from unnest(${emails}) e))`
    : `c.${shape.sql.email} = any (${emails})`
}

/** Compares the account without a word to the planner: it neither looks for an index nor expects fewer rows. */
function hiddenAccountSql({ accountIdType, sql }: TableShape): string {
  return `case when c.${sql.account_id} = $1::${accountIdType} then true else false end`
}

/** What an update of customers sets beside their values: when it was, where the library keeps that. */
export function touchSql(shape: TableShape): string[] {
  return hasTimestamp(shape, 'updated_at') ? [`${shape.columns.get('updated_at')!.sql} = now()`] : []
}

/**
 * Compares the account of customers that are found by their ids. Where an index finds them so, no other is to be had: without
 * statistics the planner takes one by the account for as good, and reads the account for each id.
 */
export function accountOfIdsSql(shape: TableShape): string {
  if (shape.hasIdIndex && !shape.isDistributed) return hiddenAccountSql(shape)
  return `c.${shape.sql.account_id} = $1::${shape.accountIdType}`
}

/** The customers with these emails, after an id, in id order: their emails by their ids. */
export async function readListed(
  { sql, shape, accountId }: Account,
  emails: readonly string[],
  after: string | null,
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const separator = rareSeparator()
  const rows = await query(
    sql,
    `select c.${shape.sql.id}::text, c.${shape.sql.email}::text from ${shape.customerTable} c
     where c.${shape.sql.account_id} = $1::${shape.accountIdType} and ${emailsSql(shape)}${readableSql(shape)}
       and ${after === null ? '$4::text is null' : `c.${shape.sql.id} > $4::text::${shape.idType}`}
     order by c.${shape.sql.id}`,
    [accountId, separator, emails.join(separator), after],
    { signal },
  )
  return new Map(rows.map(([id, email]) => [id!, email!]))
}

/** The select list of a customer, and how its row becomes one. */
export function customerReader(shape: TableShape): { columns: string; read(row: TextRow): Customer } {
  const names = [
    'id',
    'account_id',
    ...shape.standardFields,
    ...['created_at', 'updated_at'].filter((name) => shape.columns.has(name)),
  ]
  const columns = names.map((name) => shape.columns.get(name)!)
  const booleans = columns.map(({ type }) => type === 'bool')
  const blank = Object.fromEntries([...names, 'custom_attributes'].map((name) => [name, null]))
  return {
    columns: [...columns.map(printSql), `c.${shape.sql.custom_attributes}::text`].join(', '),
    read(row) {
      // A copy of an object that has all its keys: adding them one by one took half the time of reading a customer.
      const customer: Record<string, unknown> = { ...blank }
      for (let at = 0; at < names.length; at++) {
        const text = row[at] ?? null
        if (text !== null) customer[names[at]!] = booleans[at] ? text === 'true' : text
      }
      customer.custom_attributes = JSON.parse(row[names.length] ?? '{}')
      return customer as Customer
    },
  }
}

/** SQL that prints a column the same way under every `DateStyle` and time zone. */
export function printSql({ sql, type }: TableColumn): string {
  const column = `c.${sql}`
  if (type === 'date' || type === 'timestamp') return `to_json(${column}) #>> '{}'`
  if (type === 'timestamptz') {
    return `case when isfinite(${column}) then (to_json(${column} at time zone 'UTC') #>> '{}') || 'Z' else ${column}::text end`
  }
  return `${column}::text`
}

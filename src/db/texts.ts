import type { Account } from './accounts.js'
import { query } from './client.js'
import { afterSql, type Customer, type PageRequest, printSql, readableSql } from './customers.js'
import { FIELD_SEPARATOR, ROW_SEPARATOR } from './separators.js'

/** A column of customers as text. */
export interface TextColumn {
  /** of a field or an attribute */
  name: string
  isAttribute: boolean
}

/** Customers as the texts of columns: {@link FIELD_SEPARATOR} stands between two, {@link ROW_SEPARATOR} between customers. */
export interface TextPage {
  text: string
  count: number
  /** the id of the last, or null when there is none */
  last: string | null
  /** whether nobody comes behind it */
  isLast: boolean
  /** what they took of {@link MAX_PAGE_BYTES} */
  bytes: number
}

/** What one statement returns at most, and one customer more: its memory is the server's and the client's. */
export const MAX_PAGE_BYTES = 4_000_000

/** Each looks into the attributes anew, for which the server unpacks them, if they are packed, every time. */
const MAX_ATTRIBUTES = 20

/** A function of PostgreSQL takes 100 arguments. */
const CELLS_PER_CALL = 90

/**
 * Whether customers can be read as texts in large pages: each statement finds its customers by the order of their ids.
 *
 * @param columns - what is read
 */
export function isReadableAsTexts({ shape }: Account, columns: readonly TextColumn[]): boolean {
  const attributes = columns.filter(({ isAttribute }) => isAttribute)
  return shape.hasIdIndex && !shape.isDistributed && attributes.length <= MAX_ATTRIBUTES
}

/**
 * Reads one keyset page as one text, in which ASCII's separators stand between the cells: reading rows and columns one by
 * one took most of an export's time.
 *
 * @returns undefined where the text does not say what a customer does: a value holds a separator, or is no text in JSON
 */
export async function readTextPage(
  { sql, shape, accountId }: Account,
  columns: readonly TextColumn[],
  page: PageRequest,
  signal?: AbortSignal,
): Promise<TextPage | undefined> {
  const attributes = `c.${shape.sql.custom_attributes}`
  const parameters = [accountId, page.after, String(page.limit), ...page.parameters]
  const cells = columns.map(({ name, isAttribute }) => {
    if (!isAttribute) return `coalesce(${printSql(shape.columns.get(name)!)}, '')`
    parameters.push(name)
    return `coalesce(${attributes} ->> $${parameters.length}::text, '')`
  })
  // A path in strict mode, because lax looks into arrays.
  const isOdd = columns.some(({ isAttribute }) => isAttribute)
    ? `coalesce(${attributes} @? 'strict $.* ? (@.type() != "string")', false)`
    : 'false'
  const [row] = await query(
    sql,
    `select count(*)::text, count(*) filter (where fits)::text, (array_agg(id) filter (where fits))[count(*) filter (where fits)]::text,
       coalesce(bool_or(is_odd) filter (where fits), false)::text, string_agg(line, '${ROW_SEPARATOR}') filter (where fits),
       coalesce(sum(octet_length(line)) filter (where fits), 0)::text
     from (
       select id, line, is_odd,
         coalesce(sum(octet_length(line)) over (order by id rows between unbounded preceding and 1 preceding), 0) < ${MAX_PAGE_BYTES} as fits
       from (
         select c.${shape.sql.id} as id, ${isOdd} as is_odd, ${joinSql(cells)} as line from ${shape.customerTable} c
         where ${afterSql(shape, page)} and ${page.condition}${readableSql(shape)}
         order by c.${shape.sql.id} limit $3::text::integer
       ) c
       order by id
     ) c`,
    parameters,
    { signal, isOneOfMany: true },
  )
  const [found, kept, last, hasOdd, text, bytes] = row!
  const count = Number(kept)
  const read = {
    text: text ?? '',
    count,
    last: last!,
    isLast: kept === found && Number(found) < page.limit,
    bytes: Number(bytes),
  }
  return hasOdd === 'true' || !isMadeOf(read.text, count, columns.length) ? undefined : read
}

/** Whether a text has as many separators as so many rows of so many cells, and so none within a cell. */
function isMadeOf(text: string, rows: number, columns: number): boolean {
  let fields = 0
  let ends = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x1f) fields++
    else if (code === 0x1e) ends++
  }
  return ends === Math.max(0, rows - 1) && fields === rows * (columns - 1)
}

/** The texts that {@link readTextPage} reads, of a customer. */
export function textsOf(customer: Customer, columns: readonly TextColumn[]): string[] {
  const attributes = customer.custom_attributes
  return columns.map(({ name, isAttribute }) => {
    if (!isAttribute) return String(customer[name] ?? '')
    return Object.hasOwn(attributes, name) ? String(attributes[name] ?? '') : ''
  })
}

function joinSql(cells: readonly string[]): string {
  if (cells.length <= CELLS_PER_CALL) return `concat_ws('${FIELD_SEPARATOR}', ${cells.join(', ')})`
  const parts: string[] = []
  for (let at = 0; at < cells.length; at += CELLS_PER_CALL) parts.push(joinSql(cells.slice(at, at + CELLS_PER_CALL)))
  return joinSql(parts)
}

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

/** A function of PostgreSQL takes 100 arguments, and one is the separator. */
const MAX_COLUMNS = 99

/**
 * Whether customers can be read as texts in large pages: each statement finds its customers by the order of their ids.
 *
 * @param columns - what is read
 */
export function isReadableAsTexts({ shape }: Account, columns: readonly TextColumn[]): boolean {
  const attributes = columns.filter(({ isAttribute }) => isAttribute)
  return (
    shape.hasIdIndex && !shape.isDistributed && columns.length <= MAX_COLUMNS && attributes.length <= MAX_ATTRIBUTES
  )
}

/**
 * Reads one keyset page as one text, in which ASCII's separators stand between the cells: reading rows and columns one by
 * one took most of an export's time.
 *
 * @param settings - kept for all pages: whether the server looks at the types of JSON values, which takes it a quarter longer;
 *   so it does only from the first page on that may hold another than text
 * @returns undefined where the text does not say what a customer does: a value holds a separator, or is no text in JSON
 */
export async function readTextPage(
  account: Account,
  columns: readonly TextColumn[],
  page: PageRequest,
  settings: { looksAtTypes: boolean },
  signal?: AbortSignal,
): Promise<TextPage | undefined> {
  const { sql, shape, accountId } = account
  const attributes = `c.${shape.sql.custom_attributes}`
  const parameters = [accountId, page.after, String(page.limit), ...page.parameters]
  const cells = columns.map(({ name, isAttribute }) => {
    if (!isAttribute) return `coalesce(${printSql(shape.columns.get(name)!)}, '')`
    parameters.push(name)
    return `coalesce(${attributes} ->> $${parameters.length}::text, '')`
  })
  // A path in strict mode, because lax looks into arrays.
  const isOdd = settings.looksAtTypes
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
         select c.${shape.sql.id} as id, ${isOdd} as is_odd, concat_ws('${FIELD_SEPARATOR}', ${cells.join(', ')}) as line from ${shape.customerTable} c
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
  const verdict = hasOdd === 'true' ? 'torn' : judge(text ?? '', count, columns)
  if (verdict === 'torn') return undefined
  if (verdict === 'doubtful' && !settings.looksAtTypes) {
    settings.looksAtTypes = true
    return readTextPage(account, columns, page, settings, signal)
  }
  return {
    text: text ?? '',
    count,
    last: last!,
    isLast: kept === found && Number(found) < page.limit,
    bytes: Number(bytes),
  }
}

/**
 * Whether a text is that many rows of that many cells, so that no value holds a separator, and whether a cell of an attribute
 * may be a JSON value whose text is another in JavaScript: a list, an object, or a number such as `1.50`.
 */
function judge(text: string, rows: number, columns: readonly TextColumn[]): 'plain' | 'doubtful' | 'torn' {
  if (rows === 0) return 'plain'
  let isDoubtful = false
  let column = 0
  let ends = 0
  let start = 0
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : ROW_END
    if (code !== FIELD_END && code !== ROW_END) continue
    if (column >= columns.length) return 'torn'
    isDoubtful ||=
      columns[column]!.isAttribute &&
      MAYBE_JSON[text.charCodeAt(start)] === true &&
      isOtherInJson(text.slice(start, at))
    start = at + 1
    column++
    if (code === FIELD_END) continue
    if (column !== columns.length) return 'torn'
    column = 0
    ends++
  }
  if (ends !== rows) return 'torn'
  return isDoubtful ? 'doubtful' : 'plain'
}

const FIELD_END = FIELD_SEPARATOR.charCodeAt(0)
const ROW_END = ROW_SEPARATOR.charCodeAt(0)

/** By its code, what a list, an object or a number begins with. */
const MAYBE_JSON: readonly boolean[] = Array.from({ length: 128 }, (_, code) =>
  '[{-0123456789'.includes(String.fromCharCode(code)),
)

function isOtherInJson(text: string): boolean {
  return /^[[{]/.test(text) || (/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) && String(Number(text)) !== text)
}

/** The texts that {@link readTextPage} reads, of a customer. */
export function textsOf(customer: Customer, columns: readonly TextColumn[]): string[] {
  const attributes = customer.custom_attributes
  return columns.map(({ name, isAttribute }) => {
    if (!isAttribute) return String(customer[name] ?? '')
    return Object.hasOwn(attributes, name) ? String(attributes[name] ?? '') : ''
  })
}

import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import { CustomAttributesError } from '../errors.js'
import {
  isFlag,
  isSignal,
  isText,
  type OptionRule,
  type Resolved,
  resolveOptions,
  wholeNumber,
  withDefault,
} from '../options.js'
import { isUnstorable } from '../rows.js'
import type { Account } from './accounts.js'
import { query } from './client.js'
import { type Customer, customerReader, readableSql } from './customers.js'
import { isTextType, valueCheck } from './field-values.js'
import { OPTED_OUT, type OptedOutOption } from './opt-outs.js'
import type { TableShape } from './table-shape.js'
import type { SqlCondition } from './where.js'

/** Options of `findCustomers`. */
export interface FindOptions extends OptedOutOption {
  /** Who: always said. */
  audience: Audience
  /** Words, each of which a text field of a customer holds, whatever the case; up to 200 characters. Default everybody. */
  search?: string
  /** `'id'` (default), `'email'`, or a text field such as `'last_name'`; customers without one come first. */
  sort?: string
  /** Whether the order is turned round. Default `false`. */
  descending?: boolean
  /** Most customers to return, 1 to 1,000. Default 50. */
  limit?: number
  /** Where to go on: `next` or `previous` of an earlier call with the same `sort` and `descending`. Default from the first. */
  cursor?: string
  /** Stops the search. */
  signal?: AbortSignal
}

/** Some customers of an audience, and where to go on. */
export interface FoundCustomers {
  customers: Customer[]
  /** the cursor of those behind, or null when there are none */
  next: string | null
  /** the cursor of those before, or null when there are none */
  previous: string | null
}

const isSearch: OptionRule = (value) =>
  typeof value === 'string' && value.length <= 200 && !isUnstorable(value)
    ? undefined
    : 'a text of at most 200 characters'

export const FIND_OPTIONS = {
  // Checked by requireAudience, with its own code.
  audience: () => undefined,
  optedOut: OPTED_OUT,
  search: withDefault(isSearch, ''),
  sort: withDefault(isText, 'id'),
  descending: withDefault(isFlag, false),
  limit: withDefault(wholeNumber(1, 1_000), 50),
  cursor: isText,
  signal: isSignal,
}

export type FindSettings = Resolved<FindOptions, typeof FIND_OPTIONS>

/** @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE` */
export function resolveFindOptions(given: FindOptions): FindSettings {
  const settings = resolveOptions('findCustomers', FIND_OPTIONS, given)
  requireAudience(settings.audience)
  return settings
}

/** Fields that are searched: more would make one text of a whole row. */
const MOST_SEARCHED = 30

/**
 * Reads some customers in an order, forward or back from a cursor.
 *
 * @param condition - of the audience
 * @throws CustomAttributesError `INVALID_OPTION` for a `sort` that there is not, or a cursor of another order
 */
export async function findCustomers(
  { sql, shape, accountId }: Account,
  { sql: condition, parameters: own }: SqlCondition,
  { search, sort, descending, limit, cursor, signal }: FindSettings,
): Promise<FoundCustomers> {
  const key = keySql(shape, sort)
  const id = `c.${shape.sql.id}`
  const from = cursor === undefined ? undefined : readCursor(shape, cursor, sort, descending)
  const isBack = from?.isBack === true
  const parameters: (string | null)[] = [accountId, from?.key ?? null, from?.id ?? null, ...own]
  const words = search.split(/\s+/).filter(Boolean)
  const searched = `lower(concat_ws(' ', ${textColumns(shape).join(', ')}) collate "default")`
  const finds = words.map((word) => `strpos(${searched}, lower($${parameters.push(word)}::text collate "default")) > 0`)
  const [order, sign] = descending === isBack ? ['', '>'] : [' desc', '<']
  // A statement must use all its parameters.
  const start =
    from === undefined
      ? '$2::text is null and $3::text is null'
      : key === id
        ? `$2::text is not null and ${id} ${sign} $3::text::${shape.idType}`
        : `(${key}, ${id}) ${sign} ($2::text::${shape.columns.get(sort)!.castType}, $3::text::${shape.idType})`
  const reader = customerReader(shape)
  const rows = await query(
    sql,
    `select ${reader.columns}, ${key}::text from ${shape.customerTable} c
     where c.${shape.sql.account_id} = $1::${shape.accountIdType} and ${condition}${readableSql(shape)}
       and ${start}
       ${finds.map((find) => `and ${find}`).join(' ')}
     order by ${key === id ? '' : `${key}${order}, `}${id}${order} limit ${limit + 1}`,
    parameters,
    { signal, isOneOfMany: true },
  )
  const hasMore = rows.length > limit
  const found = rows.slice(0, limit)
  if (isBack) found.reverse()
  const customers = found.map(reader.read)
  const cursorAt = (at: number, isBack: boolean) => {
    const [customer, row] = [customers.at(at), found.at(at)]
    // Where all have gone meanwhile, the way back is from where the reader stood.
    const place = customer && row ? { key: row.at(-1)!, id: customer.id } : from
    return place ? writeCursor({ ...place, isBack }, sort, descending) : null
  }
  return {
    customers,
    next: hasMore || isBack ? cursorAt(-1, false) : null,
    previous: (isBack ? hasMore : from !== undefined) ? cursorAt(0, true) : null,
  }
}

/** What customers are ordered by before their ids. */
function keySql(shape: TableShape, sort: string): string {
  if (sort === 'id') return `c.${shape.sql.id}`
  if (sort === 'email') return `c.${shape.sql.email}`
  const column = shape.standardFields.includes(sort) ? shape.columns.get(sort)! : undefined
  if (column && isTextType(column)) return `coalesce(c.${column.sql}, '')`
  const known = ['id', ...shape.standardFields.filter((name) => isTextType(shape.columns.get(name)!))]
  throw new CustomAttributesError(
    'INVALID_OPTION',
    `findCustomers: sort must be 'id' or a text field. Known: ${known.join(', ')}.`,
    { function: 'findCustomers', option: 'sort', known },
  )
}

function textColumns(shape: TableShape): string[] {
  const columns = shape.standardFields.map((name) => shape.columns.get(name)!).filter(isTextType)
  return columns.slice(0, MOST_SEARCHED).map((column) => `c.${column.sql}`)
}

interface Cursor {
  key: string
  id: string
  isBack: boolean
}

function writeCursor({ key, id, isBack }: Cursor, sort: string, descending: boolean): string {
  return Buffer.from(JSON.stringify([sort, descending, isBack, key, id])).toString('base64url')
}

function readCursor(shape: TableShape, cursor: string, sort: string, descending: boolean): Cursor {
  const idCheck = valueCheck(shape.columns.get('id')!, 'iso') ?? String
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {}
  const [ofSort, ofDescending, isBack, key, id] = Array.isArray(read) ? read : []
  const areTexts = [key, id].every((text) => typeof text === 'string' && !isUnstorable(text))
  const isRight = typeof isBack === 'boolean' && areTexts && typeof idCheck(id) === 'string'
  if (isRight && ofSort === sort && ofDescending === descending) return { key, id, isBack }
  throw new CustomAttributesError(
    'INVALID_OPTION',
    'findCustomers: cursor must be next or previous of a call with the same sort and descending. Leave it out to begin anew.',
    { function: 'findCustomers', option: 'cursor' },
  )
}

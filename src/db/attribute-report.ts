import type { Account } from './accounts.js'
import { query } from './client.js'
import { readableSql } from './customers.js'
import { NUMBER_PATTERN, WALL_PATTERN, ZONED_PATTERN } from './text-kinds.js'
import type { SqlCondition } from './where.js'

/** What all values of an attribute are. Advice only: values stay texts. */
export type AttributeKind = 'integer' | 'number' | 'date' | 'boolean' | 'email' | 'URL' | 'text'

/** What is known of an attribute of an account. */
export interface AttributeDescription {
  name: string
  /** customers of the audience that have a value */
  customers: number
  /** the same as a share of the audience, 0 to 1 */
  share: number
  /** how many different values there are; `'more'` than 1,000 are not told exactly */
  distinctValues: number | 'more'
  /** up to five values, the most frequent first; long ones are cut at 100 characters */
  examples: string[]
  /** what all values are, `null` without one */
  kind: AttributeKind | null
  /** when the attribute was first recorded, ISO 8601 in UTC; null where the table does not keep it */
  created_at: string | null
  /** when an upload last had a value for it */
  last_seen_at: string | null
}

const EXAMPLES = 5
const MOST_COUNTED = 1_000

/** The kinds that a text can be, the first one that holds for all counts; as regular expressions of PostgreSQL. */
const KINDS: readonly (readonly [AttributeKind, string])[] = [
  ['boolean', '^(true|false|yes|no)$'],
  ['integer', '^[+-]?[0-9]{1,18}$'],
  // What an audience compares as a number or a date.
  ['number', NUMBER_PATTERN],
  ['date', `${WALL_PATTERN}|${ZONED_PATTERN}`],
  ['email', '^[^[:space:]@]+@[^[:space:]@]+[.][^[:space:]@]+$'],
  ['URL', '^https?://[^[:space:]]+$'],
]

/**
 * Describes all attributes of an account in one pass over the audience.
 *
 * @param condition - of the audience, its parameters numbered from `$4`
 */
export async function readAttributeReport(
  { sql, shape, accountId }: Account,
  condition: SqlCondition,
  signal?: AbortSignal,
): Promise<AttributeDescription[]> {
  const moment = (name: string) => `to_char(d.${name} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
  const kinds = KINDS.map(([, pattern]) => `bool_and(v.value ~* '${pattern}')::text`)
  // The row without a name counts the audience itself. Distinct values are few where attributes are what they should be, so
  // that values are first put together; where each customer has another one, that sorts them all.
  const rows = await query(
    sql,
    `with v as materialized (
       select kv.key, kv.value, count(*) as n from ${shape.customerTable} c
       cross join lateral (
         select key, value from jsonb_each_text(c.${shape.sql.custom_attributes}) where value is not null
         union all select null, null) kv
       where c.${shape.sql.account_id} = $1::${shape.accountIdType} and $2::text is null and $3::text is null
         and ${condition.sql}${readableSql(shape)}
       group by kv.key, kv.value),
     r as (
       select v.key, v.value, v.n, row_number() over (partition by v.key order by v.n desc, v.value collate "C") as place
       from v where v.key is not null),
     a as (
       select v.key, sum(v.n)::text as customers, count(*)::text as distinct_values,
         jsonb_agg(left(v.value, 100) order by v.place) filter (where v.place <= ${EXAMPLES})::text as examples,
         ${kinds.map((sql, at) => `${sql} as k${at}`).join(', ')}
       from r v group by v.key)
     select d.attribute_name::text, coalesce((select sum(v.n) from v where v.key is null), 0)::text, a.customers,
       a.distinct_values, a.examples, ${moment('last_seen_at')},
       ${shape.hasDefinitionDates ? moment('created_at') : 'null::text'}, ${kinds.map((_, at) => `a.k${at}`).join(', ')}
     from ${shape.definitionTable} d left join a on a.key = d.attribute_name
     where d.account_id = $1::${shape.accountIdType} order by d.attribute_name::text collate "C"`,
    [accountId, null, null, ...condition.parameters],
    { signal, isOneOfMany: true },
  )
  return rows.map(([name, audience, customers, distinct, examples, lastSeen, created, ...holds]) => {
    const found = KINDS.find((_, at) => holds[at] === 'true')?.[0]
    const count = Number(customers ?? 0)
    return {
      name: name!,
      customers: count,
      share: count === 0 ? 0 : count / Number(audience),
      distinctValues: Number(distinct ?? 0) > MOST_COUNTED ? 'more' : Number(distinct ?? 0),
      examples: examples == null ? [] : (JSON.parse(examples) as string[]),
      kind: count === 0 ? null : (found ?? 'text'),
      created_at: created ?? null,
      last_seen_at: lastSeen ?? null,
    }
  })
}

/** Names of attributes that nothing uses: not seen since a moment, had by no living customer, or both. */
export async function readUnusedNames(
  { sql, shape, accountId }: Account,
  { notSeenSince, withoutValues }: { notSeenSince: string | undefined; withoutValues: boolean },
  signal?: AbortSignal,
): Promise<string[]> {
  const isHad = `exists (select from ${shape.customerTable} c
    where ${[`c.${shape.sql.account_id} = $1::${shape.accountIdType}`, ...shape.live('c')].join(' and ')}
      and c.${shape.sql.custom_attributes} ? d.attribute_name)`
  const rows = await query(
    sql,
    `select d.attribute_name::text from ${shape.definitionTable} d
     where d.account_id = $1::${shape.accountIdType}
       and ($2::text is null or d.last_seen_at < $2::text::timestamptz)${withoutValues ? ` and not ${isHad}` : ''}
     order by d.attribute_name::text collate "C"`,
    [accountId, notSeenSince ?? null],
    { signal },
  )
  return rows.map(([name]) => name!)
}

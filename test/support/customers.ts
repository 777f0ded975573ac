import { randomUUID } from 'node:crypto'
import type { Sql } from 'postgres'

/** The id of an account that has nothing yet. */
export const newAccount = (): string => randomUUID()

/** The tables of a host, as SQL writes them. */
export interface HostTables {
  customerTable: string
  definitionTable: string
}

export const DEFAULT_TABLES: HostTables = {
  customerTable: 'customer.customer',
  definitionTable: 'customer.custom_attribute_definition',
}

/** What an account has, without ids and moments: two accounts with the same contents went through the same. */
export interface Contents {
  customers: Record<string, unknown>[]
  definitions: string[]
}

/** Reads both tables past the library; the rows come as PostgreSQL's own JSON. */
export async function contentsOf(sql: Sql, account: string, tables: HostTables = DEFAULT_TABLES): Promise<Contents> {
  const customers = await sql.unsafe(
    `select (to_jsonb(c) - '{id,account_id,created_at,updated_at}'::text[])::text as row
     from ${tables.customerTable} c where c.account_id::text = $1 order by c.email::text collate "C"`,
    [account],
  )
  const definitions = await sql.unsafe(
    `select attribute_name as name from ${tables.definitionTable}
     where account_id::text = $1 order by attribute_name collate "C"`,
    [account],
  )
  return {
    customers: customers.map(({ row }) => JSON.parse(row)),
    definitions: definitions.map(({ name }) => name),
  }
}

/** Row versions by email: whoever writes a row changes its `xmin`. */
export async function versionsOf(
  sql: Sql,
  account: string,
  { customerTable }: HostTables = DEFAULT_TABLES,
): Promise<Map<string, string>> {
  const rows = await sql.unsafe(
    `select email::text, concat_ws(' ', xmin, ctid, updated_at) as version from ${customerTable}
     where account_id::text = $1 order by email::text collate "C"`,
    [account],
  )
  return new Map(rows.map(({ email, version }) => [email, version]))
}

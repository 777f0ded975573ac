import type { Account } from './accounts.js'
import { execute } from './client.js'
import type { HistoryTables } from './upload-history.js'

/** Takes the attributes of the customers with an email away, or the customers themselves; the deleted ones, too. */
export function eraseCustomers(
  { sql, shape, accountId }: Account,
  email: string,
  customer: 'keep' | 'remove',
): Promise<number> {
  const which = `c.${shape.sql.account_id} = $1::${shape.accountIdType} and lower(c.${shape.sql.email}::text) = lower($2::text)`
  return execute(
    sql,
    customer === 'remove'
      ? `delete from ${shape.customerTable} c where ${which}`
      : `update ${shape.customerTable} c set ${shape.sql.custom_attributes} = '{}' where ${which}`,
    [accountId, email],
  )
}

/** Takes a person out of the history: what was changed of them, and the rejected rows in which their address stands. */
export async function eraseHistory(
  { sql, shape, accountId }: Account,
  { changes, rejected }: HistoryTables,
  email: string,
): Promise<{ changes: number; rejectedRows: number }> {
  const own = `t.account_id = $1::${shape.accountIdType}`
  const isTheirs = `c.${shape.sql.account_id} = $1::${shape.accountIdType} and lower(c.${shape.sql.email}::text) = lower($2::text)`
  const parameters = [accountId, email]
  return {
    changes: await execute(
      sql,
      `delete from ${changes} t where ${own} and (lower(t.email) = lower($2::text)
         or t.customer_id in (select c.${shape.sql.id}::text from ${shape.customerTable} c where ${isTheirs}))`,
      parameters,
    ),
    rejectedRows: await execute(
      sql,
      `delete from ${rejected} t where ${own} and exists (
         select from jsonb_array_elements_text(t.record) x where lower(x) ~ $2::text)`,
      [accountId, addressPattern(email)],
    ),
  }
}

/**
 * Finds an address in a text in lower case, by an expression of PostgreSQL: wherever it stands, but not as a part of another. Signs
 * that are rare in addresses, such as `=` and `'`, and all that is not ASCII, rather stand beside one.
 */
function addressPattern(email: string): string {
  const address = email.toLowerCase().replace(/[^a-z0-9]/g, '\\$&')
  return `(^|[^a-z0-9._%+-])${address}[.-]*($|[^a-z0-9.-])`
}

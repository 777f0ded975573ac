import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import { isSignal, resolveOptions } from '../options.js'
import type { Account } from './accounts.js'
import { query } from './client.js'
import { isEmailMissing, readableSql } from './customers.js'
import { OPTED_OUT, type OptedOutOption } from './opt-outs.js'
import type { AudienceSql } from './where.js'

/** Options of `countCustomers`. */
export interface CountOptions extends OptedOutOption {
  /** Who: always said. */
  audience: Audience
  /** Stops the count. */
  signal?: AbortSignal
}

/** How many an audience has. */
export interface CustomerCount {
  /** customers of the audience */
  customers: number
  /** customers that would be of it, and have no e-mail address */
  withoutEmail: number
  /**
   * customers that are left out because a text of theirs is no number or no date and is compared as one, whatever they
   * would be otherwise
   */
  incomparable: number
  /** customers that would be of it, and are left out because their address is suppressed */
  suppressed: number
  /** customers that would be of it, whose address is not suppressed, and that are left out because they have opted out */
  optedOut: number
}

const COUNT_OPTIONS = {
  // Checked by requireAudience, with its own code.
  audience: () => undefined,
  optedOut: OPTED_OUT,
  signal: isSignal,
}

/** @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE` */
export function resolveCountOptions(given: CountOptions): CountOptions {
  const options = resolveOptions('countCustomers', COUNT_OPTIONS, given)
  requireAudience(options.audience)
  return options
}

/** Counts an audience by one statement, so that its numbers are of one moment. */
export async function countAudience(
  { sql, shape, accountId }: Account,
  { sql: condition, parameters, incomparable, suppressed, optedOut }: AudienceSql,
  signal?: AbortSignal,
): Promise<CustomerCount> {
  const isLiving = shape
    .live('c')
    .map((live) => ` and ${live}`)
    .join('')
  const count = (of: string) =>
    `(select count(*) from ${shape.customerTable} c where c.${shape.sql.account_id} = $1::${shape.accountIdType} and ${of})::text`
  const [row] = await query(
    sql,
    // The condition's parameters begin at $4.
    `select ${count(`${condition}${readableSql(shape)}`)}, ${count(`${isEmailMissing(shape)}${isLiving} and ${condition}`)},
            ${[incomparable, suppressed, optedOut].map((of) => (of === undefined ? `'0'::text` : count(`${of}${readableSql(shape)}`))).join(', ')}
     where $2::text is null and $3::text is null`,
    [accountId, null, null, ...parameters],
    { signal, isOneOfMany: true },
  )
  const [customers, withoutEmail, uncompared, left, out] = row!.map(Number)
  return {
    customers: customers!,
    withoutEmail: withoutEmail!,
    incomparable: uncompared!,
    suppressed: left!,
    optedOut: out!,
  }
}

import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import type { Account } from '../db/accounts.js'
import { type AttributeDescription, readAttributeReport } from '../db/attribute-report.js'
import { audienceCondition } from '../db/audience.js'
import { OPTED_OUT, type OptedOutOption } from '../db/opt-outs.js'
import { isSignal, resolveOptions, withDefault } from '../options.js'

/** Options of `describeAttributes`. */
export interface DescribeOptions extends OptedOutOption {
  /** Whose attributes. Default `'all'`. */
  audience?: Audience
  /** Ends the waiting. */
  signal?: AbortSignal
}

// Checked by requireAudience, with its own code.
const DESCRIBE_OPTIONS = { audience: withDefault(() => undefined, 'all'), optedOut: OPTED_OUT, signal: isSignal }

/** Prepares `describeAttributes`. */
export function prepareDescription(given: DescribeOptions | undefined) {
  const { audience, optedOut, signal } = resolveOptions('describeAttributes', DESCRIBE_OPTIONS, given)
  requireAudience(audience)
  const run = async (account: Account, normalizeEmail: (email: string) => string): Promise<AttributeDescription[]> =>
    readAttributeReport(
      account,
      await audienceCondition(account, normalizeEmail, { audience, optedOut }, signal),
      signal,
    )
  return { signal, run }
}

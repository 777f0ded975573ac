import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import type { Account } from '../db/accounts.js'
import { type AttributeDescription, readAttributeReport } from '../db/attribute-report.js'
import { audienceCondition } from '../db/audience.js'
import { isSignal, resolveOptions, withDefault } from '../options.js'

/** Options of `describeAttributes`. */
export interface DescribeOptions {
  /** Whose attributes. Default `'all'`. */
  audience?: Audience
  /** Ends the waiting. */
  signal?: AbortSignal
}

// Checked by requireAudience, with its own code.
const DESCRIBE_OPTIONS = { audience: withDefault(() => undefined, 'all'), signal: isSignal }

/** Prepares `describeAttributes`. */
export function prepareDescription(given: DescribeOptions | undefined) {
  const { audience, signal } = resolveOptions('describeAttributes', DESCRIBE_OPTIONS, given)
  requireAudience(audience)
  const run = async (account: Account, normalizeEmail: (email: string) => string): Promise<AttributeDescription[]> =>
    readAttributeReport(account, await audienceCondition(account, normalizeEmail, { audience }, signal), signal)
  return { signal, run }
}

import type { Account } from '../db/accounts.js'
import { type AttributeDescription, readAttributeReport } from '../db/attribute-report.js'
import { type Audience, checkAudience } from '../db/audience.js'
import { audienceCondition } from '../db/pages.js'
import { isSignal, resolveOptions, withDefault } from '../options.js'

/** Options of `describeAttributes`. */
export interface DescribeOptions {
  /** Whose attributes. Default `'all'`. */
  audience?: Audience
  /** Ends the waiting. */
  signal?: AbortSignal
}

// Checked by checkAudience, with its own code.
const DESCRIBE_OPTIONS = { audience: withDefault(() => undefined, 'all'), signal: isSignal }

/** Prepares `describeAttributes`. */
export function prepareDescription(given: DescribeOptions | undefined) {
  const { audience, signal } = resolveOptions('describeAttributes', DESCRIBE_OPTIONS, given)
  checkAudience(audience)
  const run = async (account: Account, normalizeEmail: (email: string) => string): Promise<AttributeDescription[]> =>
    readAttributeReport(account, await audienceCondition(account, normalizeEmail, audience, signal), signal)
  return { signal, run }
}

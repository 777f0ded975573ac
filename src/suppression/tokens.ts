import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AccountId } from '../db/accounts.js'
import { CustomAttributesError } from '../errors.js'
import { isSecret, resolveOptions } from '../options.js'

/** What {@link createUnsubscribeTokens} needs. */
export interface UnsubscribeTokenOptions {
  /** At least 16 characters that nobody else knows. With another one all links that were sent lose their right. */
  secret: string
}

/** Signs and verifies the right of one recipient to unsubscribe. */
export interface UnsubscribeTokens {
  /**
   * A token for a link: letters, digits, `-`, `_` and a point. It carries account and address, readable, and no time: it holds as long
   * as the secret does.
   */
  sign(accountId: AccountId, email: string): string
  /** Whose token it is; null of one that was not signed with the secret. */
  verify(token: string): { accountId: string; email: string } | null
}

const OPTIONS = { secret: isSecret }

/**
 * Makes tokens by which a recipient unsubscribes with one click (RFC 8058), signed with HMAC-SHA256.
 *
 * @param options - `secret`, the same that the HTTP handler's option `unsubscribe` has
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function createUnsubscribeTokens(options: UnsubscribeTokenOptions): UnsubscribeTokens {
  const { secret } = resolveOptions('createUnsubscribeTokens', OPTIONS, options)
  if (secret === undefined) {
    throw new CustomAttributesError(
      'INVALID_OPTION',
      `createUnsubscribeTokens: secret must be ${isSecret(undefined)}.`,
      {
        function: 'createUnsubscribeTokens',
        option: 'secret',
      },
    )
  }
  // The word keeps a secret that signs other things, too, from signing these by accident.
  const signatureOf = (payload: string) =>
    createHmac('sha256', secret).update(`unsubscribe.${payload}`).digest('base64url')
  return {
    sign(accountId, email) {
      const payload = Buffer.from(JSON.stringify([String(accountId), email])).toString('base64url')
      return `${payload}.${signatureOf(payload)}`
    },
    verify(token) {
      const [payload = '', signature = '', ...rest] = String(token).split('.')
      const [given, right] = [Buffer.from(signature), Buffer.from(signatureOf(payload))]
      if (rest.length > 0 || given.length !== right.length || !timingSafeEqual(given, right)) return null
      const [accountId, email] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string]
      return { accountId, email }
    },
  }
}

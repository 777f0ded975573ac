import { stopIfAborted } from '../abort.js'
import { CustomAttributesError } from '../errors.js'
import { isSignal, isText, type OptionRule, resolveOptions, wholeNumber } from '../options.js'
import { isUnstorable } from '../rows.js'
import { type Audience, checkAudience, whereCondition } from './audience.js'
import type { SqlClient } from './client.js'
import { type Customer, readCustomerIds, readCustomerPage } from './customers.js'
import { readDefinitions } from './definitions.js'
import { explainFailure } from './failures.js'
import { valueCheck } from './field-values.js'
import { rareSeparator } from './separators.js'
import type { TableShape } from './table-shape.js'

/** Options of `pageCustomers`. */
export interface PageOptions {
  /** Who: always said. */
  audience: Audience
  /** Customers of a page. Default 1,000; 250 for `mailMerge` and `preflight`. */
  pageSize?: number
  /** The id of a customer: pages start after it. Default from the first. */
  after?: string
  /** Stops before the next page, `mailMerge` before the next message. */
  signal?: AbortSignal
}

export const PAGE_OPTION_RULES: { [Key in keyof Required<PageOptions>]: OptionRule } = {
  // Checked by checkAudience, with its own code.
  audience: () => undefined,
  pageSize: wholeNumber(1, 100_000),
  after: isText,
  signal: isSignal,
}

/** Page options of a method that was called, checked. */
export interface PageSettings extends PageOptions {
  /** the method, for messages */
  call: string
  pageSize: number
}

/** @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE` */
export function resolvePageOptions(options: PageOptions): PageSettings {
  const resolved = resolveOptions<PageOptions, { pageSize: number }>(
    'pageCustomers',
    PAGE_OPTION_RULES,
    { pageSize: 1_000 },
    options,
  )
  checkAudience(resolved.audience)
  return { ...resolved, call: 'pageCustomers' }
}

/**
 * Reads an audience page by page in id order, each page a statement of its own: a lost connection is an error, never an
 * early end, and between pages no connection is held.
 */
export async function* readPages(
  sql: SqlClient,
  shape: TableShape,
  accountId: string,
  normalizeEmail: (email: string) => string,
  { call, audience, pageSize, after, signal }: PageSettings,
): AsyncGenerator<Customer[], void> {
  const afterFault = after === undefined ? undefined : valueCheck(shape.columns.get('id')!, 'iso')?.(after)
  if (typeof afterFault === 'object') {
    throw new CustomAttributesError('INVALID_OPTION', `${call}: after must be the id of a customer.`, {
      function: call,
      option: 'after',
    })
  }
  try {
    if (audience !== 'all' && 'emails' in audience) {
      yield* readByEmail()
      return
    }
    const condition =
      audience === 'all'
        ? { sql: 'true', parameters: [] }
        : whereCondition(shape, await readDefinitions(sql, shape, accountId, signal), normalizeEmail, audience.where)
    let last = after ?? null
    while (true) {
      stopIfAborted(signal)
      const page = await readCustomerPage(
        sql,
        shape,
        accountId,
        { after: last, limit: pageSize, condition: condition.sql, parameters: condition.parameters },
        signal,
      )
      if (page.length > 0) yield page
      if (page.length < pageSize) return
      last = page.at(-1)!.id
    }
  } catch (error) {
    stopIfAborted(signal)
    throw explainFailure(error)
  }

  /** Ids first, a few thousand emails at a time; then the pages, in the order that the database gives the ids. */
  async function* readByEmail(): AsyncGenerator<Customer[], void> {
    const emails = [...new Set((audience as { emails: readonly string[] }).emails.map(normalizeEmail))].filter(
      (email) => !isUnstorable(email),
    )
    stopIfAborted(signal)
    const ids = await readCustomerIds(sql, shape, accountId, emails, after ?? null)
    for (let at = 0; at < ids.length; at += pageSize) {
      stopIfAborted(signal)
      const part = ids.slice(at, at + pageSize)
      const separator = rareSeparator()
      const page = await readCustomerPage(
        sql,
        shape,
        accountId,
        {
          after: null,
          limit: pageSize,
          condition: `c.id = any (string_to_array($5::text, $4::text)::${shape.idType}[])`,
          parameters: [separator, part.join(separator)],
        },
        signal,
      )
      if (page.length > 0) yield page
    }
  }
}

import { stopIfAborted } from '../abort.js'
import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import { CustomAttributesError } from '../errors.js'
import { isSignal, isText, resolveOptions, wholeNumber, withDefault } from '../options.js'
import { turn } from '../pace.js'
import type { Account } from './accounts.js'
import { type AudiencePart, audienceCondition, isPart, storedEmails } from './audience.js'
import { isTransaction, type TextRow } from './client.js'
import {
  type Customer,
  countAmongNext,
  countWithoutEmail,
  customerReader,
  emailKey,
  readCustomerPage,
  readCustomersById,
  readEmailsStillIn,
  readListed,
  readPageIds,
} from './customers.js'
import { explainFailure } from './failures.js'
import { valueCheck } from './field-values.js'
import { OPTED_OUT, type OptedOutOption } from './opt-outs.js'
import { isReadableAsTexts, MAX_PAGE_BYTES, readTextPage, type TextColumn, type TextPage, textsOf } from './texts.js'
import type { AudienceSql, SqlCondition } from './where.js'

/** Options of `pageCustomers`. */
export interface PageOptions extends OptedOutOption {
  /** Who: always said. */
  audience: Audience
  /** Customers of a page. Default 1,000; 250 for `mailMerge` and `preflight`. */
  pageSize?: number
  /** The id of a customer: pages start after it. Default from the first. */
  after?: string
  /**
   * One of several parts of the audience, `{ index, of }`, index from 0: workers share an audience without meeting, each of which
   * reads its own part. A customer is always in the same one. Each worker's reads look at the whole audience. Default all of it.
   */
  part?: AudiencePart
  /** Stops before the next page, `mailMerge` before the next message. */
  signal?: AbortSignal
}

export const PAGE_OPTIONS = {
  // Checked by requireAudience, with its own code.
  audience: () => undefined,
  optedOut: OPTED_OUT,
  pageSize: withDefault(wholeNumber(1, 100_000), 1_000),
  after: isText,
  part: isPart,
  signal: isSignal,
}

/** Page options of a method that was called, checked. */
export interface PageSettings extends PageOptions {
  /** the method, for messages */
  call: string
  pageSize: number
  /** whether the next page is read while one is used, but on a host's transaction; default false */
  ahead?: boolean
  /** the account's attribute names, where they are known */
  attributes?: readonly string[]
}

/** @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE` */
export function resolvePageOptions(options: PageOptions): PageSettings {
  const resolved = resolveOptions('pageCustomers', PAGE_OPTIONS, options)
  requireAudience(resolved.audience)
  return { ...resolved, call: 'pageCustomers' }
}

/** How many pages' ids the first statement reads, and how many ids each further one. */
const FIRST_PAGES = 20
const IDS_PER_STATEMENT = 50_000
/** Of so many customers so many must be of an audience, for its pages to be read in the order of the index of pages. */
const SAMPLE = 100
const MANY_OF_SAMPLE = 12

/** Rows that are made customers between two turns of the event loop. */
const ROWS_A_TURN = 64

/** An audience page by page, and who of a page is still of it. */
export interface AudiencePages {
  /**
   * In id order, each page by statements of its own: a lost connection is an error, never an early end, and between pages no
   * connection is held.
   */
  pages: AsyncGenerator<Customer[], void>
  /** Those of a page that are still of the audience, by one statement. */
  recheck(page: readonly Customer[]): Promise<Customer[]>
}

export function openPages(
  account: Account,
  normalizeEmail: (email: string) => string,
  { call, audience, optedOut, part, pageSize, after, signal, ahead = false, attributes }: PageSettings,
): AudiencePages {
  const { shape } = account
  // Whom a list names is asked for once; of each page then what holds for everybody, and that they have their address still.
  const listed = audience !== 'all' && 'emails' in audience ? storedEmails(audience.emails, normalizeEmail) : undefined
  const selection = { audience: listed ? ('all' as const) : audience, optedOut, part, attributes }
  // Once for all pages: what is now and today stays so.
  let condition: Promise<AudienceSql> | undefined
  const readCondition = () => {
    condition ??= audienceCondition(account, normalizeEmail, selection, signal)
    return condition
  }
  return {
    pages: readAll(),
    async recheck(page) {
      try {
        const ids = page.map(({ id }) => id)
        const still = await readEmailsStillIn(account, ids, (await readCondition()).found, signal)
        return page.filter(({ id, email }) => still.has(id) && (!listed || hasStill(email, still.get(id)!)))
      } catch (error) {
        stopIfAborted(signal)
        throw explainFailure(error)
      }
    },
  }

  function hasStill(email: string, before: string): boolean {
    return emailKey(shape, email) === emailKey(shape, before)
  }

  async function* readAll(): AsyncGenerator<Customer[], void> {
    const afterFault = after === undefined ? undefined : valueCheck(shape.columns.get('id')!, 'iso')?.(after)
    if (typeof afterFault === 'object') {
      throw new CustomAttributesError('INVALID_OPTION', `${call}: after must be the id of a customer.`, {
        function: call,
        option: 'after',
      })
    }
    try {
      const condition = await readCondition()
      if (listed) {
        stopIfAborted(signal)
        const emails = await readListed(account, listed, after ?? null, signal)
        for await (const page of readIds([...emails.keys()], condition.found)) {
          const still = page.filter(({ id, email }) => hasStill(email, emails.get(id)!))
          if (still.length > 0) yield still
        }
      } else if (audience === 'all' ? shape.pageKey : await isOfMany(condition.found))
        yield* readKeyset(condition.found)
      // On Citus a look-up by id alone goes to every node, and without an index on the id it reads the whole table.
      else if (shape.hasIdIndex && !shape.isDistributed) yield* readChunks(condition)
      else yield* readKeyset(condition)
    } catch (error) {
      stopIfAborted(signal)
      throw explainFailure(error)
    }
  }

  /**
   * Whether the audience is a good part of the account, by its next customers. Then its pages cost least in the order of the
   * index of pages, which reads past those that are not of it; of a small part an index may know better.
   */
  async function isOfMany({ sql, parameters }: SqlCondition): Promise<boolean> {
    if (!shape.pageKey) return false
    const request = { after: after ?? null, limit: SAMPLE, condition: sql, parameters }
    return (await countAmongNext(account, request, shape.pageKey, signal)) >= MANY_OF_SAMPLE
  }

  function readKeyset({ sql, parameters }: SqlCondition): AsyncGenerator<Customer[], void> {
    return readPages(async (asked) => {
      const before = await asked
      if (before && before.length < pageSize) return undefined
      const last = before?.at(-1)?.[0] ?? after ?? null
      return readCustomerPage(account, { after: last, limit: pageSize, condition: sql, parameters }, signal)
    })
  }

  /**
   * The ids of many pages at once, then each page by its ids. To find who comes next can cost the server a read of the
   * whole account, whatever indexes there are, when it expects few customers in it: so that is not done for every page.
   */
  async function* readChunks(condition: AudienceSql): AsyncGenerator<Customer[], void> {
    const pages = Math.max(1, Math.floor(IDS_PER_STATEMENT / pageSize))
    // To find few of many costs the same, however many are asked for.
    let limit = pageSize * (shape.pageKey ? pages : Math.min(FIRST_PAGES, pages))
    let last = after ?? null
    while (true) {
      stopIfAborted(signal)
      const request = { after: last, limit, condition: condition.sql, parameters: condition.parameters }
      const ids = await readPageIds(account, request, signal)
      yield* readIds(ids, condition.found)
      if (ids.length < limit) return
      last = ids.at(-1)!
      // Whole pages, so that only the last is short.
      limit = pageSize * pages
    }
  }

  /** Pages of these customers; short ones where a customer has gone since, or is no longer of the audience. */
  function readIds(ids: readonly string[], { sql, parameters }: SqlCondition): AsyncGenerator<Customer[], void> {
    let at = 0
    return readPages(async () => {
      const page = ids.slice(at, at + pageSize)
      at += pageSize
      return page.length === 0 ? undefined : readCustomersById(account, page, { condition: sql, parameters }, signal)
    })
  }

  /**
   * @param ask - reads the rows of the page after one that was asked for and may be on its way; undefined where none is left
   */
  async function* readPages(
    ask: (before?: Promise<TextRow[] | undefined>) => Promise<TextRow[] | undefined>,
  ): AsyncGenerator<Customer[], void> {
    const { read } = customerReader(shape)
    // On a host's transaction a statement that outlives the loop could fail below its commit, which then would undo, unheard.
    const isAhead = ahead && !isTransaction(account.sql)
    for (let asked = ask(); ; ) {
      const next = isAhead ? ask(asked) : undefined
      // A failure is met when its page is asked for; until then it must not count as unhandled.
      next?.catch(() => {})
      const found = await asked
      if (!found) return
      stopIfAborted(signal)
      const page: Customer[] = []
      for (const row of found) {
        // The server is told to begin with the next page, and other work has its turn.
        if (page.length % ROWS_A_TURN === 0) await turn()
        page.push(read(row))
      }
      if (page.length > 0) yield page
      asked = next ?? ask(asked)
    }
  }
}

/** How many customers a page of texts holds at most; where fewer fit than an ordinary page has, they are read as customers. */
const TEXTS_PER_STATEMENT = 20_000

/**
 * Reads an audience as the texts of columns, in pages of {@link openPages} or larger ones. From where a page cannot be read
 * as texts on, and where that would gain nothing, customers are read.
 *
 * @param columns - fields and attributes that there are
 * @returns pages, as {@link TextPage} has them or as cells
 */
export async function* readTexts(
  account: Account,
  normalizeEmail: (email: string) => string,
  settings: PageSettings,
  columns: readonly TextColumn[],
): AsyncGenerator<string | string[][], void> {
  const { audience, pageSize, signal } = settings
  let last = settings.after ?? null
  const isListed = audience !== 'all' && 'emails' in audience
  try {
    if (!isListed && isReadableAsTexts(account, columns)) {
      const { sql, parameters } = await audienceCondition(account, normalizeEmail, settings, signal)
      const reading = { looksAtTypes: false }
      for (let limit = pageSize; limit >= pageSize; ) {
        stopIfAborted(signal)
        const page = await readTextPage(
          account,
          columns,
          { after: last, limit, condition: sql, parameters },
          reading,
          signal,
        )
        if (!page) break
        if (page.count > 0) yield page.text
        if (page.isLast) return
        last = page.last
        limit = Math.min(TEXTS_PER_STATEMENT, Math.floor(page.count * (MAX_PAGE_BYTES / page.bytes)))
      }
    }
  } catch (error) {
    stopIfAborted(signal)
    throw explainFailure(error)
  }
  const rest = last === null ? settings : { ...settings, after: last }
  for await (const page of openPages(account, normalizeEmail, rest).pages) {
    yield page.map((customer) => textsOf(customer, columns))
  }
}

/** How many of an audience have no e-mail address, and so are not among its pages. */
export async function countUnreachable(
  account: Account,
  normalizeEmail: (email: string) => string,
  { audience, optedOut, signal, attributes }: PageSettings,
): Promise<number> {
  if (audience !== 'all' && 'emails' in audience) return 0
  const { sql, parameters } = await audienceCondition(
    account,
    normalizeEmail,
    { audience, optedOut, attributes },
    signal,
  )
  return countWithoutEmail(account, { condition: sql, parameters }, signal)
}

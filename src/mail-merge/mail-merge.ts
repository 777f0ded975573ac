import { orAborted, stopIfAborted } from '../abort.js'
import { requireAudience } from '../audience/conditions.js'
import type { Customer } from '../db/customers.js'
import { type AudiencePages, PAGE_OPTIONS, type PageOptions, type PageSettings } from '../db/pages.js'
import { CustomAttributesError } from '../errors.js'
import { anyOf, isFlag, isFunction, isObject, type OptionRule, resolveOptions, withDefault } from '../options.js'
import { type ExtraTags, TEMPLATE_OPTIONS, type TemplateOptions } from '../template/template-options.js'
import { type AccountNames, type Content, compileMessage, type Message } from './message.js'

/** Values of the host's own for every customer, or made for each, such as an unsubscribe link. */
export type ExtraTagsOption = ExtraTags | ((customer: Customer) => ExtraTags)

/** Options of `mailMerge`. */
export interface MailMergeOptions extends PageOptions, Omit<TemplateOptions, 'extraTags' | 'names' | 'fields'> {
  /** Tags of the host's own: an object, or a function of the customer. Default none. */
  extraTags?: ExtraTagsOption
  /**
   * Whether a page is read once more, by one statement that reads ids and addresses, just before its first message is yielded:
   * who is no longer of the audience by then gets none. Without it that is decided when the page is read, which is up to two
   * pages ahead of the message that is yielded. Default `false`.
   */
  recheck?: boolean
  /**
   * Called with the progress at most every 100 ms, and once at the end; a promise is waited for. What it throws or rejects
   * with ends the merge and is its error.
   */
  onProgress?: (progress: MailMergeProgress) => unknown
}

/** What `onProgress` is told. */
export interface MailMergeProgress {
  /** customers handed out so far, with and without a message */
  customers: number
  /** of these, those whose message misses a value */
  missing: number
}

/** A message for a customer, or why there is none: the tags without a value, under `missing: 'error'`. */
export type MailMergeResult<M extends Message> =
  | { ok: true; customer: Customer; content: Content<M> }
  | { ok: false; customer: Customer; missing: string[] }

const PROGRESS_EVERY_MS = 100

const isExtraTags: OptionRule = anyOf(isObject, isFunction)

const { names: _names, fields: _fields, ...MESSAGE_OPTIONS } = TEMPLATE_OPTIONS

export const MAIL_MERGE_OPTIONS = {
  ...PAGE_OPTIONS,
  /** Smaller than pages of their own: a page's messages wait in memory with it, and speed is the same. */
  pageSize: withDefault(PAGE_OPTIONS.pageSize, 250),
  ...MESSAGE_OPTIONS,
  extraTags: isExtraTags,
  recheck: withDefault(isFlag, false),
  onProgress: isFunction,
}

/** The extra tags of a customer. */
export function extraTagsFor(customer: Customer, extraTags: ExtraTagsOption | undefined): ExtraTags | undefined {
  const tags: unknown = typeof extraTags === 'function' ? extraTags(customer) : extraTags
  // A promise would be an object without names: every link of a whole mailing empty.
  const promise = tags as PromiseLike<unknown> | undefined
  if (typeof promise?.then !== 'function') return tags as ExtraTags | undefined
  // That it also fails is then nobody's news.
  promise.then(undefined, () => {})
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    'extraTags must give an object of names and values, got a promise. Fetch what it needs before the merge.',
    { argument: 'extraTags' },
  )
}

/**
 * Merges a message with an audience, one result at a time: the next page is read while this one is used.
 *
 * @param open - called once the options and the message are checked: the account's names and its audience
 * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE`, `INVALID_ARGUMENT` and the template's problems
 */
export async function* mergeMail<M extends Message>(
  message: M,
  given: MailMergeOptions,
  open: (pages: PageSettings) => Promise<[AccountNames, AudiencePages]>,
): AsyncGenerator<MailMergeResult<M>, void> {
  const { audience, optedOut, pageSize, after, part, signal, extraTags, recheck, onProgress, ...templateOptions } =
    resolveOptions('mailMerge', MAIL_MERGE_OPTIONS, given)
  requireAudience(audience)
  compileMessage('mailMerge', message, templateOptions)

  const settings = { call: 'mailMerge', audience, optedOut, pageSize, after, part, signal, ahead: true }
  const [account, { pages, recheck: stillIn }] = await open(settings)
  const { render } = compileMessage('mailMerge', message, templateOptions, account)
  const progress: MailMergeProgress = { customers: 0, missing: 0 }
  const tell = async () => onProgress?.({ ...progress })
  let reportedAt = performance.now()
  for await (const page of pages) {
    for (const customer of recheck ? await stillIn(page) : page) {
      stopIfAborted(signal)
      const rendered = render(customer, extraTagsFor(customer, extraTags))
      progress.customers++
      if ('missing' in rendered) {
        progress.missing++
        yield { ok: false, customer, missing: rendered.missing }
      } else yield { ok: true, customer, content: rendered.content as Content<M> }
    }
    if (performance.now() - reportedAt >= PROGRESS_EVERY_MS) {
      reportedAt = performance.now()
      await orAborted(tell(), signal)
    }
  }
  stopIfAborted(signal)
  await orAborted(tell(), signal)
}

import { stopIfAborted } from '../abort.js'
import type { Customer } from '../db/customers.js'
import type { PageOptions } from '../db/pages.js'
import { CustomAttributesError } from '../errors.js'
import { anyOf, isFunction, isObject, type OptionRule } from '../options.js'
import { type ExtraTags, TEMPLATE_OPTION_RULES, type TemplateOptions } from '../template/template-options.js'
import { type Content, compileMessage, type Message } from './message.js'

/** Values of the host's own for every customer, or made for each, such as an unsubscribe link. */
export type ExtraTagsOption = ExtraTags | ((customer: Customer) => ExtraTags)

/** Options of `mailMerge`. */
export interface MailMergeOptions extends PageOptions, Omit<TemplateOptions, 'extraTags'> {
  /** Tags of the host's own: an object, or a function of the customer. Default none. */
  extraTags?: ExtraTagsOption
  /** Called with the progress at most every 100 ms, and once at the end. */
  onProgress?: (progress: MailMergeProgress) => void
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

export const MAIL_MERGE_RULES = {
  format: TEMPLATE_OPTION_RULES.format,
  missing: TEMPLATE_OPTION_RULES.missing,
  allowUnescaped: TEMPLATE_OPTION_RULES.allowUnescaped,
  extraTags: isExtraTags,
  onProgress: isFunction,
}

/** The extra tags of a customer. */
export function extraTagsFor(customer: Customer, extraTags: ExtraTagsOption | undefined): ExtraTags | undefined {
  const tags: unknown = typeof extraTags === 'function' ? extraTags(customer) : extraTags
  // A promise would be an object without names: every link of a whole mailing empty.
  if (typeof (tags as PromiseLike<unknown> | undefined)?.then !== 'function') return tags as ExtraTags | undefined
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    'extraTags must give an object of names and values, got a promise. Fetch what it needs before the merge.',
    { argument: 'extraTags' },
  )
}

/**
 * Renders a message for every customer of the pages, one result at a time; the next page is read while this one is used.
 *
 * @param pages - the audience, page by page
 * @param signal - stops before the next message
 */
export async function* mailMerge<M extends Message>(
  message: M,
  options: Omit<MailMergeOptions, keyof PageOptions>,
  pages: AsyncGenerator<Customer[], void>,
  signal?: AbortSignal,
): AsyncGenerator<MailMergeResult<M>, void> {
  const { extraTags, onProgress, ...templateOptions } = options
  const { render } = compileMessage('mailMerge', message, templateOptions)
  const progress: MailMergeProgress = { customers: 0, missing: 0 }
  let reportedAt = performance.now()
  let next = pages.next()
  try {
    while (true) {
      const page = await next
      if (page.done) break
      next = pages.next()
      // A failure is met when its page is asked for; until then it must not count as unhandled.
      next.catch(() => {})
      for (const customer of page.value) {
        stopIfAborted(signal)
        const rendered = render(customer, extraTagsFor(customer, extraTags))
        progress.customers++
        if ('missing' in rendered) {
          progress.missing++
          yield { ok: false, customer, missing: rendered.missing }
        } else yield { ok: true, customer, content: rendered.content as Content<M> }
      }
      if (onProgress && performance.now() - reportedAt >= PROGRESS_EVERY_MS) {
        reportedAt = performance.now()
        onProgress({ ...progress })
      }
    }
    stopIfAborted(signal)
    onProgress?.({ ...progress })
  } finally {
    await pages.return()
  }
}

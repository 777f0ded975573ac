import { requireAudience } from '../audience/conditions.js'
import type { Customer } from '../db/customers.js'
import type { PageOptions, PageSettings } from '../db/pages.js'
import { resolveOptions } from '../options.js'
import { checkTemplate } from '../template/inspect.js'
import type { TemplateProblem } from '../template/problems.js'
import type { TemplateOptions } from '../template/template-options.js'
import { type ExtraTagsOption, extraTagsFor, MAIL_MERGE_OPTIONS } from './mail-merge.js'
import { type AccountNames, compileMessage, type Message } from './message.js'

/** Options of `preflight`: those the message will be merged with. */
export interface PreflightOptions
  extends Pick<PageOptions, 'audience' | 'optedOut' | 'pageSize' | 'signal'>,
    Omit<TemplateOptions, 'extraTags' | 'missing' | 'names' | 'fields'> {
  extraTags?: ExtraTagsOption
}

/** What would happen if the message were sent. */
export interface PreflightReport {
  /** customers of the audience */
  recipients: number
  /** customers that would be of the audience, and have no e-mail address */
  withoutEmail: number
  /** of these, those whose message has no hole */
  complete: number
  /**
   * the tags in the order of the message, with the number of recipients for whom they would print a hole: who have no
   * value, and who have one that a filter cannot read or that may not stand at the beginning of a link
   */
  tags: { name: string; missing: number; unformattable: number }[]
  /**
   * the tags that are no standard field, custom attribute or extra tag, each with its place and the nearest known name;
   * empty when there is no recipient whom a function of `extraTags` could be asked about
   */
  unknownTags: (TemplateProblem & { part?: string })[]
  /** what else the checks tell and rendering passes over: `SUSPECT_TEXT`, text that was most likely a tag */
  warnings: (TemplateProblem & { part?: string })[]
}

/** A preflight whose options and message are checked. */
export interface PreflightJob {
  pages: PageSettings
  /** Goes once through the audience and counts, by the very rules of rendering, who lacks what. */
  run(account: AccountNames, pages: AsyncIterable<Customer[]>): Promise<Omit<PreflightReport, 'withoutEmail'>>
}

/**
 * Checks a preflight before anything is read.
 *
 * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE`, `INVALID_ARGUMENT` and the template's problems
 */
export function preparePreflight(message: Message, given: PreflightOptions): PreflightJob {
  const {
    missing: _missing,
    onProgress: _onProgress,
    after: _after,
    part: _part,
    recheck: _recheck,
    ...table
  } = MAIL_MERGE_OPTIONS
  const { audience, optedOut, pageSize, signal, extraTags, ...templateOptions } = resolveOptions(
    'preflight',
    table,
    given,
  )
  requireAudience(audience)
  compileMessage('preflight', message, templateOptions)

  async function run(
    account: AccountNames,
    pages: AsyncIterable<Customer[]>,
  ): Promise<Omit<PreflightReport, 'withoutEmail'>> {
    const { parts } = compileMessage('preflight', message, templateOptions, account)
    const missing = new Map<string, number>()
    const unformattable = new Map<string, number>()
    const extraNames = new Set(typeof extraTags === 'object' ? Object.keys(extraTags) : [])
    let recipients = 0
    let complete = 0
    for await (const page of pages) {
      for (const customer of page) {
        const extra = extraTagsFor(customer, extraTags)
        if (typeof extraTags === 'function') for (const name of Object.keys(extra ?? {})) extraNames.add(name)
        const holes = parts.map(({ compiled }) => compiled.findHoles(customer, extra))
        count(missing, new Set(holes.flatMap((part) => part.missing)))
        count(unformattable, new Set(holes.flatMap((part) => part.unformattable)))
        recipients++
        if (holes.every((part) => part.missing.length + part.unformattable.length === 0)) complete++
      }
    }
    const isUnasked = typeof extraTags === 'function' && recipients === 0
    const used = new Set(parts.flatMap(({ compiled }) => compiled.tags.map(({ name }) => name)))
    const problems = parts.flatMap(({ name, template, format }) =>
      checkTemplate(template, [...account.names, ...extraNames], {
        ...templateOptions,
        format,
        fields: account.fields,
      }).map((problem) => (typeof message === 'string' ? problem : { ...problem, part: name })),
    )
    return {
      recipients,
      complete,
      tags: [...used].map((name) => ({
        name,
        missing: missing.get(name) ?? 0,
        unformattable: unformattable.get(name) ?? 0,
      })),
      unknownTags: isUnasked ? [] : problems.filter(({ code }) => code === 'UNKNOWN_TAG'),
      warnings: problems.filter(({ code }) => code !== 'UNKNOWN_TAG'),
    }
  }
  return { pages: { call: 'preflight', audience, optedOut, pageSize, signal, ahead: true }, run }
}

function count(counts: Map<string, number>, names: ReadonlySet<string>): void {
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
}

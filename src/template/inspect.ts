import { CustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { escapeHtml } from './formats.js'
import { createKnownNames } from './known-names.js'
import { inTemplateOrder, type TemplateProblem, tagProblem } from './problems.js'
import { type PlacedTag, readTags, type TemplateTag, toTemplateTag } from './tags.js'
import { checkTemplateText, resolveTemplateOptions, type TemplateOptions } from './template-options.js'

/** What a template uses, and what is wrong with it. */
export interface TemplateReport {
  /** the merge tags in template order, one entry for each time a tag stands there; comments and closing tags are none */
  tags: TemplateTag[]
  /** all problems in template order; without one the template can be rendered for any customer */
  problems: TemplateProblem[]
}

/**
 * Says which merge tags a template uses and everything that is wrong with it.
 *
 * @param template - Mustache text
 * @param options - those the template will be rendered with; `format` and `allowUnescaped` decide what is a problem
 * @returns tags and problems: `TEMPLATE_SYNTAX`, `UNCLOSED_SECTION`, `SECTION_MISMATCH`, `EMPTY_TAG`,
 *   `UNSUPPORTED_TAG`, `UNESCAPED_TAG`, `UNSAFE_TAG_POSITION`, `TEMPLATE_TOO_LARGE` (256 KiB in UTF-8; nothing else is looked at),
 *   `TOO_MANY_TAGS` (500; what follows is not looked at), `TAG_TOO_LONG` (200 characters between the braces)
 * @throws CustomAttributesError `INVALID_ARGUMENT` when the template is no string, or `INVALID_OPTION`
 */
export function inspectTemplate(template: string, options?: TemplateOptions): TemplateReport {
  checkTemplateText('inspectTemplate', template)
  const { tags, problems } = readTags(template, resolveTemplateOptions('inspectTemplate', options))
  return { tags: tags.map(toTemplateTag), problems }
}

/**
 * Finds everything that is wrong with a template for an account: what {@link inspectTemplate} finds, and the tags that
 * the account does not know.
 *
 * @param template - Mustache text
 * @param names - the names the account knows: the standard fields of its table and its custom attributes, as
 *   `getMergeTags` lists them
 * @param options - those the template will be rendered with; the names of `extraTags` are known, too
 * @returns the problems in template order; each `UNKNOWN_TAG` has in `details.suggestion` the nearest known name, when
 *   one is near
 * @throws CustomAttributesError `INVALID_ARGUMENT` when the template is no string or the names are no list of strings,
 *   or `INVALID_OPTION`
 */
export function checkTemplate(template: string, names: Iterable<string>, options?: TemplateOptions): TemplateProblem[] {
  checkTemplateText('checkTemplate', template)
  const resolved = resolveTemplateOptions('checkTemplate', options)
  const known = createKnownNames([...listNames(names), ...Object.keys(resolved.extraTags ?? {})], resolved.fields)
  const { tags, problems } = readTags(template, resolved)
  const suggestions = new Map<string, string | undefined>()
  for (const tag of tags) {
    if (known.find(tag.name) !== undefined) continue
    if (!suggestions.has(tag.name)) suggestions.set(tag.name, known.suggest(tag.name))
    problems.push(unknownTag(tag, suggestions.get(tag.name), resolved.format === 'html'))
  }
  return problems.sort(inTemplateOrder)
}

function listNames(names: Iterable<string>): string[] {
  const isList = typeof names === 'object' && names !== null && Symbol.iterator in names
  const list = isList ? [...names] : undefined
  if (list?.every((name) => typeof name === 'string')) return list
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    `checkTemplate: names must be a list of strings, got ${list ? 'other entries' : kindOf(names)}. ` +
      'Of what getMergeTags returns, pass [...standardFields, ...customAttributes].',
    { argument: 'names' },
  )
}

function unknownTag(tag: PlacedTag, name: string | undefined, isHtml: boolean): TemplateProblem {
  // As an HTML editor writes it: `R&amp;D`.
  const suggestion = isHtml ? name?.replace(/[&<>]/g, escapeHtml) : name
  return tagProblem(
    'UNKNOWN_TAG',
    tag,
    tag.source,
    'is no standard field, custom attribute or extra tag',
    suggestion === undefined
      ? 'Use a name that the account knows.'
      : /[.[]/.test(tag.name)
        ? `Names are no paths: write {{${suggestion}}}.`
        : `Did you mean {{${suggestion}}}?`,
    suggestion === undefined ? {} : { suggestion },
  )
}

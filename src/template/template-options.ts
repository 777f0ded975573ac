import { CustomAttributesError } from '../errors.js'
import { isFlag, isObject, kindOf, oneOf, type Resolved, resolveOptions, withDefault } from '../options.js'

/** What a template is written in: decides how values are escaped. */
export type TemplateFormat = 'html' | 'text' | 'subject'

/** Values of the host's own, by tag name, such as `{ unsubscribe_url }`. Only own properties are reachable. */
export type ExtraTags = Readonly<Record<string, unknown>>

/** Options of `renderTemplate`, `compileTemplate`, `inspectTemplate` and `checkTemplate`. */
export interface TemplateOptions {
  /**
   * `'html'` (default) escapes `& < > " '` in values; `'text'` escapes nothing; `'subject'` is text on one line: every
   * run of control and line-separator characters becomes one space, and bidi overrides are dropped.
   */
  format?: TemplateFormat
  /**
   * What a tag prints whose value is missing and that has no fallback: `'empty'` (default) nothing, `'keep'` the tag as
   * typed; `'error'` throws `MISSING_VALUE` with the names of all such tags.
   */
  missing?: 'empty' | 'keep' | 'error'
  /** Whether `{{{name}}}` and `{{&name}}` may put a value into html unescaped. Default `false`. */
  allowUnescaped?: boolean
  /** Tags of the host's own; they come before a standard field or attribute of the same name. Default none. */
  extraTags?: ExtraTags
}

export const TEMPLATE_OPTIONS = {
  format: withDefault(oneOf('html', 'text', 'subject'), 'html'),
  missing: withDefault(oneOf('empty', 'keep', 'error'), 'empty'),
  allowUnescaped: withDefault(isFlag, false),
  extraTags: isObject,
}

export type ResolvedTemplateOptions = Resolved<TemplateOptions, typeof TEMPLATE_OPTIONS>

/** Refuses a template that is no string; `where` is the name of a public function. */
export function checkTemplateText(where: string, template: unknown): void {
  if (typeof template === 'string') return
  throw new CustomAttributesError('INVALID_ARGUMENT', `${where}: template must be a string, got ${kindOf(template)}.`, {
    argument: 'template',
  })
}

/** Resolves the options of `where`, the name of a public function. */
export function resolveTemplateOptions(where: string, options: TemplateOptions | undefined): ResolvedTemplateOptions {
  return resolveOptions(where, TEMPLATE_OPTIONS, options)
}

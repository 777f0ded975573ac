import { CustomAttributesError } from '../errors.js'
import { type FieldCatalogue, isCatalogue, STANDARD_FIELDS } from '../fields.js'
import {
  isFlag,
  isObject,
  isTextList,
  kindOf,
  type OptionRule,
  oneOf,
  type Resolved,
  resolveOptions,
  withDefault,
} from '../options.js'
import { FILTER_NAMES, isLocale, isTimeZone, type TemplateFilter } from './filters.js'

/** What a template is written in: decides how values are escaped. */
export type TemplateFormat = 'html' | 'text' | 'subject'

/** Values of the host's own, by tag name, such as `{ unsubscribe_url }`. Only own properties are reachable. */
export type ExtraTags = Readonly<Record<string, unknown>>

/** Options of `renderTemplate`, `compileTemplate`, `inspectTemplate` and `checkTemplate`. */
export interface TemplateOptions {
  /**
   * `'html'` (default) escapes values for the place of their tags: text, attribute or URL; `'text'` escapes nothing;
   * `'subject'` is text on one line: every run of control and line-separator characters becomes one space, and bidi
   * overrides are dropped.
   */
  format?: TemplateFormat
  /**
   * What a tag prints whose value is missing and that has no fallback: `'empty'` (default) nothing, `'keep'` the tag as
   * typed; `'error'` throws `MISSING_VALUE` with the names of all such tags.
   */
  missing?: 'empty' | 'keep' | 'error'
  /**
   * Whether `{{{name}}}` and `{{&name}}` may put a value into html unescaped, and tags may stand where no escaping makes
   * them safe. Default `false`.
   */
  allowUnescaped?: boolean
  /** Tags of the host's own; they come before a standard field or attribute of the same name. Default none. */
  extraTags?: ExtraTags
  /**
   * The names that the account knows: the standard fields of its table and its custom attributes, as `getMergeTags` lists
   * them. A tag then stands for the name that is spelt like it, or else for the only one of its form, whatever a customer
   * has; without them the customer's own names decide. The store's methods see to it themselves. Default none.
   */
  names?: readonly string[] | ReadonlySet<string>
  /** The fields of the customers, made by `defineFields`. Default `STANDARD_FIELDS`. The store's methods have their own. */
  fields?: FieldCatalogue
  /** The language (BCP 47) in which filters write dates, numbers and letters, such as `'de'`. Default `'en'`. */
  locale?: string
  /** The time zone (IANA) in which the filter `date` and comparisons see points in time. Default `'UTC'`. */
  timeZone?: string
  /**
   * Filters of the host's own, by name: `{ loud: (text) => `${text}!` }` for `{{ first_name | loud }}`. A name consists of
   * letters, digits and `_`, and is none of the library's. Default none.
   */
  filters?: Readonly<Record<string, TemplateFilter>>
}

const areNames: OptionRule = (value) =>
  isTextList(value instanceof Set ? [...value] : value) === undefined ? undefined : 'an array or a Set of strings'

const areFilters: OptionRule = (value) => {
  const isFilter = ([name, filter]: [string, unknown]) =>
    /^[A-Za-z_]\w*$/.test(name) && !FILTER_NAMES.includes(name.toLowerCase()) && typeof filter === 'function'
  return isObject(value) === undefined && Object.entries(value as object).every(isFilter)
    ? undefined
    : `an object of functions, each with a name of letters, digits and _ that is none of ${FILTER_NAMES.join(', ')}`
}

export const TEMPLATE_OPTIONS = {
  format: withDefault(oneOf('html', 'text', 'subject'), 'html'),
  missing: withDefault(oneOf('empty', 'keep', 'error'), 'empty'),
  allowUnescaped: withDefault(isFlag, false),
  extraTags: isObject,
  names: areNames,
  fields: withDefault(isCatalogue, STANDARD_FIELDS),
  locale: withDefault((tag) => (isLocale(tag) ? undefined : "a language tag such as 'en' or 'de-AT'"), 'en'),
  timeZone: withDefault(
    (zone) => (isTimeZone(zone) ? undefined : "a time zone such as 'UTC' or 'Europe/Berlin'"),
    'UTC',
  ),
  filters: areFilters,
}

/** Options with their defaults; `numberFields` are the fields whose columns hold numbers, where the table is known. */
export type ResolvedTemplateOptions = Resolved<TemplateOptions, typeof TEMPLATE_OPTIONS> & {
  numberFields?: ReadonlySet<string>
}

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

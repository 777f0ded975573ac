import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'
import { kindOf } from '../options.js'
import { type CompiledTemplate, compile } from '../template/compile.js'
import {
  checkTemplateText,
  type ExtraTags,
  resolveTemplateOptions,
  type TemplateFormat,
  type TemplateOptions,
} from '../template/template-options.js'

/** A message of several parts, each a template in the format that its name says. */
export interface MessageParts {
  subject?: string
  html?: string
  text?: string
}

/** What is merged: one template (of the option `format`), or a message of parts. */
export type Message = string | MessageParts

/** What a message becomes for one customer: a string, or the same parts. */
export type Content<M extends Message> = M extends string ? string : { [Part in keyof M]: string }

/** A message ready for any number of customers. */
export interface CompiledMessage {
  /** the parts: the template, its format, and its compiled form; a single template is the part `content` */
  readonly parts: readonly { name: string; template: string; format: TemplateFormat; compiled: CompiledTemplate }[]
  /** Renders all parts; under `missing: 'error'` the names of all tags without a value instead, when there are any. */
  render(customer: object, extraTags: ExtraTags | undefined): { content: unknown } | { missing: string[] }
}

/** What is known of an account where its messages are rendered. */
export interface AccountNames {
  /** the standard fields of its table, and its custom attributes */
  names: readonly string[]
  /** the standard fields whose columns hold numbers */
  numberFields: ReadonlySet<string>
  /** all fields of its catalogue */
  fields: FieldCatalogue
}

const PARTS = ['subject', 'html', 'text'] as const

/**
 * Compiles a message.
 *
 * @param account - left out while there is none: a message is checked before anything is read
 * @throws CustomAttributesError `INVALID_ARGUMENT` when it is no message, or the first problem of a template; its
 *   `details.part` says of which
 */
export function compileMessage(
  where: string,
  message: Message,
  options: Omit<TemplateOptions, 'extraTags'>,
  account?: AccountNames,
): CompiledMessage {
  const isSingle = typeof message === 'string'
  const templates = isSingle
    ? [{ name: 'content', template: message, format: options.format }]
    : listParts(where, message)
  const parts = templates.map(({ name, template, format }) => {
    const resolved = { ...resolveTemplateOptions(where, { ...options, format }), ...account }
    try {
      return { name, template, format: resolved.format, compiled: compile(template, resolved) }
    } catch (error) {
      if (isSingle || !isCustomAttributesError(error)) throw error
      throw new CustomAttributesError(error.code, `${name}: ${error.message}`, { ...error.details, part: name })
    }
  })
  return {
    parts,
    render(customer, extraTags) {
      const content: Record<string, string> = {}
      let missing: string[] | undefined
      for (const { name, compiled } of parts) {
        try {
          content[name] = compiled.render(customer, extraTags)
        } catch (error) {
          if (!isCustomAttributesError(error, 'MISSING_VALUE')) throw error
          missing = [...(missing ?? []), ...(error.details.tags as string[])]
        }
      }
      if (missing) return { missing: [...new Set(missing)] }
      return { content: isSingle ? content.content : content }
    },
  }
}

/**
 * Checks a template and its options before anything is read.
 *
 * @returns what renders it for customers once the account's names are known
 */
export function prepareRendering(
  template: string,
  given: TemplateOptions | undefined,
): <Key>(account: AccountNames, customers: ReadonlyMap<Key, object | null>) => Map<Key, string | null> {
  checkTemplateText('renderForCustomers', template)
  const options = resolveTemplateOptions('renderForCustomers', given)
  compile(template, options)
  return (account, customers) => {
    const { render } = compile(template, { ...options, ...account })
    return new Map([...customers].map(([key, customer]) => [key, customer && render(customer)]))
  }
}

function listParts(where: string, message: MessageParts) {
  const names = typeof message === 'object' && message !== null ? Object.keys(message) : []
  const isMessage =
    names.some((name) => message[name as keyof MessageParts] !== undefined) &&
    names.every((name) => (PARTS as readonly string[]).includes(name)) &&
    PARTS.every((name) => message[name] === undefined || typeof message[name] === 'string')
  if (!isMessage) {
    throw new CustomAttributesError(
      'INVALID_ARGUMENT',
      `${where}: message must be a template or { subject?, html?, text? } with at least one of them, got ${kindOf(message)}.`,
      { argument: 'message' },
    )
  }
  return PARTS.flatMap((name) => {
    const template = message[name]
    return template === undefined ? [] : [{ name, template, format: name as TemplateFormat }]
  })
}

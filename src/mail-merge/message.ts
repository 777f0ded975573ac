import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { type CompiledTemplate, compile } from '../template/compile.js'
import type { ExtraTags, TemplateFormat, TemplateOptions } from '../template/template-options.js'
import { resolveTemplateOptions } from '../template/template-options.js'

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

const PARTS = ['subject', 'html', 'text'] as const

/**
 * Compiles a message.
 *
 * @throws CustomAttributesError `INVALID_ARGUMENT` when it is no message, or the first problem of a template; its
 *   `details.part` says of which
 */
export function compileMessage(
  where: string,
  message: Message,
  options: Omit<TemplateOptions, 'extraTags'>,
): CompiledMessage {
  const isSingle = typeof message === 'string'
  const templates = isSingle
    ? [{ name: 'content', template: message, format: options.format }]
    : listParts(where, message)
  const parts = templates.map(({ name, template, format }) => {
    const resolved = resolveTemplateOptions(where, { ...options, format })
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

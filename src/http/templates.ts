import type { Audience } from '../audience/audience.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import type { Message } from '../mail-merge/message.js'
import type { PreflightOptions } from '../mail-merge/preflight.js'
import { isObject, isText, type OptionRule, oneOf } from '../options.js'
import { checkTemplate, inspectTemplate } from '../template/inspect.js'
import { TEMPLATE_OPTIONS, type TemplateFormat, type TemplateOptions } from '../template/template-options.js'
import { AUDIENCE_FIELDS } from './audiences.js'
import type { Exchange } from './exchange.js'
import { invalidField, optional, readFields, readJsonBody } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'

/** The parts that a message can have, each a template of the format of its name. */
const PARTS: readonly TemplateFormat[] = ['subject', 'html', 'text']

/** A template of a message; without `part` when the message is one text. */
interface MessagePart {
  part?: TemplateFormat
  template: string
  format: TemplateFormat
}

/** The fields of a request that say in which language, and by which clock, filters write. */
const LANGUAGE = {
  locale: optional(TEMPLATE_OPTIONS.locale),
  time_zone: optional(TEMPLATE_OPTIONS.timeZone),
}

/** `GET …/merge-tags` */
export async function listMergeTags({ store, accountId }: Exchange): Promise<Response> {
  return jsonResponse(toSnakeCase(await store.getMergeTags(accountId)))
}

/** `POST …/templates/check` */
export async function checkMessage({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), { message: isMessage, format: isFormat, ...LANGUAGE })
  const { fields } = store
  const { standardFields, customAttributes } = await store.getMergeTags(accountId)
  const names = [...standardFields, ...customAttributes]
  const parts = readMessage(body).map(({ part, template, format }) => {
    const options = templateOptions(body, { format, fields }, settings)
    const mark = <T extends object>(entry: T) => (part ? { part, ...entry } : entry)
    return {
      tags: inspectTemplate(template, options).tags.map(mark),
      problems: checkTemplate(template, names, options).map(mark),
    }
  })
  return jsonResponse({
    tags: toSnakeCase(parts.flatMap(({ tags }) => tags)),
    problems: toSnakeCase(parts.flatMap(({ problems }) => problems)),
  })
}

/** `POST …/templates/preview` */
export async function renderMessage({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), {
    message: isMessage,
    format: isFormat,
    email: isText,
    missing: optional(TEMPLATE_OPTIONS.missing),
    ...LANGUAGE,
  })
  const parts = readMessage(body)
  const email = body.email as string
  const missing = body.missing as TemplateOptions['missing']
  const lacking: { part?: string; tags: unknown }[] = []
  const contents: [string | undefined, string][] = []
  for (const { part, template, format } of parts) {
    try {
      const options = templateOptions(body, { format, missing }, settings)
      const content = (await store.renderForCustomers(accountId, template, [email], options)).get(email) ?? null
      if (content === null) {
        throw new CustomAttributesError('CUSTOMER_NOT_FOUND', 'No customer of this account has this email address.')
      }
      contents.push([part, content])
    } catch (error) {
      if (!isCustomAttributesError(error, 'MISSING_VALUE')) throw error
      lacking.push({ ...(part ? { part } : {}), tags: error.details.tags })
    }
  }
  if (lacking.length > 0) throw missingValues(lacking)
  return jsonResponse({ content: typeof body.message === 'string' ? contents[0]![1] : Object.fromEntries(contents) })
}

/** `POST …/templates/preflight` */
export async function preflightMessage({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), {
    message: isMessage,
    format: isFormat,
    ...AUDIENCE_FIELDS,
    ...LANGUAGE,
  })
  const { message, format, audience, opted_out } = body as {
    message: Message
    format?: TemplateFormat
    audience: Audience
    opted_out?: PreflightOptions['optedOut']
  }
  if (typeof message !== 'string') readMessage(body)
  const options = templateOptions(body, { ...(format ? { format } : {}) }, settings)
  const whom = { audience, ...(opted_out ? { optedOut: opted_out } : {}) }
  const report = await store.preflight(accountId, message, { ...options, ...whom, signal: request.signal })
  return jsonResponse(toSnakeCase(report))
}

/** Every tag without a value, and of which part. */
function missingValues(lacking: readonly { part?: string; tags: unknown }[]): CustomAttributesError {
  const tags = [...new Set(lacking.flatMap(({ tags }) => tags as string[]))]
  const parts = lacking.filter(({ part }) => part !== undefined)
  return new CustomAttributesError(
    'MISSING_VALUE',
    `The customer has no value for ${tags.map((tag) => `{{${tag}}}`).join(', ')}. ` +
      'Give these tags a fallback, as in {{name | default: "text"}}, or leave the customer out.',
    { tags, ...(parts.length > 0 ? { parts } : {}) },
  )
}

function templateOptions(
  body: Record<string, unknown>,
  options: TemplateOptions,
  { extraTags, allowUnescaped, filters, ...settings }: Exchange['settings'],
): TemplateOptions {
  const locale = (body.locale as string | undefined) ?? settings.locale
  const timeZone = (body.time_zone as string | undefined) ?? settings.timeZone
  return { ...options, locale, timeZone, extraTags, allowUnescaped, filters }
}

const isFormat = optional(oneOf(...PARTS))

const isMessage: OptionRule = (value) =>
  typeof value === 'string' || isMessageParts(value) ? undefined : `a string, or an object of ${PARTS.join(', ')}`

function isMessageParts(value: unknown): value is Partial<Record<TemplateFormat, string>> {
  if (isObject(value) !== undefined) return false
  const entries = Object.entries(value as object)
  return (
    entries.length > 0 &&
    entries.every(([part, template]) => (PARTS as string[]).includes(part) && typeof template === 'string')
  )
}

function readMessage({ message, format }: Record<string, unknown>): MessagePart[] {
  if (typeof message === 'string') return [{ template: message, format: (format as TemplateFormat) ?? 'html' }]
  if (format !== undefined) throw invalidField('format', 'format is for a message that is one string. Leave it out.')
  const parts = message as Partial<Record<TemplateFormat, string>>
  return PARTS.flatMap((part) => (parts[part] === undefined ? [] : [{ part, template: parts[part], format: part }]))
}

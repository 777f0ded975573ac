import { areTemplates } from '../attributes/attributes.js'
import { isFlag, isText, oneOf } from '../options.js'
import { TEMPLATE_OPTIONS } from '../template/template-options.js'
import type { Exchange } from './exchange.js'
import { isMoment, optional, readFields, readJsonBody, toDate } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'

const TEMPLATES = { templates: optional(areTemplates), format: optional(TEMPLATE_OPTIONS.format) }

/** `GET …/attributes` */
export async function describeAttributes({ store, request, accountId }: Exchange): Promise<Response> {
  const attributes = await store.describeAttributes(accountId, { signal: request.signal })
  return jsonResponse({ attributes: toSnakeCase(attributes) })
}

/** `POST …/attributes/rename` */
export async function renameAttribute({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), {
    from: isText,
    to: isText,
    on_conflict: optional(oneOf('keep-target', 'keep-source')),
    ...TEMPLATES,
  })
  const { from, to, on_conflict: onConflict, ...options } = body
  const result = await store.renameAttribute(
    accountId,
    from as string,
    to as string,
    { ...options, onConflict } as object,
  )
  return jsonResponse(toSnakeCase(result))
}

/** `POST …/attributes/remove` */
export async function removeAttribute({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { name, ...options } = readFields(await readJsonBody(request, settings), { name: isText, ...TEMPLATES })
  return jsonResponse(
    toSnakeCase(await store.removeAttribute(accountId, name as string, { ...options, signal: request.signal })),
  )
}

/** `POST …/attributes/prune` */
export async function pruneAttributes({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), {
    not_seen_since: optional(isMoment),
    without_values: optional(isFlag),
  })
  const notSeenSince = body.not_seen_since === undefined ? undefined : toDate(body.not_seen_since as string)
  const withoutValues = body.without_values as boolean | undefined
  return jsonResponse(
    toSnakeCase(
      await store.pruneAttributes(accountId, { notSeenSince, withoutValues, signal: request.signal } as object),
    ),
  )
}

import { orAborted } from '../abort.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import type { CustomAttributesStore } from '../store-methods.js'
import { describeAttributes, pruneAttributes, removeAttribute, renameAttribute } from './attributes.js'
import { countCustomers, findCustomers } from './audiences.js'
import type { Exchange } from './exchange.js'
import { exportCustomers } from './export.js'
import { preview } from './preview.js'
import { errorResponse } from './responses.js'
import { findRoute, type HttpAction, type HttpRoute } from './routes.js'
import { type HttpHandlerOptions, type HttpSettings, resolveSettings } from './settings.js'
import { listSuppressions, suppress, unsubscribe, unsubscribeToken, unsuppress } from './suppressions.js'
import { checkMessage, listMergeTags, preflightMessage, renderMessage } from './templates.js'
import { upload } from './upload.js'
import { eraseCustomer, getUpload, listUploads, pruneUploads, undoUpload } from './uploads.js'

const ACTIONS: Readonly<Record<HttpAction, (exchange: Exchange) => Promise<Response>>> = {
  merge_tags: listMergeTags,
  upload,
  preview,
  export: exportCustomers,
  check: checkMessage,
  render: renderMessage,
  preflight: preflightMessage,
  count_customers: countCustomers,
  find_customers: findCustomers,
  describe_attributes: describeAttributes,
  rename_attribute: renameAttribute,
  remove_attribute: removeAttribute,
  prune_attributes: pruneAttributes,
  list_uploads: listUploads,
  get_upload: getUpload,
  undo_upload: undoUpload,
  prune_uploads: pruneUploads,
  erase_customer: eraseCustomer,
  list_suppressions: listSuppressions,
  suppress,
  unsuppress,
}

/**
 * Makes the HTTP API of a store: a function from a web-standard `Request` to a `Response`, for Hono, Next.js, Remix, Bun
 * or Deno as it is, and for Express or Fastify through a web-request adapter. `openapi.json` describes the API.
 *
 * Uploads and exports are streamed and never held whole. When the client goes away, they stop. The function never rejects:
 * every error becomes a response with the body `{ error, code, details }`.
 *
 * @param store - what `createCustomAttributesStore` returns
 * @param options - see {@link HttpHandlerOptions}; `authorize` is required
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function createHttpHandler(
  store: CustomAttributesStore,
  options: HttpHandlerOptions,
): (request: Request) => Promise<Response> {
  const settings = resolveSettings(options)
  return async (request) => {
    let route: HttpRoute | undefined
    const explain = (error: unknown) => explainError(error, settings, request, route)
    try {
      const { pathname, searchParams } = new URL(request.url)
      const token = unsubscribeToken(settings, pathname)
      if (token !== undefined) return await unsubscribe(store, settings, request, token)
      route = findRoute(settings.basePath, request.method, pathname)
      const answer: unknown = await orAborted(authorized(settings, request, route), request.signal)
      if (isResponse(answer)) return answer
      if (answer !== true) {
        throw new CustomAttributesError('FORBIDDEN', 'This request is not allowed. Sign in, or ask for access.')
      }
      const { accountId, action, uploadId = '' } = route
      return await ACTIONS[action]({ store, settings, request, query: searchParams, accountId, uploadId, explain })
    } catch (error) {
      return errorResponse(explain(error))
    }
  }
}

/** What the host says to a request, also where it throws at once. */
async function authorized(settings: HttpSettings, request: Request, route: HttpRoute): Promise<unknown> {
  return settings.authorize(request, { ...route })
}

/** The error as the client gets it. What is not of the library stays on the server. */
function explainError(
  error: unknown,
  { onError }: HttpSettings,
  request: Request,
  route: HttpRoute | undefined,
): CustomAttributesError {
  const isOurs = isCustomAttributesError(error) && !isOfStore(error)
  if (!isOurs || error.status >= 500) {
    try {
      // The host's logging must not cost the client its answer, whether it throws or rejects.
      void Promise.resolve(onError(error, { request, ...(route ? { route } : {}) })).catch(() => {})
    } catch {}
  }
  return isOurs
    ? error
    : new CustomAttributesError('INTERNAL_ERROR', 'Something went wrong on the server. Try again later.')
}

/** What is wrong with an option of the store, such as an id of `newId`, is no fault of a request. */
function isOfStore({ code, details }: CustomAttributesError): boolean {
  return code === 'INVALID_OPTION' && details.function === 'createCustomAttributesStore'
}

/** Not only `instanceof`: servers and tests bring their own class of it. */
function isResponse(answer: unknown): answer is Response {
  return (
    answer instanceof Response ||
    (typeof answer === 'object' && answer !== null && 'status' in answer && 'headers' in answer && 'body' in answer)
  )
}

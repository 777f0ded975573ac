import { CustomAttributesError } from '../errors.js'
import { isFlag, isText, oneOf } from '../options.js'
import type { Exchange } from './exchange.js'
import { isMoment, optional, readFields, readJsonBody, toDate } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'

/** `GET …/uploads` */
export async function listUploads({ store, query, accountId, request }: Exchange): Promise<Response> {
  const [limit, before] = [query.get('limit'), query.get('before')]
  const unknown = [...query.keys()].find((name) => name !== 'limit' && name !== 'before')
  if (unknown !== undefined || (limit !== null && !/^\d{1,4}$/.test(limit))) {
    throw new CustomAttributesError(
      'INVALID_REQUEST',
      'The parameters are limit, a whole number up to 1,000, and before, the id of an upload.',
      { parameter: unknown ?? 'limit' },
    )
  }
  const uploads = await store.listUploads(accountId, {
    ...(limit === null ? {} : { limit: Number(limit) }),
    ...(before === null ? {} : { before }),
    signal: request.signal,
  })
  return jsonResponse({ uploads: toSnakeCase(uploads) })
}

/** `GET …/uploads/{upload_id}` */
export async function getUpload({ store, accountId, uploadId }: Exchange): Promise<Response> {
  return jsonResponse(toSnakeCase(await store.getUpload(accountId, uploadId)))
}

/** `POST …/uploads/{upload_id}/undo` */
export async function undoUpload({ store, settings, request, accountId, uploadId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), { dry_run: optional(isFlag) })
  const dryRun = body.dry_run === true
  return jsonResponse(toSnakeCase(await store.undoUpload(accountId, uploadId, { dryRun, signal: request.signal })))
}

/** `POST …/uploads/prune` */
export async function pruneUploads({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const body = readFields(await readJsonBody(request, settings), { older_than: isMoment })
  const uploadsRemoved = await store.pruneUploads(accountId, { olderThan: toDate(body.older_than as string) })
  return jsonResponse(toSnakeCase({ uploadsRemoved }))
}

/** `POST …/customers/erase` */
export async function eraseCustomer({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { email, ...options } = readFields(await readJsonBody(request, settings), {
    email: isText,
    customer: optional(oneOf('keep', 'remove')),
  })
  return jsonResponse(toSnakeCase(await store.eraseCustomer(accountId, email as string, options)))
}

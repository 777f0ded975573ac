import { CustomAttributesError } from '../errors.js'

/** What a request wants to do, as `authorize` is asked. */
export type HttpAction =
  | 'upload'
  | 'preview'
  | 'export'
  | 'merge_tags'
  | 'check'
  | 'preflight'
  | 'count_customers'
  | 'find_customers'
  | 'render'
  | 'describe_attributes'
  | 'rename_attribute'
  | 'remove_attribute'
  | 'prune_attributes'
  | 'list_uploads'
  | 'get_upload'
  | 'undo_upload'
  | 'prune_uploads'
  | 'erase_customer'

/** Where a request goes. */
export interface HttpRoute {
  /** the account id of the path, decoded */
  accountId: string
  action: HttpAction
  /** the upload of the path, where it names one */
  uploadId?: string
}

/** By the path behind the account; `{upload_id}` stands for one part of it. */
const ROUTES: Readonly<Record<string, { method: 'GET' | 'POST'; action: HttpAction }>> = {
  'merge-tags': { method: 'GET', action: 'merge_tags' },
  'customers/export': { method: 'GET', action: 'export' },
  'customers/upload': { method: 'POST', action: 'upload' },
  'customers/upload/preview': { method: 'POST', action: 'preview' },
  attributes: { method: 'GET', action: 'describe_attributes' },
  'attributes/rename': { method: 'POST', action: 'rename_attribute' },
  'attributes/remove': { method: 'POST', action: 'remove_attribute' },
  'attributes/prune': { method: 'POST', action: 'prune_attributes' },
  uploads: { method: 'GET', action: 'list_uploads' },
  'uploads/{upload_id}': { method: 'GET', action: 'get_upload' },
  'uploads/{upload_id}/undo': { method: 'POST', action: 'undo_upload' },
  'uploads/prune': { method: 'POST', action: 'prune_uploads' },
  'customers/erase': { method: 'POST', action: 'erase_customer' },
  'templates/check': { method: 'POST', action: 'check' },
  'customers/count': { method: 'POST', action: 'count_customers' },
  'customers/find': { method: 'POST', action: 'find_customers' },
  'templates/preflight': { method: 'POST', action: 'preflight' },
  'templates/preview': { method: 'POST', action: 'render' },
}

/**
 * Finds the route of a request.
 *
 * @param basePath - what stands before `/accounts`, without a slash at its end
 * @throws CustomAttributesError `NOT_FOUND`; `METHOD_NOT_ALLOWED` with the right methods in `details.allow`;
 *   `INVALID_ACCOUNT_ID` when the path's account id is not percent-encoded UTF-8
 */
export function findRoute(basePath: string, method: string, pathname: string): HttpRoute {
  const prefix = `${basePath}/accounts/`
  const [encoded, ...rest] = pathname.startsWith(prefix) ? pathname.slice(prefix.length).split('/') : []
  const [path, uploadId] = knownPath(rest)
  if (!encoded || !Object.hasOwn(ROUTES, path)) {
    throw new CustomAttributesError('NOT_FOUND', 'There is nothing at this path.', {
      paths: Object.keys(ROUTES).map((known) => `${prefix}{account_id}/${known}`),
    })
  }
  const route = ROUTES[path]!
  if (route.method !== method) {
    throw new CustomAttributesError('METHOD_NOT_ALLOWED', `This path is for ${route.method} requests.`, {
      allow: [route.method],
    })
  }
  return { accountId: decodeAccountId(encoded), action: route.action, ...(uploadId === undefined ? {} : { uploadId }) }
}

/** A path as the routes have it, with the part that stands for an upload. */
function knownPath(parts: readonly string[]): [path: string, uploadId: string | undefined] {
  const path = parts.join('/')
  if (parts[0] !== 'uploads' || !parts[1] || Object.hasOwn(ROUTES, path)) return [path, undefined]
  return [['uploads', '{upload_id}', ...parts.slice(2)].join('/'), parts[1]]
}

function decodeAccountId(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch (error) {
    throw new CustomAttributesError(
      'INVALID_ACCOUNT_ID',
      'The account id of the path must be percent-encoded UTF-8.',
      {},
      { cause: error },
    )
  }
}

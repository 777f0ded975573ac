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
  | 'list_suppressions'
  | 'suppress'
  | 'unsuppress'

/** Where a request goes. */
export interface HttpRoute {
  /** the account id of the path, decoded */
  accountId: string
  action: HttpAction
  /** the upload of the path, where it names one */
  uploadId?: string
}

/** By the path behind the account; `{upload_id}` stands for one part of it. */
const ROUTES: Readonly<Record<string, Partial<Record<'GET' | 'POST', HttpAction>>>> = {
  'merge-tags': { GET: 'merge_tags' },
  'customers/export': { GET: 'export' },
  'customers/upload': { POST: 'upload' },
  'customers/upload/preview': { POST: 'preview' },
  attributes: { GET: 'describe_attributes' },
  'attributes/rename': { POST: 'rename_attribute' },
  'attributes/remove': { POST: 'remove_attribute' },
  'attributes/prune': { POST: 'prune_attributes' },
  uploads: { GET: 'list_uploads' },
  'uploads/{upload_id}': { GET: 'get_upload' },
  'uploads/{upload_id}/undo': { POST: 'undo_upload' },
  'uploads/prune': { POST: 'prune_uploads' },
  'customers/erase': { POST: 'erase_customer' },
  'customers/count': { POST: 'count_customers' },
  'customers/find': { POST: 'find_customers' },
  suppressions: { GET: 'list_suppressions', POST: 'suppress' },
  'suppressions/remove': { POST: 'unsuppress' },
  'templates/check': { POST: 'check' },
  'templates/preflight': { POST: 'preflight' },
  'templates/preview': { POST: 'render' },
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
  const action = Object.hasOwn(route, method) ? route[method as 'GET' | 'POST'] : undefined
  if (action === undefined) {
    const allow = Object.keys(route)
    throw new CustomAttributesError('METHOD_NOT_ALLOWED', `This path is for ${allow.join(' and ')} requests.`, {
      allow,
    })
  }
  return { accountId: decodeAccountId(encoded), action, ...(uploadId === undefined ? {} : { uploadId }) }
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

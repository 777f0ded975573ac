import { CustomAttributesError } from '../errors.js'
import { isText, isTextList } from '../options.js'
import type { CustomAttributesStore } from '../store-methods.js'
import { createUnsubscribeTokens } from '../suppression/tokens.js'
import type { Exchange } from './exchange.js'
import { optional, readFields, readJsonBody } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'
import type { HttpSettings } from './settings.js'

/** `GET …/suppressions` */
export async function listSuppressions({ store, query, accountId, request }: Exchange): Promise<Response> {
  const [limit, after] = [query.get('limit'), query.get('after')]
  const unknown = [...query.keys()].find((name) => name !== 'limit' && name !== 'after')
  if (unknown !== undefined || (limit !== null && !/^\d{1,5}$/.test(limit))) {
    throw new CustomAttributesError(
      'INVALID_REQUEST',
      'The parameters are limit, a whole number up to 10,000, and after, the address of an entry.',
      { parameter: unknown ?? 'limit' },
    )
  }
  const suppressions = await store.listSuppressions(accountId, {
    ...(limit === null ? {} : { limit: Number(limit) }),
    ...(after === null ? {} : { after }),
    signal: request.signal,
  })
  return jsonResponse({ suppressions: toSnakeCase(suppressions) })
}

/** `POST …/suppressions` */
export async function suppress({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { emails, reason } = readFields(await readJsonBody(request, settings), {
    emails: isTextList,
    reason: optional(isText),
  })
  const options = { ...(reason === undefined ? {} : { reason: reason as string }), signal: request.signal }
  return jsonResponse(toSnakeCase(await store.suppress(accountId, emails as string[], options)))
}

/** `POST …/suppressions/remove` */
export async function unsuppress({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { emails } = readFields(await readJsonBody(request, settings), { emails: isTextList })
  return jsonResponse({ removed: await store.unsuppress(accountId, emails as string[]) })
}

/**
 * Answers `…/unsubscribe/{token}`: a POST unsubscribes, a GET shows a button that posts, because programs that look into mails follow
 * links, too.
 *
 * @throws CustomAttributesError `NOT_FOUND` for a token that was not signed, `METHOD_NOT_ALLOWED`
 */
export async function unsubscribe(
  store: CustomAttributesStore,
  { unsubscribe: option }: HttpSettings,
  { method }: Request,
  token: string,
): Promise<Response> {
  const recipient = option && createUnsubscribeTokens(option).verify(token)
  if (!recipient) throw new CustomAttributesError('NOT_FOUND', 'There is nothing at this path.')
  if (method === 'GET') {
    return page('Do you want no more e-mail?', '<form method="post"><button>Unsubscribe</button></form>')
  }
  if (method !== 'POST') {
    throw new CustomAttributesError('METHOD_NOT_ALLOWED', 'This path is for GET and POST requests.', {
      allow: ['GET', 'POST'],
    })
  }
  const { suppressed, unchanged } = await store.suppress(recipient.accountId, [recipient.email], {
    reason: 'unsubscribe',
  })
  if (suppressed + unchanged === 0) throw new CustomAttributesError('NOT_FOUND', 'There is nothing at this path.')
  return page('You have unsubscribed.')
}

/** The token of an unsubscribing path; undefined of any other. */
export function unsubscribeToken({ basePath, unsubscribe }: HttpSettings, pathname: string): string | undefined {
  const prefix = `${basePath}/unsubscribe/`
  return unsubscribe && pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined
}

function page(title: string, content = ''): Response {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<h1>${title}</h1>
${content}
</html>
`
  return new Response(html, {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    },
  })
}

import { CustomAttributesError } from '../errors.js'
import { checkContentEncoding, mediaType, openBody } from './body.js'

/** Bytes of a JSON body: a message of three templates of the largest size fits, escaped. */
const MAX_JSON_BYTES = 2 * 1024 * 1024

/**
 * Reads a request's JSON body, which must be an object.
 *
 * @throws CustomAttributesError `UNSUPPORTED_MEDIA_TYPE`, `REQUEST_TOO_LARGE`, `INVALID_REQUEST`, and what reading the
 *   body throws
 */
export async function readJsonBody(
  request: Request,
  limits: { idleTimeout: number },
): Promise<Record<string, unknown>> {
  checkContentEncoding(request)
  const type = mediaType(request.headers.get('content-type'))
  if (type !== 'application/json') {
    throw new CustomAttributesError('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON. Send it as application/json.', {
      header: 'Content-Type',
      expected: 'application/json',
    })
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of openBody(request, { ...limits, maxBytes: MAX_JSON_BYTES }).chunks) chunks.push(chunk)
  let body: unknown
  try {
    body = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    throw new CustomAttributesError('INVALID_REQUEST', 'The body is not valid JSON in UTF-8.')
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw new CustomAttributesError('INVALID_REQUEST', 'The body must be a JSON object.')
}

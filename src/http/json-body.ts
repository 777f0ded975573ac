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
  { idleTimeout }: { idleTimeout: number },
): Promise<Record<string, unknown>> {
  const body = openBody(request, { maxBytes: MAX_JSON_BYTES, idleTimeout })
  const chunks: Uint8Array[] = []
  try {
    checkContentEncoding(request)
    checkJsonType(request)
    for await (const chunk of body.chunks) chunks.push(chunk)
  } finally {
    void body.close()
  }
  const value = parseJson(Buffer.concat(chunks))
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new CustomAttributesError('INVALID_REQUEST', 'The body must be a JSON object.')
}

function checkJsonType(request: Request): void {
  if (mediaType(request.headers.get('content-type')) === 'application/json') return
  throw new CustomAttributesError('UNSUPPORTED_MEDIA_TYPE', 'The body must be JSON. Send it as application/json.', {
    header: 'Content-Type',
    expected: 'application/json',
  })
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new CustomAttributesError('INVALID_REQUEST', 'The body is not valid JSON in UTF-8.')
  }
}

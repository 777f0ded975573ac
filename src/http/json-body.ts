import { CustomAttributesError } from '../errors.js'
import type { OptionRule } from '../options.js'
import { readMoment } from '../template/moments.js'
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

/** A rule for a field that may be left out. */
export const optional =
  (rule: OptionRule): OptionRule =>
  (value) =>
    value === undefined ? undefined : rule(value)

/** Checks the fields of a JSON body, each by its rule; others are refused. */
export function readFields(
  body: Record<string, unknown>,
  rules: Readonly<Record<string, OptionRule>>,
): Record<string, unknown> {
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(rules, name))
  if (unknown !== undefined) {
    throw invalidField(unknown, `The body has a field that is not known. Known ones: ${Object.keys(rules).join(', ')}.`)
  }
  for (const [name, rule] of Object.entries(rules)) {
    const expected = rule(body[name])
    if (expected !== undefined) throw invalidField(name, `${name} must be ${expected}.`)
  }
  return body
}

/** Rule for a date or moment in ISO 8601. */
export const isMoment: OptionRule = (value) =>
  typeof value === 'string' && /^[1-9]/.test(value) && readMoment(value) !== undefined
    ? undefined
    : 'a date or moment in ISO 8601'

/** The moment that {@link isMoment} let through; without a zone it is UTC. */
export function toDate(text: string): Date {
  return new Date(readMoment(text)!.time)
}

/** @returns the error that a field of the body is not what it must be */
export function invalidField(field: string, message: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_REQUEST', message, { field })
}

import type { CustomAttributesError } from '../errors.js'

/** Keys under which an object has names of fields and attributes, or a host's ids, for its own keys: data, which stays as it is. */
const DATA_KEYS: ReadonlySet<string> = new Set(['standard', 'custom_attributes', 'templates'])

/** Copies a result for a response: its keys in snake case, at every depth. */
export function toSnakeCase(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSnakeCase)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      return [name, DATA_KEYS.has(name) ? entry : toSnakeCase(entry)]
    }),
  )
}

/** The body of every error. */
export function errorBody({ message, code, details }: CustomAttributesError): object {
  return { error: message, code, details: toSnakeCase(details) }
}

/** A response with a JSON body, which may hold customers' data: no cache keeps it, no browser guesses its type. */
export function jsonResponse(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    },
  })
}

/** The response to a request that failed. */
export function errorResponse(error: CustomAttributesError): Response {
  const { allow } = error.details
  return jsonResponse(errorBody(error), error.status, Array.isArray(allow) ? { allow: allow.join(', ') } : {})
}

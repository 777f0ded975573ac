import { FIND_OPTIONS } from '../db/find.js'
import type { Exchange } from './exchange.js'
import { optional, readFields, readJsonBody } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'

/** The store says what is wrong with an audience, and where. */
export const isAnyAudience = (): undefined => undefined

/** `POST …/customers/count` */
export async function countCustomers({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { audience } = readFields(await readJsonBody(request, settings), { audience: isAnyAudience })
  const counts = await store.countCustomers(accountId, { audience: audience as never, signal: request.signal })
  return jsonResponse(toSnakeCase(counts))
}

/** `POST …/customers/find` */
export async function findCustomers({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { search, sort, descending, limit, cursor } = FIND_OPTIONS
  const body = readFields(await readJsonBody(request, settings), {
    audience: isAnyAudience,
    search: optional(search),
    sort: optional(sort),
    descending: optional(descending),
    limit: optional(limit),
    cursor: optional(cursor),
  })
  // A customer's keys are names of fields, which stay as they are.
  return jsonResponse(
    await store.findCustomers(accountId, { ...(body as never as object), signal: request.signal } as never),
  )
}

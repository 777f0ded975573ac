import { FIND_OPTIONS } from '../db/find.js'
import { OPTED_OUT } from '../db/opt-outs.js'
import type { Exchange } from './exchange.js'
import { optional, readFields, readJsonBody } from './json-body.js'
import { jsonResponse, toSnakeCase } from './responses.js'

/** The store says what is wrong with an audience, and where. */
export const isAnyAudience = (): undefined => undefined

/** The fields of a request that say whom it means. */
export const AUDIENCE_FIELDS = { audience: isAnyAudience, opted_out: optional(OPTED_OUT) }

/** `POST …/customers/count` */
export async function countCustomers({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { opted_out: optedOut, audience } = readFields(await readJsonBody(request, settings), AUDIENCE_FIELDS)
  const options = { audience, optedOut, signal: request.signal }
  const counts = await store.countCustomers(accountId, options as never)
  return jsonResponse(toSnakeCase(counts))
}

/** `POST …/customers/find` */
export async function findCustomers({ store, settings, request, accountId }: Exchange): Promise<Response> {
  const { search, sort, descending, limit, cursor } = FIND_OPTIONS
  const { opted_out: optedOut, ...body } = readFields(await readJsonBody(request, settings), {
    ...AUDIENCE_FIELDS,
    search: optional(search),
    sort: optional(sort),
    descending: optional(descending),
    limit: optional(limit),
    cursor: optional(cursor),
  })
  // A customer's keys are names of fields, which stay as they are.
  return jsonResponse(await store.findCustomers(accountId, { ...body, optedOut, signal: request.signal } as never))
}

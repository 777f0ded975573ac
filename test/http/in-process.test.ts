import { describe, expect, it } from 'vitest'
import { createHttpHandler, type HttpHandlerOptions } from '../../src/http.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { useDatabase } from '../support/database.js'
import { thrownBy } from '../support/errors.js'
import { describeApi } from './api-suite.js'
import { startInProcess } from './servers.js'

describeApi('in process', startInProcess)

describe('createHttpHandler', () => {
  const database = useDatabase()
  const account = '00000000-0000-4000-8000-000000000001'
  const handlerOf = (options: Partial<HttpHandlerOptions> = {}) =>
    createHttpHandler(createCustomAttributesStore(database.client), { authorize: () => true, ...options })
  const get = (handler: (request: Request) => Promise<Response>, path: string) =>
    handler(new Request(`http://in.process${path}`))

  it.each([
    [{ authorize: undefined }, /authorize must be a function/],
    [{ authorize: true }, /authorize must be a function/],
    [{ basePath: 'api' }, /basePath must be a path that starts with \//],
    [{ idleTimeout: -1 }, /idleTimeout must be a whole number/],
    [{ allowAtomic: 'yes' }, /allowAtomic must be true or false/],
    [{ upload: { maxBytes: '1' } }, /maxBytes must be a whole number/],
    [{ upload: { signal: new AbortController().signal } }, /upload\.signal is made for each request/],
    [{ upload: { onRejected: () => {} } }, /upload\.onRejected is made for each request/],
    [{ cors: true }, /has no option "cors"/],
  ])('refuses options that are wrong: %j', (options, message) => {
    const error = thrownBy(() => handlerOf(options as Partial<HttpHandlerOptions>))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toMatch(message)
  })

  it('tells a host of every rejected row by a store that is asked to, while an answer lists 100', async () => {
    const store = createCustomAttributesStore(database.client)
    const kept: number[] = []
    const keeping: CustomAttributesStore = {
      ...store,
      uploadCsv: (accountId, csv, options) =>
        store.uploadCsv(accountId, csv, { ...options, onRejected: ({ row }) => void kept.push(row) }),
    }
    const body = `email\n${'not an address\n'.repeat(150)}`
    const headers = { 'content-type': 'text/csv' }
    const target = `http://in.process/api/accounts/${account}/customers/upload`
    const handler = createHttpHandler(keeping, { authorize: () => true })
    const response = await handler(new Request(target, { method: 'POST', body, headers }))
    expect(await response.json()).toMatchObject({ rows_rejected: 150, rejected: { length: 100 } })
    expect(kept).toHaveLength(150)
  })

  it('refuses to be made without options', () => {
    const make = createHttpHandler as (store: unknown) => unknown
    expect(thrownBy(() => make(createCustomAttributesStore(database.client))).code).toBe('INVALID_OPTION')
  })

  it.each([
    ['/', '/accounts'],
    ['/v1/customers/', '/v1/customers/accounts'],
    ['/api', '/api/accounts'],
  ])('serves below basePath %s only', async (basePath, prefix) => {
    const handler = handlerOf({ basePath })
    expect((await get(handler, `${prefix}/${account}/merge-tags`)).status).toBe(200)
    expect((await get(handler, `/other${prefix}/${account}/merge-tags`)).status).toBe(404)
  })

  it('says of a broken account id in the path what is wrong with it', async () => {
    const response = await get(handlerOf(), '/api/accounts/%ff/merge-tags')
    expect([response.status, (await response.json()).code]).toEqual([400, 'INVALID_ACCOUNT_ID'])
  })

  it('stops an upload when the request is aborted, whatever becomes of its body', async () => {
    const leaving = new AbortController()
    let pulls = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++pulls === 1) controller.enqueue(Buffer.from('email\nada@example.com\n'))
        // A client that never sends the rest, on a server that does not end its stream either.
        else return new Promise<void>(() => {})
      },
    })
    const request = new Request(`http://in.process/api/accounts/${account}/customers/upload`, {
      method: 'POST',
      body,
      duplex: 'half',
      signal: leaving.signal,
      headers: { 'content-type': 'text/csv' },
    } as RequestInit)
    const answer = handlerOf()(request)
    setTimeout(() => leaving.abort(), 50)
    const response = await answer
    expect([response.status, (await response.json()).code]).toEqual([499, 'ABORTED'])
  })
})

import { beforeAll, describe, expect, it } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { createHttpHandler, type HttpHandlerOptions } from '../../src/http.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { createUnsubscribeTokens } from '../../src/suppression/tokens.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { thrownBy } from '../support/errors.js'

const db = useDatabase({ distributed: false })
const unsubscribe = { secret: 'a secret of a test, long enough' }
const tokens = createUnsubscribeTokens(unsubscribe)
const open = () => createCustomAttributesStore(db.client, { suppressions: true })
const serve = (options: Partial<HttpHandlerOptions> = {}) => {
  const handler = createHttpHandler(open(), { authorize: () => true, ...options })
  return (method: string, path: string, body?: unknown) =>
    handler(
      new Request(`http://in.process/api/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      }),
    )
}

beforeAll(async () => {
  await db.sql.unsafe(readMigrations({ suppressions: true }).at(-1)!.up).simple()
})

it('suppresses, lists and takes out', async () => {
  const ask = serve()
  const path = `accounts/${newAccount()}/suppressions`
  const answer = await ask('POST', path, { emails: ['Ada@example.com', 'bo@example.com', 'nobody'], reason: 'bounce' })
  expect([answer.status, await answer.json()]).toEqual([
    200,
    {
      suppressed: 2,
      unchanged: 0,
      rejected: 1,
      rejected_rows: [{ row: 3, code: 'INVALID_EMAIL', message: expect.any(String) }],
    },
  ])
  const list = async (query = '') => (await (await ask('GET', `${path}${query}`)).json()).suppressions
  expect(await list()).toEqual([
    { address: 'ada@example.com', reason: 'bounce', created_at: expect.any(String) },
    { address: 'bo@example.com', reason: 'bounce', created_at: expect.any(String) },
  ])
  expect(await list('?limit=1')).toHaveLength(1)
  expect(await list('?after=ada@example.com')).toMatchObject([{ address: 'bo@example.com' }])
  expect(await (await ask('POST', `${path}/remove`, { emails: ['ADA@example.com'] })).json()).toEqual({ removed: 1 })
  expect(await list()).toHaveLength(1)
})

it.each([
  ['GET', 'suppressions?limit=x', undefined, 400],
  ['GET', 'suppressions?from=1', undefined, 400],
  ['POST', 'suppressions', { emails: 'a@x.com' }, 400],
  ['POST', 'suppressions/remove', {}, 400],
  ['DELETE', 'suppressions', undefined, 405],
])('refuses %s %s', async (method, path, body, status) => {
  const response = await serve()(method, `accounts/${newAccount()}/${path}`, body)
  expect(response.status).toBe(status)
  if (status === 405) expect(response.headers.get('allow')).toBe('GET, POST')
})

describe('unsubscribing by one click', () => {
  const refusing = { authorize: () => false, unsubscribe }

  it('suppresses on POST, again and again, and nobody is asked', async () => {
    const ask = serve(refusing)
    const account = newAccount()
    const path = `unsubscribe/${tokens.sign(account, 'Ada@example.com')}`
    for (let round = 0; round < 2; round++) {
      expect((await ask('POST', path)).status).toBe(200)
      expect(await open().listSuppressions(account)).toMatchObject([
        { address: 'ada@example.com', reason: 'unsubscribe' },
      ])
    }
  })

  it('shows a button on GET, which suppresses nothing', async () => {
    const account = newAccount()
    const response = await serve(refusing)('GET', `unsubscribe/${tokens.sign(account, 'ada@example.com')}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await response.text()).toContain('<form method="post"><button>')
    expect(await open().listSuppressions(account)).toEqual([])
  })

  it('gives nothing away: a wrong token is 404, another method 405, without the option there is no path', async () => {
    const account = newAccount()
    const right = tokens.sign(account, 'ada@example.com')
    const [payload, signature] = right.split('.')
    const other = createUnsubscribeTokens({ secret: 'another secret, long enough' }).sign(account, 'ada@example.com')
    const forged = Buffer.from(JSON.stringify([account, 'bo@example.com'])).toString('base64url')
    for (const wrong of ['', 'x', payload!, `${forged}.${signature}`, other, `${right}.x`, `${right}x`, `${right}/x`]) {
      for (const method of ['GET', 'POST']) {
        const response = await serve(refusing)(method, `unsubscribe/${wrong}`)
        expect([response.status, (await response.json()).code]).toEqual([404, 'NOT_FOUND'])
      }
    }
    expect((await serve(refusing)('PUT', `unsubscribe/${right}`)).status).toBe(405)
    expect((await serve()('POST', `unsubscribe/${right}`)).status).toBe(404)
    expect(await open().listSuppressions(account)).toEqual([])
  })

  it('verifies what was signed', () => {
    expect(tokens.verify(tokens.sign(7n, 'jürgen@x.com'))).toEqual({ accountId: '7', email: 'jürgen@x.com' })
    expect(tokens.sign('1', 'a@x.com')).toMatch(/^[\w-]+\.[\w-]+$/)
    expect(tokens.verify('')).toBeNull()
  })

  it('refuses a secret that is none', () => {
    for (const secret of [undefined, 'short', 5]) {
      expect(thrownBy(() => createUnsubscribeTokens({ secret: secret as string })).code).toBe('INVALID_OPTION')
      expect(thrownBy(() => serve({ unsubscribe: { secret: secret as string } })).code).toBe('INVALID_OPTION')
    }
  })
})

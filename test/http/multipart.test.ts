import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createHttpHandler } from '../../src/http.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { chunks } from '../support/csv.js'
import { useDatabase } from '../support/database.js'
import { checkLaw, samples } from '../support/law.js'
import { expectDescribed } from './openapi.js'
import type { Handler } from './servers.js'

const BOUNDARY = '----a-boundary'
const FORM = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="columns"',
  '',
  '{"Tier":{"attribute":"tier"}}',
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="file"; filename="customers.csv"',
  'Content-Type: text/csv',
  '',
  'email,Tier',
  // What looks like a boundary but is none.
  `--${BOUNDARY.slice(0, -1)}@example.com,"gold`,
  `--${BOUNDARY.slice(0, 6)}"`,
  'bob@example.com,-',
  '',
  `--${BOUNDARY}--`,
  '',
].join('\r\n')

describe('multipart forms', () => {
  const database = useDatabase()
  let handler: Handler
  const errors: unknown[] = []

  beforeAll(() => {
    handler = createHttpHandler(createCustomAttributesStore(database.client), {
      authorize: () => true,
      onError: (error) => errors.push(error),
    })
  })

  async function send(body: AsyncIterable<Uint8Array>, { boundary = BOUNDARY, account = randomUUID() } = {}) {
    const path = `/api/accounts/${account}/customers/upload`
    const init = {
      method: 'POST',
      body: Readable.toWeb(Readable.from(body)),
      duplex: 'half',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    }
    const response = await handler(new Request(`http://in.process${path}`, init as unknown as RequestInit))
    await expectDescribed('POST', path, response)
    return { status: response.status, body: await response.json() }
  }

  it('are read the same wherever the network cuts them', async () => {
    const bytes = Buffer.from(FORM)
    const whole = await send(chunks(bytes, []))
    expect(whole).toMatchObject({ status: 200, body: { customers_created: 2, custom_attributes_found: ['tier'] } })
    for (let at = 1; at < bytes.length; at += samples(1, 7)) expect(await send(chunks(bytes, [at]))).toEqual(whole)
    const single = Array.from(bytes, (_, at) => at)
    expect(await send(chunks(bytes, single))).toEqual(whole)
  })

  it('cut off anywhere are refused, and nothing is stored', async () => {
    const bytes = Buffer.from(FORM)
    const account = randomUUID()
    // The line end after the last boundary may be missing.
    for (let length = 1; length < bytes.length - 2; length += samples(1, 7)) {
      const { status, body } = await send(chunks(bytes.subarray(0, length), []), { account })
      expect([length, status, body.code]).toEqual([length, 400, 'INVALID_REQUEST'])
    }
    const stored = await database.sql`select from customer.customer where account_id = ${account}`
    expect(stored.count).toBe(0)
  })

  it('that are garbage are the client’s fault, and nothing hangs or breaks', async () => {
    const mutated = fc
      .tuple(
        fc.array(fc.record({ at: fc.nat(FORM.length), cut: fc.nat(30), put: fc.string({ maxLength: 30 }) }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.nat(FORM.length), { maxLength: 10 }),
      )
      .map(([edits, cuts]) => {
        const text = edits.reduce((form, { at, cut, put }) => form.slice(0, at) + put + form.slice(at + cut), FORM)
        return { text, cuts }
      })
    const isAnswered = fc.asyncProperty(mutated, async ({ text, cuts }) => {
      const { status } = await send(chunks(Buffer.from(text), cuts))
      expect([200, 400, 413]).toContain(status)
      expect(errors).toEqual([])
    })
    await checkLaw('garbled forms', isAnswered, 500)
  })

  it('have any boundary that the standard allows', async () => {
    for (const boundary of ['x', "a'()+_,-./:=?b", 'b'.repeat(70)]) {
      const form = Buffer.from(FORM.replaceAll(BOUNDARY, boundary))
      expect((await send(chunks(form, []), { boundary: `"${boundary}"` })).status).toBe(200)
    }
  })
})

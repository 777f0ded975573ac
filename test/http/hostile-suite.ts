import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLaw } from '../support/law.js'
import { formOf, useApi } from './api.js'
import { expectSchema } from './openapi.js'
import type { StartServer } from './servers.js'

const BOUNDARY = 'a-boundary'
const FORM = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
const CSV = 'email,tier\nada@example.com,gold\n'

interface Reply {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: read freely
  body: any
}

/** A part of a form as its bytes go over the wire. */
function part(disposition: string, content: string, type?: string): string {
  const header = `Content-Disposition: form-data; ${disposition}\r\n${type ? `Content-Type: ${type}\r\n` : ''}`
  return `--${BOUNDARY}\r\n${header}\r\n${content}\r\n`
}

const filePart = (name = 'customers.csv', content = CSV) => part(`name="file"; filename="${name}"`, content, 'text/csv')
const END = `--${BOUNDARY}--\r\n`

/** What the API does with requests that no browser sends, on a server that listens. */
export function describeHostileRequests(
  name: string,
  start: StartServer,
  { disconnects }: { disconnects: number },
): void {
  describe(`hostile requests: ${name}`, () => {
    const api = useApi(start)

    function open(account: string, headers: OutgoingHttpHeaders, query = ''): ClientRequest {
      const request = httpRequest({
        port: api.server.port!,
        host: '127.0.0.1',
        path: `/api/accounts/${account}/customers/upload${query}`,
        method: 'POST',
        headers,
        agent: false,
      })
      // A server that has said no may close while the rest is still being sent.
      request.on('error', () => {})
      return request
    }

    async function reply(request: ClientRequest): Promise<Reply> {
      const response = await new Promise<NodeJS.ReadableStream & { statusCode?: number }>((resolve, reject) => {
        request.once('response', resolve).once('error', reject)
      })
      let text = ''
      for await (const chunk of response) text += chunk
      const body = JSON.parse(text)
      expectSchema(response.statusCode === 200 ? 'UploadResult' : 'Error', body)
      return { status: response.statusCode!, body }
    }

    /** Sends a body as it is, in one piece, and expects the server to answer the next request, too. */
    async function send(account: string, body: string, headers: OutgoingHttpHeaders = FORM): Promise<Reply> {
      const request = open(account, headers)
      const answer = reply(request)
      request.end(body)
      const { status, body: answered } = await answer
      expect((await api.upload(api.newAccount(), formOf(CSV))).status).toBe(200)
      return { status, body: answered }
    }

    it.each([
      ['no boundary', filePart() + END, { 'content-type': 'multipart/form-data' }, 400, 'INVALID_REQUEST'],
      ['an empty boundary', filePart() + END, { 'content-type': 'multipart/form-data; boundary=' }, 400, undefined],
      [
        'another boundary',
        filePart() + END,
        { 'content-type': 'multipart/form-data; boundary=x' },
        400,
        'INVALID_REQUEST',
      ],
      ['two files', filePart() + filePart() + END, FORM, 400, 'INVALID_REQUEST'],
      [
        'a second file of another field',
        filePart() + part('name="b"; filename="b.csv"', CSV) + END,
        FORM,
        400,
        'INVALID_REQUEST',
      ],
      ['columns after the file', filePart() + part('name="columns"', '{}') + END, FORM, 400, 'INVALID_REQUEST'],
      ['attributes after the file', filePart() + part('name="attributes"', 'all') + END, FORM, 400, 'INVALID_REQUEST'],
      ['a part without end', filePart(), FORM, 400, 'INVALID_REQUEST'],
      [
        'a header without end',
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"`,
        FORM,
        400,
        'INVALID_REQUEST',
      ],
      ['no part at all', END, FORM, 400, 'NO_FILE'],
      ['an empty body', '', FORM, 400, 'NO_FILE'],
      [
        'ten thousand parts before the file',
        part('name="x"', 'y').repeat(10_000) + filePart() + END,
        FORM,
        413,
        'REQUEST_TOO_LARGE',
      ],
      [
        'ten thousand parts after the file',
        filePart() + part('name="x"', 'y').repeat(10_000) + END,
        FORM,
        413,
        'REQUEST_TOO_LARGE',
      ],
      [
        'a field of a megabyte',
        part('name="columns"', 'x'.repeat(1_000_000)) + filePart() + END,
        FORM,
        413,
        'REQUEST_TOO_LARGE',
      ],
      ['CRLF in the file name', filePart('a\r\nX-Injected: 1\r\n.csv') + END, FORM, 400, undefined],
      ['a line end in the file name', filePart('a\n.csv') + END, FORM, 400, 'NO_FILE'],
      ['a forged type', part('name="file"; filename="page.html"', '<html>', 'text/csv') + END, FORM, 400, 'NOT_CSV'],
      ['a forged name and type', filePart('page.csv', '<!doctype html><p>') + END, FORM, 400, 'UNSUPPORTED_FILE'],
      ['a compressed body', filePart() + END, { ...FORM, 'content-encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
      [
        'a compressed CSV',
        '\x1f\x8b\x08',
        { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
        415,
        'UNSUPPORTED_MEDIA_TYPE',
      ],
      ['an empty CSV', '', { 'content-type': 'text/csv' }, 400, undefined],
    ] as [string, string, OutgoingHttpHeaders, number, string | undefined][])(
      '%s',
      async (_, body, headers, status, code) => {
        const account = api.newAccount()
        const answer = await send(account, body, headers)
        expect(answer.status).toBe(status)
        if (code) expect(answer.body.code).toBe(code)
        expect(JSON.stringify(answer.body)).not.toContain('Injected')
        expect((await api.stored(account)).customers).toBe(0)
      },
    )

    it.each([
      ['another field after the file', filePart() + part('name="submit"', 'Go') + END],
      ['a path in the file name', filePart('../../etc/passwd.csv') + END],
      ['text before the first and after the last boundary', `hello\r\n${filePart()}${END}and goodbye`],
    ])('%s is harmless', async (_, body) => {
      const account = api.newAccount()
      expect((await send(account, body)).status).toBe(200)
      expect((await api.stored(account)).customers).toBe(1)
    })

    it('a declared length over maxBytes is refused before a byte of it came', async () => {
      for (const headers of [FORM, { 'content-type': 'text/csv' }]) {
        const request = open(api.newAccount(), { ...headers, 'content-length': 10_000_000_000 })
        const answer = reply(request)
        request.flushHeaders()
        const { status, body } = await answer
        expect([status, body.code]).toEqual([413, 'FILE_TOO_LARGE'])
        request.destroy()
      }
    })

    it.each([
      ['refused by its name', 'file.txt', 'upload', 400],
      ['refused by its header', 'customers.csv', 'upload', 400],
      ['refused by its query', 'customers.csv', 'upload?dryrun=true', 400],
      ['for a route that is not there', 'customers.csv', 'uploads', 404],
      ['that may not be uploaded', 'customers.csv', 'upload', 403],
      ['answered by the host', 'customers.csv', 'upload', 401],
      ['whose head is enough', 'customers.csv', 'upload/preview', 200],
    ])('a connection is of use after a file %s', async (_, fileName, path, status) => {
      const answers: (boolean | Response)[] = status === 403 ? [false] : []
      if (status === 401) answers.push(new Response('Sign in.', { status }))
      api.use({ authorize: () => answers.shift() ?? true })
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const sockets = new Set<Socket>()
      const post = async (to: string, body: string) => {
        const request = httpRequest({
          ...{ agent, method: 'POST', host: '127.0.0.1', port: api.server.port! },
          path: `/api/accounts/${api.newAccount()}/customers/${to}`,
          headers: { ...FORM, 'content-length': body.length },
        })
        request.once('socket', (socket) => sockets.add(socket))
        const answered = new Promise<IncomingMessage>((resolve, reject) => {
          request.once('response', resolve).once('error', reject)
        })
        request.end(body)
        const response = await answered
        await response.resume().toArray()
        return response.statusCode
      }
      // Few rows, for it is bytes that count.
      const large = `name\n${`${'Ada '.repeat(100)}\n`.repeat(6_000)}`
      expect(await post(path, filePart(fileName, large) + END)).toBe(status)
      // Longer than a server waits before it cuts a connection that is not free.
      await sleep(700)
      expect(await post('upload', filePart() + END)).toBe(200)
      expect(sockets.size).toBe(1)
      agent.destroy()
    })

    it('a client that stops sending is told so, after the configured time', async () => {
      for (const [headers, body] of [
        [FORM, filePart().slice(0, 40)],
        [FORM, filePart()],
        [{ 'content-type': 'text/csv' }, CSV],
      ] as const) {
        api.use({ idleTimeout: 200 })
        const account = api.newAccount()
        const started = performance.now()
        const request = open(account, { ...headers, 'content-length': 100_000 })
        const answer = reply(request)
        request.write(body)
        const { status, body: answered } = await answer
        expect([status, answered.code, answered.details.idle_timeout]).toEqual([408, 'REQUEST_TIMEOUT', 200])
        expect(performance.now() - started).toBeGreaterThan(150)
        request.destroy()
        expect((await api.stored(account)).customers).toBe(0)
        api.use({})
        expect((await api.upload(api.newAccount(), formOf(CSV))).status).toBe(200)
      }
    })

    it.each(['atomic', 'dry_run'])(
      'a client that drips does not keep the connection of an upload with %s',
      async (mode) => {
        api.use({ heldTimeout: 400, allowAtomic: true, allowDryRun: true })
        const account = api.newAccount()
        // More than is read before anything is written, so that the transaction is open while the rest drips.
        const request = open(account, { 'content-type': 'text/csv', 'content-length': 10_000_000 }, `?${mode}=true`)
        const answer = reply(request)
        request.write(CSV + `${' '.repeat(999)}\n`.repeat(300))
        const drip = setInterval(() => request.write('\n'), 20)
        const { status, body: answered } = await answer
        clearInterval(drip)
        expect([status, answered.code, answered.details.timeout]).toEqual([408, 'REQUEST_TIMEOUT', 400])
        request.destroy()
        expect((await api.stored(account)).customers).toBe(0)
      },
    )

    it('is not told all of itself in an error', async () => {
      const columns = JSON.stringify(Array.from({ length: 60_000 }, () => null))
      for (const path of ['upload', 'upload/preview']) {
        const body = formOf(CSV, 'customers.csv', { columns })
        const to = `/api/accounts/${api.newAccount()}/customers/${path}`
        const response = await api.server.fetch(to, { method: 'POST', body })
        expect((await response.text()).length).toBeLessThan(60_000)
      }
    })

    it.each([0, 20_000])('a client that sends slowly is waited for (idleTimeout %i)', async (idleTimeout) => {
      api.use({ idleTimeout })
      const account = api.newAccount()
      const body = filePart() + END
      const request = open(account, { ...FORM, 'content-length': body.length })
      const answer = reply(request)
      for (const byte of body) {
        request.write(byte)
        await sleep(2)
      }
      request.end()
      expect((await answer).status).toBe(200)
      expect((await api.stored(account)).customers).toBe(1)
    })

    it.each([
      ['atomic', true],
      ['by batches', false],
    ])('a disconnect at any byte leaves nothing half done (%s)', async (mode, atomic) => {
      const rows = 6_000
      const note = 'so long that most of the file comes after the head that is read before anything is written '
      const csv = `email,n\n${Array.from({ length: rows }, (_, n) => `c${n}@example.com,${note}${n}\n`).join('')}`
      const body = filePart('customers.csv', csv) + END
      const interrupted = fc.asyncProperty(fc.integer({ min: 0, max: body.length - 1 }), async (at) => {
        api.server.forgetLost()
        const account = api.newAccount()
        const request = open(account, { ...FORM, 'content-length': body.length }, `?atomic=${atomic}`)
        const socket = await new Promise<Socket>((resolve) => request.once('socket', resolve))
        await new Promise<void>((resolve) => {
          request.write(body.slice(0, at), () => resolve())
          request.flushHeaders()
        })
        const { localPort } = socket
        // Some of the times the server is in the middle of the database's work.
        if (at % 3 > 0) await sleep(at % 40)
        request.destroy()
        const soon = { timeout: 60_000, interval: 2 }
        await expect.poll(() => api.server.hasLost(localPort!), soon).toBe(true)
        await expect.poll(() => api.running(), soon).toBe(0)
        await expect.poll(() => api.openTransactions(), soon).toBe(0)
        const { customers, definitions } = await api.stored(account)
        if (atomic) expect(customers).toBe(0)
        expect(definitions).toEqual(customers > 0 ? ['n'] : [])
        if (at % 10 > 0) return
        const { status, body: again } = await api.upload(account, formOf(csv))
        expect([status, again.customers_created, again.customers_unchanged]).toEqual([200, rows - customers, customers])
      })
      await checkLaw(`disconnects (${mode})`, interrupted, disconnects, 5)
      expect((await api.upload(api.newAccount(), formOf(CSV))).status).toBe(200)
    })
  })
}

import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { HttpHandlerOptions } from '../../src/http.js'
import { createHttpHandler } from '../../src/http.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { type TestDatabase, useDatabase } from '../support/database.js'
import { expectDescribed, expectSchema } from './openapi.js'
import type { Handler, StartServer, TestServer } from './servers.js'

/** A response whose status, headers and body were checked against the description. */
export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: checked against its schema, then read freely
  body: any
}

/** A server-sent event. */
export interface ServerEvent {
  event: string
  // biome-ignore lint/suspicious/noExplicitAny: checked against its schema, then read freely
  data: any
}

/** The API of one test file, on a server and a database of its own. */
export interface TestApi {
  database: TestDatabase
  store: CustomAttributesStore
  server: TestServer
  /** an account that no other test has */
  newAccount(): string
  /** Serves another handler from now until the end of the test. */
  use(options: Partial<HttpHandlerOptions>, store?: CustomAttributesStore): void
  request(method: string, path: string, init?: RequestInit): Promise<Answer>
  upload(account: string, body: BodyInit, query?: Record<string, string>, headers?: HeadersInit): Promise<Answer>
  post(path: string, body: unknown): Promise<Answer>
  events(path: string, body: BodyInit): Promise<ServerEvent[]>
  /** what the database has of an account, seen by a connection that serves nothing else */
  stored(account: string): Promise<{ customers: number; definitions: string[] }>
  /** how many connections are in a transaction */
  openTransactions(): Promise<number>
  /** how many requests are being answered */
  running(): number
}

/** One customer with one attribute. */
export const CSV = 'email,first_name,loyalty_tier\nAda@Example.com,Ada,gold\n'

/** One attribute more than a customer may have. */
export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']

/** Makes a form with a file. */
export function formOf(csv: string | Blob, name = 'customers.csv', fields: Record<string, string> = {}): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('file', typeof csv === 'string' ? new Blob([csv], { type: 'text/csv' }) : csv, name)
  return form
}

/** Starts the API in `beforeAll`, and stops it after the tests of the file. */
export function useApi(start: StartServer): TestApi {
  const database = useDatabase()
  const running = new Set<Promise<unknown>>()
  let observer: ReturnType<TestDatabase['connect']>
  let store: CustomAttributesStore
  let server: TestServer
  let standard: Handler
  let handler: Handler

  beforeAll(async () => {
    observer = database.openSql({ max: 1 })
    store = createCustomAttributesStore(database.client)
    standard = createHttpHandler(store, { authorize: () => true, allowAtomic: true, allowDryRun: true })
    handler = standard
    server = await start((request) => {
      const answer = handler(request)
      running.add(answer)
      answer.finally(() => running.delete(answer))
      return answer
    })
  })
  afterEach(() => {
    handler = standard
  })
  afterAll(() => server?.close())

  const request: TestApi['request'] = async (method, path, init) => {
    const response = await server.fetch(path, { method, ...init })
    await expectDescribed(method, path.split('?')[0]!, response)
    return { status: response.status, headers: response.headers, body: await response.json() }
  }

  return {
    database,
    get store() {
      return store
    },
    get server() {
      return server
    },
    newAccount: randomUUID,
    use: (options, other = store) => {
      handler = createHttpHandler(other, { authorize: () => true, ...options })
    },
    request,
    upload: (account, body, query = {}, headers = {}) => {
      const search = new URLSearchParams(query).toString()
      return request('POST', `/api/accounts/${account}/customers/upload${search ? `?${search}` : ''}`, {
        body,
        headers,
      })
    },
    post: (path, body) =>
      request('POST', path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    events: async (path, body) => {
      const response = await server.fetch(path, { method: 'POST', body, headers: { accept: 'text/event-stream' } })
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      await expectDescribed('POST', path.split('?')[0]!, response)
      return readEvents(await response.text())
    },
    stored: async (account) => {
      const [row] = await observer<{ customers: number; definitions: string[] }[]>`
        select (select count(*)::int from customer.customer where account_id = ${account}) as customers,
          array(select attribute_name from customer.custom_attribute_definition where account_id = ${account}
            order by attribute_name collate "C") as definitions`
      return row!
    },
    openTransactions: async () => {
      const [row] = await observer<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity
        where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()
          and backend_type = 'client backend'`
      return row!.count
    },
    running: () => running.size,
  }
}

const SCHEMA_OF_EVENT: Readonly<Record<string, string>> = {
  progress: 'UploadProgress',
  result: 'UploadResult',
  error: 'Error',
}

/** Reads a stream of events, each checked against its schema. */
export function readEvents(text: string): ServerEvent[] {
  expect(text.endsWith('\n\n')).toBe(true)
  return text
    .trimEnd()
    .split('\n\n')
    .map((block) => {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? expect.unreachable(`not an event: ${block}`)
      const parsed = { event: event!, data: JSON.parse(data!) }
      expectSchema(SCHEMA_OF_EVENT[parsed.event]!, parsed.data)
      return parsed
    })
}

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import writeExcelFile from 'write-excel-file/node'
import { childEnvironment } from '../support/child-environment.js'
import { createDatabase, useDatabase } from '../support/database.js'
import { isFull, samples } from '../support/law.js'
import { formOf } from './api.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const TOKEN = 'a token'

/** Each example's file; `next` is the route alone. */
const SOURCES = {
  xlsx: 'examples/xlsx/upload.ts',
  hono: 'examples/hono/server.ts',
  next: 'examples/next/app/api/accounts/[...path]/route.ts',
  express: 'examples/express/server.ts',
  fastify: 'examples/fastify/server.ts',
  'host-tests': 'examples/host-tests/upload.test.ts',
}
type Example = keyof typeof SOURCES

// Beside the examples, so that they find what the examples find.
const bundles = join(root, `examples/bundled-${process.pid}`)

// In full they start as they say, by their loader; else as JavaScript made once, for the loader takes half a second of each start.
beforeAll(async () => {
  if (isFull) return
  const options = { bundle: true, packages: 'external', platform: 'node', format: 'esm' } as const
  await build({
    ...options,
    entryPoints: SOURCES,
    outdir: bundles,
    outExtension: { '.js': '.mjs' },
    absWorkingDir: root,
  })
})
afterAll(() => rm(bundles, { recursive: true, force: true }))

const fileOf = (example: Example) => (isFull ? join(root, SOURCES[example]) : join(bundles, `${example}.mjs`))

/** What `next start` does with the route file, as far as the example goes. */
const NEXT = `
  import { serve } from '@hono/node-server'
  import * as route from ${JSON.stringify(pathToFileURL(fileOf('next')))}
  serve({ port: 0, fetch: (request) => route[request.method](request) }, ({ port }) => console.log('http://localhost:' + port))`

let children: ChildProcess[] = []

afterEach(async () => {
  const ended = children.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'close'))
  for (const child of children) child.kill()
  await Promise.all(ended)
  children = []
})

function start(args: readonly string[], env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [...(isFull ? ['--import', 'tsx'] : []), ...args], {
    cwd: root,
    env: childEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
  }
  return { child, output: () => text }
}

describe('examples', () => {
  const database = useDatabase()

  it('xlsx uploads a sheet’s rows', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'xlsx-'))
    const file = join(folder, 'customers.xlsx')
    await writeExcelFile([
      ['email', 'First name', 'Orders count', 'Birthday', 'VIP'],
      ['ada@example.com', 'Ada', 3, { value: new Date(Date.UTC(1990, 0, 31)), type: Date, format: 'yyyy-mm-dd' }, true],
      ['no address', null, 1.5, null, false],
    ]).toFile(file)
    const account = randomUUID()
    const { child, output } = start([fileOf('xlsx'), file], {
      DATABASE_URL: database.url,
      ACCOUNT_ID: account,
    })
    await once(child, 'close')
    await rm(folder, { recursive: true })
    expect(output()).toMatch(/customersCreated: 1/)
    expect(output()).toMatch(/row 3, email: Not a valid email/)
    const [row] = await database.sql`select first_name, orders_count, birthday::text, custom_attributes
      from customer.customer where account_id = ${account}`
    expect(row).toEqual({
      first_name: 'Ada',
      orders_count: 3,
      birthday: '1990-01-31',
      custom_attributes: { VIP: 'true' },
    })
  })

  const servers: [string, string[]][] = [
    ['hono', [fileOf('hono')]],
    ['next', ['--input-type=module', '--eval', NEXT]],
    ['express', [fileOf('express')]],
    ['fastify', [fileOf('fastify')]],
  ]
  // As of the API's suite, the other frameworks come with the long laws.
  it.each(servers.slice(0, samples(4, 2)))('%s serves the API', async (_, args) => {
    const { child, output } = start(args, { DATABASE_URL: database.url, API_TOKEN: TOKEN, PORT: '0' })
    const url = /http:\/\/\S+/
    while (!url.test(output())) {
      expect(child.exitCode, output()).toBe(null)
      await Promise.race([once(child.stdout!, 'data'), once(child, 'close')])
    }
    const account = randomUUID()
    const base = `${url.exec(output())![0]}/api/accounts/${account}`
    const headers = { authorization: `Bearer ${TOKEN}` }

    expect((await fetch(`${base}/customers/upload`, { method: 'POST', body: formOf('email\na@b.c\n') })).status).toBe(
      403,
    )
    const csv = `email,first_name,tier\n${Array.from({ length: 5_000 }, (_, n) => `c${n}@example.com,Ada,gold\n`).join('')}`
    const upload = await fetch(`${base}/customers/upload`, { method: 'POST', body: formOf(csv), headers })
    expect([upload.status, (await upload.json()).customers_created]).toEqual([200, 5_000])
    const tags = await fetch(`${base}/merge-tags`, { headers })
    expect((await tags.json()).custom_attributes).toEqual(['tier'])
    const [stored] = await database.sql`
      select custom_attributes::text as attributes from customer.customer
      where account_id = ${account} and email = 'c1@example.com'`
    expect(JSON.parse(stored!.attributes)).toEqual({ tier: 'gold' })
  })

  it('host-tests pass', async () => {
    const empty = await createDatabase({ migrated: false })
    try {
      const { child, output } = start([...(isFull ? ['--test'] : []), fileOf('host-tests')], {
        TEST_DATABASE_URL: empty.url,
      })
      const [code] = await once(child, 'close')
      expect(output()).toMatch(/pass 2\b/)
      expect(code, output()).toBe(0)
    } finally {
      await empty.drop()
    }
  })
})

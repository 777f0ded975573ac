import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { childEnvironment } from '../support/child-environment.js'
import { newAccount } from '../support/customers.js'
import { addOptionalTables, createDatabase, type TestDatabase } from '../support/database.js'
import { until } from '../support/waiting.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const SCHEMA = new URL('../../examples/background-upload/schema.sql', import.meta.url)
const MAX_BYTES = 600_000
const ROWS = 8_000

/** What the server tells of an upload. */
interface Job {
  id: string
  state: string
  rows: number
  bytes: number
  total_bytes: number
  result: { rowsTotal: number; rowsRejected: number; uploadId: string } | null
  error_code: string | null
  error_message: string | null
}

let db: TestDatabase
let origin: string
let workers: ChildProcess[]
const processes: ChildProcess[] = []

beforeAll(async () => {
  db = await createDatabase()
  await addOptionalTables(db.sql)
  await db.sql.unsafe(await readFile(SCHEMA, 'utf8')).simple()
  const server = start('server')
  const [line] = await once(createInterface(server.stdout!), 'line')
  origin = line
  workers = [start('worker'), start('worker')]
})

afterAll(async () => {
  const ended = processes.filter(isAlive).map((child) => once(child, 'close'))
  for (const child of processes) child.kill('SIGKILL')
  await Promise.all(ended)
  await db.drop()
})

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

function start(name: 'server' | 'worker'): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/background-upload/${name}.ts`], {
    cwd: root,
    env: childEnvironment({
      DATABASE_URL: db.url,
      API_TOKEN: 'a token',
      PORT: '0',
      MAX_BYTES: String(MAX_BYTES),
      LEASE_SECONDS: '2',
      RETRIES: '20',
      RETRY_SECONDS: '1',
    }),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  processes.push(child)
  return child
}

/** Ends all workers, and tells with which exit codes and signals. */
function end(signal: 'SIGKILL' | 'SIGTERM') {
  return Promise.all(
    workers.map((worker) => {
      const closed = once(worker, 'close')
      worker.kill(signal)
      return closed
    }),
  )
}

const headers = { authorization: 'Bearer a token' }

const csvOf = (rows: number) =>
  ['email,first_name,tier', ...Array.from({ length: rows }, (_, n) => `c${n}@example.com,Ada,gold`), ''].join('\n')

const post = (account: string, body: BodyInit, init: RequestInit = {}) =>
  fetch(`${origin}/accounts/${account}/uploads?name=customers.csv`, { method: 'POST', headers, body, ...init })

/** Sends a file; how to ask for its job, and how to cancel it. */
async function send(account: string, body: BodyInit) {
  const response = await post(account, body)
  expect(response.status).toBe(202)
  const url = origin + response.headers.get('location')!
  const job = async () => (await (await fetch(url, { headers })).json()) as Job
  const cancel = async () => (await fetch(`${url}/cancel`, { method: 'POST', headers })).status
  const ended = async () => {
    await until('the upload ends', async () => !/queued|running/.test((await job()).state))
    return job()
  }
  return { url, job, cancel, ended }
}

/** Holds a customer late in the file, so that an upload that has begun cannot end before it is let go. */
async function holdUp(account: string, onTestFinished: TestContext['onTestFinished']): Promise<() => Promise<void>> {
  const email = `c${ROWS - 1}@example.com`
  await db.sql`insert into customer.customer (account_id, email) values (${account}, ${email})`
  const holder = await db.sql.reserve()
  await holder`begin`
  await holder`select from customer.customer where account_id = ${account} and email = ${email} for update`
  let isHeld = true
  const letGo = async () => {
    if (!isHeld) return
    isHeld = false
    await holder`rollback`
    holder.release()
  }
  onTestFinished(letGo)
  return letGo
}

const countsOf = async (account: string) => {
  const [row] = await db.sql`
    select count(*)::int as customers, count(distinct email)::int as emails,
      count(*) filter (where custom_attributes ->> 'tier' = 'gold')::int as gold
    from customer.customer where account_id = ${account}`
  return row!
}

const chunksOf = async (account: string) => {
  const [row] = await db.sql`
    select count(*)::int as chunks from upload_job_chunk as c join upload_job as j on j.id = c.job_id where j.account_id = ${account}`
  return row!.chunks
}

describe.concurrent('an upload in the background', () => {
  test('is stored, runs with progress that grows, ends with its result, and the file is gone', async ({
    expect,
    onTestFinished,
  }) => {
    const account = newAccount()
    const letGo = await holdUp(account, onTestFinished)
    const csv = `${csvOf(ROWS)}not an address,Ada,gold\n`
    const { job, ended } = await send(account, csv)
    await expect.poll(job).toMatchObject({ state: 'running', total_bytes: csv.length, rows: expect.any(Number) })
    await expect.poll(async () => (await job()).rows).toBeGreaterThan(0)
    const middle = await job()
    expect(middle.result).toBeNull()
    await letGo()
    const { state, rows, bytes, result } = await ended()
    expect({ state, rows, bytes }).toEqual({ state: 'done', rows: ROWS + 1, bytes: csv.length })
    expect(rows).toBeGreaterThanOrEqual(middle.rows)
    expect(result).toMatchObject({ rowsTotal: ROWS + 1, rowsRejected: 1 })
    expect(await countsOf(account)).toEqual({ customers: ROWS, emails: ROWS, gold: ROWS })
    expect(await chunksOf(account)).toBe(0)
  })

  test('is cancelled while it runs: it stops, what was stored stays, and a second cancel is told so', async ({
    expect,
    onTestFinished,
  }) => {
    const account = newAccount()
    await holdUp(account, onTestFinished)
    const { job, cancel, ended } = await send(account, csvOf(ROWS))
    await expect.poll(async () => (await job()).rows).toBeGreaterThan(0)
    expect(await cancel()).toBe(202)
    expect(await ended()).toMatchObject({ state: 'cancelled', result: null, error_code: null })
    expect(await chunksOf(account)).toBe(0)
    expect(await cancel()).toBe(409)
  })

  test('fails at once with the code of what is no CSV', async ({ expect }) => {
    const account = newAccount()
    const { ended } = await send(account, new Uint8Array([0x50, 0x4b, 3, 4, ...new Uint8Array(100)]))
    expect(await ended()).toMatchObject({
      state: 'failed',
      error_code: 'UNSUPPORTED_FILE',
      error_message: expect.any(String),
    })
    expect(await chunksOf(account)).toBe(0)
  })

  test('is refused with 413 when it is too large, told or not, or is cut off: and leaves nothing', async ({
    expect,
  }) => {
    const account = newAccount()
    const large = csvOf(MAX_BYTES / 20)
    expect((await post(account, large)).status).toBe(413)
    const untold = await post(account, new Blob([large]).stream(), { duplex: 'half' } as RequestInit)
    expect([untold.status, await untold.json()]).toMatchObject([413, { code: 'FILE_TOO_LARGE' }])

    const half = request(`${origin}/accounts/${account}/uploads`, {
      method: 'POST',
      headers: { ...headers, 'content-length': 500_000 },
    })
    half.on('error', () => {})
    half.write(large.slice(0, 400_000))
    await expect.poll(() => chunksOf(account)).toBeGreaterThan(0)
    half.destroy()
    await expect.poll(async () => db.sql`select from upload_job where account_id = ${account}`).toHaveLength(0)
    expect(await chunksOf(account)).toBe(0)
  })

  test('is nobody else’s: without the token 403, in another account 404', async ({ expect }) => {
    const account = newAccount()
    expect((await post(account, 'email\n', { headers: {} })).status).toBe(403)
    const { url, ended } = await send(account, 'email\na@example.com\n')
    await ended()
    expect((await fetch(url.replace(account, newAccount()), { headers })).status).toBe(404)
  })

  test('is failed when the queue has given it up', async ({ expect }) => {
    const account = newAccount()
    const [job] = await db.sql`insert into upload_job (account_id, state) values (${account}, 'running') returning id`
    await db.sql`insert into upload_job_chunk values (${job!.id}, 0, 'email')`
    await db.sql`insert into pgboss.job (name, data) values ('upload-given-up', ${db.sql.json({ uploadId: job!.id })})`
    await expect.poll(() => chunksOf(account)).toBe(0)
    const [row] = await db.sql`select state, error_code from upload_job where id = ${job!.id}`
    expect(row).toEqual({ state: 'failed', error_code: 'WORKERS_DIED' })
  })
})

describe('workers and servers that fail', () => {
  test('an upload is tried again when the database was not ready', async ({ expect }) => {
    const account = newAccount()
    await db.sql`alter table customer.custom_attribute_definition rename to away`
    const { job, ended } = await send(account, csvOf(10))
    await expect.poll(job).toMatchObject({ state: 'queued', error_code: expect.any(String) })
    await db.sql`alter table customer.away rename to custom_attribute_definition`
    expect(await ended()).toMatchObject({ state: 'done', error_code: null })
    expect((await countsOf(account)).gold).toBe(10)
  })

  test('a worker killed in the middle: another one finishes, and every row is stored once', async ({
    expect,
    onTestFinished,
  }) => {
    const account = newAccount()
    const letGo = await holdUp(account, onTestFinished)
    const { job, ended } = await send(account, csvOf(ROWS))
    await expect.poll(async () => (await job()).rows).toBeGreaterThan(0)
    await expect.poll(async () => (await countsOf(account)).customers).toBeGreaterThan(1)
    await end('SIGKILL')
    expect((await countsOf(account)).gold).toBeLessThan(ROWS)
    workers = [start('worker')]
    await letGo()
    expect(await ended()).toMatchObject({ state: 'done', result: { rowsTotal: ROWS, rowsRejected: 0 } })
    expect(await countsOf(account)).toEqual({ customers: ROWS, emails: ROWS, gold: ROWS })
    const tries = await db.sql`
      select status from customer.custom_attribute_upload where account_id = ${account} order by started_at`
    expect([tries[0]!.status, tries.at(-1)!.status]).toEqual(['running', 'completed'])
  })

  test('a worker that is told to end hands on its upload', async ({ expect, onTestFinished }) => {
    const account = newAccount()
    const letGo = await holdUp(account, onTestFinished)
    const { job, ended } = await send(account, csvOf(ROWS))
    await expect.poll(async () => (await job()).rows).toBeGreaterThan(0)
    expect(await end('SIGTERM')).toEqual([[0, null]])
    expect((await job()).state).toBe('queued')
    await letGo()
    workers = [start('worker')]
    expect((await ended()).state).toBe('done')
    expect(await countsOf(account)).toEqual({ customers: ROWS, emails: ROWS, gold: ROWS })
  })
})

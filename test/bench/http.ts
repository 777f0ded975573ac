// What HTTP costs: a 100 MB upload through a real server against uploadCsv on the same file; time and peak memory.
// npm run build && node --import tsx test/bench/http.ts [rows] [rounds] [rows to warm up with]
import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import postgres from 'postgres'
import { startEmbeddedPostgres } from '../support/embedded-postgres.js'
import { readSchemaSql } from './schema.js'
import { writeCustomersCsv } from './upload-data.js'

const rows = Number(process.argv[2] ?? 815_000)
const rounds = Number(process.argv[3] ?? 5)
// A server that has served an ordinary file of 10 MB before, so that what grows is for the large one.
const WARM_UP_ROWS = Number(process.argv[4] ?? 80_000)

interface Usage {
  peak: number
  cpuMs: number
}
interface Run {
  ms: number
  cpuMs: number
  raise: number
  peak: number
}

const script = fileURLToPath(new URL('../../.bench/http-contenders.mjs', import.meta.url))
await build({
  entryPoints: [fileURLToPath(new URL('./http-contenders.ts', import.meta.url))],
  outfile: script,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
const folder = await mkdtemp(join(tmpdir(), 'http-bench-'))
const server = await startEmbeddedPostgres({ max_wal_size: '8GB', shared_buffers: '512MB' })
const sql = postgres(server.url, { max: 1, onnotice: () => {} })
try {
  const file = join(folder, 'customers.csv')
  const small = join(folder, 'small.csv')
  await writeCustomersCsv(file, rows)
  await writeCustomersCsv(small, WARM_UP_ROWS)
  const { size } = await stat(file)
  const runs: Record<'direct' | 'http', Run[]> = { direct: [], http: [] }
  for (let round = 0; round < rounds; round++) {
    runs.direct.push(await runDirect(file, small))
    runs.http.push(await runHttp(file, small))
  }
  const [version] = await sql`select current_setting('server_version') as text`
  console.log(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, PostgreSQL ${version!.text}`)
  console.log(`${rows.toLocaleString('en')} rows, ${(size / 1e6).toFixed(0)} MB, median of ${rounds}`)
  for (const [name, list] of Object.entries(runs)) {
    const [seconds, cpu] = [median(list, 'ms') / 1000, median(list, 'cpuMs') / 1000]
    const [raise, peak] = [median(list, 'raise') / 1e6, median(list, 'peak') / 1e6]
    const each = list.map((run) => `${(run.ms / 1000).toFixed(1)} s`).join(' ')
    console.log(
      `${name.padEnd(8)}${seconds.toFixed(2)} s, CPU ${cpu.toFixed(2)} s, peak +${raise.toFixed(0)} MB to ${peak.toFixed(0)} MB  (${each})`,
    )
  }
  console.log(`speed over HTTP: ${(median(runs.direct, 'ms') / median(runs.http, 'ms')).toFixed(2)} of uploadCsv`)
} finally {
  await sql.end()
  await server.stop()
  await rm(folder, { recursive: true })
}

/** Fresh tables and a fresh process, warmed up by a small file of another account. */
async function startFresh(kind: 'server' | 'direct'): Promise<{ child: ChildProcess; port: number }> {
  await sql.unsafe('drop schema if exists customer cascade').simple()
  await sql.unsafe(await readSchemaSql()).simple()
  await sql`checkpoint`
  const child = fork(script, [kind, server.url])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

async function runDirect(file: string, small: string): Promise<Run> {
  const { child } = await startFresh('direct')
  const upload = async (path: string) => {
    child.send({ accountId: randomUUID(), file: path })
    return (await once(child, 'message')) as [{ ms: number; customersCreated: number; before: Usage; after: Usage }]
  }
  await upload(small)
  const [{ ms, customersCreated, before, after }] = await upload(file)
  if (customersCreated !== rows) throw new Error(`uploadCsv created ${customersCreated} of ${rows} customers.`)
  child.kill()
  return { ms, cpuMs: after.cpuMs - before.cpuMs, raise: after.peak - before.peak, peak: after.peak }
}

async function runHttp(file: string, small: string): Promise<Run> {
  const { child, port } = await startFresh('server')
  const usage = async () => {
    child.send('usage')
    const [answer] = (await once(child, 'message')) as [Usage]
    return answer
  }
  await upload(port, small)
  const before = await usage()
  const started = performance.now()
  const created = await upload(port, file)
  const ms = performance.now() - started
  if (created !== rows) throw new Error(`The server created ${created} of ${rows} customers.`)
  const after = await usage()
  child.kill()
  return { ms, cpuMs: after.cpuMs - before.cpuMs, raise: after.peak - before.peak, peak: after.peak }
}

async function upload(port: number, file: string): Promise<number> {
  const boundary = 'a-boundary-of-this-benchmark'
  const request = httpRequest({
    ...{ host: '127.0.0.1', port, method: 'POST' },
    path: `/api/accounts/${randomUUID()}/customers/upload`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
  })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  await pipeline(async function* () {
    yield `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="customers.csv"\r\n`
    yield 'Content-Type: text/csv\r\n\r\n'
    yield* createReadStream(file)
    yield `\r\n--${boundary}--\r\n`
  }, request)
  const [response] = await answered
  const body = JSON.parse(Buffer.concat(await response.toArray()).toString())
  if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${body.error}`)
  return body.customers_created
}

function median(runs: readonly Run[], key: keyof Run): number {
  return runs.map((run) => run[key]).sort((a, b) => a - b)[runs.length >> 1]!
}

// The upload benchmark: the library against what a user would write instead, in one run, on one server.
// npx tsx test/bench/upload.ts [rows,rows…] [rounds] [contender,contender…]
import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import postgres from 'postgres'
import { startEmbeddedPostgres } from '../support/embedded-postgres.js'
import { readSchemaSql } from './schema.js'
import { writeCustomersCsv } from './upload-data.js'

const sizes = (process.argv[2] ?? '10000,100000,1000000').split(',').map(Number)
const rounds = Number(process.argv[3] ?? 3)
/** Contenders, and up to how many rows they are run: the slow ones would take hours at a million. */
const CONTENDERS: Record<string, { title: string; upTo: number }> = {
  library: { title: 'uploadCsv', upTo: Number.POSITIVE_INFINITY },
  copy: { title: '(a) COPY and one insert … select', upTo: Number.POSITIVE_INFINITY },
  rowByRow: { title: '(b) one upsert per row, 10,000 a transaction', upTo: 100_000 },
  multiValues: { title: '(c) 500-row multi-VALUES inserts', upTo: 100_000 },
  autocommit: { title: '(d) one autocommitted upsert per row', upTo: 10_000 },
}

const chosen = process.argv[4]?.split(',') ?? Object.keys(CONTENDERS)

interface Run {
  ms: number
  cpuMs: number
  peak: number
}

/** The contenders as plain JavaScript, so that what is measured is theirs and not a compiler's. */
const script = fileURLToPath(new URL('../../.bench/upload-contenders.mjs', import.meta.url))
await build({
  entryPoints: [fileURLToPath(new URL('./upload-contenders.ts', import.meta.url))],
  outfile: script,
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
})
const folder = await mkdtemp(join(tmpdir(), 'upload-bench-'))
const server = await startEmbeddedPostgres({ max_wal_size: '8GB', shared_buffers: '512MB' })
const sql = postgres(server.url, { max: 1, onnotice: () => {} })
try {
  const [version] = await sql`select current_setting('server_version') as text`
  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, PostgreSQL ${version!.text}, median of ${rounds}`,
  )
  for (const rows of sizes) {
    const file = join(folder, `${rows}.csv`)
    await writeCustomersCsv(file, rows)
    const { size } = await stat(file)
    console.log(`\n${rows.toLocaleString('en')} rows, 12 columns, ${(size / 1e6).toFixed(0)} MB`)
    const names = chosen.filter((name) => rows <= CONTENDERS[name]!.upTo)
    const fresh: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
    const again: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        await resetSchema()
        fresh[name]!.push(await run(name, file))
        await sql`vacuum analyze customer.customer`
        again[name]!.push(await run(name, file))
      }
    }
    printTable('fresh', rows, fresh)
    printTable('again, unchanged', rows, again)
  }
} finally {
  await sql.end()
  await server.stop()
  await rm(folder, { recursive: true })
}

async function resetSchema(): Promise<void> {
  await sql.unsafe('drop schema if exists customer cascade').simple()
  await sql.unsafe(await readSchemaSql()).simple()
  await sql`checkpoint`
}

async function run(name: string, file: string): Promise<Run> {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeFlags(name), script, name, server.url, file])
  return JSON.parse(stdout)
}

/** `BENCH_PROFILE=library` writes a CPU profile of that contender into the working directory. */
function nodeFlags(name: string): string[] {
  return process.env.BENCH_PROFILE === name ? ['--cpu-prof'] : []
}

function printTable(title: string, rows: number, results: Record<string, Run[]>): void {
  const base = median(results.copy!.map(({ ms }) => ms))
  console.log(`  ${title}`)
  for (const [name, runs] of Object.entries(results)) {
    const ms = median(runs.map((run) => run.ms))
    const cpu = median(runs.map((run) => run.cpuMs))
    const peak = Math.max(...runs.map((run) => run.peak))
    console.log(
      `    ${CONTENDERS[name]!.title.padEnd(46)} ${(ms / 1000).toFixed(2).padStart(8)} s  ${Math.round(
        (rows / ms) * 1000,
      )
        .toLocaleString('en')
        .padStart(
          9,
        )} rows/s  ${(ms / base).toFixed(2).padStart(6)} of (a)  client CPU ${(cpu / 1000).toFixed(2).padStart(6)} s  peak ${(peak / 1e6).toFixed(0)} MB`,
    )
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}

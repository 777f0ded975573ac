import { execFile } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import postgres from 'postgres'
import { startEmbeddedPostgres } from '../support/embedded-postgres.js'
import { readSchemaSql } from './schema.js'

/** A server for a benchmark, as one would set it up for loads, and a client of it. */
export async function startServer() {
  const server = await startEmbeddedPostgres({ max_wal_size: '8GB', shared_buffers: '512MB' })
  const sql = postgres(server.url, { max: 1, onnotice: () => {} })
  const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`
  return {
    url: server.url,
    sql,
    /** the machine and the versions, for the heading of a table */
    description: `${describeMachine()}, PostgreSQL ${row!.version.split(' ')[0]}`,
    async resetSchema() {
      await sql.unsafe('drop schema if exists customer cascade').simple()
      await sql.unsafe(await readSchemaSql()).simple()
      await sql`checkpoint`
    },
    async stop() {
      await sql.end()
      await server.stop()
    },
  }
}

export function describeMachine(): string {
  const gigabytes = (totalmem() / 2 ** 30).toFixed(0)
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, ${gigabytes} GB, Node ${process.version}`
}

/** A file of this folder as plain JavaScript, so that what is measured in its process is its own and not a compiler's. */
export async function buildContenders(name: string): Promise<string> {
  const outfile = fileURLToPath(new URL(`../../.bench/${name}.mjs`, import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    loader: { '.sql': 'text' },
  })
  return outfile
}

/** What a contender measures of itself. */
export interface Run {
  ms: number
  /** processor time of the process */
  cpuMs: number
  /** time in which its thread had nothing to do but wait */
  idleMs: number
  /** peak of its memory, in bytes */
  peak: number
}

/** Runs one contender in a process of its own. `BENCH_PROFILE=name` writes its CPU profile into the working directory. */
export async function runContender(script: string, name: string, ...args: readonly string[]): Promise<Run> {
  const flags = process.env.BENCH_PROFILE === name ? ['--cpu-prof'] : []
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, name, ...args])
  return JSON.parse(stdout)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

export const medianOf = (runs: readonly Run[], key: keyof Run): number => median(runs.map((run) => run[key]))

export const count = (rows: number): string => rows.toLocaleString('en')
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
export const perSecond = (rows: number, ms: number): string => count(Math.round((rows / ms) * 1000))
export const times = (a: number, b: number): string => (a / b).toFixed(2)

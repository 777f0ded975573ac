// The upload benchmark: the library against what a user would write instead, in one run, on one server; then where the
// client's time goes. Any part alone, such as `npm run build && node --import tsx test/bench/upload.ts 10000 1 library,copy`:
//   node --import tsx test/bench/upload.ts [rows,rows…] [rounds] [contender,contender…] [--no-steps] [--memory]
// --memory instead compares the peak memory of uploadCsv at one and at three million rows.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { record } from './results.js'
import {
  buildContenders,
  count,
  medianOf,
  megabytes,
  perSecond,
  type Run,
  runContender,
  seconds,
  startServer,
  times,
} from './setting.js'
import { writeCustomersCsv } from './upload-data.js'

/** Contenders, and up to how many rows they are run: the slow ones would take hours at a million. */
const CONTENDERS: Record<string, { title: string; upTo: number }> = {
  library: { title: '`uploadCsv`', upTo: Number.POSITIVE_INFINITY },
  copy: { title: '(a) `COPY` and one `insert … select`', upTo: Number.POSITIVE_INFINITY },
  rowByRow: { title: '(b) an upsert per row, 10,000 a transaction', upTo: 100_000 },
  multiValues: { title: '(c) inserts of 500 rows', upTo: 100_000 },
  autocommit: { title: '(d) an autocommitted upsert per row', upTo: 10_000 },
}
const STEPS: Record<string, string> = {
  parse: 'csv-parse alone',
  records: 'with file type, encoding, delimiter, limits, line numbers',
  rows: 'with mapping, checks and encoding: rows ready for the database',
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'no-steps': { type: 'boolean' }, memory: { type: 'boolean' } },
})
const sizes = (positionals[0] ?? (flags.memory ? '1000000,3000000' : '10000,100000,1000000')).split(',').map(Number)
const rounds = Number(positionals[1] ?? (flags.memory ? 1 : 3))
const chosen = positionals[2]?.split(',') ?? Object.keys(CONTENDERS)

const script = await buildContenders('upload-contenders')
const clientScript = await buildContenders('upload-client')
const folder = await mkdtemp(join(tmpdir(), 'upload-bench-'))
const server = await startServer()
const setting = `${server.description}; median of ${rounds}`
try {
  console.log(setting)
  if (flags.memory) await compareMemory()
  else {
    for (const rows of sizes) {
      const file = await writeFile(rows)
      const fresh = await compare(rows, file)
      if (!flags['no-steps'] && fresh.library) await showSteps(rows, file, fresh.library)
    }
  }
} finally {
  await server.stop()
  await rm(folder, { recursive: true })
}

async function writeFile(rows: number): Promise<string> {
  const file = join(folder, `${rows}.csv`)
  await writeCustomersCsv(file, rows)
  return file
}

/** Each contender on empty tables, and then once more with the same file. */
async function compare(rows: number, file: string): Promise<Record<string, Run[]>> {
  const names = chosen.filter((name) => rows <= CONTENDERS[name]!.upTo)
  const fresh: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
  const again: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      await server.resetSchema()
      fresh[name]!.push(await runContender(script, name, server.url, file))
      await server.sql`vacuum analyze customer.customer`
      again[name]!.push(await runContender(script, name, server.url, file))
    }
  }
  const size = megabytes((await stat(file)).size)
  await recordComparison(`upload ${rows} fresh`, `${count(rows)} rows, ${size}, new customers`, rows, fresh)
  await recordComparison(`upload ${rows} again`, `${count(rows)} rows, ${size}, the same file again`, rows, again)
  return fresh
}

async function recordComparison(name: string, title: string, rows: number, results: Record<string, Run[]>) {
  const base = results.copy && medianOf(results.copy, 'ms')
  await record({
    ...{ name, title, setting },
    head: ['', 'time', 'rows/s', 'time of (a)', 'processor time of the client', 'peak memory of the client'],
    rows: Object.entries(CONTENDERS)
      .filter(([contender]) => chosen.includes(contender))
      .map(([contender, { title, upTo }]) => {
        const runs = results[contender]
        if (!runs) return [title, `not run over ${count(upTo)} rows`, '', '', '', '']
        const ms = medianOf(runs, 'ms')
        const peak = megabytes(Math.max(...runs.map((run) => run.peak)))
        return [
          title,
          seconds(ms),
          perSecond(rows, ms),
          base ? times(ms, base) : '',
          seconds(medianOf(runs, 'cpuMs')),
          peak,
        ]
      }),
    speeds: Object.fromEntries(
      Object.entries(results).map(([contender, runs]) => [
        CONTENDERS[contender]!.title,
        (rows / medianOf(runs, 'ms')) * 1000,
      ]),
    ),
  })
}

/** Processor time up to each step; what comes after the rows are ready is batches and the driver. */
async function showSteps(rows: number, file: string, uploads: readonly Run[]): Promise<void> {
  await server.resetSchema()
  const runs: Record<string, Run[]> = Object.fromEntries(Object.keys(STEPS).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of Object.entries(runs)) list.push(await runContender(clientScript, name, server.url, file))
  }
  const total = medianOf(uploads, 'cpuMs')
  const steps = [
    ...Object.entries(runs).map(([name, list]) => [STEPS[name]!, medianOf(list, 'cpuMs')] as const),
    ['the whole upload: with batches and the driver', total] as const,
  ]
  const parse = steps[0]![1]
  const perRow = (ms: number) => `${((ms * 1000) / rows).toFixed(2)} µs`
  await record({
    name: `upload ${rows} steps`,
    title: `Where the client's time goes, ${count(rows)} rows`,
    setting: `${setting}; the client waited for the database for ${seconds(medianOf(uploads, 'idleMs'))} of ${seconds(medianOf(uploads, 'ms'))}`,
    head: ['', 'processor time', 'per row', 'of csv-parse alone', 'besides csv-parse'],
    rows: steps.map(([title, ms], at) => [
      title,
      seconds(ms),
      perRow(ms),
      times(ms, parse),
      at === 0 ? '' : times(ms - parse, parse),
    ]),
  })
}

async function compareMemory(): Promise<void> {
  const peaks: number[] = []
  const table: string[][] = []
  for (const rows of sizes) {
    const file = await writeFile(rows)
    const runs: Run[] = []
    for (let round = 0; round < rounds; round++) {
      await server.resetSchema()
      runs.push(await runContender(script, 'library', server.url, file))
    }
    peaks.push(medianOf(runs, 'peak'))
    table.push([count(rows), seconds(medianOf(runs, 'ms')), megabytes(peaks.at(-1)!), times(peaks.at(-1)!, peaks[0]!)])
    await rm(file)
  }
  await record({
    ...{ name: 'upload memory', title: 'Peak memory of `uploadCsv`', setting },
    head: ['rows', 'time', 'peak memory of the process', 'of the first'],
    rows: table,
  })
}

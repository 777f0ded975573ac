// How long timers, signals and other requests wait while an upload works: the event loop's delays during uploads of each kind
// of input, beside those of an idle process. npm run build && node --import tsx test/bench/event-loop.ts [rows]
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { type CsvInput, createCustomAttributesStore } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'
import { record } from './results.js'
import { count, startServer } from './setting.js'
import { ACCOUNT } from './upload-data.js'

const rows = Number(process.argv[2] ?? 100_000)
const server = await startServer()
const sql = postgres(server.url, { max: 2, onnotice: () => {} })
const store = createCustomAttributesStore(sql)
const handler = createHttpHandler(store, { authorize: () => true })

const fileOf = (rejected: number) =>
  `email,first_name,city,tier\n${Array.from({ length: rows }, (_, at) =>
    at % 100 < rejected ? `no address ${at},Ann,Rome,gold\n` : `c${at}@example.com,Ann,Rome,gold\n`,
  ).join('')}`

const upload = (input: (csv: string) => CsvInput) => (csv: string) => store.uploadCsv(ACCOUNT, input(csv))
const INPUTS: Record<string, (csv: string) => Promise<unknown>> = {
  'a string': upload((csv) => csv),
  bytes: upload((csv) => new TextEncoder().encode(csv)),
  'a `Blob`': upload((csv) => new Blob([csv])),
  'a `Readable`': upload((csv) => Readable.from(csv.match(/.{1,65536}/gs)!)),
  'over HTTP': async (csv) => {
    const form = new FormData()
    form.set('file', new Blob([csv]), 'customers.csv')
    const url = `http://in.process/api/accounts/${ACCOUNT}/customers/upload`
    const response = await handler(new Request(url, { method: 'POST', body: form }))
    if (response.status !== 200) throw new Error(await response.text())
  },
}

async function delays(work: () => Promise<unknown>): Promise<[p99: string, max: string]> {
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  await work()
  histogram.disable()
  const milliseconds = (nanoseconds: number) => `${(nanoseconds / 1e6).toFixed(1)} ms`
  return [milliseconds(histogram.percentile(99)), milliseconds(histogram.max)]
}

try {
  const lines = [['an idle process', '', ...(await delays(() => sleep(3_000)))]]
  for (const [name, run] of Object.entries(INPUTS)) {
    for (const rejected of [0, 50, 100]) {
      await server.resetSchema()
      const csv = fileOf(rejected)
      await run(csv.slice(0, 200_000))
      lines.push([name, `${rejected} %`, ...(await delays(() => run(csv)))])
    }
  }
  await record({
    name: 'event loop',
    title: `${count(rows)} rows`,
    setting: server.description,
    head: ['input', 'rejected rows', 'p99', 'longest'],
    rows: lines,
  })
} finally {
  await sql.end()
  await server.stop()
}

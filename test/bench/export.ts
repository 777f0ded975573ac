// An export against COPY of the same columns.
// npm run build && node --import tsx test/bench/export.ts [customers,customers…] [rounds] [contender,contender…]
import { fillCustomers } from './customers.js'
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

const TITLES: Record<string, string> = {
  copy: '`copy (select …) to stdout`',
  exportCsv: '`exportCsv`',
}
const [sizes = '10000,1000000', rounds = '3', contenders = Object.keys(TITLES).join()] = process.argv.slice(2)

const script = await buildContenders('export-contenders')
const server = await startServer()
try {
  for (const customers of sizes.split(',').map(Number)) {
    await fillCustomers(server, customers)
    const runs: Record<string, Run[]> = Object.fromEntries(contenders.split(',').map((name) => [name, []]))
    for (let round = 0; round < Number(rounds); round++) {
      for (const name of Object.keys(runs))
        runs[name]!.push(await runContender(script, name, server.url, String(customers)))
    }
    const base = runs.copy && medianOf(runs.copy, 'ms')
    await record({
      name: `export ${customers}`,
      title: `${count(customers)} customers`,
      setting: `${server.description}; median of ${rounds}`,
      head: ['', 'time', 'customers/s', 'of COPY', 'processor time', 'peak memory'],
      rows: Object.entries(runs).map(([name, list]) => {
        const ms = medianOf(list, 'ms')
        return [
          TITLES[name]!,
          seconds(ms),
          perSecond(customers, ms),
          base ? times(ms, base) : '',
          seconds(medianOf(list, 'cpuMs')),
          megabytes(medianOf(list, 'peak')),
        ]
      }),
    })
  }
} finally {
  await server.stop()
}

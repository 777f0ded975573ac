// Mail merge against the bare keyset read of the same rows; preflight; getMergeTags.
// npm run build && node --import tsx test/bench/mail-merge.ts [customers,customers…] [rounds] [contender,contender…]
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
  bareRead: 'the bare keyset read',
  mailMerge: '`mailMerge`, a subject and a text',
  preflight: '`preflight` of the same message',
  getMergeTags: '`getMergeTags`, a thousand times',
}
const [sizes = '1000,10000,1000000', rounds = '3', contenders = Object.keys(TITLES).join()] = process.argv.slice(2)

const script = await buildContenders('mail-merge-contenders')
const server = await startServer()
try {
  console.log(`${server.description}, median of ${rounds}`)
  for (const customers of sizes.split(',').map(Number)) {
    await fillCustomers(server, customers)
    const runs: Record<string, Run[]> = Object.fromEntries(contenders.split(',').map((name) => [name, []]))
    for (let round = 0; round < Number(rounds); round++) {
      for (const name of Object.keys(runs))
        runs[name]!.push(await runContender(script, name, server.url, String(customers)))
    }
    const base = runs.bareRead && medianOf(runs.bareRead, 'ms')
    await record({
      name: `mail-merge ${customers}`,
      title: `${count(customers)} customers`,
      setting: `${server.description}; median of ${rounds}`,
      head: ['', 'time', 'customers/s', 'of the bare read', 'processor time', 'peak memory'],
      rows: Object.entries(runs).map(([name, list]) => {
        const ms = medianOf(list, 'ms')
        const isRead = name !== 'getMergeTags'
        const speed = isRead ? perSecond(customers, ms) : ''
        const ratio = isRead && base ? times(ms, base) : ''
        return [
          TITLES[name]!,
          seconds(ms),
          speed,
          ratio,
          seconds(medianOf(list, 'cpuMs')),
          megabytes(medianOf(list, 'peak')),
        ]
      }),
    })
  }
} finally {
  await server.stop()
}

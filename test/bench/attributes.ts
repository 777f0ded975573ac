// The attributes of an account: described beside the plain aggregate, renamed and removed in batches while another writer
// waits for the account, and an upload with a history beside one without.
// npm run build && node --import tsx test/bench/attributes.ts [customers] [rounds]
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { createCustomAttributesStore, readMigrations } from 'postgres-custom-attributes'
import { fillCustomers } from './customers.js'
import { record } from './results.js'
import { count, median, seconds, startServer, times } from './setting.js'
import { ACCOUNT } from './upload-data.js'

const [size = '1000000', rounds = '3'] = process.argv.slice(2)
const customers = Number(size)
const server = await startServer()
const sql = postgres(server.url, { max: 6, onnotice: () => {} })
const store = createCustomAttributesStore(sql)
const timed = async (work: () => PromiseLike<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** The longest that another writer of the account waits while something runs. */
async function longestWait(work: Promise<unknown>): Promise<number> {
  let isOver = false
  let longest = 0
  const done = work.finally(() => {
    isOver = true
  })
  for (let at = 0; !isOver; at++) {
    const customer = { email: `beside${at % 10}@example.com`, city: `${at}` }
    longest = Math.max(longest, await timed(() => store.upsertCustomer(ACCOUNT, customer)))
    await sleep(20)
  }
  await done
  return longest
}

try {
  await fillCustomers(server, customers)
  for (const { up } of readMigrations({ history: true })) await sql.unsafe(up).simple()
  // A tenth of the customers has the name that is renamed and removed.
  await sql`update customer.customer set custom_attributes = custom_attributes || '{"Teir": "gold"}'
    where account_id = ${ACCOUNT} and substr(email, 5, 1) = '7'`
  await store.upsertAttributeDefinitions(ACCOUNT, ['Teir'])
  await sql`vacuum analyze customer.customer`

  const plain: number[] = []
  const described: number[] = []
  for (let round = 0; round < Number(rounds); round++) {
    plain.push(
      await timed(
        () => sql`select key, count(*), count(distinct value) from customer.customer c, jsonb_each_text(c.custom_attributes)
          where account_id = ${ACCOUNT} group by key`,
      ),
    )
    described.push(await timed(() => store.describeAttributes(ACCOUNT)))
  }
  await record({
    name: `attributes described ${customers}`,
    title: `Attributes of ${count(customers)} customers`,
    setting: `${server.description}; median of ${rounds}`,
    head: ['', 'time', 'of the aggregate'],
    rows: [
      ['a plain aggregate: count and count(distinct) by name', seconds(median(plain)), ''],
      ['`describeAttributes`', seconds(median(described)), times(median(described), median(plain))],
    ],
  })

  const batches = { batchSize: 1_000 }
  const rows: string[][] = []
  const steps: [string, () => Promise<{ customersChanged: number }>][] = [
    ['`renameAttribute`, in batches of 1,000', () => store.renameAttribute(ACCOUNT, 'Teir', 'Tier', batches)],
    ['`renameAttribute`, at once', () => store.renameAttribute(ACCOUNT, 'Tier', 'Rank')],
    ['`removeAttribute`, in batches of 1,000', () => store.removeAttribute(ACCOUNT, 'Rank', batches)],
  ]
  for (const [name, step] of steps) {
    let changed = 0
    let ms = 0
    const work = (async () => {
      ms = await timed(async () => {
        changed = (await step()).customersChanged
      })
    })()
    rows.push([name, count(changed), '', ''])
    const wait = await longestWait(work)
    rows[rows.length - 1] = [name, count(changed), seconds(ms), seconds(wait)]
  }
  await record({
    name: `attributes changed ${customers}`,
    title: `An attribute that a tenth of ${count(customers)} customers has`,
    setting: server.description,
    head: ['', 'customers changed', 'time', "another writer's longest wait"],
    rows,
  })

  const csv = (value: string) =>
    `email,city,tier\n${Array.from({ length: 100_000 }, (_, at) => `h${at}@example.com,${value},${value}\n`).join('')}`
  const uploads: Record<string, number[]> = { without: [], with: [] }
  for (let round = 0; round < Number(rounds); round++) {
    for (const kind of ['without', 'with']) {
      const account = `00000000-0000-4000-8000-0000000000${round}${kind === 'with' ? 1 : 0}`
      const options = kind === 'with' ? { history: {} } : {}
      await store.uploadCsv(account, csv('Rome'), options)
      await sql`analyze customer.customer`
      uploads[kind]!.push(await timed(() => store.uploadCsv(account, csv(`Oslo`), options)))
    }
  }
  await record({
    name: 'attributes history',
    title: 'An upload that changes 100,000 customers',
    setting: `${server.description}; median of ${rounds}`,
    head: ['', 'time', 'of one without'],
    rows: [
      ['without a history', seconds(median(uploads.without!)), ''],
      ['with one', seconds(median(uploads.with!)), times(median(uploads.with!), median(uploads.without!))],
    ],
  })
} finally {
  await sql.end({ timeout: 1 })
  await server.stop()
}

import { beforeAll, expect, test } from 'vitest'
import { type CustomAttributesStore, createCustomAttributesStore } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const UPLOADS = 8
const CUSTOMERS = 60
/** Prime to 60: each walks through all customers in its own order. */
const STEPS = [1, 7, 11, 13, 17, 19, 23, 29]

/** Each on a client of its own, as processes have them. */
let stores: CustomAttributesStore[]
beforeAll(() => {
  stores = Array.from({ length: UPLOADS }, () => createCustomAttributesStore(db.connect({ max: 2 })))
})

async function deadlocks(): Promise<number> {
  await db.sql`select pg_stat_clear_snapshot()`
  const [row] = await db.sql`select deadlocks::int as count from pg_stat_database where datname = current_database()`
  return row!.count
}

/** A file of one upload: its own value for the shared name, a name of its own, customers in an order of its own. */
function file(upload: number, round: number): string {
  const order = Array.from({ length: CUSTOMERS }, (_, at) => (at * STEPS[upload]! + round) % CUSTOMERS)
  const rows = order.map((customer) => `c${customer}@x.com,by${upload},v${upload},${upload % 2 ? '' : `own${upload}`}`)
  return `email,first_name,shared,own_${upload}\n${rows.join('\n')}\n`
}

test('eight uploads of overlapping files into one account, many rounds: no deadlock, nothing lost, the cap holds', async () => {
  const before = await deadlocks()
  for (let round = 0; round < samples(50, 3); round++) {
    const account = `00000000-0000-4000-8000-${String(round).padStart(12, '0')}`
    const results = await Promise.all(
      stores.map((store, upload) =>
        store.uploadCsv(account, file(upload, round), { batchSize: 7, atomic: round % 3 === 2 && upload % 3 === 0 }),
      ),
    )
    const sum = (pick: (result: (typeof results)[number]) => number) => results.reduce((total, r) => total + pick(r), 0)
    expect(sum((result) => result.rowsRejected)).toBe(0)
    expect(sum((result) => result.customersCreated)).toBe(CUSTOMERS)
    for (const result of results) {
      expect(result.rowsTotal).toBe(CUSTOMERS)
      expect(result.customersCreated + result.customersUpdated + result.customersUnchanged).toBe(CUSTOMERS)
    }
    const customers =
      await db.sql`select first_name, custom_attributes as a from customer.customer where account_id = ${account}`
    expect(customers).toHaveLength(CUSTOMERS)
    for (const { first_name, a } of customers) {
      // Whoever came last wrote both, and nobody's own attribute was lost.
      expect(a.shared).toBe(`v${first_name.slice(2)}`)
      const own = Object.fromEntries([0, 2, 4, 6].map((upload) => [`own_${upload}`, `own${upload}`]))
      expect(a).toEqual({ shared: a.shared, ...own })
    }
    expect(await stores[0]!.getAttributeDefinitions(account)).toEqual(['own_0', 'own_2', 'own_4', 'own_6', 'shared'])
  }
  expect(await deadlocks()).toBe(before)
})

test('uploads that race past the attribute cap: each customer keeps ten, the rest is rejected', async () => {
  const account = '00000000-0000-4000-8000-00000000caaa'
  const files = Array.from({ length: 6 }, (_, upload) => {
    const names = [0, 1, 2].map((name) => `u${upload}_${name}`)
    const rows = Array.from({ length: 40 }, (_, at) => `c${at}@x.com,1,1,1`)
    return `email,${names.join(',')}\n${rows.join('\n')}\n`
  })
  const results = await Promise.all(
    files.map((csv, upload) => stores[upload]!.uploadCsv(account, csv, { batchSize: 5 })),
  )
  const stored = results.reduce((sum, { rowsTotal, rowsRejected }) => sum + rowsTotal - rowsRejected, 0)
  expect(stored).toBe(40 * 3)
  for (const { rejected } of results) for (const { code } of rejected) expect(code).toBe('TOO_MANY_ATTRIBUTES')
  const [row] = await db.sql`select max((select count(*) from jsonb_object_keys(custom_attributes)))::int as names
    from customer.customer where account_id = ${account}`
  expect(row).toEqual({ names: 9 })
})

test('upsertCustomer beside uploads and atomic uploads does not deadlock', async () => {
  const account = '00000000-0000-4000-8000-00000000bbbb'
  const before = await deadlocks()
  await Promise.all([
    stores[0]!.uploadCsv(account, file(0, 1), { batchSize: 3 }),
    stores[1]!.uploadCsv(account, file(2, 2), { batchSize: 3, atomic: true }),
    stores[2]!.uploadCsv(account, file(4, 3), { batchSize: 3, atomic: true }),
    ...Array.from({ length: 60 }, (_, at) =>
      stores[at % UPLOADS]!.upsertCustomer(account, {
        email: `c${at}@x.com`,
        custom_attributes: { single: at, [`n${at % 3}`]: 1 },
      }),
    ),
  ])
  const customers = await db.sql`select custom_attributes as a from customer.customer where account_id = ${account}`
  expect(customers).toHaveLength(CUSTOMERS)
  for (const { a } of customers) expect(a).toMatchObject({ own_0: 'own0', own_2: 'own2', own_4: 'own4' })
  expect(await deadlocks()).toBe(before)
})

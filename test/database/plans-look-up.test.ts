import { afterAll, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const ROWS = 4_000
const OTHERS = 2_000

/** What the last ANALYZE saw. */
const STATES = ['nothing: never analysed', 'an empty table', 'one customer per account', 'everything'] as const
const INDEXES = [
  'account_id',
  'none',
  'account_id, id',
  'account_id, created_at',
  'account_id include (email)',
] as const

const csv = (city: string) =>
  `email,city,tier\n${Array.from({ length: ROWS }, (_, at) => `user${(at * 7919) % ROWS}@example.com,${city},gold`).join('\n')}`

const databases: TestDatabase[] = []
afterAll(() => Promise.all(databases.map((db) => db.drop())))

/**
 * Blocks of the table and its indexes that the same file costs: new, again and changed. Blocks are counted by the server
 * and are the same on every machine.
 */
async function blocksOf(state: (typeof STATES)[number], index: (typeof INDEXES)[number]) {
  const db = await createDatabase({ distributed: false })
  databases.push(db)
  const { sql } = db
  await sql`alter table customer.customer set (autovacuum_enabled = off)`
  if (index !== 'none') {
    const [columns, include] = index.split(' include ')
    await sql.unsafe(`create index on customer.customer (${columns}) ${include ? `include ${include}` : ''}`)
  }
  const analyze = (when: (typeof STATES)[number]) => state === when && sql`analyze customer.customer`
  await analyze('an empty table')
  await sql`
    insert into customer.customer (account_id, email)
    select gen_random_uuid(), n || '@example.com' from generate_series(1, ${OTHERS}::int) n`
  await analyze('one customer per account')

  const account = newAccount()
  const upload = async (city: string) => {
    // What a backend counted is seen by others once it has gone, and only by transactions that look afresh.
    const blocks = async () => {
      const [row] = await sql<{ blocks: number }[]>`
        select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::float8 as blocks
        from pg_statio_user_tables where schemaname = 'customer' and relname = 'customer'`
      return row!.blocks
    }
    const before = await blocks()
    const own = db.openSql({ max: 1 })
    const result = await createCustomAttributesStore(own).uploadCsv(account, csv(city))
    await own.end()
    await expect.poll(blocks, { interval: 5 }).toBeGreaterThan(before + ROWS)
    return { result, blocks: (await blocks()) - before }
  }
  const fresh = await upload('Rome')
  expect(fresh.result).toMatchObject({ customersCreated: ROWS, rowsRejected: 0 })
  await analyze('everything')
  const again = await upload('Rome')
  expect(again.result).toMatchObject({ customersUnchanged: ROWS })
  const changed = await upload('Oslo')
  expect(changed.result).toMatchObject({ customersUpdated: ROWS })
  return { new: fresh.blocks, again: again.blocks, changed: changed.blocks }
}

// Without the long laws the one that was chosen wrongly most.
describe.each(INDEXES.slice(0, samples(INDEXES.length, 1)))('an index on %s', (index) => {
  test('costs an upload the same, whatever the statistics saw', async () => {
    const costs = []
    for (const state of STATES) costs.push({ state, ...(await blocksOf(state, index)) })
    for (const pass of ['new', 'again', 'changed'] as const) {
      const best = Math.min(...costs.map((cost) => cost[pass]))
      // One read of the account per row would be hundreds of times the best.
      for (const cost of costs) expect(cost[pass] / best, `${pass}, ${cost.state}`).toBeLessThan(3)
    }
  })
})

import { afterAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { isFull, samples } from '../support/law.js'

const ROWS = 4_000
const OTHERS = 2_000
const PAGE_SIZE = 50

/** What the last ANALYZE saw. */
const STATES = ['nothing: never analysed', 'an empty table', 'one customer per account', 'everything'] as const
const INDEXES = [
  'account_id',
  'none',
  'account_id, id',
  'account_id desc, id desc',
  'account_id, created_at',
  'account_id include (id)',
  'city',
] as const

/** Between those of the others, and at either end, where statistics expect the least. */
const ACCOUNTS = {
  between: '7fffffff-ffff-4fff-8fff-ffffffffffff',
  first: '00000000-0000-4000-8000-000000000000',
  last: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
}

const AUDIENCES: Record<string, Audience> = {
  all: 'all',
  'where an attribute': { where: { tier: 'gold' } },
  'where a field': { where: { city: 'Rome' } },
  emails: { emails: Array.from({ length: ROWS }, (_, at) => `${at + 1}@example.com`) },
}

const databases: TestDatabase[] = []
afterAll(() => Promise.all(databases.map((db) => db.drop())))

async function prepare(state: (typeof STATES)[number], index: (typeof INDEXES)[number], account: string) {
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
    insert into customer.customer (account_id, email, city)
    select gen_random_uuid(), n || '@example.com', n from generate_series(1, ${OTHERS}::int) n`
  await analyze('one customer per account')
  await sql`
    insert into customer.customer (account_id, email, city, custom_attributes)
    select ${account}, n || '@example.com', 'Rome', '{"tier": "gold"}' from generate_series(1, ${ROWS}::int) n`
  await createCustomAttributesStore(sql).upsertAttributeDefinitions(account, ['tier'])
  await analyze('everything')
  return db
}

/** Rows of the table that the server reads for the pages of an audience: the same on every machine. */
function rowsRead({ sql }: TestDatabase, account: string, audience: Audience, ids: readonly string[]) {
  return sql.begin(async (tx) => {
    // What earlier transactions of the connection have not reported yet is in it.
    const rows = async () => {
      const [row] = await tx<{ rows: number }[]>`
        select (seq_tup_read + idx_tup_fetch)::float8 as rows
        from pg_stat_xact_user_tables where schemaname = 'customer' and relname = 'customer'`
      return row!.rows
    }
    const before = await rows()
    const read: string[] = []
    const pages = createCustomAttributesStore(sql).with(tx).pageCustomers(account, { audience, pageSize: PAGE_SIZE })
    for await (const page of pages) read.push(...page.map(({ id }) => id))
    expect(read).toEqual(ids)
    return (await rows()) - before
  })
}

// Without the long laws the one that was chosen wrongly most.
describe.each(INDEXES.slice(0, samples(INDEXES.length, 1)))('an index on %s', (index) => {
  test.each(Object.keys(ACCOUNTS) as (keyof typeof ACCOUNTS)[])(
    'pages cost the same, whatever the statistics saw; the account lies %s',
    async (place) => {
      // Without the long laws only where statistics say the least of the account.
      for (const state of isFull ? STATES : (['one customer per account'] as const)) {
        const account = ACCOUNTS[place]
        const db = await prepare(state, index, account)
        const rows = await db.sql<{ id: string }[]>`
          select id from customer.customer where account_id = ${account} order by id`
        const ids = rows.map(({ id }) => id)
        for (const [name, audience] of Object.entries(AUDIENCES)) {
          if (place !== 'between' && name !== 'all') continue
          const rows = await rowsRead(db, account, audience, ids)
          // The pages once, and the ids by two statements, each of which may read the account; a read of it for each page
          // would be 80.
          expect(rows / ROWS, `${name}, ${state}`).toBeLessThan(3.6)
        }
        // A server has room for so many clients.
        await databases.pop()!.drop()
      }
    },
  )
})

import { afterAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

/** Of the account that was just uploaded, beside a bigger one, and customers of many. */
const ROWS = 10_000
const OTHERS = 20_000
const PAGE_SIZE = 100

const ACCOUNTS = {
  between: '7fffffff-ffff-4fff-8fff-ffffffffffff',
  first: '00000000-0000-4000-8000-000000000000',
  last: 'ffffffff-ffff-4fff-bfff-ffffffffffff',
}
const BIG = 'aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa'

/** What the last ANALYZE saw. */
const STATES = ['everything', 'nothing: never analysed', 'an empty table', 'the others alone'] as const

const databases: TestDatabase[] = []
afterAll(() => Promise.all(databases.map((db) => db.drop())))

async function prepare(state: (typeof STATES)[number], account: string) {
  const db = await createDatabase({ distributed: false })
  databases.push(db)
  const { sql } = db
  await sql.unsafe(readMigrations({ pageIndex: true })[2]!.up).simple()
  await sql`alter table customer.customer set (autovacuum_enabled = off)`
  const analyze = async (when: (typeof STATES)[number]) => {
    if (state === when) await sql`analyze customer.customer`
  }
  await analyze('an empty table')
  await sql`
    insert into customer.customer (account_id, email)
    select case when n % 2 = 0 then gen_random_uuid() else ${BIG} end, n || '@example.com' from generate_series(1, ${OTHERS}::int) n`
  await analyze('the others alone')
  await sql`
    insert into customer.customer (account_id, email, city, custom_attributes)
    select ${account}, n || '@example.com', 'half ' || n % 2, jsonb_build_object('fiftieth', (n % 50)::text)
    from generate_series(1, ${ROWS}::int) n`
  await sql`insert into customer.custom_attribute_definition (account_id, attribute_name) values (${account}, 'fiftieth')`
  await analyze('everything')
  return db
}

/** For each page of an audience, how many rows the server looked at: the same on every machine. */
function rowsOfPages({ sql }: TestDatabase, account: string, audience: Audience, customers: number): Promise<number[]> {
  return sql.begin(async (tx) => {
    const rows = async () => {
      const [row] = await tx<{ rows: number }[]>`
        select (seq_tup_read + idx_tup_fetch)::float8 as rows
        from pg_stat_xact_user_tables where schemaname = 'customer' and relname = 'customer'`
      return row!.rows
    }
    const counts: number[] = []
    const ids: string[] = []
    let before = await rows()
    for await (const page of createCustomAttributesStore(sql)
      .with(tx)
      .pageCustomers(account, { audience, pageSize: PAGE_SIZE })) {
      ids.push(...page.map(({ id }) => id))
      const now = await rows()
      counts.push(now - before)
      before = now
    }
    expect(ids).toHaveLength(customers)
    expect(ids).toEqual([...ids].sort())
    return counts
  })
}

describe.each(Object.entries(ACCOUNTS).slice(0, samples(3, 1)))(
  'an account that lies %s among the others',
  (_place, account) => {
    test('every page costs at most three times the page of an analysed table, an audience at most twice its account, whatever the statistics saw', async () => {
      let analysed: number[] = []
      // Without the long laws the state that was the worst.
      for (const state of STATES.slice(0, samples(STATES.length, 2))) {
        const db = await prepare(state, account)
        const counts = await rowsOfPages(db, account, 'all', ROWS)
        const sum = (list: number[]) => list.reduce((a, b) => a + b, 0)
        const half = await rowsOfPages(db, account, { where: { city: 'half 1' } }, ROWS / 2)
        const few = await rowsOfPages(db, account, { where: { fiftieth: '7' } }, ROWS / 50)
        // A server has room for so many clients.
        await databases.pop()!.drop()
        if (state === 'everything') analysed = counts
        for (const [at, count] of counts.entries())
          expect(count, `page ${at + 1}, ${state}`).toBeLessThanOrEqual(3 * analysed[at]!)
        expect(Math.max(...counts), state).toBeLessThanOrEqual(3 * PAGE_SIZE)
        expect(sum(half), `half, ${state}`).toBeLessThanOrEqual(1.2 * ROWS)
        expect(sum(few), `few, ${state}`).toBeLessThanOrEqual(2 * ROWS)
      }
    })
  },
)

describe('the index', () => {
  const shapes: [string, string, object][] = [
    ['bigint accounts, living rows', 'bigint', { live: { deleted_at: null } }],
    ['texts', 'text', {}],
  ]
  test.each(shapes)('is known on tables with %s, and read in order', async (_what, type, options) => {
    const db = await createDatabase({ migrated: false })
    databases.push(db)
    await db.sql.unsafe(
      `create table contact (nr bigserial primary key, org ${type} not null, mail text not null, deleted_at timestamptz, unique (org, mail))`,
    )
    const columns = { id: 'nr', account_id: 'org', email: 'mail' }
    const names = { customerTable: 'contact', definitionTable: 'contact_attribute', columns }
    const migrations = readMigrations({ ...names, ...options, accountIdType: type as 'text', pageIndex: true })
    for (const { up } of [...migrations, ...migrations]) await db.sql.unsafe(up).simple()
    await db.sql.unsafe(
      `insert into contact (org, mail, deleted_at) select '7', n || '@x.com', case when n % 4 = 0 then now() end from generate_series(1, 100) n`,
    )
    const statements: string[] = []
    const store = createCustomAttributesStore(db.connect({ debug: (_, text) => void statements.push(text) }), {
      ...names,
      ...options,
    })
    const ids: number[] = []
    for await (const page of store.pageCustomers('7', { audience: 'all', pageSize: 7 }))
      ids.push(...page.map(({ id }) => Number(id)))
    const all = Array.from({ length: 100 }, (_, at) => at + 1)
    expect(ids).toEqual('live' in options ? all.filter((n) => n % 4 !== 0) : all)
    expect(statements.at(-1)).toContain('order by (c."org"::text || \'\'), c."nr"')
    for (const { down } of migrations.reverse()) await db.sql.unsafe(down).simple()
    expect(await db.sql`select from pg_class where relname like '%page_idx'`).toHaveLength(0)
  })

  test('of other rows, or another order, is none', async () => {
    const db = await createDatabase({ distributed: false })
    databases.push(db)
    for (const index of [
      "((account_id::text || ''), email)",
      "((account_id::text || ''), id) where email <> 'x'",
      "((account_id::text || 'x'), id)",
      'account_id, id',
    ]) {
      await db.sql.unsafe(`create index odd on customer.customer ${index.startsWith('(') ? index : `(${index})`}`)
      const statements: string[] = []
      const store = createCustomAttributesStore(db.connect({ debug: (_, text) => void statements.push(text) }))
      for await (const _page of store.pageCustomers(BIG, { audience: 'all' })) expect.unreachable()
      expect(statements.at(-1)).not.toContain("|| '')")
      await db.sql`drop index customer.odd`
    }
  })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { createDatabase, readSql, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const CUSTOMERS = samples(100_000, 2_000)
const ACCOUNT = '00000000-0000-4000-8000-00000000000a'
/** Customers before this number are touched by the library; the others stay as they are. */
const TOUCHED = samples(5_000, 1_000)

let db: TestDatabase
beforeAll(async () => {
  db = await createDatabase({ migrated: false })
  await db.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
  // Columns of the host's own, in types whose values do not survive a careless copy.
  await db.sql
    .unsafe(
      `alter table customer.customer add number bigint not null default 0, add secret bytea, add notes jsonb, add score numeric,
         add seen timestamptz, add ratio double precision, add odd text, add tags text[];
       insert into customer.customer (account_id, email, first_name, city, number, secret, notes, score, seen, ratio, odd, tags)
       select '${ACCOUNT}', 'c' || n || '@example.com', case when n % 3 > 0 then 'First ' || n end, '  spaces kept ', n,
         decode(md5(n::text), 'hex'), jsonb_build_object('n', n, 'null', null, 'é', '1.10'), n / 7.0,
         'epoch'::timestamptz + n * interval '1.000001 second', sqrt(n), e'\\ttab, "quote", \\n 日本 \\u00a0' || n,
         array[n::text, null, '']
       from generate_series(1, ${CUSTOMERS}) n`,
    )
    .simple()
})
afterAll(() => db.drop())

const run = async (way: 'up' | 'down') => {
  const migrations = way === 'up' ? readMigrations() : readMigrations().reverse()
  for (const migration of migrations) await db.sql.begin((tx) => tx.unsafe(migration[way]).simple())
}

/** Every byte of the host's own columns of all customers. */
const hostColumns = async () => {
  const [row] = await db.sql`
    select count(*)::int as count, md5(string_agg(md5(
      id || email || number || encode(secret, 'hex') || notes || score || seen || float8send(ratio)::text || odd || tags::text
    ), '' order by number)) as sum
    from customer.customer where number > 0`
  return row
}

/** Every byte of every column of the host's table, of the customers that nobody touched, and the version of each row. */
const untouchedRows = async () => {
  const [row] = await db.sql`
    select count(*)::int as count,
      md5(string_agg(md5((to_jsonb(c) - 'custom_attributes')::text || xmin || ctid), '' order by number)) as sum
    from customer.customer c where number > ${TOUCHED}`
  return row
}

/** How an upload, an upsert and a mail merge use it. */
async function use(round: number): Promise<void> {
  const store = createCustomAttributesStore(db.client)
  const lines = Array.from({ length: TOUCHED - 1 }, (_, at) => `c${at + 1}@example.com,tier ${round},City ${round}`)
  const changed = await store.uploadCsv(ACCOUNT, `email,tier,city\n${lines.join('\n')}\n`)
  expect(changed).toMatchObject({ customersUpdated: TOUCHED - 1, rowsRejected: 0 })
  const fresh = Array.from({ length: 500 }, (_, at) => `new${round}-${at}@example.com,plan ${round}`)
  const created = await store.uploadCsv(ACCOUNT, `email,plan\n${fresh.join('\n')}\n`, { atomic: true })
  expect(created).toMatchObject({ customersCreated: 500 })
  await store.upsertCustomer(ACCOUNT, { email: 'c1@example.com', custom_attributes: { more: 'yes' } })
  const texts: string[] = []
  const audience = { where: { tier: `tier ${round}`, more: 'yes' } }
  for await (const sent of store.mailMerge(ACCOUNT, '{{tier}}, {{city}}', { audience })) {
    if (sent.ok) texts.push(sent.content)
  }
  expect(texts).toEqual([`tier ${round}, City ${round}`])
}

test(`${CUSTOMERS} customers go up, are used, go down, up again, are used and go down: the host's own stays to the byte`, async () => {
  const catalogue = await dumpCatalogue(db.sql)
  const own = await hostColumns()
  const untouched = await untouchedRows()
  expect(own?.count).toBe(CUSTOMERS)
  expect(untouched?.count).toBe(CUSTOMERS - TOUCHED)
  for (const round of [1, 2]) {
    await run('up')
    await use(round)
    expect(await hostColumns()).toEqual(own)
    expect(await untouchedRows()).toEqual(untouched)
    await run('down')
    expect(await dumpCatalogue(db.sql)).toEqual(catalogue)
    expect(await hostColumns()).toEqual(own)
    expect(await untouchedRows()).toEqual(untouched)
  }
  // What the uploads put into the host's own standard fields is the host's, and stays.
  const [kept] = await db.sql`select city from customer.customer where email = 'c1@example.com'`
  expect(kept).toEqual({ city: 'City 2' })
})

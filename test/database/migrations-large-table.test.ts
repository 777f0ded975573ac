import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { createDatabase, readSql, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const ROWS = samples(100_000, 6_000)

let db: TestDatabase
let migrated: string[]
beforeEach(async () => {
  const reference = await createDatabase({ distributed: false })
  migrated = await dumpCatalogue(reference.sql)
  await reference.drop()
  db = await createDatabase({ migrated: false, distributed: false })
  await db.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
  await db.sql`
    insert into customer.customer (account_id, email, first_name)
    select '00000000-0000-4000-8000-00000000000a', 'person' || n || '@example.com', 'Person ' || n
    from generate_series(1, ${ROWS}::int) n`
})
afterEach(() => db.drop())

/** What must be the same before and after: every row, and where it is stored. */
const rows = async () => {
  const [row] = await db.sql`
    select count(*)::int as count, md5(string_agg(ctid::text || id || email || first_name || updated_at, '' order by id)) as sum
    from customer.customer`
  return row
}

test(`a table of ${ROWS} customers is migrated without rewriting a row, and back`, async () => {
  const before = await rows()
  expect(before?.count).toBe(ROWS)
  for (const { up } of readMigrations()) await db.sql.unsafe(up).simple()
  expect(await rows()).toEqual(before)
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
  const [empty] = await db.sql`select count(*)::int as count from customer.customer where custom_attributes = '{}'`
  expect(empty?.count).toBe(ROWS)

  await db.sql`update customer.customer set custom_attributes = '{"tier": "gold"}' where email = 'person77@example.com'`
  const found = await db.sql`select email from customer.customer where custom_attributes @> '{"tier": "gold"}'`
  expect([...found]).toEqual([{ email: 'person77@example.com' }])

  for (const { down } of readMigrations().reverse()) await db.sql.unsafe(down).simple()
  expect((await rows())?.count).toBe(ROWS)
})

test('the statements that the file recommends for a big live table work while others write', async () => {
  const file = await readSql('0001_add_custom_attributes.up.sql')
  const commented = file.match(/^-- {3}.*$/gm)?.map((line) => line.slice(3)) ?? []
  const statements = commented.join('\n').split(/;$/m).slice(0, -1)
  expect(statements).toHaveLength(4)

  const [addColumn, ...rest] = statements
  await db.sql.unsafe(addColumn!)
  const write = () => db.sql`update customer.customer set phone = '1' where email = 'person1@example.com'`
  for (const statement of rest) {
    const running = db.sql.unsafe(statement)
    await Promise.all([running, write()])
  }
  const before = await rows()
  for (const { up } of readMigrations()) await db.sql.unsafe(up).simple()
  expect(await rows()).toEqual(before)
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
})

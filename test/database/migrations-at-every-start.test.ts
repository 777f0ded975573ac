import { expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase({ distributed: false })

test('on a database that is up to date migrations take no lock that a reader would wait for', async () => {
  for (const { up } of readMigrations()) {
    await db.sql.begin(async (tx) => {
      await tx.unsafe(up).simple()
      const held = await tx`
        select l.mode, c.relname from pg_locks l join pg_class c on c.oid = l.relation
        where l.pid = pg_backend_pid() and l.granted and l.mode = 'AccessExclusiveLock'`
      expect(held).toEqual([])
    })
  }
})

test('they do not wait for an open reader, and no reader waits for them', async () => {
  const reader = await db.sql.reserve()
  await reader`begin`
  await reader`select count(*) from customer.customer`
  try {
    for (const { up } of readMigrations()) {
      await db.sql.begin(async (tx) => {
        await tx`set local lock_timeout = '1ms'`
        await tx.unsafe(up).simple()
        // While their transaction is open, others read.
        await db.sql`select count(*) from customer.customer`
      })
    }
  } finally {
    await reader`rollback`
    reader.release()
  }
})

test('what is missing of the three parts is added, whichever it is', async () => {
  const { up } = readMigrations()[0]!
  for (const remove of [
    'drop constraint customer_custom_attributes_check',
    'drop column custom_attributes',
    'add unused int',
  ]) {
    await db.sql
      .unsafe(`drop index if exists customer.customer_custom_attributes_idx; alter table customer.customer ${remove}`)
      .simple()
    await db.sql.unsafe(up).simple()
    const [found] = await db.sql`
      select (select count(*)::int from pg_constraint where conname = 'customer_custom_attributes_check') as checks,
             (select count(*)::int from pg_indexes where indexname = 'customer_custom_attributes_idx') as indexes`
    expect(found).toEqual({ checks: 1, indexes: 1 })
  }
})

import type postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { createDatabase, readSql, type TestDatabase } from '../support/database.js'

const APPLIERS = 20

let db: TestDatabase
let expected: string[]
beforeEach(async () => {
  db = await createDatabase({ distributed: false })
  expected = await dumpCatalogue(db.sql)
  for (const { down } of readMigrations().reverse()) await db.sql.unsafe(down).simple()
})
afterEach(() => db.drop())

const inOneTransaction = (sql: postgres.Sql) =>
  sql.begin(async (tx) => {
    for (const { up } of readMigrations()) await tx.unsafe(up).simple()
  })

const oneTransactionEach = async (sql: postgres.Sql) => {
  for (const { up } of readMigrations()) await sql.begin((tx) => tx.unsafe(up).simple())
}

// What golang-migrate, Prisma and node drivers do: the whole file in one message.
const oneMessageEach = async (sql: postgres.Sql) => {
  for (const { up } of readMigrations()) await sql.unsafe(up).simple()
}

const serializable = async (sql: postgres.Sql) => {
  for (const { up } of readMigrations()) await sql.begin('isolation level serializable', (tx) => tx.unsafe(up).simple())
}

test.each([
  ['in one transaction', inOneTransaction],
  ['in a transaction each', oneTransactionEach],
  ['in a message each', oneMessageEach],
  ['in a serializable transaction each', serializable],
])('twenty appliers at once end in the same schema: %s', async (_, apply) => {
  const clients = Array.from({ length: APPLIERS }, () => db.connect({ max: 1 }))
  // Connected first, so that they really meet.
  await Promise.all(clients.map((client) => client`select 1`))
  await Promise.all(clients.map(apply))
  expect(await dumpCatalogue(db.sql)).toEqual(expected)
})

test('twenty appliers at once, of customer tables that are not there, all say so', async () => {
  const clients = Array.from({ length: APPLIERS }, () => db.connect({ max: 1 }))
  await db.sql`drop table customer.customer`
  const outcomes = await Promise.allSettled(clients.map(oneMessageEach))
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '42P01' } })
  }
  await db.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
  await oneMessageEach(db.sql)
  expect(await dumpCatalogue(db.sql)).toEqual(expected)
})

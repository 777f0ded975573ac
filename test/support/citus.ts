import type postgres from 'postgres'
import { readSql } from './database.js'

/** Whether a server has Citus: then the tables of its test databases are distributed. */
export async function hasCitus(sql: postgres.Sql): Promise<boolean> {
  return (await sql`select from pg_extension where extname = 'citus'`).length > 0
}

/** Brings Citus to a new database, and distributes its tables. */
export async function distribute(sql: postgres.Sql): Promise<void> {
  await sql.unsafe('create extension if not exists citus')
  await sql.unsafe(await readSql('citus/0003_distribute_by_account.up.sql')).simple()
}

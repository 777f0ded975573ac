/** Starts the demo on a real PostgreSQL in a temporary folder, gone after Ctrl-C: `npm run demo`, `PORT=…` for another port. */
import { readFile } from 'node:fs/promises'
import { serve } from '@hono/node-server'
import postgres from 'postgres'
import { readMigrations } from 'postgres-custom-attributes'
import { startEmbeddedPostgres } from '../../test/support/embedded-postgres.js'
import { createDemo } from './server.js'

const { PORT = '3000' } = process.env

console.log('Starting PostgreSQL in a temporary folder …')
// Its starter stops it and removes the folder on Ctrl-C, and then ends this process.
const database = await startEmbeddedPostgres({})
const sql = postgres(database.url, { onnotice: () => {} })
const table = import.meta.resolve('postgres-custom-attributes/sql/reference/customer_table.sql')
await sql.unsafe(await readFile(new URL(table), 'utf8'))
for (const { up } of readMigrations({ history: true, suppressions: true })) await sql.begin((tx) => tx.unsafe(up))

const { fetch } = await createDemo(sql)
const server = serve({ fetch, port: Number(PORT), hostname: '127.0.0.1' }, ({ port }) => {
  console.log(`Open http://127.0.0.1:${port} (Ctrl-C stops it)`)
})
server.on('error', async ({ message }: Error) => {
  console.error(`${message}. Choose another port with PORT=… npm run demo.`)
  process.exitCode = 1
  await sql.end({ timeout: 1 })
  await database.stop()
})

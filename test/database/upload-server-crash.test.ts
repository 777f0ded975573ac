import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore, isCustomAttributesError } from '../../src/index.js'
import { readSql, SCHEMA_FILES } from '../support/database.js'
import { roomyFolder, startEmbeddedPostgres } from '../support/embedded-postgres.js'

// A server of its own, whose processes this test may kill: the death of one makes the server restart with all.
let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>
beforeAll(async () => {
  server = await startEmbeddedPostgres({}, roomyFolder())
  const sql = postgres(server.url, { max: 1, onnotice: () => {} })
  for (const file of SCHEMA_FILES) await sql.unsafe(await readSql(file)).simple()
  await sql.end()
})
afterAll(() => server.stop())

const ROWS = 1_500
const csv = `email,first_name,tier\n${Array.from({ length: ROWS }, (_, at) => `c${at}@x.com,new,gold`).join('\n')}\n`

test.each([
  { atomic: false, after: 0 },
  { atomic: false, after: 3 },
  { atomic: false, after: 20 },
  { atomic: true, after: 0 },
  { atomic: true, after: 10 },
])('the server crashes and restarts: %o', async ({ atomic, after }) => {
  const account = `00000000-0000-4000-8000-0000000${atomic ? 1 : 0}00${String(after).padStart(2, '0')}`
  let batches = 0
  let pid = 0
  const client = postgres(server.url, {
    max: 2,
    onnotice: () => {},
    debug: (_, text) => {
      if (text.includes('"customer"."customer"') && batches++ === after) process.kill(pid, 'SIGKILL')
    },
  })
  const victim = postgres(server.url, { max: 1, onnotice: () => {} })
  const [row] = await victim`select pg_backend_pid() as pid`
  pid = row!.pid
  const outcome = await Promise.race([
    createCustomAttributesStore(client)
      .uploadCsv(account, csv, { batchSize: 50, atomic })
      .catch((error) => error),
    sleep(200_000, 'hung', { ref: false }),
  ])
  expect(outcome).not.toBe('hung')
  if (outcome instanceof Error && !isCustomAttributesError(outcome, 'CONNECTION_LOST')) throw outcome
  await client.end({ timeout: 1 })
  await victim.end({ timeout: 1 })

  const next = postgres(server.url, { max: 2, onnotice: () => {} })
  await waitUntilUp(next)
  const [stored] = await next`select count(*)::int as n from customer.customer where account_id = ${account}`
  if (atomic) expect([0, ROWS]).toContain(stored!.n)
  const again = await createCustomAttributesStore(next).uploadCsv(account, csv)
  expect(again).toMatchObject({ customersCreated: ROWS - stored!.n, customersUnchanged: stored!.n, rowsRejected: 0 })
  await next.end()
})

async function waitUntilUp(sql: postgres.Sql): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await sql`select 1`
      return
    } catch (error) {
      if (tries === 1_000) throw error
      await sleep(100)
    }
  }
}

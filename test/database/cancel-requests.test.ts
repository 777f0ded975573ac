import { connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'
import { untilLocked } from '../support/waiting.js'

const database = useDatabase()

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
let listeners: NodeJS.UnhandledRejectionListener[] = []
beforeEach(() => {
  listeners = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', note)
})
afterEach(async () => {
  await new Promise(setImmediate)
  process.removeAllListeners('unhandledRejection')
  for (const listener of listeners) process.on('unhandledRejection', listener)
  expect(unhandled.splice(0)).toEqual([])
})

/** What becomes of the connection that carries the cancel request. */
type Fate = (inbound: Socket, goOn: () => void) => void

/** An upload that waits for a row's lock, is aborted, and whose cancel request meets its fate on the way. */
async function abortWaiting(fate: Fate | 'refused', options: { statementTimeout?: number } = {}) {
  const target = new URL(database.url)
  const sockets: Socket[] = []
  let isCancelling = false
  const proxy = createServer((inbound) => {
    const goOn = () => {
      const outbound = connect(Number(target.port), target.hostname)
      for (const socket of [inbound, outbound]) socket.on('error', () => {})
      sockets.push(inbound, outbound)
      inbound.pipe(outbound).pipe(inbound)
    }
    if (isCancelling && fate !== 'refused') fate(inbound, goOn)
    else goOn()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as { port: number }
  const sql = database.connect({ host: '127.0.0.1', port, max: 1, fetch_types: false })
  const store = createCustomAttributesStore(sql)
  const account = newAccount()
  await store.upsertCustomer(account, { email: 'a@example.com' })
  await sql.unsafe(`set statement_timeout = ${options.statementTimeout ?? 0}`)
  const holder = await database.sql.reserve()
  await holder`begin`
  await holder`select from customer.customer where account_id = ${account} for update`
  const controller = new AbortController()
  const csv = 'email,city\na@example.com,Rome\n'
  const uploading = rejectionOf(store.uploadCsv(account, csv, { signal: controller.signal }))
  await untilLocked(database.sql)
  isCancelling = true
  if (fate === 'refused') proxy.close()
  controller.abort()
  expect((await uploading).code).toBe('ABORTED')
  await holder`rollback`
  holder.release()
  return {
    sql,
    close: async () => {
      await sql.end({ timeout: 1 })
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }
}

test.each<[string, Fate | 'refused']>([
  ['cannot be connected', 'refused'],
  ['is reset on the way', (inbound) => inbound.once('data', () => inbound.resetAndDestroy())],
  ['is closed without an answer', (inbound) => inbound.once('data', () => inbound.destroy())],
])('a cancel request that %s harms nobody', async (_, fate) => {
  const { sql, close } = await abortWaiting(fate)
  expect(await sql`select 1 as one`).toMatchObject([{ one: 1 }])
  await close()
})

// The second statement ends by its own time, before the cancel request arrives.
test.each([
  [{}, samples(1_500, 150)],
  [{ statementTimeout: 1_000 }, 1_500],
])('a cancel request that comes late meets no statement of the host: %j', async (options, late) => {
  const { sql, close } = await abortWaiting((_, goOn) => setTimeout(goOn, late), options)
  const COUNT = samples(20, 8)
  const answers: unknown[] = []
  for (let at = 0; at < COUNT; at++) {
    answers.push(
      await sql`select pg_sleep(${samples(0.1, 0.05)}), ${at}::int as at`.then(
        ([row]) => row!.at,
        (error) => error.message,
      ),
    )
  }
  expect(answers).toEqual(Array.from({ length: COUNT }, (_, at) => at))
  await close()
})

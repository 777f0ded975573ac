import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'
import { until, untilQuiet } from '../support/waiting.js'

const db = useDatabase()
const account = '00000000-0000-4000-8000-000000000001'

const ROWS = samples(30_000, 4_000)

async function stored(): Promise<number> {
  const [row] = await db.sql`select count(*)::int as n from customer.customer where account_id = ${account}`
  return row!.n
}

test.each([{ atomic: true }, { dryRun: true }, {}])(
  'the connection is lost while the source is slow: %o',
  async (mode) => {
    const name = `slow, ${Object.keys(mode)}`
    let open = 0
    const client = db.connect({ max: 2, connection: { application_name: name }, onclose: () => open-- })
    const store = createCustomAttributesStore(client)
    let isClosed = false
    async function* source(): AsyncGenerator<string> {
      try {
        yield `email\n${Array.from({ length: ROWS }, (_, at) => `a${at}@x.com`.padEnd(100)).join('\n')}\n`
        // A whole upload goes on only when nothing was under way.
        await untilQuiet(db.sql, name, Object.keys(mode).length === 0 ? 1_000 : 200)
        const ended =
          await db.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name} and datname = current_database()`
        open += ended.length
        await until('the client does not hear of it', () => open <= 0)
        yield 'b@x.com\n'
        await sleep(50)
        yield 'c@x.com\n'
      } finally {
        isClosed = true
      }
    }
    const upload = store.uploadCsv(account, source(), { ...mode, batchSize: 500 })
    if ('atomic' in mode || 'dryRun' in mode) {
      await expect(upload).rejects.toMatchObject({
        code: 'CONNECTION_LOST',
        details: { stored: { customersCreated: 0 } },
      })
      expect(await stored()).toBe(0)
    } else {
      // Nothing was under way: the client connects anew and the upload goes on.
      expect(await upload).toMatchObject({ customersCreated: ROWS + 2 })
    }
    await until('the source is not closed', () => isClosed)
  },
)

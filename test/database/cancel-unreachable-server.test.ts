import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { query } from '../../src/db/client.js'
import { inTransaction } from '../../src/db/transaction.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const database = useDatabase({ migrated: false })

describe('cancelling a statement', () => {
  it('harms nobody when the server cannot be reached for the cancel request', async () => {
    const target = new URL(database.url)
    const sockets: Socket[] = []
    const proxy = createServer((inbound) => {
      const outbound = connect(Number(target.port), target.hostname)
      sockets.push(inbound, outbound)
      inbound.pipe(outbound).pipe(inbound)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const { port } = proxy.address() as { port: number }
    const sql = database.connect({ host: '127.0.0.1', port, max: 1 })
    await query(sql, 'select 1::text')

    const unhandled: unknown[] = []
    const listeners = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', (reason) => unhandled.push(reason))
    try {
      const stop = new AbortController()
      const { signal } = stop
      const slow = inTransaction(sql, (tx) => query(tx, 'select pg_sleep(0.5)::text', [], { signal }), signal)
      await new Promise((resolve) => setTimeout(resolve, 100))
      // The connection stays, but no other can be made: the cancel request needs one of its own.
      proxy.close()
      stop.abort()
      expect((await rejectionOf(slow)).code).toBe('ABORTED')
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(unhandled).toEqual([])
    } finally {
      process.removeAllListeners('unhandledRejection')
      for (const listener of listeners) process.on('unhandledRejection', listener)
      await sql.end({ timeout: 1 })
      for (const socket of sockets) socket.destroy()
    }
  })
})

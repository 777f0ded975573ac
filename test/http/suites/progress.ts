import { describe, expect, it } from 'vitest'
import { samples } from '../../support/law.js'
import { CSV, formOf, readEvents, type TestApi } from '../api.js'

export function describeProgress(api: TestApi): void {
  describe('progress', () => {
    it('arrives as server-sent events, then the result', async () => {
      const account = api.newAccount()
      const rows = samples(20_000, 5_000)
      const csv = `email,n\n${Array.from({ length: rows }, (_, n) => `c${n}@example.com,${n}\n`).join('')}`
      const events = await api.events(`/api/accounts/${account}/customers/upload`, formOf(csv))
      const last = events.pop()!
      expect(last).toMatchObject({ event: 'result', data: { customers_created: rows, rows_total: rows } })
      expect(events.length).toBeGreaterThan(0)
      expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['progress']))
      expect(events.at(-1)!.data).toMatchObject({ rows_read: rows, bytes_read: Buffer.byteLength(csv) })
    })

    it('ends with an error that shows when the file is read', async () => {
      const events = await api.events(`/api/accounts/${api.newAccount()}/customers/upload`, formOf('name\nAda\n'))
      expect(events).toEqual([{ event: 'error', data: expect.objectContaining({ code: 'EMAIL_COLUMN_MISSING' }) }])
    })

    it('is not begun for a request that is wrong', async () => {
      const headers = { accept: 'text/event-stream' }
      const path = `/api/accounts/${api.newAccount()}/customers/upload`
      const noFile = await api.request('POST', path, { headers, body: new FormData() })
      expect([noFile.status, noFile.body.error]).toEqual([400, 'No file provided'])
      const unknown = await api.request('POST', `${path}?nope=1`, { headers, body: formOf(CSV) })
      expect([unknown.status, unknown.body.code]).toEqual([400, 'INVALID_REQUEST'])
    })

    it('closing the stream stops the upload', async () => {
      const account = api.newAccount()
      const rows = samples(200_000, 50_000)
      const csv = `email,n\n${Array.from({ length: rows }, (_, n) => `c${n}@example.com,${n}\n`).join('')}`
      const response = await api.server.fetch(`/api/accounts/${account}/customers/upload?atomic=true`, {
        method: 'POST',
        body: formOf(csv),
        headers: { accept: 'text/event-stream' },
      })
      const reader = response.body!.getReader()
      expect(readEvents(Buffer.from((await reader.read()).value!).toString())[0]!.event).toBe('progress')
      await reader.cancel()
      await expect.poll(() => api.openTransactions()).toBe(0)
      expect((await api.stored(account)).customers).toBe(0)
    })
  })
}

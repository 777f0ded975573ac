import { describe, expect, it } from 'vitest'
import { createCustomAttributesStore } from '../../../src/store.js'
import { CSV, formOf, type TestApi } from '../api.js'

export function describeServerErrors(api: TestApi): void {
  describe('errors of the server', () => {
    it('are opaque, and told to the host', async () => {
      const account = api.newAccount()
      const errors: unknown[] = []
      const broken = new Error('password=secret')
      const onError = (error: unknown, { route }: { route?: unknown }) => {
        errors.push([error, route])
        throw new Error('the log is full')
      }
      api.use({ onError }, { ...api.store, getMergeTags: () => Promise.reject(broken) })
      const { status, body } = await api.request('GET', `/api/accounts/${account}/merge-tags`)
      expect(status).toBe(500)
      expect(body).toEqual({
        error: 'Something went wrong on the server. Try again later.',
        code: 'INTERNAL_ERROR',
        details: {},
      })
      expect(errors).toEqual([[broken, { accountId: account, action: 'merge_tags' }]])
    })

    it('of the catalogue keep their code, and are told to the host', async () => {
      const errors: unknown[] = []
      const sql = api.database.connect()
      const store = createCustomAttributesStore(sql, { customerTable: 'customer.nowhere' })
      api.use({ onError: (error) => errors.push(error) }, store)
      const { status, body } = await api.upload(api.newAccount(), formOf(CSV))
      expect([status, body.code]).toEqual([500, 'SCHEMA_NOT_READY'])
      expect(errors).toHaveLength(1)
      const events = await api.events(`/api/accounts/${api.newAccount()}/customers/upload`, formOf(CSV))
      expect(events).toEqual([{ event: 'error', data: expect.objectContaining({ code: 'SCHEMA_NOT_READY' }) }])
      expect(errors).toHaveLength(2)
    })

    it('that are the client’s are not told', async () => {
      const errors: unknown[] = []
      api.use({ onError: (error) => errors.push(error) })
      await api.upload(api.newAccount(), formOf('name\nAda\n'))
      await api.request('GET', '/api/accounts/42/merge-tags')
      expect(errors).toEqual([])
    })
  })
}

import { describe, expect, it } from 'vitest'
import { createCustomAttributesStore } from '../../../src/store.js'
import { CSV, formOf, type TestApi } from '../api.js'

export function describeAuthorize(api: TestApi): void {
  describe('authorize', () => {
    const json = (body: object): RequestInit => ({
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    })
    const uploadId = '5f0f3c1e-7c1d-4a0e-9a55-0b1d6f2a9c10'
    const ROUTES: [action: string, method: string, path: string, init: RequestInit, more?: object][] = [
      ['merge_tags', 'GET', 'merge-tags', {}],
      ['upload', 'POST', 'customers/upload', { body: formOf(CSV) }],
      ['export', 'GET', 'customers/export', {}],
      ['preview', 'POST', 'customers/upload/preview', { body: formOf(CSV) }],
      ['check', 'POST', 'templates/check', json({ message: 'x' })],
      ['render', 'POST', 'templates/preview', json({ message: 'x', email: 'a@b.c' })],
      ['describe_attributes', 'GET', 'attributes', {}],
      ['rename_attribute', 'POST', 'attributes/rename', json({ from: 'a', to: 'b' })],
      ['remove_attribute', 'POST', 'attributes/remove', json({ name: 'a' })],
      ['prune_attributes', 'POST', 'attributes/prune', json({ without_values: true })],
      ['list_uploads', 'GET', 'uploads', {}],
      ['get_upload', 'GET', `uploads/${uploadId}`, {}, { uploadId }],
      ['undo_upload', 'POST', `uploads/${uploadId}/undo`, json({}), { uploadId }],
      ['prune_uploads', 'POST', 'uploads/prune', json({ older_than: '2026-01-01' })],
      ['list_suppressions', 'GET', 'suppressions', {}],
      ['suppress', 'POST', 'suppressions', json({ emails: [] })],
      ['unsuppress', 'POST', 'suppressions/remove', json({ emails: [] })],
      ['erase_customer', 'POST', 'customers/erase', json({ email: 'a@b.c' })],
    ]

    it.each(ROUTES)('is asked for %s, and no is 403 with nothing read', async (action, method, path, init, more) => {
      const account = api.newAccount()
      const queries: string[] = []
      const sql = api.database.connect({ debug: (_connection, query) => queries.push(query) })
      const asked: unknown[] = []
      let request: Request | undefined
      api.use(
        {
          authorize: (given, route) => {
            request = given
            asked.push(route)
            return false
          },
        },
        createCustomAttributesStore(sql),
      )
      const { status, body } = await api.request(method, `/api/accounts/${account}/${path}`, init)
      expect([status, body.code]).toEqual([403, 'FORBIDDEN'])
      expect(asked).toEqual([{ accountId: account, action, ...more }])
      expect(queries).toEqual([])
      expect(request?.bodyUsed).toBe(false)
    })

    it('lets nothing but true through', async () => {
      for (const answer of [undefined, null, 1, 'yes', {}]) {
        api.use({ authorize: async () => answer as unknown as boolean })
        const { status } = await api.request('GET', `/api/accounts/${api.newAccount()}/merge-tags`)
        expect(status).toBe(403)
      }
    })

    it('may answer by itself', async () => {
      api.use({
        authorize: () => new Response('Please sign in', { status: 401, headers: { 'www-authenticate': 'Basic' } }),
      })
      const response = await api.server.fetch(`/api/accounts/${api.newAccount()}/merge-tags`)
      expect([response.status, await response.text()]).toEqual([401, 'Please sign in'])
      expect(response.headers.get('www-authenticate')).toBe('Basic')
    })

    it('gets the account id as it is meant', async () => {
      let accountId = ''
      api.use({
        authorize: (_request, route) => {
          accountId = route.accountId
          return false
        },
      })
      await api.request('GET', '/api/accounts/a%2Fb%20c/merge-tags')
      expect(accountId).toBe('a/b c')
    })

    it('that fails is an error of the server', async () => {
      const errors: unknown[] = []
      const broken = new Error('session store down: redis://secret@host')
      api.use({ authorize: () => Promise.reject(broken), onError: (error) => errors.push(error) })
      const { status, body } = await api.request('GET', `/api/accounts/${api.newAccount()}/merge-tags`)
      expect([status, body.code]).toEqual([500, 'INTERNAL_ERROR'])
      expect(JSON.stringify(body)).not.toContain('secret')
      expect(errors).toEqual([broken])
    })
  })
}

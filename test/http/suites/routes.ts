import { describe, expect, it } from 'vitest'
import { formOf, type TestApi } from '../api.js'

export function describeRoutes(api: TestApi): void {
  describe('routes', () => {
    it('lists both kinds of merge tags', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf('email,zeta,Alpha\nada@example.com,1,2\n'))
      const { status, body } = await api.request('GET', `/api/accounts/${account}/merge-tags`)
      expect(status).toBe(200)
      expect(body.custom_attributes).toEqual(['Alpha', 'zeta'])
      expect(body.standard_fields).toContain('first_name')
      expect(body.standard_fields).toEqual([...body.standard_fields].sort())
    })

    it('that do not exist are 404', async () => {
      const account = api.newAccount()
      for (const path of [
        '/api',
        '/api/accounts',
        `/api/accounts/${account}`,
        `/api/accounts/${account}/customers`,
        `/api/accounts/${account}/merge-tags/`,
        `/api/accounts/${account}/constructor`,
        `/api/accounts/${account}/uploads/`,
        `/api/accounts/${account}/uploads//undo`,
        `/api/accounts/${account}/uploads/1/redo`,
        `/api/accounts/${account}/uploads/1/undo/`,
        '/api/accounts//merge-tags',
      ]) {
        const response = await api.server.fetch(path)
        // What is not below the mount is the server's own to answer.
        if (path !== '/api') expect((await response.json()).code).toBe('NOT_FOUND')
        expect(response.status).toBe(404)
      }
    })

    it('are for one method', async () => {
      const base = `/api/accounts/${api.newAccount()}`
      for (const [method, path, allow] of [
        ['POST', 'merge-tags', 'GET'],
        ['POST', 'customers/export', 'GET'],
        ['GET', 'customers/upload', 'POST'],
        ['PUT', 'customers/upload', 'POST'],
        ['POST', 'attributes', 'GET'],
        ['GET', 'attributes/rename', 'POST'],
        ['DELETE', 'attributes/remove', 'POST'],
        ['GET', 'attributes/prune', 'POST'],
        ['POST', 'uploads', 'GET'],
        ['DELETE', 'uploads/1', 'GET'],
        ['GET', 'uploads/1/undo', 'POST'],
        ['GET', 'uploads/prune', 'POST'],
        ['DELETE', 'customers/erase', 'POST'],
        ['DELETE', 'templates/check', 'POST'],
        ['GET', 'templates/preview', 'POST'],
      ] as const) {
        const { status, body, headers } = await api.request(method, `${base}/${path}`)
        expect([status, body.code, headers.get('allow')]).toEqual([405, 'METHOD_NOT_ALLOWED', allow])
      }
    })
  })
}

import { describe, expect, it } from 'vitest'
import { formOf, type TestApi } from '../api.js'

const CSV = `email,loyalty_tier,loyalty_teir,points
ada@example.com,gold,,120
bo@example.com,,silver,80
cy@example.com,gold,bronze,80
dee@example.com,,,
`

export function describeAttributeRoutes(api: TestApi): void {
  describe('attributes', () => {
    const uploaded = async () => {
      const account = api.newAccount()
      await api.upload(account, formOf(CSV))
      const base = `/api/accounts/${account}/attributes`
      const values = async (name: string) =>
        Object.fromEntries(
          await Promise.all(
            ['ada', 'bo', 'cy', 'dee'].map(async (who) => {
              const customer = await api.store.getCustomer(account, `${who}@example.com`)
              return [who, customer?.custom_attributes[name]] as const
            }),
          ),
        )
      return { account, base, values }
    }

    it('are described', async () => {
      const { base } = await uploaded()
      const { status, body } = await api.request('GET', base)
      expect(status).toBe(200)
      const moment = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/)
      const dates = { created_at: moment, last_seen_at: moment }
      expect(body.attributes).toEqual([
        {
          name: 'loyalty_teir',
          customers: 2,
          share: 0.5,
          distinct_values: 2,
          examples: ['bronze', 'silver'],
          kind: 'text',
          ...dates,
        },
        {
          name: 'loyalty_tier',
          customers: 2,
          share: 0.5,
          distinct_values: 1,
          examples: ['gold'],
          kind: 'text',
          ...dates,
        },
        {
          name: 'points',
          customers: 3,
          share: 0.75,
          distinct_values: 2,
          examples: ['80', '120'],
          kind: 'integer',
          ...dates,
        },
      ])
    })

    it('are described where there are none, without values, and with more than can be told', async () => {
      const account = api.newAccount()
      const path = `/api/accounts/${account}/attributes`
      expect((await api.request('GET', path)).body).toEqual({ attributes: [] })
      await api.store.upsertAttributeDefinitions(account, ['never'])
      const nothing = { customers: 0, share: 0, distinct_values: 0, examples: [], kind: null }
      expect((await api.request('GET', path)).body.attributes).toEqual([expect.objectContaining(nothing)])
      const rows = Array.from({ length: 1001 }, (_, at) => `c${at}@example.com,${at}${'x'.repeat(200)}\n`)
      await api.upload(account, formOf(`email,code\n${rows.join('')}`))
      const { attributes } = (await api.request('GET', path)).body
      expect(attributes[0]).toMatchObject({ name: 'code', customers: 1001, distinct_values: 'more', kind: 'text' })
      expect(attributes[0].examples.map(({ length }: string) => length)).toEqual([100, 100, 100, 100, 100])
    })

    it('are renamed, and templates with them', async () => {
      const { base, values, account } = await uploaded()
      const templates = {
        'Welcome Mail': 'You have {{ points | default: "0" }} points',
        bye: 'Bye {{first_name}}',
      }
      const answer = await api.post(`${base}/rename`, { from: 'points', to: 'Bonus', templates, format: 'text' })
      expect([answer.status, answer.body]).toEqual([
        200,
        {
          customers_changed: 3,
          collisions: 0,
          templates: { 'Welcome Mail': 'You have {{ Bonus | default: "0" }} points' },
        },
      ])
      expect(await values('Bonus')).toEqual({ ada: '120', bo: '80', cy: '80', dee: undefined })
      expect((await api.stored(account)).definitions).toEqual(['Bonus', 'loyalty_teir', 'loyalty_tier'])
    })

    it.each([
      ['keep-target', 'gold'],
      ['keep-source', 'bronze'],
    ])('become one when that is asked for, by %s', async (on_conflict, kept) => {
      const { base, values, account } = await uploaded()
      const refused = await api.post(`${base}/rename`, { from: 'loyalty_teir', to: 'loyalty_tier' })
      expect([refused.status, refused.body.code, refused.body.details]).toEqual([
        409,
        'ATTRIBUTE_EXISTS',
        { name: 'loyalty_tier', collisions: 1 },
      ])
      expect(await values('loyalty_teir')).toMatchObject({ bo: 'silver', cy: 'bronze' })
      const { status, body } = await api.post(`${base}/rename`, {
        from: 'loyalty_teir',
        to: 'loyalty_tier',
        on_conflict,
      })
      expect([status, body]).toEqual([200, { customers_changed: 2, collisions: 1, templates: {} }])
      expect(await values('loyalty_tier')).toEqual({ ada: 'gold', bo: 'silver', cy: kept, dee: undefined })
      expect((await api.stored(account)).definitions).toEqual(['loyalty_tier', 'points'])
    })

    it('are removed, and the templates named that lack them', async () => {
      const { base, values, account } = await uploaded()
      const templates = { a: '{{points}}', b: '{{loyalty_tier}}', c: '{{#points}}x{{/points}}' }
      const { status, body } = await api.post(`${base}/remove`, { name: 'points', templates })
      expect([status, body]).toEqual([200, { customers_changed: 3, templates: ['a', 'c'] }])
      expect(await values('points')).toEqual({ ada: undefined, bo: undefined, cy: undefined, dee: undefined })
      expect((await api.stored(account)).definitions).toEqual(['loyalty_teir', 'loyalty_tier'])
    })

    it('are pruned when nothing uses them', async () => {
      const { base, account } = await uploaded()
      await api.store.upsertAttributeDefinitions(account, ['fax'])
      await api.database.sql`
        update customer.custom_attribute_definition set last_seen_at = '2020-01-01'
        where account_id = ${account} and attribute_name in ('fax', 'points')`
      const prune = (body: object) => api.post(`${base}/prune`, body)
      expect((await prune({ not_seen_since: '2019-12-31' })).body).toEqual({ attributes: [] })
      const removed = (name: string, customers_changed: number) => ({ attributes: [{ name, customers_changed }] })
      expect((await prune({ not_seen_since: '2020-01-02', without_values: true })).body).toEqual(removed('fax', 0))
      expect((await prune({ without_values: true })).body).toEqual({ attributes: [] })
      expect((await prune({ not_seen_since: '2020-01-01T00:00:00.001Z' })).body).toEqual(removed('points', 3))
      expect((await api.stored(account)).definitions).toEqual(['loyalty_teir', 'loyalty_tier'])
    })

    it.each([
      ['rename', { from: 'nothing', to: 'something' }],
      ['remove', { name: 'nothing' }],
      // A field of the table is no attribute.
      ['remove', { name: 'first_name' }],
      ['remove', { name: 'a\0b' }],
    ])('that the account does not have are 404: %s %j', async (action, given) => {
      const { base, account } = await uploaded()
      const { status, body } = await api.post(`${base}/${action}`, given)
      const name = 'from' in given ? given.from : given.name
      expect([status, body.code, body.details]).toEqual([404, 'ATTRIBUTE_NOT_FOUND', { name }])
      expect((await api.stored(account)).definitions).toHaveLength(3)
    })

    it.each([
      ['rename', {}, 'INVALID_REQUEST', { field: 'from' }],
      ['rename', { from: 'points' }, 'INVALID_REQUEST', { field: 'to' }],
      ['rename', { from: 'points', to: 1 }, 'INVALID_REQUEST', { field: 'to' }],
      ['rename', { from: 'points', to: 'p', on_conflict: 'keep' }, 'INVALID_REQUEST', { field: 'on_conflict' }],
      ['rename', { from: 'points', to: 'p', onConflict: 'keep-target' }, 'INVALID_REQUEST', { field: 'onConflict' }],
      ['rename', { from: 'points', to: 'p', templates: ['x'] }, 'INVALID_REQUEST', { field: 'templates' }],
      ['rename', { from: 'points', to: 'p', templates: { a: 1 } }, 'INVALID_REQUEST', { field: 'templates' }],
      ['rename', { from: 'points', to: 'p', format: 'pdf' }, 'INVALID_REQUEST', { field: 'format' }],
      ['rename', { from: 'points', to: 'points' }, 'INVALID_ARGUMENT', { argument: 'to' }],
      ['rename', { from: 'points', to: '' }, 'INVALID_REQUEST', { field: 'to' }],
      ['rename', { from: 'points', to: 'first_name' }, 'INVALID_ATTRIBUTE_NAME', {}],
      ['remove', {}, 'INVALID_REQUEST', { field: 'name' }],
      ['remove', { name: ['points'] }, 'INVALID_REQUEST', { field: 'name' }],
      ['remove', { name: 'points', dry_run: true }, 'INVALID_REQUEST', { field: 'dry_run' }],
      ['prune', { not_seen_since: 'yesterday' }, 'INVALID_REQUEST', { field: 'not_seen_since' }],
      ['prune', { not_seen_since: 0 }, 'INVALID_REQUEST', { field: 'not_seen_since' }],
      ['prune', { not_seen_since: '2026-02-31' }, 'INVALID_REQUEST', { field: 'not_seen_since' }],
      ['prune', { not_seen_since: '0000-01-01' }, 'INVALID_REQUEST', { field: 'not_seen_since' }],
      ['remove', { name: 'tier', templates: { big: 'x'.repeat(300_000) } }, 'INVALID_REQUEST', { field: 'templates' }],
      ['prune', { without_values: 'true' }, 'INVALID_REQUEST', { field: 'without_values' }],
      ['prune', { withoutValues: true }, 'INVALID_REQUEST', { field: 'withoutValues' }],
      ['prune', {}, 'INVALID_OPTION', {}],
      ['prune', { without_values: false }, 'INVALID_OPTION', {}],
      ['prune', [], 'INVALID_REQUEST', {}],
    ])('stay as they are when the request is wrong: %s %j', async (action, given, code, details) => {
      const { base, account } = await uploaded()
      const { status, body } = await api.post(`${base}/${action}`, given)
      expect([status, body.code]).toEqual([400, code])
      expect(body.details).toMatchObject(details)
      expect((await api.stored(account)).definitions).toEqual(['loyalty_teir', 'loyalty_tier', 'points'])
    })
  })
}

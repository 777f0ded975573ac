import { describe, expect, it } from 'vitest'
import { formOf, type TestApi } from '../api.js'

const CSV = `email,first_name,city,birthday,points
ada@example.com,Ada,Rome,1990-05-17,120
bo@example.com,Bo,Oslo,,many
cy@example.com,,Romford,2001-01-01,80
`

export function describeAudienceRoutes(api: TestApi): void {
  describe('audiences', () => {
    const uploaded = async () => {
      const account = api.newAccount()
      await api.upload(account, formOf(CSV))
      return `/api/accounts/${account}`
    }

    it.each([
      ['all', 3, 0],
      [{ emails: ['ADA@example.com', 'nobody@example.com'] }, 1, 0],
      [
        {
          where: {
            city: { startsWith: 'rom' },
            any: [{ points: { above: 100 } }, { birthday: { since: '2000-01-01' } }],
          },
        },
        2,
        0,
      ],
      [{ where: { points: { below: 100 } } }, 1, 1],
    ])('are counted: %j', async (audience, customers, incomparable) => {
      const { status, body } = await api.post(`${await uploaded()}/customers/count`, { audience })
      expect([status, body]).toEqual([200, { customers, without_email: 0, incomparable, suppressed: 0, opted_out: 0 }])
    })

    it('are found, searched, sorted and paged', async () => {
      const base = await uploaded()
      const find = (query: object) =>
        api.post(`${base}/customers/find`, { audience: 'all', sort: 'email', limit: 2, ...query })
      const first = await find({})
      expect(first.status).toBe(200)
      expect(first.body.customers.map(({ email }: { email: string }) => email)).toEqual([
        'ada@example.com',
        'bo@example.com',
      ])
      expect(first.body.customers[0]).toMatchObject({
        first_name: 'Ada',
        birthday: '1990-05-17',
        custom_attributes: { points: '120' },
      })
      const second = await find({ cursor: first.body.next })
      expect(second.body).toMatchObject({ customers: [{ email: 'cy@example.com' }], next: null })
      expect((await find({ cursor: second.body.previous })).body).toEqual(first.body)
      expect((await find({ search: 'rom', descending: true })).body.customers[0].email).toBe('cy@example.com')
    })

    it('are preflighted', async () => {
      const base = await uploaded()
      const message = { subject: 'Hi {{first_name}}', html: '<p>{{pionts}} {{birthday | date: "long"}}</p>' }
      const { status, body } = await api.post(`${base}/templates/preflight`, { message, audience: 'all', locale: 'de' })
      expect(status).toBe(200)
      expect(body).toMatchObject({
        recipients: 3,
        without_email: 0,
        complete: 0,
        tags: [
          { name: 'first_name', missing: 1, unformattable: 0 },
          { name: 'pionts', missing: 3, unformattable: 0 },
          { name: 'birthday', missing: 1, unformattable: 0 },
        ],
        unknown_tags: [{ part: 'html', code: 'UNKNOWN_TAG', details: { suggestion: 'points' } }],
        warnings: [],
      })
      const one = await api.post(`${base}/templates/preflight`, {
        message: 'Hi {{first_name}}',
        format: 'text',
        audience: { where: { first_name: { missing: false } } },
      })
      expect(one.body).toMatchObject({ recipients: 2, complete: 2 })
      expect(await api.post(`${base}/templates/preflight`, { message, format: 'text', audience: 'all' })).toMatchObject(
        {
          status: 400,
          body: { code: 'INVALID_REQUEST', details: { field: 'format' } },
        },
      )
    })

    it('choose what is exported', async () => {
      const base = await uploaded()
      const query = new URLSearchParams({ audience: '{"where":{"city":"Rome"}}', columns: '["email","points"]' })
      const response = await api.server.fetch(`${base}/customers/export?${query}`)
      expect(await response.text()).toBe('email,points\r\nada@example.com,120\r\n')
    })

    it.each([
      [undefined, ''],
      [{ where: { nobody: 'x' } }, 'where.nobody'],
      [{ where: { any: [{ points: { above: 'many' } }] } }, 'where.any[0].points.above'],
      [{ where: { city: { before: '2026-01-01', like: 'x' } } }, 'where.city'],
      [{ where: { birthday: { contains: '1' } } }, 'where.birthday.contains'],
      [{ where: { email: 'x' }, timeZone: '+02:00' }, 'timeZone'],
    ])('that are wrong are told with their place: %j', async (audience, path) => {
      const base = await uploaded()
      for (const [route, more] of [
        ['customers/count', {}],
        ['customers/find', {}],
        ['templates/preflight', { message: 'x' }],
      ] as const) {
        const { status, body } = await api.post(`${base}/${route}`, { audience, ...more })
        expect([status, body.code, body.details.path]).toEqual([400, 'INVALID_AUDIENCE', path])
      }
    })

    it.each([
      ['customers/count', { audience: 'all', limit: 5 }, 'limit'],
      ['customers/find', { audience: 'all', limit: 0 }, 'limit'],
      ['customers/find', { audience: 'all', search: 'x'.repeat(201) }, 'search'],
      ['templates/preflight', { audience: 'all' }, 'message'],
    ])('%s %j: a field that is wrong', async (route, query, field) => {
      const { status, body } = await api.post(`${await uploaded()}/${route}`, query)
      expect([status, body.code, body.details.field]).toEqual([400, 'INVALID_REQUEST', field])
    })
  })
}

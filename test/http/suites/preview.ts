import { describe, expect, it } from 'vitest'
import { samples } from '../../support/law.js'
import { CSV, formOf, NAMES, type TestApi } from '../api.js'

export function describePreview(api: TestApi): void {
  describe('preview', () => {
    const preview = (account: string, body: BodyInit, query = '') =>
      api.request('POST', `/api/accounts/${account}/customers/upload/preview${query}`, { body })

    it('says what an upload would do, and writes nothing', async () => {
      const account = api.newAccount()
      const csv = 'Email;Loyalty Tier;id\nada@example.com;gold;1\nnobody;silver;2\n'
      const { status, body } = await preview(account, formOf(csv))
      expect(status).toBe(200)
      expect(body).toMatchObject({
        encoding: 'utf-8',
        delimiter: ';',
        headers: ['Email', 'Loyalty Tier', 'id'],
        ignored: [{ header: 'id', position: 3, reason: 'reserved' }],
        problems: [],
        rows: [
          { row: 2, line: 2, standard: { email: 'ada@example.com' }, custom_attributes: { 'Loyalty Tier': 'gold' } },
        ],
      })
      expect(body.columns[1]).toEqual({
        header: 'Loyalty Tier',
        position: 2,
        target: { attribute: 'Loyalty Tier' },
        reason: 'attribute',
        samples: ['gold', 'silver'],
      })
      expect(body.rejected[0]).toMatchObject({ row: 3, code: 'INVALID_EMAIL' })
      expect(await api.stored(account)).toEqual({ customers: 0, definitions: [] })
    })

    it('takes edited columns, and gives them to the upload', async () => {
      const account = api.newAccount()
      const csv = 'Contact,Extra Name\nada@example.com,gold\n'
      const first = await preview(account, formOf(csv))
      expect(first.body.problems[0].code).toBe('EMAIL_COLUMN_MISSING')
      first.body.columns[0].target = { field: 'email' }
      const columns = JSON.stringify(first.body.columns)
      const second = await preview(account, formOf(csv, 'a.csv', { columns }))
      expect(second.body.problems).toEqual([])
      expect(second.body.rows[0].custom_attributes).toEqual({ 'Extra Name': 'gold' })
      const uploaded = await api.upload(account, formOf(csv, 'a.csv', { columns }))
      expect(uploaded.body.customers_created).toBe(1)
    })

    it('tells every problem of the headers at once', async () => {
      const csv = `name,first_name,First Name,${NAMES.join(',')}\n`
      const { status, body } = await preview(api.newAccount(), formOf(csv))
      expect(status).toBe(200)
      expect(body.problems.map(({ code }: { code: string }) => code)).toEqual([
        'EMAIL_COLUMN_MISSING',
        'DUPLICATE_COLUMN',
        'TOO_MANY_ATTRIBUTES',
      ])
    })

    it('needs only the head of a file', async () => {
      const rows = Array.from({ length: samples(100_000, 30_000) }, (_, n) => `c${n}@example.com,${n}\n`).join('')
      const { status, body } = await preview(api.newAccount(), formOf(`email,n\n${rows}`), '?attributes=none')
      expect([status, body.rows.length, body.ignored.length]).toEqual([200, 20, 1])
    })

    it('refuses what an upload refuses', async () => {
      const account = api.newAccount()
      for (const [body, query, status, code] of [
        [formOf(CSV, 'file.txt'), '', 400, 'NOT_CSV'],
        [new FormData(), '', 400, 'NO_FILE'],
        [formOf('PK\x03\x04'), '', 400, 'UNSUPPORTED_FILE'],
        [formOf(''), '', 400, 'EMPTY_FILE'],
        [formOf(CSV), '?existing=merge', 400, 'INVALID_REQUEST'],
        [formOf(CSV), '?delimiter=x', 400, 'INVALID_REQUEST'],
      ] as [BodyInit, string, number, string][]) {
        const answer = await preview(account, body, query)
        expect([answer.status, answer.body.code]).toEqual([status, code])
      }
      expect((await preview('42', formOf(CSV))).body.code).toBe('INVALID_ACCOUNT_ID')
    })
  })
}

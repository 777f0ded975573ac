import { describe, expect, it } from 'vitest'
import { CSV, formOf, type TestApi } from '../api.js'

export function describeTemplates(api: TestApi): void {
  describe('templates', () => {
    const misspelt = '{{frist_name | default: "there"}} and {{#open}}'

    it('are checked against what the account knows', async () => {
      const path = `/api/accounts/${api.newAccount()}/templates/check`
      const one = await api.post(path, { message: `Hi ${misspelt}` })
      expect(one.status).toBe(200)
      expect(one.body.tags[0]).toEqual({ name: 'frist_name', kind: 'value', line: 1, column: 4, fallback: 'there' })
      expect(one.body.problems.map(({ code }: { code: string }) => code)).toEqual([
        'UNKNOWN_TAG',
        'UNCLOSED_SECTION',
        'UNKNOWN_TAG',
      ])
      expect(one.body.problems[0].details.suggestion).toBe('first_name')
      const parts = await api.post(path, { message: { text: '{{email}}', subject: '{{x' } })
      expect(parts.body.tags).toEqual([{ part: 'text', name: 'email', kind: 'value', line: 1, column: 1 }])
      expect(parts.body.problems).toEqual([expect.objectContaining({ part: 'subject', code: 'TEMPLATE_SYNTAX' })])
    })

    it('know the host’s own tags', async () => {
      api.use({ extraTags: { unsubscribe_url: 'https://example.com/u?a=1&b=2' }, allowUnescaped: true })
      const account = api.newAccount()
      const message = '{{{unsubscribe_url}}}'
      const checked = await api.post(`/api/accounts/${account}/templates/check`, { message })
      expect(checked.body.problems).toEqual([])
      await api.upload(account, formOf(CSV))
      const rendered = await api.post(`/api/accounts/${account}/templates/preview`, {
        message,
        email: 'ada@example.com',
      })
      expect(rendered.body).toEqual({ content: 'https://example.com/u?a=1&b=2' })
    })

    it('are rendered for one customer', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf('email,first_name,tier\nada@example.com,<Ada>,"gold\nstar"\n'))
      const path = `/api/accounts/${account}/templates/preview`
      const render = async (message: unknown, rest: object = {}) =>
        (await api.post(path, { message, email: 'Ada@example.com', ...rest })).body.content
      expect(await render('Hi {{first_name}}')).toBe('Hi &lt;Ada&gt;')
      expect(await render('Hi {{first_name}}', { format: 'text' })).toBe('Hi <Ada>')
      expect(await render('{{nope}}', { missing: 'keep' })).toBe('{{nope}}')
      expect(await render({ html: '{{first_name}}', text: '{{first_name}}', subject: '{{tier}}' })).toEqual({
        html: '&lt;Ada&gt;',
        text: '<Ada>',
        subject: 'gold star',
      })
    })

    it('tell the missing tags of every part, and of which', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf(CSV))
      const message = { subject: '{{plan}}', html: '{{first_name}}', text: '{{city}} {{plan}}' }
      const body = { message, email: 'ada@example.com', missing: 'error' }
      const { body: answer } = await api.post(`/api/accounts/${account}/templates/preview`, body)
      expect(answer.details).toEqual({
        tags: ['plan', 'city'],
        parts: [
          { part: 'subject', tags: ['plan'] },
          { part: 'text', tags: ['city', 'plan'] },
        ],
      })
    })

    it('say what is wrong', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf(CSV))
      const path = `/api/accounts/${account}/templates/preview`
      const email = 'ada@example.com'
      for (const [body, status, code] of [
        [{ message: 'x', email: 'nobody@example.com' }, 404, 'CUSTOMER_NOT_FOUND'],
        [{ message: '{{#a}}', email }, 400, 'UNCLOSED_SECTION'],
        [{ message: '{{plan}}', email, missing: 'error' }, 422, 'MISSING_VALUE'],
        [
          { message: { subject: '{{plan}}', text: '{{city}} {{plan}}' }, email, missing: 'error' },
          422,
          'MISSING_VALUE',
        ],
        [{ message: 'a'.repeat(256 * 1024 + 1), email }, 413, 'TEMPLATE_TOO_LARGE'],
        [{ message: 'x' }, 400, 'INVALID_REQUEST'],
        [{ email }, 400, 'INVALID_REQUEST'],
        [{ message: {}, email }, 400, 'INVALID_REQUEST'],
        [{ message: { body: 'x' }, email }, 400, 'INVALID_REQUEST'],
        [{ message: { html: 'x' }, format: 'html', email }, 400, 'INVALID_REQUEST'],
        [{ message: 'x', email, missing: 'skip' }, 400, 'INVALID_REQUEST'],
        [{ message: 'x', email, extra: 1 }, 400, 'INVALID_REQUEST'],
        [['x'], 400, 'INVALID_REQUEST'],
        [{ message: 'a'.repeat(2 * 1024 * 1024), email }, 413, 'REQUEST_TOO_LARGE'],
      ] as [unknown, number, string][]) {
        const answer = await api.post(path, body)
        expect([answer.status, answer.body.code], JSON.stringify(body).slice(0, 80)).toEqual([status, code])
      }
      const json = { 'content-type': 'application/json' }
      const broken = await api.request('POST', path, { body: '{"message":', headers: json })
      expect([broken.status, broken.body.code]).toEqual([400, 'INVALID_REQUEST'])
      const bytes = await api.request('POST', path, { body: Buffer.from([0x22, 0xff, 0x22]), headers: json })
      expect([bytes.status, bytes.body.code]).toEqual([400, 'INVALID_REQUEST'])
      const form = await api.request('POST', path, { body: new URLSearchParams({ message: 'x' }) })
      expect([form.status, form.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    })
  })
}

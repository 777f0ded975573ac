import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CSV, formOf, NAMES, type TestApi } from '../api.js'

export function describeUpload(api: TestApi): void {
  describe('upload', () => {
    it('creates the customers of a form’s file', async () => {
      const account = api.newAccount()
      const { status, body, headers } = await api.upload(account, formOf(CSV))
      expect(status).toBe(200)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toEqual({
        customers_created: 1,
        opt_outs_kept: 0,
        customers_updated: 0,
        customers_unchanged: 0,
        rows_total: 1,
        rows_rejected: 0,
        custom_attributes_found: ['loyalty_tier'],
        headers: ['email', 'first_name', 'loyalty_tier'],
        ignored: [],
        warnings: [],
        rejected: [],
      })
      const customer = await api.store.getCustomer(account, 'ada@example.com')
      expect(customer).toMatchObject({ first_name: 'Ada', custom_attributes: { loyalty_tier: 'gold' } })
    })

    it('takes the CSV as the body itself', async () => {
      const account = api.newAccount()
      for (const type of ['text/csv', 'Text/CSV; charset=utf-8', 'application/csv', 'application/vnd.ms-excel']) {
        const { status, body } = await api.upload(account, CSV, {}, { 'content-type': type })
        expect([status, body.rows_total]).toEqual([200, 1])
      }
      const tabs = await api.upload(
        account,
        'email\ttier\nbob@example.com\tsilver\n',
        {},
        {
          'content-type': 'text/tab-separated-values',
        },
      )
      expect(tabs.body).toMatchObject({ customers_created: 1, custom_attributes_found: ['tier'] })
      expect((await api.stored(account)).customers).toBe(2)
    })

    it('reports rejected rows, ignored columns and warnings', async () => {
      const csv = new Blob([
        Buffer.from('My export\nemail,id,name é\nada@example.com,1,Ada\nnot an address,2,Bob\n', 'latin1'),
      ])
      const { status, body } = await api.upload(api.newAccount(), formOf(csv, 'EXPORT.CSV'))
      expect(status).toBe(200)
      expect(body).toMatchObject({ rows_total: 2, customers_created: 1, rows_rejected: 1 })
      expect(body.ignored).toEqual([{ header: 'id', position: 2, reason: 'reserved' }])
      expect(body.warnings.map(({ code }: { code: string }) => code).sort()).toEqual([
        'ENCODING_ASSUMED',
        'PREAMBLE_SKIPPED',
      ])
      expect(body.rejected).toEqual([
        expect.objectContaining({ row: 4, line: 4, code: 'INVALID_EMAIL', record: ['not an address', '2', 'Bob'] }),
      ])
    })

    it.each([
      ['file.txt', 'text/plain'],
      ['file.txt', 'text/csv'],
      ['customers.csv.gz', 'application/gzip'],
      ['customers', 'application/octet-stream'],
      ['customers', ''],
    ])('refuses %s of type %j by name and type', async (fileName, type) => {
      const account = api.newAccount()
      const { status, body } = await api.upload(account, formOf(new Blob([CSV], { type }), fileName))
      expect([status, body.error, body.code]).toEqual([400, 'File must be CSV', 'NOT_CSV'])
      expect((await api.stored(account)).customers).toBe(0)
    })

    it.each([
      ['customers.csv', 'application/octet-stream'],
      ['customers.CSV', 'application/vnd.ms-excel'],
      ['customers.csv', ''],
      ['customers.tsv', 'text/tab-separated-values'],
      ['blob', 'text/csv'],
    ])('takes %s of type %j', async (fileName, type) => {
      const { status } = await api.upload(api.newAccount(), formOf(new Blob([CSV], { type }), fileName))
      expect(status).toBe(200)
    })

    it.each([
      ['by its bytes', 'PK\x03\x04 and so on', 'customers.csv'],
      ['by its name', CSV, 'customers.xlsx'],
    ])('knows a workbook %s, and says the same', async (_, content, name) => {
      const workbook = new Blob([content], { type: 'text/csv' })
      const { status, body } = await api.upload(api.newAccount(), formOf(workbook, name))
      expect([status, body.code]).toEqual([400, 'UNSUPPORTED_FILE'])
      expect(body.error).toBe(
        'File must be CSV, but this is a zip archive or an Excel workbook (.xlsx). Open it in a spreadsheet and save it as "CSV UTF-8".',
      )
    })

    it('says when there is no file', async () => {
      const account = api.newAccount()
      const withoutFile = new FormData()
      withoutFile.append('file', CSV)
      withoutFile.append('comment', 'hello')
      const otherField = new FormData()
      otherField.append('attachment', new Blob([CSV], { type: 'text/csv' }), 'customers.csv')
      for (const body of [withoutFile, otherField, formOf('', ''), new FormData()]) {
        const answer = await api.upload(account, body)
        expect([answer.status, answer.body.error, answer.body.code]).toEqual([400, 'No file provided', 'NO_FILE'])
      }
      const nothing = await api.request('POST', `/api/accounts/${account}/customers/upload`)
      expect([nothing.status, nothing.body.error]).toEqual([400, 'No file provided'])
    })

    it('refuses bodies of other types', async () => {
      for (const type of ['application/json', 'text/plain', 'application/octet-stream']) {
        const { status, body } = await api.upload(api.newAccount(), CSV, {}, { 'content-type': type })
        expect([status, body.error]).toEqual([400, 'File must be CSV'])
      }
    })

    it('refuses more attributes than a customer may have, and names them', async () => {
      const account = api.newAccount()
      const csv = `email,${NAMES.join(',')}\nada@example.com,${NAMES.join(',')}\n`
      const { status, body } = await api.upload(account, formOf(csv))
      expect(status).toBe(400)
      expect(body).toMatchObject({ code: 'TOO_MANY_ATTRIBUTES', details: { max: 10, found: 11, names: NAMES } })
      expect(body.error).toContain('Maximum 10 custom attributes allowed. Found 11: a, b, c')
      expect((await api.stored(account)).customers).toBe(0)
    })

    it('refuses an account id of the wrong type', async () => {
      for (const id of ['42', 'not-a-uuid', '%00', `${randomUUID()}x`]) {
        const { status, body } = await api.upload(id, formOf(CSV))
        expect([status, body.code]).toEqual([400, 'INVALID_ACCOUNT_ID'])
      }
      // Some frameworks answer this one by themselves.
      const broken = await api.server.fetch('/api/accounts/%ff/merge-tags')
      expect(broken.status).toBe(400)
    })

    it('applies the host’s limits', async () => {
      const account = api.newAccount()
      api.use({ upload: { maxBytes: 100, maxRows: 2 } })
      const rows = (count: number) => `email\n${Array.from({ length: count }, (_, n) => `c${n}@x.io\n`).join('')}`
      for (const body of [formOf(rows(20)), rows(20)]) {
        const answer = await api.upload(
          account,
          body,
          {},
          typeof body === 'string' ? { 'content-type': 'text/csv' } : {},
        )
        expect([answer.status, answer.body.code, answer.body.details.max_bytes]).toEqual([413, 'FILE_TOO_LARGE', 100])
      }
      const answer = await api.upload(account, formOf(rows(3)))
      expect([answer.status, answer.body.code]).toEqual([413, 'TOO_MANY_ROWS'])
      expect(answer.body.details).toMatchObject({ max_rows: 2, stored: { rows_total: 0 } })
    })

    it('reads no more of a file than maxBytes', async () => {
      api.use({ upload: { maxBytes: 1_000_000 } })
      // Few rows, for it is bytes that count.
      const chunk = Buffer.alloc(65_536, `email,note\n${`ada@example.com,${'hello '.repeat(200)}\n`.repeat(20)}`)
      let sent = 0
      const endless = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setImmediate(resolve))
          sent += 65_536
          controller.enqueue(chunk)
          if (sent > 200_000_000) controller.close()
        },
      })
      const { status, body } = await api.request('POST', `/api/accounts/${api.newAccount()}/customers/upload`, {
        body: endless,
        duplex: 'half',
        headers: { 'content-type': 'text/csv' },
      } as RequestInit)
      expect([status, body.code]).toEqual([413, 'FILE_TOO_LARGE'])
      // What the buffers between client and server can hold is sent and dropped.
      expect(sent).toBeLessThan(25_000_000)
    })
  })
}

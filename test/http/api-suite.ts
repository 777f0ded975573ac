import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { formOf, readEvents, useApi } from './api.js'
import type { StartServer } from './servers.js'

const CSV = 'email,first_name,loyalty_tier\nAda@Example.com,Ada,gold\n'
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']

/** What the API promises, whatever server the handler runs in. */
export function describeApi(name: string, start: StartServer): void {
  describe(`HTTP API: ${name}`, () => {
    const api = useApi(start)

    describe('upload', () => {
      it('creates the customers of a form’s file', async () => {
        const account = api.newAccount()
        const { status, body, headers } = await api.upload(account, formOf(CSV))
        expect(status).toBe(200)
        expect(headers.get('cache-control')).toBe('no-store')
        expect(body).toEqual({
          customers_created: 1,
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
        ['customers.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
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

      it('knows a file by its bytes, whatever it is called', async () => {
        const workbook = new Blob(['PK\x03\x04 and so on'], { type: 'text/csv' })
        const { status, body } = await api.upload(api.newAccount(), formOf(workbook, 'customers.csv'))
        expect([status, body.code]).toEqual([400, 'UNSUPPORTED_FILE'])
        expect(body.error).toMatch(/^File must be CSV, but this is a zip archive/)
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
        let sent = 0
        const endless = new ReadableStream<Uint8Array>({
          async pull(controller) {
            await new Promise((resolve) => setImmediate(resolve))
            sent += 65_536
            controller.enqueue(Buffer.alloc(65_536, `email,note\n${'ada@example.com,hello\n'.repeat(20)}`))
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

    describe('options of an upload', () => {
      it('come as parameters', async () => {
        const account = api.newAccount()
        await api.upload(account, formOf('email,first_name,tier\nada@example.com,Ada,gold\n'))
        const rejecting = await api.upload(account, formOf(CSV), { existing: 'reject' })
        expect(rejecting.body.rejected[0].code).toBe('CUSTOMER_EXISTS')
        const unknown = await api.upload(account, formOf('email\nbob@example.com\n'), { unknown: 'reject' })
        expect(unknown.body.rejected[0].code).toBe('CUSTOMER_NOT_FOUND')
        const cleared = await api.upload(account, formOf('email,tier\nada@example.com,\n'), { empty_values: 'clear' })
        expect(cleared.body.customers_updated).toBe(1)
        const pipes = await api.upload(account, formOf('email|a,b\ncy@example.com|1\n'), { delimiter: '|' })
        expect(pipes.body.custom_attributes_found).toEqual(['a,b'])
        const latin = await api.upload(account, formOf('email,n\ndi@example.com,é\n'), { encoding: 'windows-1252' })
        expect(latin.status).toBe(200)
        expect((await api.store.getCustomer(account, 'di@example.com'))?.custom_attributes).toEqual({ n: 'Ã©' })
      })

      it('columns and attributes come as fields before the file, or as parameters', async () => {
        const csv = 'Contact,Handy,Note,Tier\nada@example.com,+45 1,secret,gold\n'
        const columns = JSON.stringify({ Contact: { field: 'email' }, Handy: { field: 'phone' } })
        const attributes = '["tier"]'
        for (const [fields, query] of [
          [{ columns, attributes }, {}],
          [{}, { columns, attributes }],
          [{ columns, attributes }, { attributes: 'none' }],
        ] as [Record<string, string>, Record<string, string>][]) {
          const account = api.newAccount()
          const { status, body } = await api.upload(account, formOf(csv, 'a.csv', fields), query)
          expect([status, body.custom_attributes_found]).toEqual([200, ['Tier']])
          expect(body.ignored).toEqual([{ header: 'Note', position: 3, reason: 'attribute_not_chosen' }])
          expect(await api.store.getCustomer(account, 'ada@example.com')).toMatchObject({ phone: '+45 1' })
        }
        const none = await api.upload(api.newAccount(), formOf(CSV), { attributes: 'none' })
        expect(none.body.custom_attributes_found).toEqual([])
      })

      it.each([
        ['a value that is no choice', { existing: 'overwrite' }, 'existing'],
        ['a flag that is none', { dry_run: 'yes' }, 'dry_run'],
        ['a parameter that is not known', { dryRun: 'true' }, 'dryRun'],
        ['columns that are no JSON', { columns: '{' }, 'columns'],
        ['attributes that are no JSON', { attributes: 'tier' }, 'attributes'],
      ])('are refused when they are wrong: %s', async (_, query, parameter) => {
        const account = api.newAccount()
        const { status, body } = await api.upload(account, formOf(CSV), query as Record<string, string>)
        expect([status, body.code, body.details.parameter]).toEqual([400, 'INVALID_REQUEST', parameter])
        expect((await api.stored(account)).customers).toBe(0)
      })

      it('are refused when they do not fit the file or the library', async () => {
        const account = api.newAccount()
        const unknown = await api.upload(account, formOf(CSV), { columns: '{"Nope":null}' })
        expect([unknown.status, unknown.body.code]).toEqual([400, 'UNKNOWN_COLUMN'])
        const wrong = await api.upload(account, formOf(CSV), { columns: '{"email":{"field":"password_hash"}}' })
        expect([wrong.status, wrong.body.code]).toEqual([400, 'INVALID_OPTION'])
        const list = await api.upload(account, formOf(CSV), { attributes: '{"a":1}' })
        expect([list.status, list.body.code]).toEqual([400, 'INVALID_OPTION'])
        expect((await api.stored(account)).customers).toBe(0)
      })

      it('a parameter that stands there twice is refused', async () => {
        const path = `/api/accounts/${api.newAccount()}/customers/upload?existing=merge&existing=reject`
        const { status, body } = await api.request('POST', path, { body: formOf(CSV) })
        expect([status, body.code]).toEqual([400, 'INVALID_REQUEST'])
      })

      it('dry_run and atomic are for hosts that allow them', async () => {
        const account = api.newAccount()
        const dry = await api.upload(account, formOf(CSV), { dry_run: 'true' })
        expect([dry.status, dry.body.customers_created]).toEqual([200, 1])
        expect((await api.stored(account)).customers).toBe(0)
        const whole = await api.upload(account, formOf(CSV), { atomic: 'true' })
        expect([whole.status, whole.body.customers_created]).toEqual([200, 1])

        api.use({})
        for (const mode of ['dry_run', 'atomic']) {
          const { status, body } = await api.upload(account, formOf(CSV), { [mode]: 'true' })
          expect([status, body.code, body.details.parameter]).toEqual([403, 'FORBIDDEN', mode])
          expect((await api.upload(account, formOf(CSV), { [mode]: 'false' })).status).toBe(200)
        }
        api.use({ upload: { dryRun: true } })
        const { status } = await api.upload(account, formOf('email\nbob@example.com\n'), { dry_run: 'false' })
        expect(status).toBe(403)
        expect((await api.upload(account, formOf('email\nbob@example.com\n'))).body.customers_created).toBe(1)
        expect((await api.stored(account)).customers).toBe(1)
      })

      it('a field that the host keeps from files cannot be had by columns', async () => {
        const account = api.newAccount()
        api.use({ upload: { fields: ['first_name'] } })
        const csv = 'email,accepts_marketing,opt\nada@example.com,true,true\n'
        const plain = await api.upload(account, formOf(csv), { attributes: 'none' })
        expect(plain.body.ignored[0]).toMatchObject({ header: 'accepts_marketing', reason: 'field_not_allowed' })
        for (const columns of [
          { opt: { field: 'accepts_marketing' } },
          [null, { target: { field: 'accepts_marketing' } }],
        ]) {
          const { status, body } = await api.upload(account, formOf(csv), { columns: JSON.stringify(columns) })
          expect([status, body.code]).toEqual([403, 'FORBIDDEN'])
        }
        expect(await api.store.getCustomer(account, 'ada@example.com')).toMatchObject({ accepts_marketing: null })
      })
    })

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
        const rows = Array.from({ length: 100_000 }, (_, n) => `c${n}@example.com,${n}\n`).join('')
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

    describe('progress', () => {
      it('arrives as server-sent events, then the result', async () => {
        const account = api.newAccount()
        const csv = `email,n\n${Array.from({ length: 20_000 }, (_, n) => `c${n}@example.com,${n}\n`).join('')}`
        const events = await api.events(`/api/accounts/${account}/customers/upload`, formOf(csv))
        const last = events.pop()!
        expect(last).toMatchObject({ event: 'result', data: { customers_created: 20_000, rows_total: 20_000 } })
        expect(events.length).toBeGreaterThan(0)
        expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['progress']))
        expect(events.at(-1)!.data).toMatchObject({ rows_read: 20_000, bytes_read: Buffer.byteLength(csv) })
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
        const rows = 200_000
        const csv = `email,n\n${Array.from({ length: rows }, (_, n) => `c${n}@example.com,${n}\n`).join('')}`
        const response = await api.server.fetch(`/api/accounts/${account}/customers/upload?atomic=true`, {
          method: 'POST',
          body: formOf(csv),
          headers: { accept: 'text/event-stream' },
        })
        const reader = response.body!.getReader()
        expect(readEvents(Buffer.from((await reader.read()).value!).toString())[0]!.event).toBe('progress')
        await reader.cancel()
        await expect.poll(() => api.openTransactions(), { timeout: 5_000 }).toBe(0)
        expect((await api.stored(account)).customers).toBe(0)
      })
    })

    describe('authorize', () => {
      const ROUTES: [string, string, string, RequestInit][] = [
        ['merge_tags', 'GET', 'merge-tags', {}],
        ['upload', 'POST', 'customers/upload', { body: formOf(CSV) }],
        ['preview', 'POST', 'customers/upload/preview', { body: formOf(CSV) }],
        [
          'check',
          'POST',
          'templates/check',
          { body: '{"message":"x"}', headers: { 'content-type': 'application/json' } },
        ],
        [
          'render',
          'POST',
          'templates/preview',
          { body: '{"message":"x","email":"a@b.c"}', headers: { 'content-type': 'application/json' } },
        ],
      ]

      it.each(ROUTES)('is asked for %s, and no is 403 with nothing read', async (action, method, path, init) => {
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
        expect(asked).toEqual([{ accountId: account, action }])
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
          ['GET', 'customers/upload', 'POST'],
          ['PUT', 'customers/upload', 'POST'],
          ['DELETE', 'templates/check', 'POST'],
          ['GET', 'templates/preview', 'POST'],
        ] as const) {
          const { status, body, headers } = await api.request(method, `${base}/${path}`)
          expect([status, body.code, headers.get('allow')]).toEqual([405, 'METHOD_NOT_ALLOWED', allow])
        }
      })
    })

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

      it('say what is wrong', async () => {
        const account = api.newAccount()
        await api.upload(account, formOf(CSV))
        const path = `/api/accounts/${account}/templates/preview`
        const email = 'ada@example.com'
        for (const [body, status, code] of [
          [{ message: 'x', email: 'nobody@example.com' }, 404, 'CUSTOMER_NOT_FOUND'],
          [{ message: '{{#a}}', email }, 400, 'UNCLOSED_SECTION'],
          [{ message: '{{plan}}', email, missing: 'error' }, 422, 'MISSING_VALUE'],
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
  })
}

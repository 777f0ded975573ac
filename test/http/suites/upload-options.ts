import { describe, expect, it } from 'vitest'
import { createCustomAttributesStore } from '../../../src/store.js'
import { CSV, formOf, type TestApi } from '../api.js'

export function describeUploadOptions(api: TestApi): void {
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

    it('how the file is read: headers, short rows, numbers, markers, and the charset of a part or body', async () => {
      const account = api.newAccount()
      const headers = JSON.stringify(['email', 'total_spent', 'Tier'])
      const csv = 'a@example.com;1.234,50;N/A\nb@example.com;2\n'
      const query = { short_rows: 'fill', number_format: 'comma', empty_markers: '["N/A"]' }
      const { body } = await api.upload(account, formOf(csv, 'customers.csv', { headers }), query)
      expect([body.customers_created, body.rows_rejected, body.custom_attributes_found]).toEqual([2, 0, []])
      expect(await api.store.getCustomer(account, 'a@example.com')).toMatchObject({ total_spent: '1234.50' })

      // "é" is E9 in windows-1252, and 8E in macintosh.
      const bytes = (byte: number) => new Uint8Array([...Buffer.from('email,city\nc@example.com,Caf'), byte, 10])
      const form = new FormData()
      form.append('file', new Blob([bytes(0xe9)], { type: 'text/csv; charset=windows-1252' }), 'c.csv')
      const part = await api.upload(account, form)
      expect([part.body.customers_created, part.body.warnings]).toEqual([1, []])
      const whole = await api.upload(account, bytes(0x8e), {}, { 'content-type': 'text/csv; charset=macintosh' })
      expect(whole.body.customers_unchanged).toBe(1)
      const said = await api.upload(
        account,
        bytes(0xe9),
        { encoding: 'windows-1252' },
        { 'content-type': 'text/csv; charset=macintosh' },
      )
      expect(said.body.customers_unchanged).toBe(1)
      const unknown = await api.upload(account, bytes(0xe9), {}, { 'content-type': 'text/csv; charset=klingon' })
      expect([unknown.status, unknown.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
    })

    it('constants fill every row where the host allows it, but not what it keeps from files', async () => {
      const account = api.newAccount()
      const constants = JSON.stringify({ source: 'Trade fair', Campaign: 'Spring' })
      const send = (text: string) => api.upload(account, formOf(CSV, 'customers.csv', { constants: text }))
      const refused = await send(constants)
      expect([refused.status, refused.body.details.parameter]).toEqual([403, 'constants'])
      api.use({
        allowConstants: true,
        upload: { fillable: ['source', 'first_name'], constants: { Campaign: 'Fixed' } },
      })
      expect((await send(constants)).body.custom_attributes_found).toEqual(['loyalty_tier', 'Campaign'])
      expect(await api.store.getCustomer(account, 'ada@example.com')).toMatchObject({
        source: 'Trade fair',
        custom_attributes: { Campaign: 'Fixed' },
      })
      expect((await send(JSON.stringify({ status: 'unsubscribed' }))).status).toBe(403)
      expect((await send(JSON.stringify({ Mobile: '1' }))).status).toBe(403)
      for (const [own, given] of [
        [{ Source: 'host' }, { source: 'web' }],
        [{ phone: 'host' }, { Mobile: 'web' }],
        [{ Campaign: 'host' }, { campaign: 'web', 'CAM-PAIGN': 'web' }],
      ] as Record<string, string>[][]) {
        api.use({ allowConstants: true, upload: { constants: own! } })
        expect((await send(JSON.stringify(given))).status).toBe(200)
        const stored = JSON.stringify(await api.store.getCustomer(account, 'ada@example.com'))
        expect(stored).toContain('"host"')
        expect(stored).not.toContain('"web"')
      }
      expect((await send('{"source":5}')).body.code).toBe('INVALID_REQUEST')
      expect((await send('{')).body.code).toBe('INVALID_REQUEST')
    })

    it('opt-outs are kept, and overwritten where the host allows it', async () => {
      const account = api.newAccount()
      const store = createCustomAttributesStore(api.database.client, { optOut: { accepts_marketing: false } })
      await store.upsertCustomer(account, { email: 'ada@example.com', accepts_marketing: false })
      const send = (query: Record<string, string> = {}) =>
        api.upload(account, formOf('email,accepts_marketing\nada@example.com,yes\n'), query)
      api.use({}, store)
      for (const query of [{}, { opt_outs: 'keep' }] as Record<string, string>[]) {
        const { status, body } = await send(query)
        expect([status, body.customers_unchanged, body.opt_outs_kept]).toEqual([200, 1, 1])
        expect(body.warnings).toMatchObject([{ code: 'OPT_OUTS_KEPT' }])
      }
      const refused = await send({ opt_outs: 'overwrite' })
      expect([refused.status, refused.body.details.parameter]).toEqual([403, 'opt_outs'])
      expect((await send({ opt_outs: 'yes' })).body.code).toBe('INVALID_REQUEST')

      const base = `/api/accounts/${account}`
      for (const [more, customers, out] of [
        [{}, 0, 1],
        [{ opted_out: 'exclude' }, 0, 1],
        [{ opted_out: 'include' }, 1, 0],
      ] as [Record<string, string>, number, number][]) {
        const whom = { audience: 'all', ...more }
        const counted = await api.post(`${base}/customers/count`, whom)
        expect(counted.body).toMatchObject({ customers, opted_out: out })
        expect((await api.post(`${base}/customers/find`, whom)).body.customers).toHaveLength(customers)
        const preflight = await api.post(`${base}/templates/preflight`, { ...whom, message: 'x' })
        expect(preflight.body.recipients).toBe(customers)
        const file = await api.server.fetch(`${base}/customers/export?${new URLSearchParams(more)}`)
        expect([file.status, (await file.text()).includes('ada@example.com')]).toEqual([200, customers === 1])
      }
      const unknown = await api.post(`${base}/customers/count`, { audience: 'all', opted_out: 'all' })
      expect([unknown.status, unknown.body.code]).toEqual([400, 'INVALID_REQUEST'])

      api.use({ allowOptOuts: true }, store)
      expect((await send({ opt_outs: 'overwrite' })).body).toMatchObject({ customers_updated: 1, opt_outs_kept: 0 })
    })

    it('a field that the host keeps from files cannot be had by columns', async () => {
      const account = api.newAccount()
      api.use({ upload: { fillable: ['first_name'] } })
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
}

import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readMigrations } from '../../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../../src/store.js'
import type { CustomAttributesStore } from '../../../src/store-methods.js'
import { useDatabase } from '../../support/database.js'
import { formOf, type TestApi } from '../api.js'

const CSV = `email,first_name,tier
ada@example.com,Ada,gold
bo@example.com,Bo,silver
`
const WRONG = `email,first_name,tier,junk
ada@example.com,Ada,gold,x
bo@example.com,Bo,bronze,y
cy@example.com,Cy,gold,z
no address,Dee,gold,
`
const NOTHING = {
  customers_restored: 0,
  customers_removed: 0,
  customers_kept: 0,
  values_kept: 0,
  customers_gone: 0,
  attributes_removed: [],
}
const UNKNOWN = '5f0f3c1e-7c1d-4a0e-9a55-0b1d6f2a9c10'

export function describeUploadRoutes(api: TestApi): void {
  describe('uploads', () => {
    // The API's own database has no tables of the history.
    const database = useDatabase({ distributed: false })
    let store: CustomAttributesStore
    beforeAll(async () => {
      await database.sql.unsafe(readMigrations({ history: true })[2]!.up).simple()
      store = createCustomAttributesStore(database.client)
    })
    beforeEach(() => api.use({ allowDryRun: true, upload: { history: { keepRejected: true } } }, store))

    const upload = async (account: string, csv: string, name?: string): Promise<string> => {
      const { status, body } = await api.upload(account, formOf(csv, name))
      expect([status, body.upload_id]).toEqual([200, expect.any(String)])
      return body.upload_id
    }
    const open = () => {
      const account = api.newAccount()
      return { account, base: `/api/accounts/${account}/uploads` }
    }
    const attributesOf = async (account: string) =>
      Object.fromEntries(
        await Promise.all(
          ['ada', 'bo', 'cy'].map(async (who) => {
            const customer = await store.getCustomer(account, `${who}@example.com`)
            return [who, customer?.custom_attributes] as const
          }),
        ),
      )
    const listed = async (base: string, query = ''): Promise<string[]> =>
      (await api.request('GET', base + query)).body.uploads.map(({ id }: { id: string }) => id)

    it('are listed, the newest first, with their file, options and counts', async () => {
      const { account, base } = open()
      expect((await api.request('GET', base)).body).toEqual({ uploads: [] })
      const first = await upload(account, CSV, 'Kunden März.csv')
      const form = formOf(WRONG, 'wrong.csv', { columns: '{"junk":null}' })
      const second = (await api.upload(account, form, { empty_values: 'clear' })).body.upload_id
      const { status, body } = await api.request('GET', base)
      expect(status).toBe(200)
      const moment = expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:]+\.\d{6}Z$/)
      const own = {
        status: 'completed',
        reference: null,
        started_at: moment,
        ended_at: moment,
        undone_at: null,
      }
      const columns = [
        { header: 'email', target: { field: 'email' } },
        { header: 'first_name', target: { field: 'first_name' } },
        { header: 'tier', target: { attribute: 'tier' } },
      ]
      const options = { existing: 'merge', unknown: 'create', opt_outs: 'keep', date_format: 'iso', atomic: false }
      expect(body.uploads).toEqual([
        {
          ...own,
          id: second,
          file_name: 'wrong.csv',
          options: { ...options, empty_values: 'clear', columns: [...columns, { header: 'junk', target: null }] },
          counts: {
            rows_total: 4,
            customers_created: 1,
            customers_updated: 1,
            customers_unchanged: 1,
            rows_rejected: 1,
          },
          new_attributes: [],
        },
        {
          ...own,
          id: first,
          file_name: 'Kunden März.csv',
          options: { ...options, empty_values: 'keep', columns },
          counts: {
            rows_total: 2,
            customers_created: 2,
            customers_updated: 0,
            customers_unchanged: 0,
            rows_rejected: 0,
          },
          new_attributes: ['tier'],
        },
      ])
      expect(await listed(open().base)).toEqual([])
    })

    it('are listed page by page', async () => {
      const { account, base } = open()
      const ids: string[] = []
      for (const tier of ['a', 'b', 'c']) ids.unshift(await upload(account, `email,tier\nada@example.com,${tier}\n`))
      expect(await listed(base, '?limit=2')).toEqual(ids.slice(0, 2))
      expect(await listed(base, `?limit=2&before=${ids[1]}`)).toEqual(ids.slice(2))
      expect(await listed(base, `?before=${ids[2]}`)).toEqual([])
      // An upload that is not there has nothing before it.
      expect(await listed(base, `?before=${UNKNOWN}`)).toEqual([])
    })

    it('come with the rejected rows that they kept', async () => {
      const { account, base } = open()
      const told = (await api.upload(account, formOf(`${WRONG}ada@example.com,too few\n`))).body
      const id = told.upload_id
      const { status, body } = await api.request('GET', `${base}/${id}`)
      expect([status, body.id, body.counts.rows_rejected]).toEqual([200, id, 2])
      expect(body.rejected).toEqual(told.rejected)
      expect(body.rejected[0]).toMatchObject({
        row: 5,
        code: 'INVALID_EMAIL',
        record: ['no address', 'Dee', 'gold', ''],
      })
      api.use({ upload: { history: { reference: 'job 7', fileName: 'as the host calls it' } } }, store)
      const other = await upload(account, WRONG)
      expect((await api.request('GET', `${base}/${other.toUpperCase()}`)).body).toMatchObject({
        id: other,
        reference: 'job 7',
        file_name: 'as the host calls it',
        counts: { rows_rejected: 1 },
        rejected: [],
      })
    })

    it('have an id only where they keep a history, also in the stream of events', async () => {
      const { account, base } = open()
      expect((await api.upload(account, formOf(CSV), { dry_run: 'true' })).body).not.toHaveProperty('upload_id')
      const events = await api.events(`/api/accounts/${account}/customers/upload`, formOf(CSV))
      const { body } = await api.upload(account, CSV, {}, { 'content-type': 'text/csv' })
      expect(await listed(base)).toEqual([body.upload_id, events.at(-1)?.data.upload_id])
      // A body that is the file itself has no name.
      expect((await api.request('GET', `${base}/${body.upload_id}`)).body.file_name).toBe(null)
      api.use({}, store)
      expect((await api.upload(account, formOf(CSV))).body).not.toHaveProperty('upload_id')
      expect(await listed(base)).toHaveLength(2)
    })

    it.each([
      ['one too long', `${'x'.repeat(999)}\u{1f600}.csv`, `${'x'.repeat(999)}\ufffd`],
      ['one with what no text in a database may have', 'a\0b.csv', 'a\ufffdb.csv'],
    ])('take a file whatever it is called: %s', async (_, name, kept) => {
      const { account, base } = open()
      const file = `--x\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n\r\n${CSV}\r\n--x--\r\n`
      const headers = { 'content-type': 'multipart/form-data; boundary=x' }
      const { status, body } = await api.upload(account, file, {}, headers)
      expect([status, body.code]).toEqual([200, undefined])
      expect((await api.request('GET', `${base}/${body.upload_id}`)).body.file_name).toBe(kept)
    })

    it('that broke off are listed as failed, and undone', async () => {
      const { account, base } = open()
      api.use({ upload: { history: {}, maxRows: 2, batchSize: 1, concurrency: 1 } }, store)
      const { status } = await api.upload(account, formOf(WRONG))
      expect(status).toBe(413)
      const [failed] = (await api.request('GET', base)).body.uploads
      expect(failed).toMatchObject({ status: 'failed', undone_at: null })
      const { customers_removed } = (await api.post(`${base}/${failed.id}/undo`, {})).body
      expect(customers_removed).toBe(failed.counts.customers_created)
      expect(await attributesOf(account)).toEqual({})
    })

    it('are undone, once, and what that would do is told before', async () => {
      const { account, base } = open()
      const first = await upload(account, CSV)
      const wrong = await upload(account, WRONG)
      await upload(account, 'email,tier\nbo@example.com,platinum\n')
      const before = await attributesOf(account)
      const undone = {
        customers_restored: 2,
        customers_removed: 1,
        customers_kept: 0,
        values_kept: 1,
        customers_gone: 0,
        attributes_removed: ['junk'],
      }
      const path = `${base}/${wrong}/undo`
      const trial = await api.post(path, { dry_run: true })
      expect([trial.status, trial.body]).toEqual([200, undone])
      expect(await attributesOf(account)).toEqual(before)
      expect((await api.request('GET', `${base}/${wrong}`)).body).toMatchObject({
        status: 'completed',
        undone_at: null,
      })

      const real = await api.post(path, { dry_run: false })
      expect([real.status, real.body]).toEqual([200, undone])
      expect(await attributesOf(account)).toEqual({ ada: { tier: 'gold' }, bo: { tier: 'platinum' } })
      expect((await store.getMergeTags(account)).customAttributes).toEqual(['tier'])
      const { body } = await api.request('GET', `${base}/${wrong}`)
      expect(body).toMatchObject({ status: 'undone', undone_at: expect.any(String), rejected: { length: 1 } })

      for (const given of [{}, { dry_run: true }]) expect((await api.post(path, given)).body).toEqual(NOTHING)
      expect(await attributesOf(account)).toEqual({ ada: { tier: 'gold' }, bo: { tier: 'platinum' } })
      // A customer that somebody changed since stays.
      expect((await api.post(`${base}/${first}/undo`, {})).body).toEqual({
        ...NOTHING,
        customers_removed: 1,
        customers_kept: 1,
      })
    })

    it('are pruned by their age', async () => {
      const { account, base } = open()
      const [old, young] = [await upload(account, CSV), await upload(account, WRONG)]
      await database.sql`
        update customer.custom_attribute_upload set started_at = '2020-01-01' where account_id = ${account} and id = ${old}`
      const prune = async (older_than: string) => (await api.post(`${base}/prune`, { older_than })).body
      expect(await prune('2019-12-31')).toEqual({ uploads_removed: 0 })
      expect(await prune('2020-01-01T00:00:00Z')).toEqual({ uploads_removed: 0 })
      const before = await attributesOf(account)
      expect(await prune('2020-01-01T00:00:00.001Z')).toEqual({ uploads_removed: 1 })
      expect(await listed(base)).toEqual([young])
      expect(await attributesOf(account)).toEqual(before)
      const { status, body } = await api.post(`${base}/${old}/undo`, {})
      expect([status, body.code]).toEqual([404, 'UPLOAD_NOT_FOUND'])
    })

    it('forget a person who is erased', async () => {
      const { account, base } = open()
      const id = await upload(account, `${WRONG}ada@example.com,too,few\n`)
      const erase = (given: object) => api.post(`/api/accounts/${account}/customers/erase`, given)
      const { status, body } = await erase({ email: ' ADA@example.com ' })
      expect([status, body]).toEqual([200, { customers: 1, changes: 1, rejected_rows: 1 }])
      expect((await attributesOf(account)).ada).toEqual({})
      expect((await api.request('GET', `${base}/${id}`)).body.rejected).toHaveLength(1)
      expect((await erase({ email: 'bo@example.com', customer: 'remove' })).body).toEqual({
        customers: 1,
        changes: 1,
        rejected_rows: 0,
      })
      expect((await attributesOf(account)).bo).toBe(undefined)
      expect((await erase({ email: 'nobody@example.com', customer: 'keep' })).body).toEqual({
        customers: 0,
        changes: 0,
        rejected_rows: 0,
      })
      const wrong = await erase({ email: 'nobody' })
      expect([wrong.status, wrong.body.code]).toEqual([400, 'INVALID_EMAIL'])
      expect(JSON.stringify(wrong.body)).not.toContain('nobody')
    })

    it('of others are not there', async () => {
      const { account } = open()
      const id = await upload(account, CSV)
      const { base } = open()
      for (const each of [id, UNKNOWN]) {
        for (const answer of [
          await api.request('GET', `${base}/${each}`),
          await api.post(`${base}/${each}/undo`, {}),
          await api.post(`${base}/${each}/undo`, { dry_run: true }),
        ]) {
          expect([answer.status, answer.body.code, answer.body.details]).toEqual([
            404,
            'UPLOAD_NOT_FOUND',
            { id: each },
          ])
        }
      }
      expect(await attributesOf(account)).toEqual({ ada: { tier: 'gold' }, bo: { tier: 'silver' } })
    })

    it.each([
      ['GET', 'uploads?limit=0', 'INVALID_OPTION', { option: 'limit' }],
      ['GET', 'uploads?limit=1001', 'INVALID_OPTION', { option: 'limit' }],
      ['GET', 'uploads?limit=', 'INVALID_REQUEST', { parameter: 'limit' }],
      ['GET', 'uploads?limit=ten', 'INVALID_REQUEST', { parameter: 'limit' }],
      ['GET', 'uploads?limit=-1', 'INVALID_REQUEST', { parameter: 'limit' }],
      ['GET', 'uploads?before=', 'INVALID_OPTION', { option: 'before' }],
      ['GET', 'uploads?before=1', 'INVALID_OPTION', { option: 'before' }],
      ['GET', 'uploads?after=1', 'INVALID_REQUEST', { parameter: 'after' }],
      ['GET', 'uploads/1', 'INVALID_ARGUMENT', { argument: 'uploadId' }],
      ['GET', `uploads/${UNKNOWN}%20`, 'INVALID_ARGUMENT', { argument: 'uploadId' }],
      ['POST', 'uploads/1/undo', 'INVALID_ARGUMENT', { argument: 'uploadId' }, {}],
      ['POST', `uploads/${UNKNOWN}/undo`, 'INVALID_REQUEST', { field: 'dryRun' }, { dryRun: true }],
      ['POST', `uploads/${UNKNOWN}/undo`, 'INVALID_REQUEST', { field: 'dry_run' }, { dry_run: 'true' }],
      ['POST', `uploads/${UNKNOWN}/undo`, 'INVALID_REQUEST', {}, []],
      ['POST', 'uploads/prune', 'INVALID_REQUEST', { field: 'older_than' }, {}],
      ['POST', 'uploads/prune', 'INVALID_REQUEST', { field: 'older_than' }, { older_than: 'yesterday' }],
      ['POST', 'uploads/prune', 'INVALID_REQUEST', { field: 'older_than' }, { older_than: 0 }],
      ['POST', 'uploads/prune', 'INVALID_REQUEST', { field: 'olderThan' }, { olderThan: '2026-01-01' }],
      ['POST', 'customers/erase', 'INVALID_REQUEST', { field: 'email' }, {}],
      ['POST', 'customers/erase', 'INVALID_REQUEST', { field: 'email' }, { email: ['a@b.c'] }],
      ['POST', 'customers/erase', 'INVALID_REQUEST', { field: 'customer' }, { email: 'a@b.c', customer: 'delete' }],
      ['POST', 'customers/erase', 'INVALID_REQUEST', { field: 'dry_run' }, { email: 'a@b.c', dry_run: true }],
    ])('refuse a request that is wrong: %s %s is %s %j', async (method, path, code, details, given?: object) => {
      const url = `/api/accounts/${api.newAccount()}/${path}`
      const { status, body } = await (given ? api.post(url, given) : api.request(method, url))
      expect([status, body.code]).toEqual([400, code])
      expect(body.details).toMatchObject(details)
    })

    it('without the tables of the history are an error of the server, which names what to apply', async () => {
      const errors: unknown[] = []
      api.use({ onError: (error) => errors.push(error), upload: { history: {} } })
      const { account, base } = open()
      for (const answer of [
        await api.request('GET', base),
        await api.request('GET', `${base}/${UNKNOWN}`),
        await api.post(`${base}/${UNKNOWN}/undo`, {}),
        await api.post(`${base}/prune`, { older_than: '2026-01-01' }),
        await api.upload(account, formOf(CSV)),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([500, 'SCHEMA_NOT_READY'])
        expect(answer.body.error).toContain('sql/0003_create_upload_history.up.sql')
      }
      expect(errors).toHaveLength(5)
      expect((await api.stored(account)).customers).toBe(0)
      // A person is erased all the same: there is no history of them.
      await api.store.uploadCsv(account, CSV)
      const { body } = await api.post(`/api/accounts/${account}/customers/erase`, {
        email: 'ada@example.com',
        customer: 'remove',
      })
      expect(body).toEqual({ customers: 1, changes: 0, rejected_rows: 0 })
      expect((await api.stored(account)).customers).toBe(1)
    })
  })
}

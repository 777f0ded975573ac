import { describe, expect, it } from 'vitest'
import { createCustomAttributesStore } from '../../../src/store.js'
import type { CustomAttributesStore } from '../../../src/store-methods.js'
import { samples } from '../../support/law.js'
import { formOf, type TestApi } from '../api.js'
import { expectDescribed } from '../openapi.js'

export function describeExport(api: TestApi): void {
  describe('export', () => {
    const pathOf = (account: string, query: Record<string, string> = {}) =>
      `/api/accounts/${account}/customers/export?${new URLSearchParams(query)}`

    it('is a file that an upload reads back', async () => {
      const [from, to] = [api.newAccount(), api.newAccount()]
      await api.upload(from, formOf('email,first_name,Tier\nada@example.com,=1,"a\nb"\nbo@example.com,Bo;b,\n'))
      const response = await api.server.fetch(pathOf(from))
      await expectDescribed('GET', `/api/accounts/${from}/customers/export`, response)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8')
      expect(response.headers.get('content-disposition')).toBe('attachment; filename="customers.csv"')
      expect(response.headers.get('cache-control')).toBe('no-store')
      const csv = await response.text()
      expect(csv).toContain("'=1")
      expect((await api.upload(to, formOf(csv))).body).toMatchObject({ customers_created: 2, rows_rejected: 0 })
      expect(await (await api.server.fetch(pathOf(to))).text()).toHaveLength(csv.length)
    })

    it('is written as the query says', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf('email,first_name,Tier\nada@example.com,=1,gold\n'))
      const query = { columns: '["Tier","email","first_name"]', delimiter: ';', bom: 'true', formulas: 'raw' }
      const response = await api.server.fetch(pathOf(account, query))
      expect(Buffer.from(await response.arrayBuffer()).toString()).toBe(
        '\ufeffTier;email;first_name\r\ngold;ada@example.com;=1\r\n',
      )
    })

    it.each([
      [{ delimiter: ':' }, 'INVALID_REQUEST'],
      [{ bom: '1' }, 'INVALID_REQUEST'],
      [{ formulas: 'run' }, 'INVALID_REQUEST'],
      [{ columns: 'email' }, 'INVALID_REQUEST'],
      [{ columns: '[1]' }, 'INVALID_REQUEST'],
      [{ columns: '["nothing"]' }, 'INVALID_OPTION'],
      [{ audience: '{' }, 'INVALID_REQUEST'],
      [{ audience: '{"where":{}}' }, 'INVALID_AUDIENCE'],
    ])('is not begun for a query that is wrong: %j', async (query, code) => {
      const { status, body } = await api.request('GET', pathOf(api.newAccount(), query as Record<string, string>))
      expect([status, body.code]).toEqual([400, code])
    })

    it('is cut, and never a shorter file, when it fails once it has begun', async () => {
      const account = api.newAccount()
      await api.upload(account, formOf('email\nada@example.com\n'))
      const heard: unknown[] = []
      api.use({ onError: (error) => void heard.push(error) })
      await api.database.sql`alter table customer.customer rename column city to town`
      try {
        // A server that has not sent the head of the response yet can still say so there.
        const read = async () => {
          const response = await api.server.fetch(pathOf(account))
          const text = await response.text()
          if (response.status >= 500) throw new Error(text)
          return text
        }
        await expect(read()).rejects.toThrow()
        expect(heard).toMatchObject([{ status: 500 }])
      } finally {
        await api.database.sql`alter table customer.customer rename column town to city`
      }
    })

    it('stops reading when the client goes away', async () => {
      const account = api.newAccount()
      await api.database.sql`
        insert into customer.customer (account_id, email, custom_attributes)
        select ${account}, 'c' || n || '@example.com', jsonb_build_object('long', repeat('x', ${samples(5_000, 1_900)}::int))
        from generate_series(1, 20000) n`
      await api.store.upsertAttributeDefinitions(account, ['long'])
      let pages = 0
      let end = () => {}
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      const watched: CustomAttributesStore = {
        ...createCustomAttributesStore(api.database.client),
        exportCsv: (...args) => {
          const csv = api.store.exportCsv(...args).getReader()
          return new ReadableStream<Uint8Array>(
            {
              async pull(controller) {
                const { done, value } = await csv.read().catch((error) => {
                  end()
                  throw error
                })
                if (done) return controller.close()
                pages++
                controller.enqueue(value)
              },
              async cancel(reason) {
                await csv.cancel(reason)
                end()
              },
            },
            { highWaterMark: 0 },
          ) as ReturnType<CustomAttributesStore['exportCsv']>
        },
      }
      api.use({}, watched)
      const gone = new AbortController()
      const response = await api.server.fetch(pathOf(account), { signal: gone.signal })
      const reader = response.body!.getReader()
      await reader.read()
      await reader.cancel()
      gone.abort()
      await ended
      // Of 41 pieces of 1 or 2.5 MB, those that the buffers in between took.
      expect(pages).toBeLessThan(30)
    })
  })
}

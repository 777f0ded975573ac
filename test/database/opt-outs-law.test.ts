import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase({ distributed: false })
const open = () =>
  createCustomAttributesStore(db.client, {
    optOut: { accepts_marketing: false, status: ['unsubscribed', 'bounced'], source: 'do not mail' },
  })

/** Who has opted out, read past the library. */
async function readOptedOut(account: string): Promise<Set<string>> {
  const rows = await db.sql<{ email: string }[]>`
    select email from customer.customer where account_id = ${account}
    and (accepts_marketing = false or status in ('unsubscribed', 'bounced') or source = 'do not mail')`
  return new Set(rows.map(({ email }) => email))
}

const CELLS = {
  email: ['a@x.com', 'b@x.com', 'c@x.com', 'd@x.com', 'A@x.com'],
  accepts_marketing: ['', '', 'yes', 'no', 'maybe'],
  status: ['', '', 'active', 'unsubscribed', 'bounced'],
  source: ['', 'fair', 'do not mail'],
  city: ['', 'Rome', 'Oslo'],
  tier: ['', 'gold', 'silver'],
}
const HEADERS = Object.keys(CELLS) as (keyof typeof CELLS)[]

const header = fc
  .subarray(HEADERS.slice(1), { minLength: 1 })
  .map((others): (keyof typeof CELLS)[] => ['email', ...others])
const rowsOf = (headers: readonly (keyof typeof CELLS)[]) =>
  fc.array(fc.tuple(...headers.map((name) => fc.constantFrom(...CELLS[name]))), { minLength: 1, maxLength: 12 })
const file = header.chain((headers) => rowsOf(headers).map((rows) => [headers as string[], ...rows]))

const merging = fc.record({
  existing: fc.constantFrom('merge' as const, 'replace' as const, 'reject' as const),
  unknown: fc.constantFrom('create' as const, 'reject' as const),
  emptyValues: fc.constantFrom('keep' as const, 'clear' as const),
})
const uploading = fc.record({
  atomic: fc.boolean(),
  batchSize: fc.constantFrom(1, 2, 50),
  concurrency: fc.constantFrom(1, 3),
})

test('the set of those who opted out only grows, whatever is uploaded and upserted, also several at once', async () => {
  const calls = fc.array(
    fc.array(fc.record({ file, merging, uploading, isUpsert: fc.boolean() }), { minLength: 1, maxLength: 3 }),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  const store = open()
  await checkLaw(
    'opt-outs only grow',
    fc.asyncProperty(calls, async (rounds) => {
      const account = newAccount()
      let before = new Set<string>()
      for (const round of rounds) {
        const works = round.map(async ({ file, merging, uploading, isUpsert }) => {
          if (!isUpsert) return store.uploadRows(account, file, { ...merging, ...uploading })
          const [headers, row] = [file[0]!, file[1]!]
          const given = Object.fromEntries(headers.map((name, at) => [name, row[at]!]))
          const { tier, ...fields } = given
          const input = {
            ...fields,
            email: given.email!,
            ...(tier === undefined ? {} : { custom_attributes: { tier } }),
          }
          // A value that is refused, or a customer that is not wanted, changes nothing.
          return store.upsertCustomer(account, input, merging).catch(({ code }) => expect(code).toMatch(/^[A-Z_]+$/))
        })
        await Promise.all(works)
        const after = await readOptedOut(account)
        for (const email of before) expect(after).toContain(email)
        before = after
      }
    }),
    150,
  )
})

test('rows one by one are the same as in bulk', async () => {
  const store = open()
  await checkLaw(
    'opt-outs one by one',
    fc.asyncProperty(file, file, merging, uploading, async (first, second, merging, uploading) => {
      const [bulk, single] = [newAccount(), newAccount()]
      const kept = new Set<string>()
      for (const file of [first, second]) {
        const { optOutsKept } = await store.uploadRows(bulk, file, { ...merging, ...uploading })
        kept.clear()
        for (const row of file.slice(1)) {
          const result = await store.uploadRows(single, [file[0]!, row], merging)
          if (result.optOutsKept > 0) kept.add(row[0]!.toLowerCase())
        }
        expect(optOutsKept).toBe(kept.size)
      }
      expect((await contentsOf(db.sql, bulk)).customers).toEqual((await contentsOf(db.sql, single)).customers)
    }),
    150,
  )
})

test('no message is to somebody who had opted out when its page was read', async () => {
  const store = open()
  await checkLaw(
    'no message to who opted out',
    fc.asyncProperty(
      fc.array(file, { minLength: 1, maxLength: 3 }),
      file,
      fc.constantFrom(1, 2, 50),
      async (files, late, pageSize) => {
        const account = newAccount()
        for (const file of files) await store.uploadRows(account, file)
        const before = await readOptedOut(account)
        const upload = store.uploadRows(account, late)
        const got: string[] = []
        for await (const { customer } of store.mailMerge(account, 'x', { audience: 'all', pageSize, recheck: true })) {
          got.push(customer.email)
        }
        await upload
        for (const email of got) expect(before).not.toContain(email)
        const after = await readOptedOut(account)
        for await (const { customer } of store.mailMerge(account, 'x', { audience: 'all', pageSize })) {
          expect(after).not.toContain(customer.email)
        }
      },
    ),
    100,
  )
})

import { beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()
const account = newAccount()
const open = () => createCustomAttributesStore(db.client)

beforeAll(async () => {
  await open().uploadRows(account, [
    ['email', 'tier'],
    ...Array.from({ length: 400 }, (_, at) => [`p${at}@example.com`, at % 2 ? 'gold' : 'silver']),
  ])
})

const emailsOf = async (customers: AsyncIterable<{ customer: { email: string } }>) => {
  const emails: string[] = []
  for await (const { customer } of customers) emails.push(customer.email)
  return emails
}

describe('part', () => {
  test.each<[string, Audience, number]>([
    ['all', 'all', 400],
    ['where', { where: { tier: 'gold' } }, 200],
    ['emails', { emails: Array.from({ length: 100 }, (_, at) => `p${at}@example.com`) }, 100],
  ])('workers share an audience without meeting: %s', async (_name, audience, count) => {
    const of = 4
    const parts = await Promise.all(
      Array.from({ length: of }, (_, index) =>
        emailsOf(open().mailMerge(account, 'x', { audience, part: { index, of }, pageSize: 7 })),
      ),
    )
    expect(parts.every((part) => part.length > 0)).toBe(true)
    expect(new Set(parts.flat()).size).toBe(count)
    expect(parts.flat()).toHaveLength(count)
  })

  test('a customer is in the same part whoever else is there, and whatever page it is on', async () => {
    const part = { index: 1, of: 3 }
    const all = await emailsOf(open().mailMerge(account, 'x', { audience: 'all', part }))
    const gold = await emailsOf(
      open().mailMerge(account, 'x', { audience: { where: { tier: 'gold' } }, part, pageSize: 3 }),
    )
    expect(gold).toEqual(all.filter((email) => Number(/\d+/.exec(email)![0]) % 2 === 1))
  })

  test('goes on after an id, also in pageCustomers', async () => {
    const part = { index: 0, of: 2 }
    const read: string[] = []
    const pages = (after?: string) => open().pageCustomers(account, { audience: 'all', part, pageSize: 10, after })
    for await (const page of pages()) {
      read.push(...page.map(({ id }) => id))
      if (read.length >= 50) break
    }
    for await (const page of pages(read.at(-1))) read.push(...page.map(({ id }) => id))
    const whole: string[] = []
    for await (const page of pages()) whole.push(...page.map(({ id }) => id))
    expect(read).toEqual(whole)
  })

  test.each<[unknown]>([
    [{ index: 2, of: 2 }],
    [{ index: -1, of: 2 }],
    [{ index: 0.5, of: 2 }],
    [{ index: 0 }],
    [2],
    [{ index: 0, of: 2, more: 1 }],
    [{ index: 0, of: 1e9 }],
  ])('is checked: %j', async (part) => {
    const merge = open().mailMerge(account, 'x', { audience: 'all', part: part as never })
    await expect(emailsOf(merge)).rejects.toMatchObject({ code: 'INVALID_OPTION', details: { option: 'part' } })
  })
})

describe('recheck', () => {
  /** The customers who get a message, when something happens after the first one. */
  async function merged(audience: Audience, recheck: boolean, happens: () => Promise<unknown>) {
    const emails: string[] = []
    for await (const { customer } of open().mailMerge(account, 'x', { audience, recheck, pageSize: 50 })) {
      emails.push(customer.email)
      // By now the second page may have been read.
      if (emails.length === 50) await happens()
    }
    return emails
  }

  test.each<[string, Audience]>([
    ['all', 'all'],
    ['emails', { emails: Array.from({ length: 400 }, (_, at) => `p${at}@example.com`) }],
  ])('who has gone when a page is yielded gets nothing: %s', async (_name, audience) => {
    const own = await db.sql<{ id: string; email: string }[]>`
      select id, email from customer.customer where account_id = ${account} order by id`
    const [gone] = own.slice(60, 61)
    const emails = await merged(
      audience,
      true,
      () => db.sql`update customer.customer set email = '' where id = ${gone!.id}`,
    )
    await db.sql`update customer.customer set email = ${gone!.email} where id = ${gone!.id}`
    expect(emails).toEqual(own.filter(({ id }) => id !== gone!.id).map(({ email }) => email))
  })

  test('who no longer meets the conditions gets nothing', async () => {
    const audience = { where: { tier: 'gold' } }
    const own = await emailsOf(open().mailMerge(account, 'x', { audience }))
    const left = own[70]!
    const emails = await merged(audience, true, () =>
      open().upsertCustomer(account, { email: left, custom_attributes: { tier: 'left' } }),
    )
    await open().upsertCustomer(account, { email: left, custom_attributes: { tier: 'gold' } })
    expect(emails).toEqual(own.filter((email) => email !== left))
  })

  test.each([
    ['when its page is yielded', 60, true],
    ['when its page is read', 300, false],
  ])('who has not the address any more by which a list named it, %s, gets nothing', async (_when, place, recheck) => {
    const audience = { emails: Array.from({ length: 400 }, (_, at) => `P${at}@example.com`) }
    const own = await db.sql<{ id: string; email: string }[]>`
      select id, email from customer.customer where account_id = ${account} order by id`
    const moved = own[place]!
    const change = async (email: string) => db.sql`update customer.customer set email = ${email} where id = ${moved.id}`
    const emails = await merged(audience, recheck, () => change('moved@example.com'))
    await change(moved.email)
    expect(emails).toEqual(own.filter(({ id }) => id !== moved.id).map(({ email }) => email))
  })

  test('asks once for a page, and reads ids and addresses alone', async () => {
    const statements: string[] = []
    const client = db.connect({ debug: (_, text) => void statements.push(text) })
    const store = createCustomAttributesStore(client)
    expect(
      await emailsOf(store.mailMerge(account, 'x', { audience: 'all', pageSize: 100, recheck: true })),
    ).toHaveLength(400)
    const byIds = statements.filter((text) => text.includes('from unnest('))
    expect(byIds.filter((text) => text.startsWith('select c."id"::text, c."email"::text from'))).toHaveLength(4)
    expect(byIds).toHaveLength(8)
  })
})

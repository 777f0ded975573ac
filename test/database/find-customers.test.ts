import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { FindOptions } from '../../src/db/find.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw, samples } from '../support/law.js'

const db = useDatabase()
const account = newAccount()
const open = () => createCustomAttributesStore(db.client)

beforeAll(async () => {
  await open().uploadRows(account, [
    ['email', 'first_name', 'last_name', 'phone', 'city', 'tier'],
    ['ann@example.com', 'Ann', 'Smith', '+39 1', 'Rome', 'gold'],
    ['bob@example.com', 'Bob', 'Jones', '', 'Oslo', 'gold'],
    ['cid@example.com', 'Cid', 'smithers', '', '', 'silver'],
    ['dot@100percent.com', '', '', '100%', '', ''],
    ['eve@example.com', 'Eve', 'Smith', '', 'Smith Town', ''],
  ])
})

const find = (options: Partial<FindOptions> = {}) => open().findCustomers(account, { audience: 'all', ...options })
const names = async (options: Partial<FindOptions>) =>
  (await find(options)).customers.map(({ email }) => email.slice(0, 3)).join(' ')

describe('search', () => {
  test.each([
    ['', 'ann bob cid dot eve'],
    ['smith', 'ann cid eve'],
    ['  SMITH   ann ', 'ann'],
    ['eve smith', 'eve'],
    ['@example', 'ann bob cid eve'],
    ['100%', 'dot'],
    ['%', 'dot'],
    ['nobody', ''],
    ['gold', ''],
  ])('%j', async (search, found) => {
    expect(await names({ search, sort: 'email' })).toBe(found)
  })

  test('within an audience', async () => {
    expect(await names({ search: 'smith', audience: { where: { tier: 'gold' } } })).toBe('ann')
    expect(await names({ search: 'smith', audience: { emails: ['eve@example.com', 'bob@example.com'] } })).toBe('eve')
  })
})

test.each([
  ['email', false, 'ann bob cid dot eve'],
  ['email', true, 'eve dot cid bob ann'],
  ['first_name', false, 'dot ann bob cid eve'],
])('sort by %s, descending %s', async (sort, descending, found) => {
  expect(await names({ sort, descending })).toBe(found)
})

test('a customer comes as getCustomer gives it', async () => {
  const { customers } = await find({ search: 'ann@' })
  expect(customers).toEqual([await open().getCustomer(account, 'ann@example.com')])
})

test('next and previous are null where there is nobody', async () => {
  expect(await find()).toMatchObject({ next: null, previous: null })
  expect(await find({ search: 'nobody' })).toEqual({ customers: [], next: null, previous: null })
  const first = await find({ sort: 'email', limit: 2 })
  expect(first.previous).toBeNull()
  const second = await find({ sort: 'email', limit: 2, cursor: first.next! })
  const last = await find({ sort: 'email', limit: 2, cursor: second.next! })
  expect(last.next).toBeNull()
  expect(last.customers.map(({ email }) => email)).toEqual(['eve@example.com'])
  expect(await find({ sort: 'email', limit: 2, cursor: last.previous! })).toEqual(second)
  expect(await find({ sort: 'email', limit: 2, cursor: second.previous! })).toEqual(first)
})

test('law: forward and back, every customer comes once and in order', async () => {
  const texts = fc.constantFrom('', 'a', 'A', 'b', 'É', 'zz', '10', '9', "it's", '<', 'ß', '漢')
  const law = fc.asyncProperty(
    fc.array(fc.record({ last_name: texts, city: texts }), { maxLength: 25 }),
    fc.constantFrom('id', 'email', 'last_name', 'city'),
    fc.boolean(),
    fc.integer({ min: 1, max: 7 }),
    async (people, sort, descending, limit) => {
      const store = open()
      const own = newAccount()
      await store.uploadRows(own, [
        ['email', 'last_name', 'city'],
        ...people.map(({ last_name, city }, at) => [`p${at}@example.com`, last_name, city]),
      ])
      const key = sort === 'id' ? 'id' : `coalesce(${sort}, '')`
      const direction = descending ? 'desc' : 'asc'
      const rows = await db.sql.unsafe(
        `select id from customer.customer where account_id = '${own}' order by ${key} ${direction}, id ${direction}`,
      )
      const ids = rows.map(({ id }) => id as string)
      const read = (cursor?: string) => store.findCustomers(own, { audience: 'all', sort, descending, limit, cursor })
      const forward: string[] = []
      let page = await read()
      const pages = [page]
      while (true) {
        forward.push(...page.customers.map(({ id }) => id))
        if (page.next === null) break
        page = await read(page.next)
        pages.push(page)
      }
      expect(forward).toEqual(ids)
      for (let at = pages.length - 1; at > 0; at--) {
        page = await read(page.previous!)
        expect(page.customers).toEqual(pages[at - 1]!.customers)
      }
      expect(page.previous).toBeNull()
    },
  )
  await checkLaw('pages of found customers', law, 300, samples(300, 10))
})

test('tables of other ids and e-mails: bigint, lower(email), dead rows', async () => {
  await db.sql.unsafe(`
    create table contact (nr bigserial primary key, org_id bigint not null, mail text not null, name text, deleted_at timestamptz,
      custom_attributes jsonb not null default '{}' check (jsonb_typeof(custom_attributes) = 'object' and jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= 10));
    create unique index on contact (org_id, lower(mail)) where deleted_at is null;
    create table contact_attribute (account_id bigint not null, attribute_name text not null, last_seen_at timestamptz not null default now(), unique (account_id, attribute_name));
    insert into contact (org_id, mail, name) select 1, 'C' || n || '@x.com', 'n' || n % 3 from generate_series(1, 30) n;
    insert into contact (org_id, mail, name, deleted_at) values (1, 'gone@x.com', 'n1', now())`)
  const store = createCustomAttributesStore(db.client, {
    customerTable: 'contact',
    definitionTable: 'contact_attribute',
    columns: { id: 'nr', account_id: 'org_id', email: 'mail' },
    fields: defineFields({ name: {} }),
    live: { deleted_at: null },
  })
  for (const sort of ['id', 'email', 'name']) {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.findCustomers('1', { audience: 'all', search: 'c', sort, limit: 4, cursor })
      found.push(...page.customers.map(({ id }) => id))
      cursor = page.next ?? undefined
    } while (cursor)
    expect(new Set(found).size).toBe(30)
    expect(found).toHaveLength(30)
  }
})

describe('what is wrong is told', () => {
  const code = { code: 'INVALID_OPTION' }
  test.each<[string, Partial<FindOptions>, RegExp]>([
    ['a limit', { limit: 0 }, /limit must be a whole number from 1 to 1000/],
    ['a sort that is no text', { sort: 'birthday' }, /sort must be 'id' or a text field\. Known: id, email, /],
    ['a sort by an attribute', { sort: 'tier' }, /sort must be/],
    ['a long search', { search: 'x'.repeat(201) }, /search must be a text of at most 200 characters/],
    ['a search that cannot be stored', { search: 'a\0' }, /search must be/],
    ['a cursor that is none', { cursor: 'x' }, /cursor must be next or previous of a call/],
    [
      'a cursor of another id',
      { cursor: Buffer.from('["id",false,false,"a","b"]').toString('base64url') },
      /cursor must be/,
    ],
    [
      'a cursor of odd texts',
      { cursor: Buffer.from('["id",false,false,"a\\u0000",5]').toString('base64url') },
      /cursor must be/,
    ],
  ])('%s', async (_what, options, message) => {
    await expect(find(options)).rejects.toMatchObject({ ...code, message: expect.stringMatching(message) })
  })

  test('a cursor of another order', async () => {
    const { next } = await find({ sort: 'email', limit: 1 })
    await expect(find({ sort: 'email', descending: true, cursor: next! })).rejects.toMatchObject(code)
    await expect(find({ sort: 'city', cursor: next! })).rejects.toMatchObject(code)
  })

  test('no audience', async () => {
    await expect(open().findCustomers(account, {} as FindOptions)).rejects.toMatchObject({ code: 'INVALID_AUDIENCE' })
  })
})

test('by e-mail, a page is read by the unique index and not by the account', async () => {
  const own = newAccount()
  await db.sql`insert into customer.customer (account_id, email) select ${own}, n || '@x.com' from generate_series(1, 5000) n`
  await db.sql`analyze customer.customer`
  const statements: [string, unknown[]][] = []
  const watched = createCustomAttributesStore(
    db.connect({ debug: (_, text, parameters) => void statements.push([text, parameters]) }),
  )
  const { next } = await watched.findCustomers(own, { audience: 'all', sort: 'email', limit: 20 })
  await watched.findCustomers(own, { audience: 'all', sort: 'email', limit: 20, cursor: next! })
  const [text, parameters] = statements.at(-1)!
  const [row] = await db.sql.unsafe(`explain (analyze, format json) ${text}`, parameters as string[])
  type Plan = { 'Index Name'?: string; 'Actual Rows': number; Plans?: Plan[] }
  const all = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(all)]
  const scans = all(row!['QUERY PLAN'][0].Plan)
  const scan = scans.find((node) => node['Index Name'] === 'customer_account_email_un')
  expect(scan!['Actual Rows']).toBeLessThan(100)
})

test('where all behind, or all before, have gone meanwhile, the way back is there', async () => {
  const own = newAccount()
  await open().uploadRows(own, [['email'], ...Array.from({ length: 6 }, (_, at) => [`p${at}@example.com`])])
  const page = (cursor?: string | null) =>
    open().findCustomers(own, { audience: 'all', sort: 'email', limit: 2, ...(cursor ? { cursor } : {}) })
  const first = await page()
  const second = await page(first.next)
  await db.sql`delete from customer.customer where account_id = ${own} and email > 'p4'`
  const behind = await page(second.next)
  expect(behind).toMatchObject({ customers: [], next: null })
  expect((await page(behind.previous)).customers.map(({ email }) => email.slice(0, 2))).toEqual(['p1', 'p2'])
  await db.sql`delete from customer.customer where account_id = ${own} and email < 'p2'`
  const before = await page(second.previous)
  expect(before).toMatchObject({ customers: [], previous: null })
  expect((await page(before.next)).customers.map(({ email }) => email.slice(0, 2))).toEqual(['p3'])
})

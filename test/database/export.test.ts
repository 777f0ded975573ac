import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
let store: CustomAttributesStore

beforeAll(() => {
  store = createCustomAttributesStore(db.client)
})

type Options = Parameters<CustomAttributesStore['exportCsv']>[1]
const textOf = async (account: string, options: Partial<Options> = {}) => {
  const pieces: Uint8Array[] = []
  for await (const piece of store.exportCsv(account, { audience: 'all', ...options })) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

/** Customers written past the library, and the definition of their attribute. */
async function fill(account: string, count: number): Promise<void> {
  await db.sql`
    insert into customer.customer (account_id, email, custom_attributes)
    select ${account}, 'c' || n || '@example.com', jsonb_build_object('n', n::text) from generate_series(1, ${count}::int) n`
  await store.upsertAttributeDefinitions(account, ['n'])
}

test('email, the fields that a file may fill, and every attribute of the account in name order', async () => {
  const account = newAccount()
  await store.upsertAttributeDefinitions(account, ['unused', 'Tier'])
  await store.upsertCustomer(account, {
    email: 'ada@example.com',
    first_name: 'Ada',
    custom_attributes: { Tier: 'a,b' },
  })
  const [header, row, ...rest] = (await textOf(account)).split('\r\n')
  const names = header!.split(',')
  expect(names.slice(0, 3)).toEqual(['email', 'first_name', 'last_name'])
  expect(names.slice(-2)).toEqual(['Tier', 'unused'])
  expect(names).not.toContain('id')
  expect(row).toMatch(/^ada@example\.com,Ada,,.*,"a,b",$/)
  expect(rest).toEqual([''])
})

test('columns says which, and in which order; those that an upload leaves out are among them', async () => {
  const account = newAccount()
  const { id } = await store.upsertCustomer(account, {
    email: 'ada@example.com',
    accepts_marketing: true,
    custom_attributes: { toString: 'x' },
  })
  await store.upsertCustomer(account, { email: 'bo@example.com' })
  const columns = ['toString', 'accepts_marketing', 'email', 'id']
  const lines = (await textOf(account, { columns, delimiter: '|' })).split('\r\n')
  expect(lines[0]).toBe('toString|accepts_marketing|email|id')
  expect(lines).toContain(`x|true|ada@example.com|${id}`)
  expect(lines.find((line) => line.includes('bo@example.com'))).toMatch(/^\|\|bo@/)
  const result = await store.uploadCsv(newAccount(), lines.join('\n'))
  expect(result).toMatchObject({ customersCreated: 2, ignored: [{ header: 'id', reason: 'reserved' }] })
})

test('an account without customers has a header, and its export makes nothing', async () => {
  const account = newAccount()
  expect(await textOf(account, { columns: ['email', 'city'], bom: true })).toBe('\ufeffemail,city\r\n')
  const to = newAccount()
  expect(await store.uploadCsv(to, store.exportCsv(account, { audience: 'all' }))).toMatchObject({ rowsTotal: 0 })
  expect(await contentsOf(db.sql, to)).toEqual({ customers: [], definitions: [] })
})

test('an audience is exported, page after page', async () => {
  const account = newAccount()
  await fill(account, 1_234)
  expect((await textOf(account, { columns: ['email'] })).split('\r\n')).toHaveLength(1_236)
  expect(await textOf(account, { columns: ['email'], audience: { where: { n: '7' } } })).toBe(
    'email\r\nc7@example.com\r\n',
  )
  expect(await textOf(account, { columns: ['n'], audience: { emails: ['C9@example.com', 'x@example.com'] } })).toBe(
    'n\r\n9\r\n',
  )
})

test('what a file cannot say is told in docs/exporting.md: blanks at the ends, an empty text, a definition without values', async () => {
  const [from, to] = [newAccount(), newAccount()]
  await db.sql`insert into customer.customer (account_id, email, first_name, city)
    values (${from}, 'ada@example.com', ' Ada ', '')`
  await store.upsertAttributeDefinitions(from, ['unused'])
  expect(await textOf(from, { columns: ['first_name', 'city'] })).toBe('first_name,city\r\n" Ada ",\r\n')
  await store.uploadCsv(to, store.exportCsv(from, { audience: 'all' }))
  expect(await store.getCustomer(to, 'ada@example.com')).toMatchObject({ first_name: 'Ada', city: null })
  expect(await store.getAttributeDefinitions(to)).toEqual([])
})

test.each([
  [{ audience: undefined }, 'INVALID_AUDIENCE', /audience/],
  [{ delimiter: ':' }, 'INVALID_OPTION', /exportCsv: delimiter must be/],
  [{ formulas: 'run' }, 'INVALID_OPTION', /formulas must be "guard" or "raw"/],
  [{ pageSize: 5 }, 'INVALID_OPTION', /exportCsv has no option "pageSize"/],
  [{ columns: [] }, 'INVALID_OPTION', /columns is empty/],
  [{ columns: ['email', 'email'] }, 'INVALID_OPTION', /columns names "email" twice/],
  [{ columns: ['email', 'tier'] }, 'INVALID_OPTION', /"tier", which is no field and no attribute of the account/],
])('wrong options fail the stream: %j', async (options, code, message) => {
  const error = await rejectionOf(textOf(newAccount(), options as Partial<Options>))
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
})

test('nothing is read before it is asked for, and nothing after it was cancelled', async () => {
  const account = newAccount()
  await fill(account, 3_000)
  const queries: string[] = []
  const watched = createCustomAttributesStore(db.connect({ debug: (_, text) => void queries.push(text) }))
  const pages = () => queries.filter((text) => /string_agg\(line/.test(text)).length
  const turns = async () => {
    // What would be read on would need nothing but time: a statement on the same client stands behind it.
    for (let turn = 0; turn < 20; turn++) await watched.getAttributeDefinitions(account)
  }

  const untouched = watched.exportCsv(account, { audience: 'all' })
  await db.sql`select 1`
  expect(queries).toEqual([])
  await untouched.cancel()
  expect(queries).toEqual([])

  const reader = watched.exportCsv(account, { audience: 'all' }).getReader()
  await reader.read()
  await turns()
  expect(pages()).toBe(0)
  await reader.read()
  await turns()
  expect(pages()).toBe(1)
  await reader.cancel()
  await turns()
  expect(pages()).toBe(1)

  for await (const _ of watched.exportCsv(account, { audience: 'all' })) break
  await turns()
  expect(pages()).toBe(1)
})

test('a signal ends it, between pages and before the first', async () => {
  const account = newAccount()
  await fill(account, 1_100)
  const stop = new AbortController()
  const seen: number[] = []
  const read = async () => {
    for await (const piece of store.exportCsv(account, { audience: 'all', signal: stop.signal })) {
      seen.push(piece.length)
      if (seen.length === 2) stop.abort()
    }
  }
  expect((await rejectionOf(read())).code).toBe('ABORTED')
  expect(seen).toHaveLength(2)
  expect((await rejectionOf(textOf(account, { signal: stop.signal }))).code).toBe('ABORTED')
})

test("in the host's transaction it is of the transaction", async () => {
  const account = newAccount()
  const text = await db.client.begin(async (tx) => {
    await store.with(tx).upsertCustomer(account, { email: 'ada@example.com' })
    return new Response(store.with(tx).exportCsv(account, { audience: 'all', columns: ['email'] })).text()
  })
  expect(text).toBe('email\r\nada@example.com\r\n')
})

test.each([
  ['First Name', { code: 'DUPLICATE_COLUMN' }],
  ['password', { ignored: [{ reason: 'sensitive' }] }],
  ['Created At', { ignored: [{ reason: 'reserved' }] }],
  ['error_code', { ignored: [{ reason: 'rejected_rows' }] }],
  ['E-Mail Address', { ignored: [], customAttributesFound: ['E-Mail Address'] }],
])(
  'an attribute %j in an empty account is told as docs/exporting.md says, and is itself by columns',
  async (attribute, told) => {
    const [from, to, other] = [newAccount(), newAccount(), newAccount()]
    await store.upsertCustomer(from, { email: 'ada@example.com', custom_attributes: { [attribute]: 'x' } })
    const csv = await textOf(from)
    expect(await store.uploadCsv(to, csv).catch((error) => error)).toMatchObject(told)
    await store.uploadCsv(other, csv, { columns: { [attribute]: { attribute } } })
    expect(await contentsOf(db.sql, other)).toEqual(await contentsOf(db.sql, from))
  },
)

test('one column alone is read back', async () => {
  const [from, to] = [newAccount(), newAccount()]
  await fill(from, 30)
  for (const delimiter of [',', ';', '\t', '|'] as const) {
    const csv = store.exportCsv(from, { audience: 'all', columns: ['email'], delimiter })
    expect(await store.uploadCsv(to, csv)).toMatchObject({ rowsTotal: 30, rowsRejected: 0 })
  }
})

test('in a transaction of one snapshot it is all customers of one moment', async () => {
  const account = newAccount()
  await fill(account, 1_100)
  await db.client.begin('isolation level repeatable read', async (tx) => {
    const reader = store
      .with(tx)
      .exportCsv(account, { audience: 'all', columns: ['n'] })
      .getReader()
    await reader.read()
    await reader.read()
    await db.sql`update customer.customer set custom_attributes = '{"n":"changed"}' where account_id = ${account}`
    for (let next = await reader.read(); !next.done; next = await reader.read())
      expect(Buffer.from(next.value).toString()).not.toContain('changed')
  })
})

test('a connection that is lost within a page is an error, never an early end', async () => {
  const account = newAccount()
  await fill(account, 3)
  const client = db.connect({ max: 1 })
  const reader = createCustomAttributesStore(client).exportCsv(account, { audience: 'all' }).getReader()
  await reader.read()
  const [{ pid }] = await client<[{ pid: number }]>`select pg_backend_pid() as pid`
  await db.sql.begin(async (tx) => {
    await tx`lock table customer.customer in access exclusive mode`
    const page = rejectionOf(reader.read())
    await expect
      .poll(() => db.sql`select from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'`)
      .toHaveLength(1)
    await db.sql`select pg_terminate_backend(${pid})`
    expect((await page).code).toBe('CONNECTION_LOST')
  })
})

/** Customers whose attributes are of any JSON, and columns of them in two orders of reading: as texts, and as customers. */
async function bothWays(account: string, columns: readonly string[]): Promise<[string, string]> {
  const emails = await db.sql<{ email: string }[]>`select email from customer.customer where account_id = ${account}`
  return [
    await textOf(account, { columns }),
    await textOf(account, { columns, audience: { emails: emails.map(({ email }) => email) } }),
  ]
}

const ofAnyJson = newAccount()
beforeAll(() => fill(ofAnyJson, 600))

test.each([
  ['a list', '["a",[1]]', '"a,1"'],
  ['an object', '{"a":1}', '[object Object]'],
  ['a number', '12', '12'],
  ['a number that JavaScript prints otherwise', '1.50', '1.5'],
  ['a number that it does not hold', '12345678901234567890', '12345678901234567000'],
  ['a small number', '0.00000001', '1e-8'],
  ['a boolean', 'true', 'true'],
  ['null', 'null', ''],
  ['a text like a number', '"1.50"', '1.50'],
  ['a text like a list', '"[1]"', '[1]'],
  ['a field separator', '"a\\u001fb"', 'a\u001fb'],
  ['a row separator', '"a\\u001eb"', 'a\u001eb'],
  ['both, as if cells were moved', '"a\\u001eb\\u001f"', 'a\u001eb\u001f'],
])('an attribute that is %s is written as it is read', async (_, json, cell) => {
  const account = ofAnyJson
  await db.sql`
    update customer.customer set custom_attributes = jsonb_build_object('n', ${json}::text::jsonb)
    where account_id = ${account} and email in ('c7@example.com', 'c590@example.com')`
  const [text, expected] = await bothWays(account, ['email', 'n'])
  expect(text).toBe(expected)
  expect(text.split('\r\n')).toContain(`c7@example.com,${cell}`)
  expect(text.split('\r\n')).toHaveLength(602)
  const [alone, expectedAlone] = await bothWays(account, ['n'])
  expect(alone).toBe(expectedAlone)
})

test('more attributes than are looked into one by one', async () => {
  const account = newAccount()
  const names = Array.from({ length: 30 }, (_, n) => `a${n}`)
  await store.upsertAttributeDefinitions(account, names)
  await db.sql`insert into customer.customer (account_id, email, custom_attributes)
    values (${account}, 'ada@example.com', ${db.sql.json(Object.fromEntries(names.slice(0, 10).map((name) => [name, `${name},`])))})`
  expect(await textOf(account, { columns: names })).toBe(
    `${names}\r\n${names.map((name, at) => (at < 10 ? `"${name},"` : ''))}\r\n`,
  )
})

test('customers of any width are all there, once and in the order of their ids', async () => {
  const account = newAccount()
  await db.sql`insert into customer.customer (account_id, email, city)
    select ${account}, 'c' || n || '@example.com', repeat('x', case when n % 3 = 0 then 40000 when n > 900 then 9000 else 1 end)
    from generate_series(1, 1500) n`
  const pieces: string[] = []
  for await (const piece of store.exportCsv(account, { audience: 'all', columns: ['id', 'email', 'city'] })) {
    expect(piece.length).toBeLessThan(21_000_000)
    pieces.push(Buffer.from(piece).toString())
  }
  const lines = pieces.join('').split('\r\n').slice(1, -1)
  const ids = await db.sql<{ id: string }[]>`select id from customer.customer where account_id = ${account} order by id`
  expect(lines.map((line) => line.split(',')[0])).toEqual(ids.map(({ id }) => id))
})

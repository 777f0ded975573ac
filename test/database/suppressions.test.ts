import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import { readMigrations } from '../../src/db/migrations.js'
import { keptAddress, keptAddressSql } from '../../src/db/suppressions.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { StoreOptions } from '../../src/store-options.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase({ distributed: false })
const SALT = 'a salt of a test, long enough'
const salted = { suppressions: { salt: SALT }, suppressionTable: 'customer.salted' } as const
const open = (options: StoreOptions = { suppressions: true }) => createCustomAttributesStore(db.client, options)

beforeAll(async () => {
  for (const options of [{}, salted]) {
    await db.sql.unsafe(readMigrations({ ...options, suppressions: true }).at(-1)!.up).simple()
  }
})

async function fill(store: CustomAttributesStore, account: string, count: number): Promise<string[]> {
  const emails = Array.from({ length: count }, (_, at) => `p${at}@example.com`)
  await store.uploadRows(account, [['email', 'tier'], ...emails.map((email) => [email, 'gold'])])
  return emails
}

/** Everything that reads an audience, as the addresses that it meets. */
const READERS: Record<
  string,
  (store: CustomAttributesStore, account: string, audience: Audience) => Promise<string[]>
> = {
  async pageCustomers(store, account, audience) {
    const emails = []
    for await (const page of store.pageCustomers(account, { audience, pageSize: 3 })) {
      emails.push(...page.map(({ email }) => email))
    }
    return emails
  },
  async mailMerge(store, account, audience) {
    const emails = []
    for await (const { customer } of store.mailMerge(account, 'x', { audience, recheck: true })) {
      emails.push(customer.email)
    }
    return emails
  },
  async 'mailMerge in parts'(store, account, audience) {
    const emails = []
    for (const index of [0, 1]) {
      for await (const { customer } of store.mailMerge(account, 'x', { audience, part: { index, of: 2 } })) {
        emails.push(customer.email)
      }
    }
    return emails
  },
  async exportCsv(store, account, audience) {
    const text = await new Response(store.exportCsv(account, { audience, columns: ['email'] })).text()
    return text.trim().split('\r\n').slice(1)
  },
  async preflight(store, account, audience) {
    const seen: string[] = []
    const { recipients } = await store.preflight(account, 'x', {
      audience,
      extraTags: ({ email }) => ({ seen: seen.push(email) }),
    })
    expect(recipients).toBe(seen.length)
    return seen
  },
}

const AUDIENCES: Record<string, Audience> = {
  all: 'all',
  where: { where: { tier: 'gold' } },
  emails: { emails: Array.from({ length: 9 }, (_, at) => `p${at}@example.com`) },
}

describe.each([
  ['addresses', { suppressions: true }],
  ['hashes', salted],
] as const)('kept as %s', (kind, options) => {
  describe.each(Object.entries(AUDIENCES))('%s', (_name, audience) => {
    test('a suppressed address is in no audience, and is counted', async () => {
      const store = open(options)
      const account = newAccount()
      const emails = await fill(store, account, 9)
      expect(await store.suppress(account, [' P3@Example.com ', 'p5@example.com', 'p5@EXAMPLE.com'])).toEqual({
        suppressed: 2,
        unchanged: 1,
        rejected: 0,
        rejectedRows: [],
      })
      const others = emails.filter((_, at) => at !== 3 && at !== 5)
      for (const [name, read] of Object.entries(READERS)) {
        expect((await read(store, account, audience)).sort(), name).toEqual(others)
      }
      expect(await store.countCustomers(account, { audience })).toEqual({
        customers: 7,
        withoutEmail: 0,
        incomparable: 0,
        suppressed: 2,
        optedOut: 0,
      })
      expect((await store.describeAttributes(account, { audience }))[0]).toMatchObject({ customers: 7, share: 1 })
      // A store without the option does not ask.
      expect(await open({}).countCustomers(account, { audience })).toMatchObject({ customers: 9, suppressed: 0 })
      expect(await store.unsuppress(account, ['P3@example.com', 'nobody@example.com', 'no address'])).toBe(1)
      expect(await store.countCustomers(account, { audience })).toMatchObject({ customers: 8, suppressed: 1 })
    })
  })

  test('also of who was stored with blanks around the address', async () => {
    const store = open(options)
    const account = newAccount()
    await db.sql`insert into customer.customer (account_id, email) values (${account}, ${' Blank@example.com\t'})`
    await store.suppress(account, [' Blank@example.com\t'])
    expect(await store.countCustomers(account, { audience: 'all' })).toMatchObject({ customers: 0, suppressed: 1 })
  })

  test('outlives the customer: deleted, erased and uploaded again', async () => {
    const store = open(options)
    const account = newAccount()
    await fill(store, account, 2)
    await store.suppress(account, ['p0@example.com'], { reason: 'bounce' })
    await store.eraseCustomer(account, 'p0@example.com', { customer: 'remove' })
    expect(await store.getCustomer(account, 'p0@example.com')).toBeNull()
    await fill(store, account, 2)
    expect(await READERS.mailMerge!(store, account, 'all')).toEqual(['p1@example.com'])
    expect(await store.listSuppressions(account)).toMatchObject([{ reason: 'bounce' }])
  })

  test('is listed page by page, with the first reason, and knows one account alone', async () => {
    const store = open(options)
    const [account, other] = [newAccount(), newAccount()]
    const emails = await fill(store, account, 5)
    await fill(store, other, 5)
    await store.suppress(account, emails, { reason: 'unsubscribe' })
    expect(await store.suppress(account, emails, { reason: 'bounce' })).toMatchObject({ suppressed: 0, unchanged: 5 })
    const list = await store.listSuppressions(account)
    expect(list).toHaveLength(5)
    for (const { address, reason, createdAt } of list) {
      expect(address).toMatch(kind === 'hashes' ? /^[\da-f]{64}$/ : /^p\d@example\.com$/)
      expect(reason).toBe('unsubscribe')
      expect(Date.parse(createdAt)).toBeGreaterThan(0)
    }
    const paged = [...(await store.listSuppressions(account, { limit: 2 }))]
    paged.push(...(await store.listSuppressions(account, { after: paged.at(-1)!.address })))
    expect(paged).toEqual(list)
    expect(await store.listSuppressions(other)).toEqual([])
    expect(await READERS.mailMerge!(store, other, 'all')).toHaveLength(5)
    expect(await store.unsuppress(other, emails)).toBe(0)
  })

  test('an address of the list that is none is told without it', async () => {
    const error = await open(options)
      .listSuppressions(newAccount(), { after: 'ada@example.com\0' })
      .catch((e) => e)
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'after' } })
    expect(error.message).not.toContain('ada@')
  })

  test('an account that is spelt in another way is the same', async () => {
    const store = open(options)
    const account = newAccount()
    await fill(store, account, 2)
    await store.suppress(account.toUpperCase(), ['p0@example.com'])
    expect(await READERS.mailMerge!(store, account, 'all')).toEqual(['p1@example.com'])
    expect(await store.unsuppress(account.toUpperCase(), ['p0@example.com'])).toBe(1)
  })
})

test('a salted table holds no address', async () => {
  const account = newAccount()
  await open(salted).suppress(account, ['Ada@example.com'])
  const rows = await db.sql`select t::text as row from customer.salted t where account_id = ${account}`
  expect(rows).toHaveLength(1)
  // Digits of a hash can spell a name: what stands there is an account, 64 of them, no reason and a time, and nothing else.
  expect(rows[0]!.row).toMatch(new RegExp(`^\\(${account},[0-9a-f]{64},,"[0-9:. +-]+"\\)$`))
})

describe('a CSV', () => {
  test.each([
    ['the column that is headed as e-mail', 'name,E-Mail\nAda,ada@example.com\nBo,"Bo <bo@example.com>"\n\nCy,\n'],
    ['the only column', 'bounced\nada@example.com\nBo <bo@example.com>\n\n""\n'],
  ])('is read by %s', async (name, csv) => {
    const store = open()
    const account = newAccount()
    const { rejectedRows, ...counts } = await store.suppress(account, csv)
    const isOne = name === 'the only column'
    expect(counts).toEqual({ suppressed: 1, unchanged: 0, rejected: isOne ? 1 : 2 })
    expect(rejectedRows.map(({ row, code }) => [row, code])).toEqual([
      [3, 'INVALID_EMAIL'],
      ...(isOne ? [] : [[5, 'EMAIL_REQUIRED']]),
    ])
    expect(JSON.stringify(rejectedRows)).not.toContain('example')
    expect(await store.listSuppressions(account)).toMatchObject([{ address: 'ada@example.com', reason: null }])
  })

  test('comes as a stream, of more than one statement takes', async () => {
    const store = open()
    const account = newAccount()
    const emails = Array.from({ length: 12_000 }, (_, at) => `p${at}@example.com`)
    const csv = new Blob([`email\n${emails.join('\n')}`]).stream() as ReadableStream<Uint8Array>
    expect(await store.suppress(account, csv)).toMatchObject({ suppressed: 12_000, rejected: 0 })
    expect(await store.unsuppress(account, emails)).toBe(12_000)
  })

  test('without such a column, or with two, is refused with what to do', async () => {
    const store = open()
    expect(await rejectionOf(store.suppress(newAccount(), 'a,b\n1,2\n'))).toMatchObject({
      code: 'EMAIL_COLUMN_MISSING',
    })
    expect(await rejectionOf(store.suppress(newAccount(), 'email,e-mail\na@x.com,b@x.com\n'))).toMatchObject({
      code: 'DUPLICATE_COLUMN',
      details: { positions: [1, 2] },
    })
    const nameless = 'a@x.com\nb@x.com\n'
    expect(await rejectionOf(store.suppress(newAccount(), nameless))).toMatchObject({ code: 'HEADER_MISSING' })
    expect(await store.suppress(newAccount(), nameless, { headers: ['email'] })).toMatchObject({ suppressed: 2 })
  })
})

test('what is no address is told by its place in a list', async () => {
  const { rejectedRows, ...counts } = await open().suppress(newAccount(), ['a@x.com', 'nobody', '', 'a@x.com\0'])
  expect(counts).toEqual({ suppressed: 1, unchanged: 0, rejected: 3 })
  expect(rejectedRows.map(({ row, code }) => [row, code])).toEqual([
    [2, 'INVALID_EMAIL'],
    [3, 'EMAIL_REQUIRED'],
    [4, 'INVALID_EMAIL'],
  ])
})

describe('is told with what to do', () => {
  test('a store without the option', async () => {
    const store = open({})
    const account = newAccount()
    for (const call of [
      () => store.suppress(account, ['a@x.com']),
      () => store.unsuppress(account, ['a@x.com']),
      () => store.listSuppressions(account),
    ]) {
      expect(await rejectionOf(call())).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('{ suppressions: true }'),
      })
    }
  })

  test('a missing table, at the first use and by checkSchema, whose SQL mends it', async () => {
    const options = { suppressions: true, suppressionTable: 'customer.later' } as const
    const store = open(options)
    const account = newAccount()
    await fill(store, account, 1)
    for (const call of [
      () => store.suppress(account, ['a@x.com']),
      () => store.countCustomers(account, { audience: 'all' }),
      () => READERS.mailMerge!(store, account, 'all'),
    ]) {
      expect(await rejectionOf(call())).toMatchObject({
        code: 'SCHEMA_NOT_READY',
        message: expect.stringContaining('sql/0005_create_suppression.up.sql'),
      })
    }
    const [problem] = (await store.checkSchema()).filter(({ severity }) => severity === 'error')
    expect(problem).toMatchObject({ details: { table: expect.stringContaining('later') } })
    await db.sql.unsafe(problem!.sql!).simple()
    expect((await store.checkSchema()).filter(({ severity }) => severity === 'error')).toEqual([])
    expect(await store.suppress(account, ['p0@example.com'])).toMatchObject({ suppressed: 1 })
    await db.sql.unsafe(readMigrations(options).at(-1)!.down).simple()
  })

  test.each([['yes'], [{ salt: 'short' }], [{ salt: SALT, more: 1 }], [{}], [null]])(
    'an option: %j',
    (suppressions) => {
      expect(() => open({ suppressions: suppressions as never })).toThrow(/suppressions must be true, false or \{ salt/)
    },
  )
})

test.each([
  ['lower(email)', 'text', 'unique index on t (account_id, lower(email))'],
  ['citext', 'citext', 'unique index on t (account_id, email)'],
  ['a collation of its own', 'text collate "und-x-icu"', 'unique index on t (account_id, email)'],
])('on a table of another kind: %s, with rows that do not live', async (_name, type, index) => {
  await db.sql.unsafe(`create extension if not exists citext; drop schema if exists host cascade; create schema host;
    create table host.t (id bigserial primary key, account_id bigint not null, email ${type} not null, deleted_at timestamptz,
      custom_attributes jsonb not null default '{}');
    create ${index.replace(' on t', ' on host.t')}`)
  const tables = { customerTable: 'host.t', definitionTable: 'host.a', suppressionTable: 'host.s' }
  for (const suppressions of [true, { salt: SALT }]) {
    const migrations = readMigrations({ ...tables, accountIdType: 'bigint', suppressions })
    for (const { up } of migrations) await db.sql.unsafe(up).simple()
    const store = open({ ...tables, suppressions, emailCase: 'preserve', live: { deleted_at: null } })
    await db.sql`truncate host.t`
    await db.sql`insert into host.t (account_id, email, deleted_at) values
      (7, 'Ada@X.com', null), (7, 'Jürgen@x.com', null), (7, 'bo@x.com', null), (7, 'gone@x.com', now()), (8, 'ada@x.com', null)`
    expect(await store.suppress('007', ['aDA@x.COM', 'JürgeN@x.com', 'gone@x.com'])).toMatchObject({ suppressed: 3 })
    expect(await READERS.pageCustomers!(store, '7', 'all')).toEqual(['bo@x.com'])
    expect(await READERS.exportCsv!(store, '7', 'all')).toEqual(['bo@x.com'])
    expect(await store.countCustomers(7, { audience: 'all' })).toMatchObject({ customers: 1, suppressed: 2 })
    expect(await READERS.pageCustomers!(store, '8', 'all')).toEqual(['ada@x.com'])
    await db.sql.unsafe(migrations.at(-1)!.down).simple()
  }
})

describe('laws', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((each) => !/\0|\p{Cs}/u.test(each))
  const odd = fc.oneof(text, fc.constantFrom('İ@x.com', 'ß@X.com', 'Ǆ@x', 'Σς', 'K@x', '1:a', '11:'))

  test('JavaScript and PostgreSQL make the same of an address', async () => {
    const shape = { sql: { email: 'email', account_id: 'account' } } as never
    await checkLaw(
      'suppressed addresses',
      fc.asyncProperty(
        odd,
        odd,
        fc.option(fc.constant(createHash('sha256').update(SALT).digest('hex'))),
        async (address, account, salt) => {
          const sql = keptAddressSql(shape, salt === null ? undefined : '$3')
          const [row] = await db.sql.unsafe(
            `select ${sql} as kept from (select $1::text as email, $2::text as account) c where $3::text is null or true`,
            [address, account, salt],
          )
          expect(row!.kept).toBe(keptAddress(address, salt ?? undefined, account))
        },
      ),
      500,
      50,
    )
  })

  test('nobody gets a message who was suppressed when their page was handed out', async () => {
    const store = open()
    const others = createCustomAttributesStore(db.sql, { suppressions: true })
    await checkLaw(
      'suppressing during a merge',
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.record({ at: fc.nat(29), who: fc.nat(29), isAwaited: fc.boolean() }), { maxLength: 8 }),
        async (pageSize, plan) => {
          const account = newAccount()
          await fill(store, account, 30)
          /** How many messages had been taken when an address was suppressed. */
          const suppressedAt = new Map<string, number>()
          const racing: Promise<unknown>[] = []
          let taken = 0
          for await (const { customer } of store.mailMerge(account, 'x', {
            audience: 'all',
            recheck: true,
            pageSize,
          })) {
            // Its page began fewer than pageSize messages ago.
            expect(taken - (suppressedAt.get(customer.email) ?? taken)).toBeLessThan(pageSize)
            taken++
            for (const { who, isAwaited } of plan.filter(({ at }) => at === taken)) {
              const email = `p${who}@example.com`
              const done = others.suppress(account, [email]).then(() => {
                if (!suppressedAt.has(email)) suppressedAt.set(email, taken)
              })
              racing.push(done)
              if (isAwaited) await done
            }
          }
          await Promise.all(racing)
          const left = await READERS.mailMerge!(store, account, 'all')
          expect(left.filter((email) => suppressedAt.has(email))).toEqual([])
          expect(left).toHaveLength(30 - suppressedAt.size)
        },
      ),
      60,
      5,
    )
  })
})

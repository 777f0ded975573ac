import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Audience, AudienceWhere } from '../../src/audience/audience.js'
import { readMigrations } from '../../src/db/migrations.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const account = newAccount()
const open = () => createCustomAttributesStore(db.client)

// What the conditions mean in all their combinations is told by audience-law.test.ts; here are the sentences of the docs.
beforeAll(async () => {
  const store = open()
  const customers: [string, Record<string, string>, Record<string, string>][] = [
    [
      'ann',
      { city: 'Rome', birthday: '2000-02-29', total_spent: '10', orders_count: '3' },
      { Plan: 'Pro', score: '10', joined: '2026-05-17' },
    ],
    [
      'bob',
      { city: 'romeo', birthday: '1990-05-17', total_spent: '9.99' },
      { Plan: 'pro', score: '9', joined: '2026-05-17T23:30:00Z' },
    ],
    ['cid', { city: 'Paris' }, { Plan: '100%', score: 'n/a', joined: 'May 17th' }],
    ['dot', { last_order_date: '2026-05-16T22:30:00Z' }, {}],
  ]
  for (const [name, standard, custom_attributes] of customers) {
    await store.upsertCustomer(account, { email: `${name}@example.com`, ...standard, custom_attributes })
  }
})

async function found(audience: Audience): Promise<string> {
  const names: string[] = []
  for await (const page of open().pageCustomers(account, { audience }))
    names.push(...page.map(({ email }) => email.slice(0, 3)))
  return names.sort().join(' ')
}

test.each<[string, AudienceWhere, string]>([
  ['equal', { city: 'Rome' }, 'ann'],
  ['one of', { plan: ['Pro', 'pro'] }, 'ann bob'],
  ['not, which who has none is not either', { plan: { not: 'Pro' } }, 'bob cid dot'],
  ['not, of those who have one', { plan: { not: 'Pro', missing: false } }, 'bob cid'],
  ['none of several', { plan: { not: ['Pro', 'pro'] } }, 'cid dot'],
  ['missing', { city: { missing: true } }, 'dot'],
  ['contains, whatever the case', { city: { contains: 'ROM' } }, 'ann bob'],
  ['starts with, whatever the case', { city: { startsWith: 'p' } }, 'cid'],
  ['signs of patterns are letters', { plan: { contains: '%' } }, 'cid'],
  ['numbers, and not their texts', { score: { above: 9 } }, 'ann'],
  ['numbers of a column', { total_spent: { atLeast: '9.99', below: 10 } }, 'bob'],
  ['what is no number is not in, nor in the contrary', { score: { not: { above: 9 } } }, 'bob dot'],
  ['on a day', { birthday: { on: '1990-05-17' } }, 'bob'],
  ['before', { birthday: { before: '2000-02-29' } }, 'bob'],
  ['until', { birthday: { until: '2000-02-29' } }, 'ann bob'],
  ['after', { birthday: { after: '1990-05-17' } }, 'ann'],
  ['since', { birthday: { since: '1990-05-17' } }, 'ann bob'],
  ['a day of an attribute', { joined: { on: '2026-05-17' } }, 'ann bob'],
  ['the longest spans', { any: [{ joined: { last: '9999 months' } }, { joined: { last: '999 years' } }] }, 'ann bob'],
  ['any', { any: [{ city: 'Paris' }, { plan: 'Pro' }] }, 'ann cid'],
  ['all', { all: [{ city: 'Rome' }, { plan: 'Pro' }] }, 'ann'],
  ['none', { none: [{ city: 'Paris' }, { plan: 'Pro' }] }, 'bob dot'],
  ['groups beside a name', { city: { missing: false }, none: [{ any: [{ plan: 'Pro' }] }] }, 'bob cid'],
])('%s', async (_what, where, names) => {
  expect(await found({ where })).toBe(names)
})

describe('a day is one of the time zone', () => {
  test.each([
    ['UTC', '2026-05-16'],
    ['Europe/Rome', '2026-05-17'],
  ])('%s', async (timeZone, day) => {
    expect(await found({ where: { last_order_date: { on: day } }, timeZone })).toBe('dot')
    expect(await found({ where: { last_order_date: { before: day } }, timeZone })).toBe('')
  })

  test('of a text with a zone, too; one without stands where it stands', async () => {
    const where = { joined: { on: '2026-05-18' } }
    expect(await found({ where, timeZone: 'UTC' })).toBe('')
    expect(await found({ where, timeZone: 'Europe/Rome' })).toBe('bob')
  })

  test.each([
    ['2027-02-28T12:00:00Z', 'UTC', 'ann'],
    ['2028-02-28T12:00:00Z', 'UTC', ''],
    ['2028-02-29T12:00:00Z', 'UTC', 'ann'],
    ['2028-02-28T23:30:00Z', 'Europe/Rome', 'ann'],
  ])('a birthday on %s in %s', async (now, timeZone, names) => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(now) })
    try {
      expect(await found({ where: { birthday: { anniversary: 'today' } }, timeZone })).toBe(names)
    } finally {
      vi.useRealTimers()
    }
  })

  test('the time is that of the call, for all pages', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2026-05-17T12:00:00Z') })
    try {
      const pages = open().pageCustomers(account, {
        audience: { where: { birthday: { anniversary: { within: '300 days' } } } },
        pageSize: 1,
      })
      const names: string[] = []
      for await (const [customer] of pages) {
        names.push(customer!.email)
        vi.setSystemTime(new Date('2027-03-01T12:00:00Z'))
      }
      expect(names.sort()).toEqual(['ann@example.com', 'bob@example.com'])
    } finally {
      vi.useRealTimers()
    }
  })
})

test.each<[AudienceWhere, string, RegExp]>([
  [{ birthday: { above: 5 } }, 'where.birthday.above', /"birthday" is of the type date, which is no number\./],
  [{ orders_count: { before: '2026-01-01' } }, 'where.orders_count.before', /is of the type int4, which is no date\./],
  [{ orders_count: { contains: '1' } }, 'where.orders_count.contains', /which is no text\./],
  [{ accepts_marketing: { startsWith: 't' } }, 'where.accepts_marketing.startsWith', /which is no text\./],
  [{ any: [{ city: 'x' }, { birthday: 'x' }] }, 'where.any[1].birthday', /The value must be a date YYYY-MM-DD/],
  [{ none: [{ nobody: 'x' }] }, 'where.none[0].nobody', /names "nobody"/],
])('what a column cannot be is an error: %j', async (where, path, message) => {
  const error = await rejectionOf(found({ where }))
  expect(error).toMatchObject({ code: 'INVALID_AUDIENCE', details: { path } })
  expect(error.message).toMatch(message)
})

describe('countCustomers', () => {
  const count = (audience: Audience) => open().countCustomers(account, { audience })

  test('counts everyone, and those with e-mail addresses', async () => {
    expect(await count('all')).toEqual({ customers: 4, withoutEmail: 0, incomparable: 0, suppressed: 0, optedOut: 0 })
    const emails = ['ANN@example.com ', 'bob@example.com', 'nobody@example.com', 'ann@example.com']
    expect(await count({ emails })).toEqual({
      customers: 2,
      withoutEmail: 0,
      incomparable: 0,
      suppressed: 0,
      optedOut: 0,
    })
    expect(await count({ emails: [] })).toEqual({
      customers: 0,
      withoutEmail: 0,
      incomparable: 0,
      suppressed: 0,
      optedOut: 0,
    })
  })

  test('tells how many were left out because their text is no number, or no date', async () => {
    expect(await count({ where: { score: { above: 9 } } })).toEqual({
      customers: 1,
      withoutEmail: 0,
      incomparable: 1,
      suppressed: 0,
      optedOut: 0,
    })
    const where = { any: [{ score: { above: 9 } }, { joined: { before: '2000-01-01' } }] }
    expect(await count({ where })).toEqual({
      customers: 1,
      withoutEmail: 0,
      incomparable: 1,
      suppressed: 0,
      optedOut: 0,
    })
    // Whom another condition decides is not left out for it.
    const decided = { any: [{ score: { above: 9 } }, { city: 'Paris' }] }
    expect(await count({ where: decided })).toEqual({
      customers: 2,
      withoutEmail: 0,
      incomparable: 0,
      suppressed: 0,
      optedOut: 0,
    })
  })

  test('counts who would be in it and has no address', async () => {
    await db.sql`insert into customer.customer (account_id, email, city) values (${account}, '', 'Oslo')`
    expect(await count({ where: { city: 'Oslo' } })).toEqual({
      customers: 0,
      withoutEmail: 1,
      incomparable: 0,
      suppressed: 0,
      optedOut: 0,
    })
    await db.sql`delete from customer.customer where city = 'Oslo'`
  })

  test('its options are checked', async () => {
    const store = open()
    await expect(store.countCustomers(account, {} as never)).rejects.toMatchObject({ code: 'INVALID_AUDIENCE' })
    await expect(store.countCustomers(account, { audience: 'all', limit: 5 } as never)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    })
    const signal = AbortSignal.abort()
    await expect(store.countCustomers(account, { audience: 'all', signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

test('equality of attributes is answered by the GIN index, also beside other conditions and in groups', async () => {
  const own = newAccount()
  await open().upsertAttributeDefinitions(own, ['tier', 'score'])
  await db.sql`insert into customer.customer (account_id, email, custom_attributes)
    select ${own}, n || '@x.com', jsonb_build_object('tier', 'tier ' || n % 500, 'score', n::text) from generate_series(1, 20000) n`
  // What was just inserted waits in a list that the index has to read as a whole.
  await db.sql`vacuum analyze customer.customer`
  const statements: [string, unknown[]][] = []
  const watched = createCustomAttributesStore(
    db.connect({ debug: (_, text, parameters) => void statements.push([text, parameters]) }),
  )
  for (const where of [
    { tier: 'tier 7', score: { above: 10_000 } },
    { any: [{ tier: 'tier 7' }, { tier: ['tier 8', 'tier 9'] }] },
    { all: [{ tier: 'tier 7' }, { none: [{ score: { contains: '9' } }] }] },
  ] satisfies AudienceWhere[]) {
    statements.length = 0
    const { customers } = await watched.countCustomers(own, { audience: { where } })
    expect(customers).toBeGreaterThan(0)
    const [text, parameters] = statements.find(([text]) => text.includes('"custom_attributes" @>'))!
    const plan = await db.sql.unsafe(`explain ${text}`, parameters as string[])
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('customer_custom_attributes_idx')
  }
})

test('columns of odd kinds: a collation that knows no patterns, a scale, a day that never comes', async () => {
  await db.sql.unsafe(`
    create collation any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table odd_person (id bigint generated always as identity primary key, account_id uuid not null, email text not null,
      note text collate any_case, price numeric(10, 2), born date, unique (account_id, email))`)
  for (const { up } of readMigrations({ customerTable: 'odd_person', definitionTable: 'odd_person_attribute' })) {
    await db.sql.unsafe(up).simple()
  }
  await db.sql`insert into odd_person (account_id, email, note, price, born) values
    (${account}, 'a@x.com', '10', '10.00', 'infinity'), (${account}, 'b@x.com', '2026-05-17', null, null)`
  const store = createCustomAttributesStore(db.client, {
    customerTable: 'odd_person',
    definitionTable: 'odd_person_attribute',
    fields: defineFields({ email: {}, note: {}, price: {}, born: {} }),
  })
  const count = async (where: AudienceWhere) => (await store.countCustomers(account, { audience: { where } })).customers
  expect(await count({ note: { above: 9 } })).toBe(1)
  expect(await count({ note: { on: '2026-05-17' } })).toBe(1)
  expect(await count({ price: 10 })).toBe(1)
  expect(await count({ price: '9.999' })).toBe(0)
  expect(await count({ born: { not: { anniversary: 'today' } } })).toBe(2)
})

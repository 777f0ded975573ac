import { beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import type { Customer } from '../../src/db/customers.js'
import type { PageOptions } from '../../src/db/pages.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { untilLocked } from '../support/waiting.js'

const db = useDatabase()
const account = newAccount()
const open = () => createCustomAttributesStore(db.client)

// 30 customers: tiers gold, silver, none; plans pro (every second) and team (every fifth); odd ones in Rome.
beforeAll(async () => {
  const store = open()
  for (let at = 0; at < 30; at++) {
    await store.upsertCustomer(account, {
      email: `p${at}@example.com`,
      city: at % 2 ? 'Rome' : '',
      orders_count: at,
      accepts_marketing: at % 3 === 0,
      birthday: at === 7 ? '1990-05-01' : '',
      custom_attributes: {
        tier: ['gold', 'silver', ''][at % 3],
        plan: at % 2 ? '' : 'pro',
        'VIP Status': at % 5 ? '' : '5',
        'a"b': at === 3 ? '"quoted"' : '',
      },
    })
  }
})

async function pages(options: PageOptions): Promise<Customer[][]> {
  const read: Customer[][] = []
  for await (const page of open().pageCustomers(account, options)) read.push(page)
  return read
}

async function numbers(audience: Audience, more: Partial<PageOptions> = {}): Promise<number[]> {
  const customers = (await pages({ audience, ...more })).flat()
  return customers.map(({ email }) => Number(email.slice(1, -12))).sort((a, b) => a - b)
}

const those = (wanted: (at: number) => boolean) => Array.from({ length: 30 }, (_, at) => at).filter(wanted)
const idsInOrder = async () =>
  (await db.sql<{ id: string }[]>`select id from customer.customer where account_id = ${account} order by id`).map(
    ({ id }) => id,
  )

describe("audience 'all'", () => {
  test.each([1, 7, 10, 29, 30, 31, undefined])('comes in id order, pages of %s', async (pageSize) => {
    const read = await pages({ audience: 'all', pageSize })
    expect(read.flat().map(({ id }) => id)).toEqual(await idsInOrder())
    const size = pageSize ?? 1_000
    expect(read.map((page) => page.length)).toEqual(
      Array.from({ length: Math.ceil(30 / size) }, (_, at) => Math.min(size, 30 - at * size)),
    )
  })

  test('a page holds whole customers', async () => {
    const [[first]] = (await pages({ audience: 'all', pageSize: 1 })) as [[Customer]]
    expect(first).toEqual(await open().getCustomer(account, first.email))
  })

  test('of an account without customers no page comes', async () => {
    for await (const page of open().pageCustomers(newAccount(), { audience: 'all' })) expect.unreachable(String(page))
  })

  test('after an id it goes on behind it', async () => {
    const ids = await idsInOrder()
    for (const at of [0, 13, 28, 29]) {
      const read = await pages({ audience: 'all', pageSize: 4, after: ids[at]! })
      expect(read.flat().map(({ id }) => id)).toEqual(ids.slice(at + 1))
    }
  })

  test('customers that come or go between pages disturb no other', async () => {
    const own = newAccount()
    const store = open()
    await db.sql`insert into customer.customer (account_id, email) select ${own}, n || '@x.com' from generate_series(1, 20) n`
    const before = (
      await db.sql<{ id: string }[]>`select id from customer.customer where account_id = ${own} order by id`
    ).map(({ id }) => id)
    const seen: string[] = []
    for await (const page of store.pageCustomers(own, { audience: 'all', pageSize: 5 })) {
      seen.push(...page.map(({ id }) => id))
      await db.sql`delete from customer.customer where id = ${page[0]!.id}`
    }
    expect(seen).toEqual(before)
  })
})

describe('a page whose customers have gone or changed since their ids were read', () => {
  test('comes short or not at all, and the others still come', async () => {
    const own = newAccount()
    const store = open()
    await store.upsertAttributeDefinitions(own, ['tier'])
    await db.sql`insert into customer.customer (account_id, email, custom_attributes)
      select ${own}, n || '@x.com', '{"tier": "gold"}' from generate_series(1, 30) n`
    const ids = (
      await db.sql<{ id: string }[]>`select id from customer.customer where account_id = ${own} order by id`
    ).map(({ id }) => id)
    const read: string[][] = []
    for await (const page of store.pageCustomers(own, { audience: { where: { tier: 'gold' } }, pageSize: 5 })) {
      read.push(page.map(({ id }) => id))
      if (read.length > 1) continue
      await db.sql`delete from customer.customer where account_id = ${own} and id = any (${ids.slice(5, 10)}::uuid[])`
      await db.sql`update customer.customer set custom_attributes = '{"tier": "silver"}'
        where account_id = ${own} and id = ${ids[12]!}`
    }
    expect(read.flat()).toEqual([...ids.slice(0, 5), ...ids.slice(10, 12), ...ids.slice(13)])
    expect(read.map((page) => page.length)).toEqual([5, 4, 5, 5, 5])
  })

  test('more customers than ids are read at once, in pages that do not divide them', async () => {
    const own = newAccount()
    await db.sql`insert into customer.customer (account_id, email)
      select ${own}, n || '@x.com' from generate_series(1, 150) n`
    const ids = (
      await db.sql<{ id: string }[]>`select id from customer.customer where account_id = ${own} order by id`
    ).map(({ id }) => id)
    for (const pageSize of [1, 5, 7]) {
      const read: string[] = []
      for await (const page of open().pageCustomers(own, { audience: 'all', pageSize })) {
        read.push(...page.map(({ id }) => id))
      }
      expect(read).toEqual(ids)
    }
  })
})

describe('a table whose id has no index of its own', () => {
  test('is read in id order too', async () => {
    const other = await createDatabase()
    try {
      await other.sql`alter table customer.customer drop constraint customer_pkey`
      await other.sql`alter table customer.customer add primary key (account_id, id)`
      await other.sql`insert into customer.customer (account_id, email)
        select a, n || '@x.com' from unnest(array[${account}, ${newAccount()}]::uuid[]) a, generate_series(1, 30) n`
      const ids = (
        await other.sql<{ id: string }[]>`select id from customer.customer where account_id = ${account} order by id`
      ).map(({ id }) => id)
      const emails = Array.from({ length: 30 }, (_, at) => `${at + 1}@x.com`)
      for (const audience of ['all', { emails }] as const) {
        const read: string[] = []
        const pages = createCustomAttributesStore(other.client).pageCustomers(account, { audience, pageSize: 7 })
        for await (const page of pages) read.push(...page.map(({ id }) => id))
        expect(read).toEqual(ids)
      }
    } finally {
      await other.drop()
    }
  })
})

describe('audience emails', () => {
  test('names customers in any case; unknown ones and repetitions are left out; id order', async () => {
    const emails = [
      'P3@example.com',
      'p1@example.com',
      ' p1@example.com',
      'nobody@example.com',
      'p29@EXAMPLE.com',
      'a\0',
      '',
    ]
    expect(await numbers({ emails })).toEqual([1, 3, 29])
    const read = (await pages({ audience: { emails }, pageSize: 2 })).map((page) => page.length)
    expect(read).toEqual([2, 1])
    const ids = (await pages({ audience: { emails } })).flat().map(({ id }) => id)
    expect(ids).toEqual((await idsInOrder()).filter((id) => ids.includes(id)))
  })

  test('none is nobody, never everybody', async () => {
    expect(await pages({ audience: { emails: [] } })).toEqual([])
  })

  test('goes on after an id', async () => {
    const emails = those(() => true).map((at) => `p${at}@example.com`)
    const ids = await idsInOrder()
    const read = await pages({ audience: { emails }, pageSize: 4, after: ids[10]! })
    expect(read.flat().map(({ id }) => id)).toEqual(ids.slice(11))
  })
})

describe('audience where', () => {
  test.each<[string, Extract<Audience, { where: unknown }>['where'], number[]]>([
    ['an attribute', { tier: 'gold' }, those((at) => at % 3 === 0)],
    ['one of several values', { tier: ['gold', 'silver'] }, those((at) => at % 3 < 2)],
    ['two attributes', { tier: 'gold', plan: 'pro' }, those((at) => at % 6 === 0)],
    ['a field', { city: 'Rome' }, those((at) => at % 2 === 1)],
    ['a field and an attribute', { city: 'Rome', tier: 'gold' }, those((at) => at % 6 === 3)],
    ['a whole number', { orders_count: [5, '7', 9n] }, [5, 7, 9]],
    ['a boolean', { accepts_marketing: true }, those((at) => at % 3 === 0)],
    ['a boolean as text', { accepts_marketing: 'yes' }, those((at) => at % 3 === 0)],
    ['a date', { birthday: '1990-05-01' }, [7]],
    ['a number is the text of an attribute', { 'VIP Status': 5 }, those((at) => at % 5 === 0)],
    ['another spelling of a field', { 'Orders Count': 5 }, [5]],
    ['another spelling of an attribute', { vip_status: '5', tier: 'gold' }, those((at) => at % 15 === 0)],
    ['signs in name and value', { 'a"b': '"quoted"' }, [3]],
    ['the email', { email: 'p4@example.com' }, [4]],
    ['a value that nobody has', { tier: 'platinum' }, []],
    ['a value with wildcards', { tier: '%' }, []],
    ['a value is no JSON', { tier: '"gold"' }, []],
  ])('%s', async (_what, where, wanted) => {
    expect(await numbers({ where })).toEqual(wanted)
    expect(await numbers({ where }, { pageSize: 3 })).toEqual(wanted)
  })

  test.each<[string, unknown, string]>([
    [
      'a name that is none',
      { tear: 'gold' },
      'audience.where names "tear", which is no standard field and no custom attribute',
    ],
    ['a name every object has', { toString: 'x' }, 'audience.where names "toString"'],
    [
      'an undefined value',
      { tier: undefined },
      'audience.where.tier must be a text, a number or a boolean (or a list of them, or an object), got undefined.',
    ],
    ['null', { tier: null }, 'audience.where.tier must be a text'],
    ['an undefined value among others', { tier: ['gold', undefined] }, 'audience.where.tier must be'],
    ['a hole in a list', { tier: new Array(1) }, 'audience.where.tier'],
    ['an empty list', { tier: [] }, 'audience.where.tier lists no value.'],
    ['an empty object', { tier: {} }, 'audience.where.tier says nothing.'],
    ['NUL', { tier: 'a\0' }, 'audience.where.tier must be'],
    ['a text for a number', { orders_count: 'many' }, 'audience.where.orders_count: The value must be a whole number'],
    ['a text for a boolean', { accepts_marketing: 'perhaps' }, 'audience.where.accepts_marketing: '],
    ['a text for a date', { birthday: 'x' }, 'audience.where.birthday: '],
    ['a column that is no field', { account_id: account }, 'audience.where names "account_id"'],
    ['SQL', { "tier' or true --": 'x' }, 'audience.where names'],
  ])('%s is an error, never everyone', async (_what, where, message) => {
    const error = await rejectionOf(pages({ audience: { where } as Audience }))
    expect(error).toMatchObject({ code: 'INVALID_AUDIENCE', status: 400 })
    expect(error.message).toContain(message)
  })

  test('attributes are answered by the GIN index', async () => {
    const own = newAccount()
    const store = open()
    await store.upsertAttributeDefinitions(own, ['tier'])
    await db.sql`insert into customer.customer (account_id, email, custom_attributes)
      select ${own}, n || '@x.com', jsonb_build_object('tier', 'tier ' || n % 500) from generate_series(1, 20000) n`
    await db.sql`analyze customer.customer`
    const statements: [string, unknown[]][] = []
    const watched = db.connect({ debug: (_, text, parameters) => void statements.push([text, parameters]) })
    const read: Customer[] = []
    for await (const page of createCustomAttributesStore(watched).pageCustomers(own, {
      audience: { where: { tier: 'tier 7' } },
    })) {
      read.push(...page)
    }
    expect(read).toHaveLength(40)
    // The first finds who it is, by the attribute; the second reads them, by their ids.
    const [text, parameters] = statements.find(([text]) => text.includes('"custom_attributes" @>'))!
    const plan = await db.sql.unsafe(`explain ${text}`, parameters as string[])
    expect(plan.map((row) => row['QUERY PLAN']).join('\n')).toContain('customer_custom_attributes_idx')
  })
})

test.each<[unknown]>([
  [undefined],
  [null],
  ['ALL'],
  ['everyone'],
  [{}],
  [{ where: {} }],
  [{ where: null }],
  [{ where: ['x'] }],
  [{ emails: 'p1@example.com' }],
  [{ emails: [undefined] }],
  [{ emails: new Array(1) }],
  [{ emails: ['p1@example.com'], where: { tier: 'gold' } }],
  [['p1@example.com']],
])('INVALID_AUDIENCE: who is meant is always said: %j', async (audience) => {
  const error = await rejectionOf(pages({ audience: audience as Audience }))
  expect(error.code).toBe('INVALID_AUDIENCE')
  expect(error.message).toMatch(/^audience must be 'all', .* To reach every customer, say 'all'\.$/)
})

test('options are checked', async () => {
  for (const options of [{ pageSize: 0 }, { pageSize: 1.5 }, { after: 5 }, { size: 3 }, { signal: 'stop' }]) {
    const error = await rejectionOf(pages({ audience: 'all', ...options } as PageOptions))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toMatch(/^pageCustomers/)
  }
})

test('an after that is no id of the table is a mistake in the option, not a refused row', async () => {
  for (const audience of ['all', { emails: ['p1@example.com'] }] as const) {
    const error = await rejectionOf(pages({ audience, after: 'not an id' }))
    expect(error.code).toBe('INVALID_OPTION')
    expect(error.message).toContain('after')
  }
})

describe('signal', () => {
  test('stops before the next page; the host learns why', async () => {
    for (const audience of [
      'all',
      { emails: those(() => true).map((at) => `p${at}@example.com`) },
      { where: { city: 'Rome' } },
    ] as const) {
      const controller = new AbortController()
      const reason = new Error('enough')
      let read = 0
      const error = await rejectionOf(
        (async () => {
          for await (const page of open().pageCustomers(account, {
            audience,
            pageSize: 5,
            signal: controller.signal,
          })) {
            read += page.length
            controller.abort(reason)
          }
        })(),
      )
      expect(error).toMatchObject({ code: 'ABORTED', status: 499 })
      expect(error.cause).toBe(reason)
      expect(read).toBe(5)
    }
  })

  test('that aborts while the last page is used comes too late', async () => {
    const controller = new AbortController()
    const emails = those(() => true)
      .slice(0, 5)
      .map((at) => `p${at}@example.com`)
    let read = 0
    for await (const page of open().pageCustomers(account, {
      audience: { emails },
      pageSize: 5,
      signal: controller.signal,
    })) {
      read += page.length
      controller.abort()
    }
    expect(read).toBe(5)
  })

  test('that has aborted before reads nothing', async () => {
    expect((await rejectionOf(pages({ audience: 'all', signal: AbortSignal.abort() }))).code).toBe('ABORTED')
  })

  test('ends a page that waits for the database', async () => {
    const store = open()
    await store.getMergeTags(account)
    const lock = await db.sql.reserve()
    await lock`begin`
    await lock`lock table customer.customer in access exclusive mode`
    try {
      const controller = new AbortController()
      const pages = store.pageCustomers(account, { audience: 'all', signal: controller.signal })
      const waiting = rejectionOf(pages[Symbol.asyncIterator]().next())
      await untilLocked(db.sql)
      controller.abort()
      expect((await waiting).code).toBe('ABORTED')
    } finally {
      await lock`rollback`
      lock.release()
    }
  })
})

test('leaving the loop early frees the connection', async () => {
  const single = createCustomAttributesStore(db.connect({ max: 1 }))
  for await (const page of single.pageCustomers(account, { audience: 'all', pageSize: 2 })) {
    expect(page).toHaveLength(2)
    break
  }
  expect(await single.getCustomer(account, 'p1@example.com')).not.toBeNull()
})

test('between pages no connection is held: other work gets through a single one', async () => {
  const single = createCustomAttributesStore(db.connect({ max: 1 }))
  for await (const page of single.pageCustomers(account, { audience: 'all', pageSize: 10 })) {
    expect(await single.getCustomer(account, page[0]!.email)).toEqual(page[0])
  }
})

test('a connection lost between pages is an error, never an early end', async () => {
  const client = db.connect({ max: 1 })
  const store = createCustomAttributesStore(client)
  let read = 0
  const error = await rejectionOf(
    (async () => {
      for await (const page of store.pageCustomers(account, { audience: 'all', pageSize: 10 })) {
        read += page.length
        await client.end()
      }
    })(),
  )
  expect(error.code).toBe('CONNECTION_LOST')
  expect(read).toBe(10)
})

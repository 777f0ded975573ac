import { beforeAll, describe, expect, test } from 'vitest'
import type { Audience } from '../../src/audience/audience.js'
import { readMigrations } from '../../src/db/migrations.js'
import type { OptOuts } from '../../src/db/opt-outs.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { StoreOptions } from '../../src/store-options.js'
import { newAccount } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase({ distributed: false })
const open = (options: StoreOptions = { optOut: { accepts_marketing: false } }) =>
  createCustomAttributesStore(db.client, options)

beforeAll(async () => {
  await addOptionalTables(db.sql)
  await db.sql.unsafe(`
    create type mail_consent as enum ('asked', 'given', 'refused');
    create table people (
      id bigint generated always as identity primary key, account_id uuid not null, email text not null,
      consent mail_consent, mail_state varchar(20), unique (account_id, email))`)
  for (const { up } of readMigrations({ customerTable: 'people', definitionTable: 'people_attribute' })) {
    await db.sql.unsafe(up).simple()
  }
})

/** A store of a table with an enum, and a field whose column is called otherwise. */
const PEOPLE: StoreOptions = {
  customerTable: 'people',
  definitionTable: 'people_attribute',
  fields: defineFields({ email: {}, consent: {}, state: { column: 'mail_state' } }),
}

const KINDS: [kind: string, options: StoreOptions, field: string, out: string, back: string][] = [
  ['a boolean', { optOut: { accepts_marketing: false } }, 'accepts_marketing', 'no', 'yes'],
  ['a text', { optOut: { status: ['unsubscribed', 'bounced'] } }, 'status', 'unsubscribed', 'active'],
  ['a number', { optOut: { orders_count: -1 } }, 'orders_count', '-1', '7'],
  ['an enum', { ...PEOPLE, optOut: { consent: 'refused' } }, 'consent', 'refused', 'given'],
  ['a column of another name', { ...PEOPLE, optOut: { state: 'off' } }, 'state', 'off', 'on'],
  ['several fields', { optOut: { source: 'do not mail', status: 'unsubscribed' } }, 'status', 'unsubscribed', 'vip'],
]

async function readAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of source) all.push(one)
  return all
}

const optedOut = async (store: CustomAttributesStore, account: string) =>
  (await store.countCustomers(account, { audience: 'all' })).optedOut

describe.each(KINDS)('%s', (_kind, options, field, out, back) => {
  test('an upload does not turn an opt-out back, says so, and does all else', async () => {
    const store = open(options)
    const account = newAccount()
    await store.uploadRows(account, [
      ['email', field],
      ['out@x.com', out],
      ['in@x.com', back],
      ['none@x.com', ''],
    ])
    const file = [
      ['email', field, 'tier'],
      ['out@x.com', back, 'gold'],
      ['in@x.com', back, 'gold'],
    ]
    const first = await store.uploadRows(account, file)
    expect(first).toMatchObject({ customersUpdated: 2, customersUnchanged: 0, rowsRejected: 0, optOutsKept: 1 })
    expect(first.warnings).toEqual([
      { code: 'OPT_OUTS_KEPT', message: expect.stringMatching(/^1 customer has opted out \(.*optOuts: 'overwrite'/) },
    ])
    expect((await store.getCustomer(account, 'out@x.com'))!.custom_attributes).toEqual({ tier: 'gold' })
    expect(await store.uploadRows(account, file)).toMatchObject({ customersUnchanged: 2, optOutsKept: 1 })
    expect(await optedOut(store, account)).toBe(1)

    const forced = await store.uploadRows(account, file, { optOuts: 'overwrite' })
    expect(forced).toMatchObject({ customersUpdated: 1, customersUnchanged: 1, optOutsKept: 0, warnings: [] })
    expect(await optedOut(store, account)).toBe(0)
  })

  test('nor by blank cells, constants, or a later row of the same file', async () => {
    const store = open(options)
    const account = newAccount()
    const result = await store.uploadRows(account, [
      ['email', field],
      ['a@x.com', out],
      ['a@x.com', back],
      ['b@x.com', back],
      ['b@x.com', out],
      ['b@x.com', back],
      ['b@x.com', back],
    ])
    expect(result).toMatchObject({ customersCreated: 2, rowsRejected: 0, optOutsKept: 2 })
    expect(await optedOut(store, account)).toBe(2)
    for (const existing of ['merge', 'replace'] as const) {
      const cleared = await store.uploadRows(
        account,
        [
          ['email', field],
          ['a@x.com', ''],
        ],
        { emptyValues: 'clear', existing },
      )
      // A column that must not be empty keeps what it has in any case.
      expect(cleared.optOutsKept).toBe(field === 'status' ? 0 : 1)
      const constant = await store.uploadRows(account, [['email'], ['a@x.com'], ['b@x.com']], {
        constants: { [field]: back },
        existing,
      })
      expect(constant.optOutsKept).toBe(2)
    }
    expect(await optedOut(store, account)).toBe(2)
  })

  test('an upsert does not turn it back, and says so', async () => {
    const store = open(options)
    const account = newAccount()
    const { id } = await store.upsertCustomer(account, { email: 'a@x.com', [field]: out })
    expect(await store.upsertCustomer(account, { email: 'a@x.com', [field]: back })).toEqual({
      id,
      outcome: 'unchanged',
      optOutKept: true,
    })
    const changed = { email: 'a@x.com', [field]: back, custom_attributes: { tier: 'gold' } }
    expect(await store.upsertCustomer(account, changed)).toEqual({ id, outcome: 'updated', optOutKept: true })
    expect(await store.upsertCustomer(account, changed, { optOuts: 'overwrite' })).toEqual({ id, outcome: 'updated' })
    expect(await optedOut(store, account)).toBe(0)
  })

  test('undoing an upload does not turn it back', async () => {
    const store = open(options)
    const account = newAccount()
    await store.uploadRows(account, [
      ['email', field, 'tier'],
      ['a@x.com', back, 'old'],
    ])
    const { uploadId } = await store.uploadRows(
      account,
      [
        ['email', field, 'tier'],
        ['a@x.com', out, 'new'],
        ['b@x.com', out, 'new'],
      ],
      { history: {} },
    )
    expect(await store.undoUpload(account, uploadId!)).toMatchObject({
      customersRestored: 1,
      customersRemoved: 1,
      valuesKept: 1,
    })
    expect((await store.getCustomer(account, 'a@x.com'))!.custom_attributes).toEqual({ tier: 'old' })
    expect(await optedOut(store, account)).toBe(1)
  })
})

test('an opt-out may become another one, which is none that is turned back', async () => {
  const store = open({ optOut: { status: ['unsubscribed', 'bounced'] } })
  const account = newAccount()
  await store.upsertCustomer(account, { email: 'a@x.com', status: 'unsubscribed' })
  expect(await store.upsertCustomer(account, { email: 'a@x.com', status: 'bounced' })).toMatchObject({
    outcome: 'updated',
  })
  expect((await store.getCustomer(account, 'a@x.com'))!.status).toBe('bounced')
})

test('rows that are written one by one after a refusal keep opt-outs, too; a row that is refused keeps none', async () => {
  const store = open()
  const account = newAccount()
  await store.uploadRows(account, [
    ['email', 'accepts_marketing'],
    ['a@x.com', 'no'],
    ['b@x.com', 'no'],
    ['c@x.com', 'no'],
  ])
  await db.sql.unsafe(`alter table customer.customer add constraint not_atlantis check (city <> 'Atlantis')`)
  const result = await store.uploadRows(account, [
    ['email', 'accepts_marketing', 'city'],
    ['a@x.com', 'yes', 'Rome'],
    ['b@x.com', 'yes', 'Atlantis'],
    ['c@x.com', 'yes', ''],
  ])
  expect(result).toMatchObject({ customersUpdated: 1, customersUnchanged: 1, rowsRejected: 1, optOutsKept: 2 })
  expect(await optedOut(store, account)).toBe(3)
})

test('atomic, a dry run and a transaction of the host keep and tell the same', async () => {
  const store = open()
  const account = newAccount()
  await store.upsertCustomer(account, { email: 'a@x.com', accepts_marketing: false })
  const file = [
    ['email', 'accepts_marketing'],
    ['a@x.com', 'yes'],
  ]
  expect(await store.uploadRows(account, file, { dryRun: true })).toMatchObject({ optOutsKept: 1 })
  expect(await store.uploadRows(account, file, { atomic: true })).toMatchObject({ optOutsKept: 1 })
  await db.client.begin(async (tx) => {
    expect(await store.with(tx).uploadRows(account, file)).toMatchObject({ optOutsKept: 1 })
  })
  expect(await optedOut(store, account)).toBe(1)
})

/** Everything that reads an audience, as the addresses that it meets. */
const READERS: Record<
  string,
  (
    store: CustomAttributesStore,
    account: string,
    options: { audience: Audience; optedOut?: 'include' },
  ) => Promise<string[]>
> = {
  async pageCustomers(store, account, options) {
    const pages = await readAll(store.pageCustomers(account, { ...options, pageSize: 2 }))
    return pages.flat().map(({ email }) => email)
  },
  async mailMerge(store, account, options) {
    const results = await readAll(store.mailMerge(account, 'x', { ...options, recheck: true }))
    return results.map(({ customer }) => customer.email)
  },
  async preflight(store, account, options) {
    const seen: string[] = []
    await store.preflight(account, 'x', { ...options, extraTags: ({ email }) => ({ n: seen.push(email) }) })
    return seen
  },
  async findCustomers(store, account, options) {
    return (await store.findCustomers(account, options)).customers.map(({ email }) => email)
  },
  async exportCsv(store, account, options) {
    const text = await new Response(store.exportCsv(account, { ...options, columns: ['email'] })).text()
    return text.trim().split('\r\n').slice(1)
  },
}

describe.each(
  Object.entries<Audience>({
    all: 'all',
    where: { where: { tier: 'gold' } },
    emails: { emails: ['in@x.com', 'none@x.com', 'out@x.com'] },
  }),
)('an audience, %s', (_name, audience) => {
  test('has nobody who opted out, unless they are included', async () => {
    const store = open({ optOut: { accepts_marketing: false, status: 'unsubscribed' }, suppressions: true })
    const account = newAccount()
    await store.uploadRows(account, [
      ['email', 'accepts_marketing', 'status', 'tier'],
      ['out@x.com', 'no', '', 'gold'],
      ['both@x.com', 'yes', 'unsubscribed', 'gold'],
      ['in@x.com', 'yes', '', 'gold'],
      ['none@x.com', '', '', 'gold'],
    ])
    const [left, everyone] = [
      ['in@x.com', 'none@x.com'],
      audience === 'all' || 'where' in audience
        ? ['both@x.com', 'in@x.com', 'none@x.com', 'out@x.com']
        : ['in@x.com', 'none@x.com', 'out@x.com'],
    ]
    for (const [name, read] of Object.entries(READERS)) {
      expect((await read(store, account, { audience })).sort(), name).toEqual(left)
      expect((await read(store, account, { audience, optedOut: 'include' })).sort(), name).toEqual(everyone)
    }
    const out = everyone.length - 2
    expect(await store.countCustomers(account, { audience })).toMatchObject({ customers: 2, optedOut: out })
    expect(await store.countCustomers(account, { audience, optedOut: 'include' })).toMatchObject({
      customers: everyone.length,
      optedOut: 0,
    })
    expect((await store.describeAttributes(account, { audience }))[0]).toMatchObject({ customers: 2, share: 1 })
    expect((await store.describeAttributes(account, { audience, optedOut: 'include' }))[0]).toMatchObject({
      customers: everyone.length,
    })
    // A customer that is suppressed and has opted out is counted once.
    await store.suppress(account, ['out@x.com'])
    expect(await store.countCustomers(account, { audience })).toMatchObject({
      customers: 2,
      suppressed: 1,
      optedOut: out - 1,
    })
  })
})

test('mailMerge with recheck leaves out who opts out while it runs', async () => {
  const store = open()
  const account = newAccount()
  const emails = Array.from({ length: 6 }, (_, at) => `p${at}@x.com`)
  await store.uploadRows(account, [['email'], ...emails.map((email) => [email])])
  const got: string[] = []
  for await (const { customer } of store.mailMerge(account, 'x', { audience: 'all', pageSize: 1, recheck: true })) {
    got.push(customer.email)
    const others = emails.filter((email) => email !== customer.email)
    for (const email of others) await store.upsertCustomer(account, { email, accepts_marketing: false })
  }
  expect(got).toHaveLength(1)
})

test.each<[OptOuts, RegExp]>([
  [{ accepts_marketing: [] }, /optOut must be an object of fields/],
  [{ status: '' }, /optOut must be/],
  [{ status: null as never }, /optOut must be/],
  [['status'] as never, /optOut must be/],
])('what is no optOut is told when the store is made', (optOut, message) => {
  expect(() => open({ optOut })).toThrow(message)
})

test.each<[StoreOptions, RegExp]>([
  [{ optOut: { newsletter: false } }, /optOut\.newsletter is no field .* accepts_marketing/],
  [{ optOut: { email: 'a@x.com' } }, /optOut\.email is no field/],
  [{ optOut: { accepts_marketing: 'unsubscribed' } }, /optOut\.accepts_marketing has a value that bool cannot hold/],
  [
    { ...PEOPLE, optOut: { consent: ['refused', 'never'] } },
    /optOut\.consent has a value that .*mail_consent.* cannot/,
  ],
])('what the table has not is told at the first call, and by checkSchema', async (options, message) => {
  const store = open(options)
  const error = await rejectionOf(store.countCustomers(newAccount(), { audience: 'all' }))
  expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'optOut' } })
  expect(error.message).toMatch(message)
  expect((await store.checkSchema()).filter(({ severity }) => severity === 'error')).toEqual([
    expect.objectContaining({ message: error.message }),
  ])
})

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'
import { codeBlocks, section } from '../support/readme.js'

const db = useDatabase({ distributed: false })
const role = `role_${randomBytes(6).toString('hex')}`
const owner = `owner_${randomBytes(6).toString('hex')}`
const doc = readFileSync(new URL('../../docs/row-level-security.md', import.meta.url), 'utf8')

beforeAll(async () => {
  const [grants] = codeBlocks(section('## Rights', 'docs/security.md'), 'sql')
  const [policies] = codeBlocks(doc, 'sql')
  await db.sql.unsafe(`create role ${role} login password 'secret'; create role ${owner} login password 'secret'`)
  await db.sql.unsafe(grants!.replaceAll(' app', ` ${role}`)).simple()
  await db.sql.unsafe(policies!).simple()
  const tables = ['upload', 'upload_change', 'upload_rejected', 'suppression'].map(
    (name) => `customer.custom_attribute_${name}`,
  )
  await addOptionalTables(db.sql)
  for (const table of tables) {
    await db.sql
      .unsafe(
        policies!
          .split(/(?=alter table)/)
          .slice(2)
          .join('')
          .replaceAll('customer.custom_attribute_definition', table),
      )
      .simple()
    await db.sql.unsafe(`grant select, insert, update, delete on ${table} to ${role}`)
  }
  await db.sql.unsafe(`alter table customer.customer add constraint not_refused check (city <> 'refused')`)
})
afterAll(async () => {
  await db.sql.unsafe(`reassign owned by ${owner} to current_user; drop owned by ${role}, ${owner}`).simple()
  await db.sql.unsafe(`drop role ${role}, ${owner}`)
})

/** A client whose session is for an account, or for none. */
const clientFor = (account: string | undefined, username = role): postgres.Sql =>
  db.connect({
    username,
    password: 'secret',
    max: 2,
    connection: account === undefined ? {} : { 'app.account_id': account },
  })

const csv = 'email,first_name,tier\njohn@example.com,Johnny,silver\nnew@example.com,New,gold\n'
const MESSAGE = { subject: 'Hi {{first_name}}', text: '{{tier}}' }

let account: string
let other: string
async function makeAccounts(): Promise<void> {
  account = newAccount()
  other = newAccount()
  const store = createCustomAttributesStore(db.sql)
  for (const each of [account, other]) {
    const { uploadId } = await store.uploadCsv(each, 'email,first_name,tier\njohn@example.com,John,gold\n', {
      history: {},
    })
    uploads.set(each, uploadId!)
    await suppressing(db.sql).suppress(each, ['left@example.com'])
  }
}

const suppressing = (client: postgres.Sql) => createCustomAttributesStore(client, { suppressions: true })

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('for its own account everything works', () => {
  beforeEach(makeAccounts)

  test.each([
    ['plain', {}],
    ['in small batches', { batchSize: 1 }],
    ['atomic', { atomic: true }],
    ['replacing and clearing', { existing: 'replace', emptyValues: 'clear' }],
  ] as const)('an upload, %s', async (_, options) => {
    const store = createCustomAttributesStore(clientFor(account))
    const result = await store.uploadCsv(account, csv, options)
    expect(result).toMatchObject({ customersCreated: 1, customersUpdated: 1, rowsRejected: 0 })
    expect(await store.uploadCsv(account, csv)).toMatchObject({ customersUnchanged: 2 })
  })

  test('a dry run, and rows that the database refuses', async () => {
    const store = createCustomAttributesStore(clientFor(account))
    expect(await store.uploadCsv(account, csv, { dryRun: true })).toMatchObject({ customersCreated: 1 })
    const rows = Array.from({ length: 40 }, (_, at) => `c${at}@example.com,${at % 2 ? 'refused' : 'Rome'}`)
    const result = await store.uploadCsv(account, `email,city\n${rows.join('\n')}`)
    expect(result).toMatchObject({ customersCreated: 20, rowsRejected: 20 })
  })

  test('reads, upserts, definitions, pages, mail merge and preflight', async () => {
    const store = createCustomAttributesStore(clientFor(account))
    await store.upsertCustomer(account, { email: 'a@example.com', custom_attributes: { tier: 'gold', plan: 'pro' } })
    await store.upsertAttributeDefinitions(account, ['later'])
    expect((await store.getMergeTags(account)).customAttributes).toEqual(['later', 'plan', 'tier'])
    expect([...(await store.getCustomers(account, ['a@example.com', 'john@example.com'])).values()]).toMatchObject([
      { custom_attributes: { plan: 'pro' } },
      { first_name: 'John' },
    ])
    const audience = { where: { tier: 'gold' } }
    expect((await collect(store.pageCustomers(account, { audience }))).flat()).toHaveLength(2)
    expect(await collect(store.mailMerge(account, MESSAGE, { audience }))).toHaveLength(2)
    expect((await store.preflight(account, MESSAGE, { audience })).recipients).toBe(2)
  })

  test("in the host's transaction that says the account", async () => {
    const client = clientFor(undefined)
    const store = createCustomAttributesStore(client)
    await client.begin(async (tx) => {
      await tx`select set_config('app.account_id', ${account}, true)`
      expect(await store.with(tx).uploadCsv(account, csv)).toMatchObject({ customersCreated: 1, customersUpdated: 1 })
    })
    expect(await store.getCustomer(account, 'new@example.com')).toBeNull()
    expect((await contentsOf(db.sql, account)).customers).toHaveLength(2)
  })
})

const READS: Record<string, (store: CustomAttributesStore, of: string) => Promise<unknown>> = {
  getCustomer: async (store, of) => [await store.getCustomer(of, 'john@example.com')],
  getCustomers: async (store, of) => [...(await store.getCustomers(of, ['john@example.com'])).values()],
  countCustomers: async (store, of) => (await store.countCustomers(of, { audience: 'all' })).customers,
  findCustomers: async (store, of) => (await store.findCustomers(of, { audience: 'all' })).customers,
  pageCustomers: (store, of) => collect(store.pageCustomers(of, { audience: 'all' })),
  exportCsv: async (store, of) =>
    (await new Response(store.exportCsv(of, { audience: 'all' })).text()).split('\r\n').slice(1, -1),
  mailMerge: (store, of) => collect(store.mailMerge(of, MESSAGE, { audience: 'all' })),
  renderForCustomers: async (store, of) => [
    ...(await store.renderForCustomers(of, '{{first_name}}', ['john@example.com'])).values(),
  ],
  preflight: async (store, of) => (await store.preflight(of, MESSAGE, { audience: 'all' })).recipients,
  getAttributeDefinitions: (store, of) => store.getAttributeDefinitions(of),
  describeAttributes: (store, of) => store.describeAttributes(of),
  listUploads: async (store, of) => (await store.listUploads(of)).map(({ status }) => status),
  getUpload: async (store, of) => [
    await store
      .getUpload(of, uploads.get(of)!)
      .then(({ status }) => status)
      .catch(({ code }) => (code === 'UPLOAD_NOT_FOUND' ? null : code)),
  ],
  listSuppressions: async (store, of) => (await store.listSuppressions(of)).map(({ address }) => address),
  getMergeTags: async (store, of) => (await store.getMergeTags(of)).customAttributes,
  previewCsv: async (store, of) =>
    (await store.previewCsv(of, 'email,TIER\n')).columns.filter(({ reason }) => reason === 'known_attribute'),
}

const WRITES: Record<string, (store: CustomAttributesStore, of: string) => Promise<unknown>> = {
  upsertCustomer: (store, of) => store.upsertCustomer(of, { email: 'john@example.com', first_name: 'X' }),
  'upsertCustomer of a new one': (store, of) => store.upsertCustomer(of, { email: 'x@example.com' }),
  upsertAttributeDefinitions: (store, of) => store.upsertAttributeDefinitions(of, ['tier']),
  suppress: (store, of) => store.suppress(of, ['new@example.com']),
  uploadCsv: (store, of) => store.uploadCsv(of, csv),
  uploadRows: (store, of) =>
    store.uploadRows(
      of,
      csv
        .trim()
        .split('\n')
        .map((line) => line.split(',')),
    ),
  'uploadCsv, atomic': (store, of) => store.uploadCsv(of, csv, { atomic: true }),
  'uploadCsv, dryRun': (store, of) => store.uploadCsv(of, csv, { dryRun: true }),
  'uploadCsv that replaces': (store, of) => store.uploadCsv(of, csv, { existing: 'replace', emptyValues: 'clear' }),
}

const uploads = new Map<string, string>()

/** What changes only what is seen finds nothing to change. */
const CHANGES: Record<string, (store: CustomAttributesStore, of: string) => Promise<unknown>> = {
  renameAttribute: (store, of) =>
    store.renameAttribute(of, 'tier', 'level').catch(({ code }) => code.replace('ATTRIBUTE_', '')),
  removeAttribute: (store, of) => store.removeAttribute(of, 'tier').catch(({ code }) => code.replace('ATTRIBUTE_', '')),
  pruneAttributes: async (store, of) =>
    (await store.pruneAttributes(of, { notSeenSince: new Date('2999-01-01') })).attributes.length > 0
      ? 'pruned'
      : 'NOT_FOUND',
  unsuppress: async (store, of) =>
    (await store.unsuppress(of, ['left@example.com'])) > 0 ? 'unsuppressed' : 'NOT_FOUND',
  undoUpload: (store, of) => store.undoUpload(of, uploads.get(of)!).catch(({ code }) => code.replace('UPLOAD_', '')),
  pruneUploads: async (store, of) =>
    (await store.pruneUploads(of, { olderThan: new Date('2999-01-01') })) > 0 ? 'pruned' : 'NOT_FOUND',
  eraseCustomer: async (store, of) =>
    (await store.eraseCustomer(of, 'john@example.com')).customers > 0 ? 'erased' : 'NOT_FOUND',
}

test('every method of the store is called here', () => {
  const called = [...Object.keys(READS), ...Object.keys(WRITES), ...Object.keys(CHANGES)].map(
    (name) => /^\w+/.exec(name)![0],
  )
  const methods = Object.keys(createCustomAttributesStore(db.client)).filter(
    (name) => !['with', 'fields', 'checkSchema'].includes(name),
  )
  expect([...new Set(called)].sort()).toEqual(methods.sort())
})

describe.each([
  ['another account', () => clientFor(account)],
  ['no account', () => clientFor(undefined)],
])('a session that says %s', (_, connect) => {
  let client: postgres.Sql
  let store: CustomAttributesStore
  beforeAll(async () => {
    await makeAccounts()
    client = connect()
    store = suppressing(client)
  })
  afterAll(() => client.end({ timeout: 1 }))

  test.each(Object.entries(READS))('reads nothing: %s', async (_name, read) => {
    const isNothing = (found: unknown) => [JSON.stringify([null]), '[]', '0'].includes(JSON.stringify(found))
    expect(await read(suppressing(db.client), other)).not.toSatisfy(isNothing)
    expect(await read(store, other)).toSatisfy(isNothing)
  })

  test.each(Object.entries(WRITES))('writes nothing and is told so: %s', async (_name, write) => {
    const before = [await contentsOf(db.sql, other), await versionsOf(db.sql, other)]
    await expect(write(store, other)).rejects.toMatchObject({
      code: 'DATABASE_ERROR',
      details: { sqlstate: '42501' },
    })
    expect([await contentsOf(db.sql, other), await versionsOf(db.sql, other)]).toEqual(before)
  })

  test.each(Object.entries(CHANGES))('finds nothing to change: %s', async (_name, change) => {
    const before = [await contentsOf(db.sql, other), await versionsOf(db.sql, other)]
    expect(await change(store, other)).toBe('NOT_FOUND')
    expect([await contentsOf(db.sql, other), await versionsOf(db.sql, other)]).toEqual(before)
  })

  test("finds no customer with unknown: 'reject'", async () => {
    const result = await store.uploadCsv(other, csv, { unknown: 'reject' })
    expect(result).toMatchObject({ rowsTotal: 2, rowsRejected: 2 })
    expect(result.rejected.map(({ code }) => code)).toEqual(['CUSTOMER_NOT_FOUND', 'CUSTOMER_NOT_FOUND'])
  })
})

test('an upload that fails half way tells what is stored', async () => {
  await makeAccounts()
  const client = clientFor(account)
  const store = createCustomAttributesStore(client)
  // The host's mistake: the setting changes while batches are written.
  async function* rows() {
    yield 'email\n'
    for (let at = 0; at < 3000; at++) {
      if (at === 2000) {
        await Promise.all([1, 2].map(() => client`select set_config('app.account_id', '', false), pg_sleep(0.05)`))
      }
      yield `h${at}@example.com\n`
    }
  }
  const error = await store.uploadCsv(account, rows(), { batchSize: 100 }).catch((failure) => failure)
  expect(error).toMatchObject({ code: 'DATABASE_ERROR', details: { sqlstate: '42501' } })
  const { customers } = await contentsOf(db.sql, account)
  expect(error.details.stored.customersCreated).toBe(customers.length - 1)
})

test("the tables' owner is held to the policies as well", async () => {
  await db.sql
    .unsafe(
      `grant usage on schema customer to ${owner}; alter table customer.customer owner to ${owner};
       alter table customer.custom_attribute_definition owner to ${owner}`,
    )
    .simple()
  const store = createCustomAttributesStore(clientFor(account, owner))
  expect(await store.getCustomer(account, 'john@example.com')).not.toBeNull()
  expect(await store.getCustomer(other, 'john@example.com')).toBeNull()
  await expect(store.upsertCustomer(other, { email: 'x@example.com' })).rejects.toMatchObject({
    details: { sqlstate: '42501' },
  })
})

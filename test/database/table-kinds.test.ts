import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { StoreOptions } from '../../src/store-options.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { isFull } from '../support/law.js'
import { pairwise } from '../support/pairwise.js'

const db = useDatabase({ migrated: false, distributed: false })

/** What tables of hosts differ in; every two values of two of these meet in some table. */
const KINDS = {
  names: ['own', 'other', 'camelCase'],
  id: ['uuid', 'bigserial', 'identity', 'cuid'],
  unique: ['email', 'lower', 'email first'],
  live: ['all', 'deleted_at', 'is_deleted', 'state', 'deleted_at, unique for all'],
  email: ['text', 'citext', 'varchar, nullable'],
  generated: ['none', 'full_name'],
  times: ['both', 'none', 'other'],
} as const
type Kind = { [Key in keyof typeof KINDS]: (typeof KINDS)[Key][number] }

const NAMES = {
  own: { id: 'id', account_id: 'account_id', email: 'email', first_name: 'first_name', plan: 'plan' },
  other: { id: 'contact_id', account_id: 'org_id', email: 'mail', first_name: 'fname', plan: 'tariff' },
  camelCase: { id: 'Id', account_id: 'orgId', email: 'emailAddress', first_name: 'firstName', plan: 'the "plan"' },
} as const

const quote = (name: string) => `"${name.replaceAll('"', '""')}"`

const LIVE: Record<Kind['live'], { columns: string; index: string; live?: StoreOptions['live']; kill: string }> = {
  all: { columns: '', index: '', kill: '' },
  deleted_at: {
    columns: 'deleted_at timestamptz',
    index: 'where deleted_at is null',
    live: { deleted_at: null },
    kill: 'deleted_at = now()',
  },
  is_deleted: {
    columns: 'is_deleted boolean not null default false',
    index: 'where not is_deleted',
    live: { is_deleted: false },
    kill: 'is_deleted = true',
  },
  state: {
    columns: "state varchar(10) not null default 'new'",
    index: "where state = 'active'",
    live: { state: 'active' },
    kill: "state = 'gone'",
  },
  'deleted_at, unique for all': {
    columns: 'deleted_at timestamptz',
    index: '',
    live: { deleted_at: null },
    kill: 'deleted_at = now()',
  },
}

interface Host {
  store: CustomAttributesStore
  table: string
  names: (typeof NAMES)[Kind['names']]
  kind: Kind
}

let made = 0

async function makeHost(kind: Kind): Promise<Host> {
  const names = NAMES[kind.names]
  const table = `app.contacts_${made++}`
  const { columns, index, live } = LIVE[kind.live]
  const idType = { uuid: 'uuid primary key default gen_random_uuid()', bigserial: 'bigserial primary key' }
  const idTypes: Record<Kind['id'], string> = {
    ...idType,
    identity: 'bigint primary key generated always as identity',
    cuid: 'text primary key',
  }
  const emailTypes: Record<Kind['email'], string> = {
    text: 'text not null',
    citext: 'citext not null',
    'varchar, nullable': 'varchar(200)',
  }
  const list = [
    `${quote(names.id)} ${idTypes[kind.id]}`,
    `${quote(names.account_id)} bigint not null`,
    `${quote(names.email)} ${emailTypes[kind.email]}`,
    `${quote(names.first_name)} text`,
    `${quote(names.plan)} text`,
    `attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'
       and jsonb_array_length(jsonb_path_query_array(attributes, '$.*')) <= 10)`,
    columns,
    kind.generated === 'full_name'
      ? `full_name text generated always as ('~' || coalesce(${quote(names.first_name)}, '')) stored`
      : '',
    kind.times === 'both' ? 'created_at timestamptz not null, updated_at timestamptz not null default now()' : '',
    kind.times === 'other' ? '"createdAt" timestamptz not null default now(), "updatedAt" timestamptz not null' : '',
  ].filter((column) => column !== '')
  const email = kind.unique === 'lower' ? `lower(${quote(names.email)})` : quote(names.email)
  const keys = [quote(names.account_id), email]
  if (kind.unique === 'email first') keys.reverse()
  await db.sql
    .unsafe(
      `create table ${table} (${list.join(', ')});
       create unique index on ${table} (${keys.join(', ')}) ${index};
       create table ${table}_definition (account_id bigint not null, attribute_name text not null,
         created_at timestamptz not null default now(), last_seen_at timestamptz not null default now(),
         unique (account_id, attribute_name))`,
    )
    .simple()
  const { id, account_id, email: emailName } = names
  const store = createCustomAttributesStore(db.client, {
    customerTable: table,
    definitionTable: `${table}_definition`,
    fields: defineFields({
      first_name: { column: names.first_name, aliases: ['Rufname'] },
      plan: { column: names.plan, fillable: 'new' },
      ...(kind.generated === 'full_name' ? { full_name: {} } : {}),
    }),
    columns: {
      id,
      account_id,
      email: emailName,
      custom_attributes: 'attributes',
      created_at: kind.times === 'both' ? 'created_at' : kind.times === 'other' ? 'createdAt' : null,
      updated_at: kind.times === 'both' ? 'updated_at' : kind.times === 'other' ? 'updatedAt' : null,
      status: null,
    },
    ...(live ? { live } : {}),
    ...(kind.id === 'cuid' ? { newId: () => `c${randomUUID().replaceAll('-', '')}` } : {}),
  })
  return { store, table, names, kind }
}

beforeAll(async () => {
  await db.sql`create schema app`
  await db.sql`create extension if not exists citext`
})

/** Every row of the table, the dead among them, as the host sees it; without ids and moments. */
const rowsOf = async ({ table, names }: Host, account: number) =>
  (
    await db.sql.unsafe(
      `select ${quote(names.email)}::text as email, ${quote(names.first_name)} as first_name, ${quote(names.plan)} as plan,
              attributes, to_jsonb(c) as whole
       from ${table} c where ${quote(names.account_id)} = ${account} order by 1, ${quote(names.first_name)}`,
    )
  ).map(({ whole, ...row }) => ({ ...row, isDead: isDead(whole) }))

const isDead = (row: Record<string, unknown>) =>
  (row.deleted_at ?? null) !== null || row.is_deleted === true || ('state' in row && row.state !== 'active')

async function collect<T>(pages: AsyncIterable<T[]>): Promise<T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(...page)
  return all
}

const CSV = `Email,Rufname,Plan,Tier,Seat
ann@example.com,Ann,pro,gold,1
Bob@Example.com,Bob,free,,2
cy@example.com,Cy,pro,silver,
not an address,X,,,
ann@example.com,Anne,team,gold,7
`

const reversed = Object.fromEntries(Object.entries(KINDS).map(([name, values]) => [name, [...values].reverse()]))
// Without the long laws every value of every option, in as many tables as the longest list has.
const single = Array.from({ length: Math.max(...Object.values(KINDS).map(({ length }) => length)) }, (_, at) =>
  Object.fromEntries(Object.entries(KINDS).map(([name, values], nth) => [name, values[(at + nth) % values.length]])),
)
const tables = [
  ...new Map(
    (isFull ? [...pairwise(KINDS), ...pairwise(reversed)] : single).map((kind) => [
      Object.keys(KINDS)
        .map((name) => kind[name as keyof typeof kind])
        .join('; '),
      kind as Kind,
    ]),
  ),
]

test('every value of every option is met, in full with every other', () => {
  for (const [name, values] of Object.entries(KINDS)) {
    expect(new Set(tables.map(([, kind]) => kind[name as keyof Kind]))).toEqual(new Set(values))
  }
  if (isFull) expect(tables.length).toBeGreaterThanOrEqual(40)
})

test.each(tables)('%s', async (_name, kind) => {
  const host = await makeHost(kind)
  const { store, table, names } = host
  const hasDead = kind.live !== 'all'
  const isFullUnique = kind.live === 'deleted_at, unique for all'
  const [A, B, DEAD] = [1, 2, 3]

  // Counts add up, and the file again changes nothing but the customer whose rows differ.
  const first = await store.uploadCsv(A, CSV, { batchSize: 2 })
  expect(first).toMatchObject({ rowsTotal: 5, customersCreated: 3, customersUpdated: 1, rowsRejected: 1 })
  expect(first.customAttributesFound).toEqual(['Tier', 'Seat'])
  const again = await store.uploadCsv(A, CSV)
  expect(again).toMatchObject({ customersCreated: 0, rowsRejected: 1 })
  expect(again.customersUpdated + again.customersUnchanged).toBe(4)

  // Bulk is one by one.
  const rows = CSV.trim().split('\n').slice(1)
  for (const row of rows) {
    const [email, first_name, plan, Tier, Seat] = row.split(',')
    const upsert = store.upsertCustomer(B, { email: email!, first_name, plan, custom_attributes: { Tier, Seat } })
    if (email === 'not an address') expect((await rejectionOf(upsert)).code).toBe('INVALID_EMAIL')
    else await upsert
  }
  expect(await rowsOf(host, B)).toEqual(await rowsOf(host, A))
  // A field that only new customers get is theirs: ann stays pro.
  expect(await rowsOf(host, A)).toMatchObject([
    { email: 'ann@example.com', first_name: 'Anne', plan: 'pro', attributes: { Tier: 'gold', Seat: '7' } },
    { email: 'bob@example.com', first_name: 'Bob', plan: 'free' },
    { email: 'cy@example.com', first_name: 'Cy', plan: 'pro' },
  ])

  // Customers come back under the library's names.
  const ann = await store.getCustomer(A, 'Ann@Example.com')
  expect(ann).toMatchObject({
    account_id: '1',
    email: 'ann@example.com',
    first_name: 'Anne',
    plan: 'pro',
    custom_attributes: { Tier: 'gold', Seat: '7' },
    ...(kind.generated === 'full_name' ? { full_name: '~Anne' } : {}),
  })
  expect(Object.hasOwn(ann!, 'created_at')).toBe(kind.times !== 'none')
  if (kind.id === 'cuid') expect(ann!.id).toMatch(/^c[0-9a-f]{32}$/)
  const tags = await store.getMergeTags(A)
  expect(tags.standardFields).toEqual(
    ['email', 'first_name', 'plan', ...(kind.generated === 'full_name' ? ['full_name'] : [])].sort(),
  )

  // An export into an empty account makes the same customers; what the database computes is not in it.
  for (const [to, formulas] of [
    [4, 'guard'],
    [5, 'raw'],
  ] as const) {
    const result = await store.uploadCsv(to, store.exportCsv(A, { audience: 'all', delimiter: '|', formulas }))
    expect(result).toMatchObject({ customersCreated: 3, rowsRejected: 0 })
    expect(await rowsOf(host, to)).toEqual(await rowsOf(host, A))
    expect(await store.getAttributeDefinitions(to)).toEqual(await store.getAttributeDefinitions(A))
  }

  // The host's own spelling of an email is found where the table compares without case.
  if (kind.unique === 'lower' || kind.email === 'citext') {
    await db.sql.unsafe(
      `update ${table} set ${quote(names.email)} = 'CY@example.com' where ${quote(names.account_id)} = 1 and ${quote(names.email)} = 'cy@example.com'`,
    )
    expect(await store.getCustomer(A, 'cy@example.com')).toMatchObject({ first_name: 'Cy' })
    expect(await store.uploadCsv(A, 'email,first_name\ncy@example.com,Cyd\n')).toMatchObject({ customersUpdated: 1 })
    const found = await collect(store.pageCustomers(A, { audience: { where: { email: 'cy@example.com' } } }))
    expect(found).toMatchObject([{ first_name: 'Cyd' }])
  }

  // A column that cannot be written is told truthfully; as an audience and a tag it is like others.
  if (kind.generated === 'full_name') {
    const error = await rejectionOf(store.uploadCsv(A, 'email,full_name\na@example.com,x\n'))
    expect(error).toMatchObject({ code: 'FIELD_NOT_FILLABLE', details: { fields: ['full_name'] } })
    const found = await collect(store.pageCustomers(A, { audience: { where: { full_name: '~Anne' } } }))
    expect(found).toMatchObject([{ email: 'ann@example.com' }])
  }

  // Nothing dead is read, counted, merged, changed or revived.
  if (hasDead) {
    await store.uploadCsv(DEAD, 'email,first_name,Tier\ndead@example.com,Dan,old\nlive@example.com,Liv,old\n')
    await db.sql.unsafe(
      `update ${table} set ${LIVE[kind.live].kill} where ${quote(names.account_id)} = 3 and ${quote(names.email)} = 'dead@example.com'`,
    )
    const [dead] = (await rowsOf(host, DEAD)).filter((row) => row.isDead)
    expect(dead).toMatchObject({ email: 'dead@example.com', first_name: 'Dan' })
    expect(await store.getCustomer(DEAD, 'dead@example.com')).toBeNull()
    const audiences = ['all', { emails: ['dead@example.com', 'live@example.com'] }, { where: { Tier: 'old' } }] as const
    for (const audience of audiences) {
      expect(await collect(store.pageCustomers(DEAD, { audience }))).toMatchObject([{ email: 'live@example.com' }])
      expect(await store.preflight(DEAD, '{{first_name}}', { audience })).toMatchObject({ recipients: 1 })
    }
    const file = 'email,first_name,Tier\ndead@example.com,New,new\nlive@example.com,Liv,new\n'
    const result = await store.uploadCsv(DEAD, file)
    const upsert = () => store.upsertCustomer(DEAD, { email: 'dead@example.com', first_name: 'New' })
    if (isFullUnique) {
      expect(result).toMatchObject({ customersCreated: 0, customersUpdated: 1, rowsRejected: 1 })
      expect(result.rejected).toMatchObject([{ row: 2, code: 'CUSTOMER_DELETED' }])
      expect((await rejectionOf(upsert())).code).toBe('CUSTOMER_DELETED')
    } else {
      expect(result).toMatchObject({ customersCreated: 1, customersUpdated: 1, rowsRejected: 0 })
      expect((await upsert()).outcome).toBe('unchanged')
      expect(await store.getCustomer(DEAD, 'dead@example.com')).toMatchObject({ first_name: 'New' })
    }
    expect((await rowsOf(host, DEAD)).filter((row) => row.isDead)).toEqual([dead])
  }

  // Whoever has no e-mail address is in no audience.
  if (kind.email === 'varchar, nullable') {
    const ids = kind.id === 'cuid' ? [quote(names.id), "'x1', "] : undefined
    const times =
      kind.times === 'both' ? ['created_at', 'now()'] : kind.times === 'other' ? ['"updatedAt"', 'now()'] : []
    const state = kind.live === 'state' ? ['state', "'active'"] : []
    const columns = [quote(names.account_id), ids?.[0], times[0], state[0]].filter(Boolean).join(', ')
    const values = ['1', ids && "'x1'", times[1], state[1]].filter(Boolean).join(', ')
    await db.sql.unsafe(`insert into ${table} (${columns}) values (${values})`)
    expect(await collect(store.pageCustomers(A, { audience: 'all' }))).toHaveLength(3)
    expect(await store.preflight(A, '{{first_name}}', { audience: 'all' })).toMatchObject({
      recipients: 3,
      withoutEmail: 1,
    })
  }

  // Uploads at once: every customer once, nothing lost.
  const many = Array.from({ length: 60 }, (_, at) => `p${at}@example.com,P${at},x${at}`)
  const turned = [...many].reverse()
  const results = await Promise.all(
    [many, turned].map((list) =>
      store.uploadCsv(9, `email,first_name,Tier\n${list.join('\n')}\n`, { batchSize: 7, concurrency: 2 }),
    ),
  )
  const sum = (key: 'customersCreated' | 'customersUpdated' | 'customersUnchanged') =>
    results.reduce((total, result) => total + result[key], 0)
  expect(sum('customersCreated')).toBe(60)
  expect(sum('customersCreated') + sum('customersUpdated') + sum('customersUnchanged')).toBe(120)
  expect(await rowsOf(host, 9)).toHaveLength(60)

  // The cap holds.
  const names12 = Array.from({ length: 8 }, (_, at) => `a${at}`)
  const over = `email,${names12.join(',')}\np1@example.com,${names12.join(',')}\n`
  expect(await store.uploadCsv(9, over)).toMatchObject({ customersUpdated: 1 })
  const more = `email,b1,b2\np1@example.com,x,y\n`
  expect((await store.uploadCsv(9, more)).rejected).toMatchObject([{ code: 'TOO_MANY_ATTRIBUTES' }])
})

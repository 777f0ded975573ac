import { beforeAll, describe, expect, test } from 'vitest'
import type { Customer } from '../../src/db/customers.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import { type Contents, contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'

const db = useDatabase()

/** A statement as the client sends it. */
interface Sent {
  text: string
  parameters: unknown[]
}

let sent: Sent[] = []
let client: ReturnType<typeof db.connect>
let store: CustomAttributesStore
/** Ours, and a stranger with the same emails, the same names and other values. */
let ours: string
let theirs: string
let theirUpload: string
let before: { contents: Contents; versions: Map<string, string>; seen: unknown }

const SECRET = 'of the stranger'
const emails = ['john@example.com', 'jane@example.com', 'only-theirs@example.com']

beforeAll(async () => {
  await addOptionalTables(db.sql)
  await db.sql`alter table customer.customer add constraint not_refused check (last_name <> 'refused')`
  client = db.connect({ max: 3, debug: (_, text, parameters) => void sent.push({ text, parameters }) })
  store = createCustomAttributesStore(client, { suppressions: true })
})

const definitionsSeen = (account: string) =>
  db.sql`select attribute_name, last_seen_at, xmin::text from customer.custom_attribute_definition
    where account_id = ${account} order by attribute_name`

/** Two accounts that have not met. */
async function makeAccounts(): Promise<void> {
  ours = newAccount()
  theirs = newAccount()
  for (const email of emails) {
    await store.upsertCustomer(theirs, {
      email,
      first_name: SECRET,
      city: 'Rome',
      custom_attributes: { tier: 'gold', secret_name: SECRET },
    })
  }
  theirUpload = (await store.uploadCsv(theirs, 'email,tier\njohn@example.com,gold', { history: {} })).uploadId!
  for (const email of emails.slice(0, 2)) {
    await store.upsertCustomer(ours, { email, first_name: 'Our', city: 'Rome', custom_attributes: { tier: 'gold' } })
  }
  before = {
    contents: await contentsOf(db.sql, theirs),
    versions: await versionsOf(db.sql, theirs),
    seen: await definitionsSeen(theirs),
  }
  sent = []
}

/** Every method, called for our account; what it returns, as text. */
const CALLS: Record<string, () => Promise<unknown>> = {
  'upsertCustomer of a customer both have': () =>
    store.upsertCustomer(ours, {
      email: 'john@example.com',
      city: 'Oslo',
      custom_attributes: { tier: 'silver', new: '1' },
    }),
  'upsertCustomer of one that only they have': () =>
    store.upsertCustomer(ours, { email: 'only-theirs@example.com', custom_attributes: { tier: 'x' } }),
  "upsertCustomer with existing: 'reject' of one that only they have": () =>
    store.upsertCustomer(ours, { email: 'only-theirs@example.com' }, { existing: 'reject' }),
  "upsertCustomer with unknown: 'reject' of one that only they have": () =>
    store
      .upsertCustomer(ours, { email: 'only-theirs@example.com', city: 'x' }, { unknown: 'reject' })
      .catch((error) => error.code),
  'upsertCustomer with a row of theirs, account_id and all': async () => {
    const [row] = await db.sql<
      Customer[]
    >`select id, account_id, email from customer.customer where account_id = ${theirs} limit 1`
    return store.upsertCustomer(ours, { ...row!, city: 'Oslo' } as never)
  },
  'upsertCustomer that replaces and clears': () =>
    store.upsertCustomer(
      ours,
      { email: 'john@example.com', city: '', custom_attributes: {} },
      { existing: 'replace', emptyValues: 'clear' },
    ),
  getCustomer: async () => [
    await store.getCustomer(ours, 'john@example.com'),
    await store.getCustomer(ours, 'only-theirs@example.com'),
  ],
  getCustomers: async () => [...(await store.getCustomers(ours, emails))],
  'countCustomers of all': () => store.countCustomers(ours, { audience: 'all' }),
  'countCustomers by emails': () => store.countCustomers(ours, { audience: { emails } }),
  'countCustomers where conditions that nobody of ours meets': () =>
    store.countCustomers(ours, {
      audience: {
        where: { any: [{ tier: { not: 'gold' } }, { first_name: { contains: SECRET } }, { tier: { above: 1 } }] },
      },
    }),
  'findCustomers of all': () => store.findCustomers(ours, { audience: 'all', search: 'example', sort: 'first_name' }),
  'findCustomers from a cursor of theirs': async () => {
    const { next } = await store.findCustomers(theirs, { audience: 'all', sort: 'email', limit: 1 })
    sent = []
    return store.findCustomers(ours, { audience: 'all', sort: 'email', cursor: next! })
  },
  'pageCustomers of all': () => collect(store.pageCustomers(ours, { audience: 'all', pageSize: 1 })),
  'pageCustomers after an id of theirs': async () => {
    const [row] = await db.sql<
      { id: string }[]
    >`select id from customer.customer where account_id = ${theirs} order by id limit 1`
    return collect(store.pageCustomers(ours, { audience: 'all', after: row!.id }))
  },
  'pageCustomers by emails': () => collect(store.pageCustomers(ours, { audience: { emails }, pageSize: 1 })),
  'pageCustomers where an attribute and a field': () =>
    collect(store.pageCustomers(ours, { audience: { where: { tier: ['gold', SECRET], city: ['Rome', SECRET] } } })),
  'pageCustomers where a name that only they have': () =>
    collect(store.pageCustomers(ours, { audience: { where: { secret_name: SECRET } } })).catch((error) => error.code),
  'exportCsv of all': () => new Response(store.exportCsv(ours, { audience: 'all' })).text(),
  'exportCsv where': () =>
    new Response(store.exportCsv(ours, { audience: { where: { tier: ['gold', SECRET] } } })).text(),
  'exportCsv of a column that only they have': () =>
    new Response(store.exportCsv(ours, { audience: 'all', columns: ['email', 'secret_name'] }))
      .text()
      .catch((error) => error.code),
  uploadCsv: () =>
    store.uploadCsv(
      ours,
      `email,first_name,tier,new\n${emails.map((email) => `${email},Our,silver,1`).join('\n')}\nbad,,,\n`,
      { batchSize: 2 },
    ),
  'uploadCsv, atomic': () => store.uploadCsv(ours, `email,tier\n${emails.join(',atomic\n')},atomic`, { atomic: true }),
  'uploadCsv, dryRun': () => store.uploadCsv(ours, `email,tier\n${emails.join(',dry\n')},dry`, { dryRun: true }),
  'uploadCsv, replace and clear': () =>
    store.uploadCsv(ours, `email,city,tier\n${emails.join(',,\n')},,`, { existing: 'replace', emptyValues: 'clear' }),
  'uploadCsv, existing: reject': () => store.uploadCsv(ours, `email\n${emails.join('\n')}`, { existing: 'reject' }),
  'uploadCsv, unknown: reject': () => store.uploadCsv(ours, `email\n${emails.join('\n')}`, { unknown: 'reject' }),
  'uploadCsv in a transaction': () =>
    client.begin((tx) => store.with(tx).uploadCsv(ours, `email,tier\n${emails.join(',tx\n')},tx`)),
  uploadRows: () => store.uploadRows(ours, [['email', 'tier'], ...emails.map((email) => [email, 'tx'])]),
  'uploadCsv with rows that the database refuses': () =>
    store.uploadCsv(
      ours,
      `email,last_name,tier\n${emails.map((email, at) => `${email},${at % 2 ? 'refused' : ''},silver`).join('\n')}`,
    ),
  previewCsv: () => store.previewCsv(ours, `email,secret_NAME,tier\n${emails.join(',x,y\n')},x,y`),
  upsertAttributeDefinitions: () => store.upsertAttributeDefinitions(ours, ['tier', 'secret_name']),
  getAttributeDefinitions: () => store.getAttributeDefinitions(ours),
  getMergeTags: () => store.getMergeTags(ours),
  describeAttributes: () => store.describeAttributes(ours, { audience: { where: { tier: 'gold' } } }),
  'renameAttribute to a name that only they have': () =>
    store.renameAttribute(ours, 'tier', 'secret_name', { onConflict: 'keep-target' }),
  'renameAttribute in batches': () => store.renameAttribute(ours, 'tier', 'level', { batchSize: 1 }),
  removeAttribute: () => store.removeAttribute(ours, 'tier'),
  'uploadCsv with a history': () =>
    store.uploadCsv(ours, `email,tier\n${emails.join(',kept\n')},kept\nbad,x\n`, { history: { keepRejected: true } }),
  listUploads: () => store.listUploads(ours),
  getUpload: () => store.getUpload(ours, theirUpload).catch((error) => error.code),
  undoUpload: async () => {
    const { uploadId } = await store.uploadCsv(ours, `email,tier\n${emails.join(',kept\n')},kept`, { history: {} })
    return [
      await store.undoUpload(ours, uploadId!),
      await store.undoUpload(ours, theirUpload).catch((error) => error.code),
    ]
  },
  pruneUploads: () => store.pruneUploads(ours, { olderThan: new Date('2999-01-01') }),
  suppress: () => store.suppress(ours, [...emails, 'else@example.com'], { reason: 'bounce' }),
  unsuppress: () => store.unsuppress(ours, emails),
  listSuppressions: () => store.listSuppressions(ours),
  eraseCustomer: () => store.eraseCustomer(ours, 'john@example.com', { customer: 'remove' }),
  pruneAttributes: () => store.pruneAttributes(ours, { notSeenSince: new Date('2999-01-01') }),
  'mailMerge to all': () => collectAll(store.mailMerge(ours, MESSAGE, { audience: 'all', pageSize: 1 })),
  'mailMerge by emails': () => collectAll(store.mailMerge(ours, MESSAGE, { audience: { emails } })),
  'mailMerge where': () => collectAll(store.mailMerge(ours, MESSAGE, { audience: { where: { tier: 'gold' } } })),
  'preflight of all': () => store.preflight(ours, MESSAGE, { audience: 'all' }),
  'preflight where': () => store.preflight(ours, MESSAGE, { audience: { where: { tier: 'gold', city: 'Rome' } } }),
  renderForCustomers: async () => [
    ...(await store.renderForCustomers(
      ours,
      '{{first_name}} {{city}} {{tier}} {{secret_name}} {{account_id}}',
      emails,
    )),
  ],
}

/** A tag of each kind; `secret_name` is theirs alone. */
const MESSAGE = { subject: '{{first_name}}', text: '{{city}} {{tier}} {{secret_name|none}} {{account_id|none}}' }

async function collectAll(results: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const result of results) all.push(result)
  return all
}

async function collect(pages: AsyncIterable<Customer[]>): Promise<Customer[]> {
  const customers: Customer[] = []
  for await (const page of pages) customers.push(...page)
  return customers
}

test('every method of the store is called here', () => {
  const methods = Object.keys(store).filter((name) => !['with', 'fields', 'checkSchema'].includes(name))
  expect(
    methods.filter((method) => !Object.keys(CALLS).some((call) => call.split(' ')[0]!.replace(',', '') === method)),
  ).toEqual([])
})

describe.each(Object.entries(CALLS))('%s', (_name, call) => {
  let returned: string
  beforeAll(async () => {
    await makeAccounts()
    returned = JSON.stringify(await call()) ?? ''
  })

  test('sees nothing of the other account', () => {
    expect(returned).not.toContain(SECRET)
    expect(returned).not.toContain(theirs)
  })

  test('changes nothing of the other account: no row version, no definition', async () => {
    expect(await contentsOf(db.sql, theirs)).toEqual(before.contents)
    expect(await versionsOf(db.sql, theirs)).toEqual(before.versions)
    expect(await definitionsSeen(theirs)).toEqual(before.seen)
  })

  test('sends no statement to the tables without the account in it', () => {
    expect(sent.filter(({ text }) => isOfTables(text)).length).toBeGreaterThan(0)
    for (const [at, { text, parameters }] of sent.entries()) {
      if (!isOfTables(text)) continue
      expect(accountOf(sent.slice(0, at), text, parameters), text).toBe(ours)
      expect(referencesWithoutAccount(text), text).toEqual([])
    }
  })

  test('sends no function in a `do update set`, where Citus takes none that is not immutable', () => {
    for (const { text } of sent) expect(functionsInConflict(text), text).toEqual([])
  })

  test("reads no setting in a block's statements, which Citus would look for where the rows lie", () => {
    for (const { text } of sent.filter(({ text }) => text.startsWith('do '))) {
      const [declarations, statements] = text.split('\nbegin\n')
      expect(declarations).toContain('current_setting')
      expect(statements).not.toContain('current_setting')
    }
  })
})

test('the check finds a function in a `do update set`', () => {
  expect(functionsInConflict('insert … on conflict (a, b) do update set seen = now()')).toEqual(['now('])
  expect(functionsInConflict('insert … on conflict (a, b) do update set seen = excluded.seen')).toEqual([])
  expect(functionsInConflict('insert … on conflict (a, b) do nothing), x as (select count(*) from t)')).toEqual([])
})

test('the check finds a statement without the account', () => {
  const table = '"customer"."customer"'
  expect(referencesWithoutAccount(`select from ${table} c where c.account_id = $1::uuid`)).toEqual([])
  expect(referencesWithoutAccount(`select from ${table} c where c.email = $2`)).toHaveLength(1)
  const twice = (other: string) =>
    `select from ${table} c where c.account_id = any (array[$1::uuid, ${other}]) and true`
  expect(referencesWithoutAccount(twice('$1::uuid'))).toEqual([])
  expect(referencesWithoutAccount(twice('$2::uuid'))).toHaveLength(1)
  // A range alone would be as good, but only as long as both of its ends are right.
  expect(
    referencesWithoutAccount(`select from ${table} c where (c.account_id, c.id) > ($1::uuid, $2::uuid)`),
  ).toHaveLength(1)
  expect(
    referencesWithoutAccount(
      `with a as (select from ${table} c where c.account_id = $1::uuid) update ${table} c set city = 'x'`,
    ),
  ).toHaveLength(1)
  expect(referencesWithoutAccount(`insert into ${table} (email) select 'x'`)).toHaveLength(1)
  expect(referencesWithoutAccount(`insert into ${table} (account_id, email) select $1::uuid, 'x'`)).toEqual([])
})

/** Whether a statement names one of the two tables; those that read their shape name them in parameters. */
function isOfTables(text: string): boolean {
  return /"?customer"?\s*\.\s*"?(customer|custom_attribute_definition|custom_attribute_upload\w*|custom_attribute_suppression)\b/.test(
    text,
  )
}

/** The account that a statement is given: its first parameter; a block's, the setting that was made just before. */
function accountOf(before: Sent[], text: string, parameters: unknown[]): unknown {
  if (!text.startsWith('do ')) return parameters[0]
  expect(text).toContain("_ca_account text := current_setting('custom_attributes.account')")
  return before.findLast(({ text }) => text.includes("set_config('custom_attributes.account', $1::text, true)"))
    ?.parameters[0]
}

/** The functions called in what an insert does about a row that is there already. */
function functionsInConflict(text: string): string[] {
  const [, set = ''] = /\bdo update set\b(.*)$/s.exec(text) ?? []
  return [...(set.match(/\w+\s*\(/g) ?? []), ...(set.match(/\bcurrent_\w+/g) ?? [])]
}

/** The places where a statement names one of the two tables without comparing or inserting the account right there. */
function referencesWithoutAccount(text: string): string[] {
  const [, ...references] = text.split(
    /(?=(?:from|join|into|update)\s+"customer"\."(?:customer|custom_attribute_definition|custom_attribute_suppression)")/,
  )
  return references.filter(
    (reference) =>
      !/"?account_id"? = (?:\$1|_ca_account)::uuid/.test(reference) &&
      !/"?account_id"? = any \(array\[(\$1|_ca_account)::uuid, \1::uuid\]\) and/.test(reference) &&
      !/^into \S+(?: as \w)? \("?account_id"?, [^)]*\)\s+select (?:\$1|_ca_account)::uuid,/.test(reference),
  )
}

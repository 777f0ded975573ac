import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'
import { samples } from '../support/law.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

async function attributesOf(account: string): Promise<Record<string, unknown>> {
  const { customers } = await contentsOf(db.sql, account)
  return Object.fromEntries(customers.map((row) => [row.email as string, row.custom_attributes]))
}

describe.each([undefined, 1, 2])('renameAttribute, in batches of %s', (batchSize) => {
  const options = batchSize === undefined ? {} : { batchSize }

  test('moves every value and the definition, and nobody else’s', async () => {
    const { store, account } = open()
    const other = newAccount()
    for (const id of [account, other])
      await store.uploadCsv(id, 'email,Teir,plan\na@x.com,gold,pro\nb@x.com,silver,\nc@x.com,,pro\n')
    const before = await contentsOf(db.sql, other)
    expect(await store.renameAttribute(account, 'Teir', 'Tier', options)).toEqual({
      customersChanged: 2,
      collisions: 0,
      templates: {},
    })
    expect(await attributesOf(account)).toEqual({
      'a@x.com': { Tier: 'gold', plan: 'pro' },
      'b@x.com': { Tier: 'silver' },
      'c@x.com': { plan: 'pro' },
    })
    expect(await store.getAttributeDefinitions(account)).toEqual(['Tier', 'plan'])
    expect(await contentsOf(db.sql, other)).toEqual(before)
  })

  test('onto a name that is there it refuses and says how many have both, until it is told which value stays', async () => {
    const csv = 'email,tier,level\na@x.com,gold,1\nb@x.com,silver,\nc@x.com,,3\n'
    const { store, account } = open()
    await store.uploadCsv(account, csv)
    const before = await contentsOf(db.sql, account)
    const refused = await rejectionOf(store.renameAttribute(account, 'level', 'tier', options))
    expect(refused).toMatchObject({ code: 'ATTRIBUTE_EXISTS', details: { name: 'tier', collisions: 1 } })
    expect(refused.message).toContain("onConflict: 'keep-target' or 'keep-source'")
    expect(await contentsOf(db.sql, account)).toEqual(before)

    const kept = await store.renameAttribute(account, 'level', 'tier', { ...options, onConflict: 'keep-target' })
    expect(kept).toEqual({ customersChanged: 2, collisions: 1, templates: {} })
    expect(await attributesOf(account)).toEqual({
      'a@x.com': { tier: 'gold' },
      'b@x.com': { tier: 'silver' },
      'c@x.com': { tier: '3' },
    })
    expect(await store.getAttributeDefinitions(account)).toEqual(['tier'])

    const another = newAccount()
    await store.uploadCsv(another, csv)
    await store.renameAttribute(another, 'level', 'tier', { ...options, onConflict: 'keep-source' })
    expect(await attributesOf(another)).toMatchObject({ 'a@x.com': { tier: '1' }, 'b@x.com': { tier: 'silver' } })
  })

  test('a customer at the cap is renamed and merged', async () => {
    const { store, account } = open()
    const names = Array.from({ length: 10 }, (_, at) => `n${at}`)
    await store.uploadCsv(account, `email,${names.join(',')}\na@x.com,${names.join(',')}\n`)
    await store.renameAttribute(account, 'n0', 'm0', options)
    await store.renameAttribute(account, 'n1', 'n2', { ...options, onConflict: 'keep-source' })
    expect(Object.keys((await attributesOf(account))['a@x.com'] as object).sort()).toEqual(
      ['m0', ...names.slice(2)].sort(),
    )
  })

  test('what is wrong is said before anything changes', async () => {
    const { store, account } = open()
    await store.uploadCsv(account, 'email,tier\na@x.com,gold\n')
    const before = await contentsOf(db.sql, account)
    for (const [from, to, code] of [
      ['Tier', 'level', 'ATTRIBUTE_NOT_FOUND'],
      ['tier', 'city', 'INVALID_ATTRIBUTE_NAME'],
      ['tier', 'a|b', 'INVALID_ATTRIBUTE_NAME'],
      ['tier', 'tier', 'INVALID_ARGUMENT'],
      ['', 'level', 'INVALID_ARGUMENT'],
      ['tier', 5, 'INVALID_ARGUMENT'],
    ] as const) {
      const error = await rejectionOf(store.renameAttribute(account, from, to as string, options))
      expect([from, to, error.code]).toEqual([from, to, code])
    }
    expect(await contentsOf(db.sql, account)).toEqual(before)
  })

  test('of a deleted customer nothing changes', async () => {
    await db.sql`alter table customer.customer add column if not exists deleted_at timestamptz`
    const store = createCustomAttributesStore(db.client, { live: { deleted_at: null } })
    const account = newAccount()
    await store.uploadCsv(account, 'email,tier\na@x.com,gold\nb@x.com,gold\n')
    await db.sql`update customer.customer set deleted_at = now() where account_id = ${account} and email = 'b@x.com'`
    expect((await store.renameAttribute(account, 'tier', 'level', options)).customersChanged).toBe(1)
    expect(await attributesOf(account)).toEqual({ 'a@x.com': { level: 'gold' }, 'b@x.com': { tier: 'gold' } })
  })
})

test('in batches that broke off the same call goes on', async () => {
  const { store, account } = open()
  await store.uploadCsv(
    account,
    `email,tier\n${Array.from({ length: 9 }, (_, at) => `c${at}@x.com,gold`).join('\n')}\n`,
  )
  await db.sql`create function count_to_five() returns trigger language plpgsql as $$ begin
    if nextval('customer.five') > 5 then raise exception 'the disk is full' using errcode = '53100'; end if; return new; end $$`
  await db.sql`create sequence customer.five`
  await db.sql`create trigger five before update on customer.customer for each row execute function count_to_five()`
  expect(await rejectionOf(store.renameAttribute(account, 'tier', 'level', { batchSize: 2 }))).toMatchObject({
    code: 'DATABASE_ERROR',
  })
  await db.sql`drop trigger five on customer.customer`
  const names = async () =>
    Object.values(await attributesOf(account)).map((found) => Object.keys(found as object).join())
  expect((await names()).filter((name) => name === 'level')).toHaveLength(4)
  expect(await store.renameAttribute(account, 'tier', 'level', { batchSize: 2 })).toMatchObject({ customersChanged: 5 })
  expect(new Set(await names())).toEqual(new Set(['level']))
  expect(await store.getAttributeDefinitions(account)).toEqual(['level'])
  expect(await rejectionOf(store.renameAttribute(account, 'tier', 'level'))).toMatchObject({
    code: 'ATTRIBUTE_NOT_FOUND',
  })
})

test('the templates that use it come back with the new name, and all else as it was', async () => {
  const { store, account } = open()
  await store.uploadCsv(account, 'email,R&D budget,tier\na@x.com,5,gold\n')
  const templates = {
    plain: 'Hi {{first_name}}',
    tag: '<p>{{ R&amp;D budget | default: "R&amp;D budget" }}</p>\n',
    nbsp: '{{&nbsp;R&amp;D&nbsp;budget&nbsp;|&nbsp;upper }}',
    section: '{{#R&D budget}}\n  {{tier}} {{{ R&D budget }}}\n{{else}}-{{/R&D budget}}',
    compared: '{{# R&D budget > 3 }}x{{/ R&D budget}}{{^R&amp;D budget = "5"}}y{{/R&amp;D budget = "5"}}',
    other: '{{! R&D budget }}{{r&d budget|none}}',
    broken: '{{#R&D budget}}{{tier}}',
  }
  const result = await store.renameAttribute(account, 'R&D budget', 'Research <k>', { templates })
  expect(result.templates).toEqual({
    tag: '<p>{{ Research &lt;k&gt; | default: "R&amp;D budget" }}</p>\n',
    nbsp: '{{&nbsp;Research &lt;k&gt;&nbsp;|&nbsp;upper }}',
    section: '{{#Research &lt;k&gt;}}\n  {{tier}} {{{ Research &lt;k&gt; }}}\n{{else}}-{{/Research &lt;k&gt;}}',
    compared:
      '{{# Research &lt;k&gt; > 3 }}x{{/ Research &lt;k&gt;}}{{^Research &lt;k&gt; = "5"}}y{{/Research &lt;k&gt; = "5"}}',
    other: '{{! R&D budget }}{{Research &lt;k&gt;|none}}',
    broken: '{{#Research &lt;k&gt;}}{{tier}}',
  })
  const removed = await store.removeAttribute(account, 'tier', { templates: { a: '{{TIER}}', b: '{{tiers}}' } })
  expect(removed).toEqual({ customersChanged: 1, templates: ['a'] })
})

describe('an upload that runs meanwhile', () => {
  const [FIRST, SECOND, THIRD] = [samples(1000, 500), samples(1800, 800), samples(2400, 1000)]
  // Long ones, so that batches are written before the whole file has come.
  const long = (value: string) => value.padEnd(700, value)
  const rows = (from: number, to: number, value: string) =>
    Array.from({ length: to - from }, (_, at) => `c${from + at}@example.com,${long(value)}\n`).join('')

  async function* source(pieces: (string | (() => Promise<unknown>))[]) {
    for (const piece of pieces) {
      if (typeof piece === 'string') yield piece
      else await piece()
    }
  }

  /** Waits until so many of the upload's rows are stored. */
  const until = (account: string, count: number) => async () => {
    await expect
      .poll(async () => (await db.sql`select from customer.customer where account_id = ${account}`).length)
      .toBeGreaterThanOrEqual(count)
  }

  test.each(['known before', 'new with the file'])(
    'puts its values under the new name: an attribute that is %s',
    async (when) => {
      const { store, account } = open()
      if (when === 'known before') await store.upsertAttributeDefinitions(account, ['tier'])
      const result = await store.uploadCsv(
        account,
        source([
          `email,tier\n${rows(0, FIRST, 'gold')}`,
          until(account, 200),
          () => store.renameAttribute(account, 'tier', 'level'),
          rows(FIRST, SECOND, 'silver'),
          () => store.renameAttribute(account, 'level', 'rank', { batchSize: 50 }),
          rows(SECOND, THIRD, 'bronze'),
        ]),
        { batchSize: 50, concurrency: 4 },
      )
      expect(result).toMatchObject({ customersCreated: THIRD, customAttributesFound: ['rank'] })
      expect(await store.getAttributeDefinitions(account)).toEqual(['rank'])
      const counts = await db.sql`select custom_attributes ->> 'rank' as rank, count(*)::int as n from customer.customer
      where account_id = ${account} group by 1 order by 1`
      expect([...counts]).toEqual([
        { rank: long('bronze'), n: THIRD - SECOND },
        { rank: long('gold'), n: FIRST },
        { rank: long('silver'), n: SECOND - FIRST },
      ])
    },
  )

  test('puts them into the one that it was merged with', async () => {
    const { store, account } = open()
    await store.uploadCsv(account, 'email,level\nold@x.com,1\n')
    const result = await store.uploadCsv(
      account,
      source([
        `email,tier\n${rows(0, FIRST, 'gold')}`,
        until(account, 100),
        () => store.renameAttribute(account, 'tier', 'level', { onConflict: 'keep-target' }),
        rows(FIRST, SECOND, 'gold'),
      ]),
      { batchSize: 50 },
    )
    expect(result).toMatchObject({ customersCreated: SECOND, customAttributesFound: ['level'] })
    expect(await store.getAttributeDefinitions(account)).toEqual(['level'])
  })

  test('drops what was removed, and does not bring it back', async () => {
    const { store, account } = open()
    const result = await store.uploadCsv(
      account,
      source([
        `email,tier\n${rows(0, FIRST, 'gold')}`,
        until(account, 100),
        () => store.removeAttribute(account, 'tier'),
        rows(FIRST, SECOND, 'silver'),
      ]),
      { batchSize: 50 },
    )
    expect(result).toMatchObject({ customersCreated: SECOND, customAttributesFound: [], rowsRejected: 0 })
    expect(await store.getAttributeDefinitions(account)).toEqual([])
    const [left] = await db.sql`select count(*)::int as n from customer.customer
      where account_id = ${account} and custom_attributes <> '{}'`
    expect(left).toEqual({ n: 0 })
  })
})

describe('removeAttribute and pruneAttributes', () => {
  test.each([undefined, 2])('take the definition and every value away, in batches of %s', async (batchSize) => {
    const { store, account } = open()
    await store.uploadCsv(account, 'email,junk,tier\na@x.com,1,gold\nb@x.com,2,\nc@x.com,3,\n')
    const options = batchSize === undefined ? {} : { batchSize }
    expect(await store.removeAttribute(account, 'junk', options)).toEqual({ customersChanged: 3, templates: [] })
    expect(await attributesOf(account)).toEqual({ 'a@x.com': { tier: 'gold' }, 'b@x.com': {}, 'c@x.com': {} })
    expect(await store.getAttributeDefinitions(account)).toEqual(['tier'])
    expect(await rejectionOf(store.removeAttribute(account, 'junk', options))).toMatchObject({
      code: 'ATTRIBUTE_NOT_FOUND',
    })
  })

  test('prunes what no upload has seen since, what nobody has, or what is both', async () => {
    const { store, account } = open()
    await store.uploadCsv(account, 'email,old,tier\na@x.com,1,gold\n')
    await store.upsertAttributeDefinitions(account, ['empty', 'old and empty'])
    await db.sql`update customer.custom_attribute_definition set last_seen_at = '2020-01-01'
      where account_id = ${account} and attribute_name in ('old', 'old and empty')`
    const notSeenSince = new Date('2021-01-01')
    expect(await rejectionOf(store.pruneAttributes(account, {}))).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await store.pruneAttributes(account, { notSeenSince, withoutValues: true })).toEqual({
      attributes: [{ name: 'old and empty', customersChanged: 0 }],
    })
    expect(await store.pruneAttributes(account, { notSeenSince })).toEqual({
      attributes: [{ name: 'old', customersChanged: 1 }],
    })
    expect(await store.pruneAttributes(account, { withoutValues: true })).toEqual({
      attributes: [{ name: 'empty', customersChanged: 0 }],
    })
    expect(await attributesOf(account)).toEqual({ 'a@x.com': { tier: 'gold' } })
    expect(await store.getAttributeDefinitions(account)).toEqual(['tier'])
  })

  test('within a host’s transaction they are gone with it', async () => {
    const { store, account } = open()
    await store.uploadCsv(account, 'email,tier\na@x.com,gold\n')
    const before = await contentsOf(db.sql, account)
    await db.client
      .begin(async (tx) => {
        await store.with(tx).renameAttribute(account, 'tier', 'level')
        await store.with(tx).removeAttribute(account, 'level')
        expect(await store.with(tx).getAttributeDefinitions(account)).toEqual([])
        throw new Error('the host thinks again')
      })
      .catch(() => {})
    expect(await contentsOf(db.sql, account)).toEqual(before)
  })
})

import { eq, sql } from 'drizzle-orm'
import { bigint, bigserial, date, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import { transformSync } from 'esbuild'
import { type Generated, Kysely, sql as kyselySql } from 'kysely'
import { PostgresJSDialect } from 'kysely-postgres-js'
import type { Sql, TransactionSql } from 'postgres'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { useDatabase } from '../support/database.js'
import { codeBlocks, section } from '../support/readme.js'

// A host with a query builder on its postgres.js client, and the store on the same.

const test = useDatabase({ migrated: false, distributed: false })

const contacts = pgSchema('app').table('contacts', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  org_id: bigint({ mode: 'number' }).notNull(),
  email: text().notNull(),
  fname: text(),
  lname: text(),
  born: date(),
  last_order: timestamp({ withTimezone: true }),
  custom_attributes: jsonb().$type<Record<string, string>>().notNull().default({}),
  deleted_at: timestamp({ withTimezone: true }),
})

interface Database {
  'app.contacts': {
    id: Generated<string>
    org_id: number
    email: string
    fname: string | null
    custom_attributes: Generated<Record<string, string>>
    deleted_at: Date | null
  }
}

const columns = { account_id: 'org_id', created_at: null, updated_at: null, status: null }
const tables = { customerTable: 'app.contacts', definitionTable: 'app.contact_attributes', columns }
const storeOn = (client: Sql) =>
  createCustomAttributesStore(client, {
    ...tables,
    fields: defineFields({
      first_name: { column: 'fname' },
      last_name: { column: 'lname' },
      birthday: { column: 'born' },
      last_order_date: { column: 'last_order' },
    }),
    live: { deleted_at: null },
  })

const CSV =
  'Email,First Name,Birthday,Last Order Date,Shoe size,JSON\n' +
  'ann@example.com,Ann,1990-02-28,2026-03-29T01:30:00.123456Z,38,"{""a"": [1, null]}"\n' +
  'bob@example.com,Bob,0044-03-15,,44½,"""quoted"" \\ text"\n'
const EMAILS = ['ann@example.com', 'bob@example.com'] as const

const [drizzleExample, kyselyExample] = codeBlocks(
  section('### Drizzle and Kysely on the same client', 'docs/your-table.md'),
  'ts',
)

/** Runs an example of the page with what a host has around it. */
function runExample(code: string, around: Record<string, unknown>): Promise<void> {
  const { code: js } = transformSync(code, { loader: 'ts' })
  return new Function(...Object.keys(around), `return (async () => {${js}})()`)(...Object.values(around))
}

const clientOf = (tx: { _: { session: unknown } }) => (tx._.session as { client: TransactionSql }).client

const kyselyOn = (tx: TransactionSql) => {
  const client = Object.assign(tx, { reserve: async () => client, release: () => {} })
  return new Kysely<Database>({ dialect: new PostgresJSDialect({ postgres: async () => client as unknown as Sql }) })
}

beforeAll(async () => {
  await test.sql`create schema app`
  await test.sql`create table app.contacts (
    id bigserial primary key, org_id bigint not null, email text not null, fname text, lname text, born date,
    last_order timestamptz, deleted_at timestamptz
  )`
  await test.sql`create unique index contacts_email on app.contacts (org_id, lower(email)) where deleted_at is null`
  for (const { up } of readMigrations({ ...tables, accountIdType: 'bigint' })) await test.sql.unsafe(up).simple()
})
beforeEach(() => test.sql`truncate app.contacts, app.contact_attributes`)

const emails = async () =>
  (await test.sql<{ email: string }[]>`select email from app.contacts order by email`).map(({ email }) => email)

describe('Drizzle on the same client', () => {
  const open = () => {
    const client = test.openSql()
    return { client, db: drizzle(client), store: storeOn(client) }
  }

  it('changes nothing of what the store writes and reads', async () => {
    const { db, store } = open()
    const plain = storeOn(test.client)
    const template = '{{first_name}}|{{birthday}}|{{last_order_date}}|{{Shoe size}}|{{JSON}}'
    const all = async (of: typeof store) => {
      const sent: string[] = []
      for await (const mail of of.mailMerge(7, template, { audience: 'all' }))
        sent.push(mail.ok ? mail.content : 'missing')
      return {
        customers: await Promise.all(EMAILS.map((email) => of.getCustomer(7, email))),
        definitions: await of.getAttributeDefinitions(7),
        sent: sent.sort(),
      }
    }
    expect((await store.checkSchema()).filter(({ severity }) => severity === 'error')).toEqual([])
    expect(await store.uploadCsv(7, CSV)).toMatchObject({ customersCreated: 2, rowsRejected: 0 })
    const throughDrizzle = await all(store)
    expect(throughDrizzle).toEqual(await all(plain))
    expect(throughDrizzle.sent[0]).toBe('Ann|1990-02-28|2026-03-29T01:30:00.123456Z|38|{&quot;a&quot;: [1, null]}')
    expect(await plain.uploadCsv(7, CSV)).toMatchObject({ customersUnchanged: 2 })
    expect(await store.uploadCsv(7, CSV)).toMatchObject({ customersUnchanged: 2 })

    const [ann] = await db.select().from(contacts).where(eq(contacts.email, 'ann@example.com'))
    expect(ann).toMatchObject({
      org_id: 7,
      born: '1990-02-28',
      last_order: new Date('2026-03-29T01:30:00.123Z'),
      custom_attributes: { 'Shoe size': '38', JSON: '{"a": [1, null]}' },
    })
  })

  it('asks for attributes, and writes them, as jsonb', async () => {
    const { db, store } = open()
    await store.uploadCsv(7, CSV)
    const shoe = sql<string>`${contacts.custom_attributes} ->> 'Shoe size'`
    expect(await db.select({ email: contacts.email, shoe }).from(contacts).where(sql`${shoe} = '44½'`)).toEqual([
      { email: 'bob@example.com', shoe: '44½' },
    ])
    expect(
      await db.$count(contacts, sql`${contacts.custom_attributes} @> ${JSON.stringify({ 'Shoe size': '38' })}::jsonb`),
    ).toBe(1)

    await db.insert(contacts).values({ org_id: 7, email: 'cy@example.com', custom_attributes: { Tier: 'gold' } })
    expect(await store.getCustomer(7, 'cy@example.com')).toMatchObject({ custom_attributes: { Tier: 'gold' } })
    await db.update(contacts).set({ deleted_at: new Date() }).where(eq(contacts.email, 'cy@example.com'))
    expect(await store.getCustomer(7, 'cy@example.com')).toBeNull()
  })

  it('shares its transaction with the store, as the page says, and rolls both back', async () => {
    const { db, store } = open()
    await runExample(drizzleExample!, { db, contacts, store })
    expect(await emails()).toEqual(['eve@example.com'])
    expect(await store.getCustomer(7, 'eve@example.com')).toMatchObject({ custom_attributes: { Tier: 'gold' } })

    const failure = new Error('no')
    const rolledBack = db.transaction(async (tx) => {
      await tx.insert(contacts).values({ org_id: 7, email: 'flo@example.com' })
      expect(await store.with(clientOf(tx)).uploadCsv(7, `${CSV}flo@example.com,Flo,,,39,\n`)).toMatchObject({
        customersCreated: 2,
        customersUpdated: 1,
      })
      expect(await tx.$count(contacts)).toBe(4)
      throw failure
    })
    await expect(rolledBack).rejects.toBe(failure)
    expect(await emails()).toEqual(['eve@example.com'])
    expect(await store.getAttributeDefinitions(7)).toEqual(['Tier'])
  })

  it('shares a nested transaction, which rolls back alone', async () => {
    const { db, store } = open()
    await db.transaction(async (tx) => {
      await store.with(clientOf(tx)).upsertCustomer(7, { email: 'outer@example.com' })
      const nested = tx.transaction(async (inner) => {
        await inner.insert(contacts).values({ org_id: 7, email: 'gil@example.com' })
        await store.with(clientOf(inner)).uploadCsv(7, CSV)
        inner.rollback()
      })
      await expect(nested).rejects.toThrow('Rollback')
      await tx.insert(contacts).values({ org_id: 7, email: 'zoe@example.com' })
    })
    expect(await emails()).toEqual(['outer@example.com', 'zoe@example.com'])
  })
})

describe('Kysely on the same client', () => {
  const open = () => {
    const client = test.openSql()
    return {
      client,
      db: new Kysely<Database>({ dialect: new PostgresJSDialect({ postgres: client }) }),
      store: storeOn(client),
    }
  }

  it('asks for attributes as jsonb', async () => {
    const { db, store } = open()
    await store.uploadCsv(7, CSV)
    const shoe = kyselySql<string>`custom_attributes ->> 'Shoe size'`
    const rows = db
      .selectFrom('app.contacts')
      .select(['email', shoe.as('shoe')])
      .where(shoe, '=', '38')
    expect(await rows.execute()).toEqual([{ email: 'ann@example.com', shoe: '38' }])
    const [bob] = await db.selectFrom('app.contacts').selectAll().where('email', '=', 'bob@example.com').execute()
    expect(bob).toMatchObject({ custom_attributes: { 'Shoe size': '44½', JSON: '"quoted" \\ text' } })
  })

  it('shares a transaction with the store, as the page says', async () => {
    const { client, store } = open()
    await runExample(kyselyExample!, { client, store, Kysely, PostgresJSDialect })
    expect(await emails()).toEqual(['eve@example.com'])
    expect(await store.getCustomer(7, 'eve@example.com')).toMatchObject({ custom_attributes: { Tier: 'gold' } })
  })

  it('rolls both back', async () => {
    const { client, db, store } = open()
    const failure = new Error('no')
    const rolledBack = client.begin(async (tx) => {
      const inside = kyselyOn(tx)
      await inside.insertInto('app.contacts').values({ org_id: 7, email: 'flo@example.com', fname: 'F' }).execute()
      await store.with(tx).uploadCsv(7, CSV)
      expect(await inside.selectFrom('app.contacts').select('email').execute()).toHaveLength(3)
      throw failure
    })
    await expect(rolledBack).rejects.toBe(failure)
    expect(await db.selectFrom('app.contacts').selectAll().execute()).toEqual([])
    expect(await store.getAttributeDefinitions(7)).toEqual([])
  })
})

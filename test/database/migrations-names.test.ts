import fc from 'fast-check'
import type postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { formatTableName, parseTableName } from '../../src/db/identifiers.js'
import { type MigrationOptions, migrationNames, readMigrations } from '../../src/db/migrations.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { readSql, useDatabase } from '../support/database.js'

const db = useDatabase({ migrated: false })

/** A customer table of another name, in a schema that is made for it. */
async function createCustomerTable(sql: postgres.Sql, name: string): Promise<void> {
  const { schema, table } = parseTableName(name)
  if (schema !== undefined) await sql`create schema if not exists ${sql(schema)}`
  const target = formatTableName(schema === undefined ? { table } : { schema, table })
  await sql.unsafe(`create table ${target} (
    id bigint generated always as identity primary key, account_id bigint not null, email text not null,
    unique (account_id, email))`)
}

async function apply(options: MigrationOptions): Promise<void> {
  for (const { up } of readMigrations(options)) await db.sql.unsafe(up).simple()
}

async function undo(options: MigrationOptions): Promise<void> {
  for (const { down } of readMigrations(options).reverse()) await db.sql.unsafe(down).simple()
}

const utf8Bytes = (text: string) => Buffer.byteLength(text)

test('without options the texts are those of the shipped files', async () => {
  const files = await Promise.all(
    ['0001_add_custom_attributes', '0002_create_attribute_definitions'].map(async (name) => ({
      name,
      up: await readSql(`${name}.up.sql`),
      down: await readSql(`${name}.down.sql`),
    })),
  )
  expect(readMigrations()).toEqual(files)
  expect(readMigrations({})).toEqual(files)
  expect(
    readMigrations({
      customerTable: '"customer"."customer"',
      definitionTable: 'customer."custom_attribute_definition"',
      maxCustomAttributes: 10,
      accountIdType: 'uuid',
    }),
  ).toEqual(files)
  for (const { up, down } of files) expect(up + down).not.toMatch(/^\s*(begin|commit)\b\s*;/im)
})

const long = (letter: string) => letter.repeat(63)

describe.each<[string, MigrationOptions]>([
  ['another schema', { customerTable: 'crm.contact', definitionTable: 'crm.contact_attribute' }],
  ['quoted names', { customerTable: '"My Schema"."Kunden"', definitionTable: '"My Schema"."Kunden ""Merkmale"""' }],
  [
    'names that are SQL or patterns',
    { customerTable: '"order"."$&; drop table x --"', definitionTable: '"order"."10"' },
  ],
  [
    'a dot in a name',
    { customerTable: '"customer.customer"', definitionTable: '"customer.custom_attribute_definition"' },
  ],
  ['no schema', { customerTable: 'person', definitionTable: 'person_attribute' }],
  ['letters of another script', { customerTable: 'магазин.клиент', definitionTable: 'магазин.признак' }],
  ['names of 63 bytes', { customerTable: `crm.${long('c')}`, definitionTable: `crm.${long('d')}` }],
  [
    '63 bytes of two-byte letters',
    { customerTable: `crm.a${'ж'.repeat(31)}`, definitionTable: `crm.b${'ж'.repeat(31)}` },
  ],
])('%s', (_, names) => {
  const options: MigrationOptions = { ...names, maxCustomAttributes: 3, accountIdType: 'bigint', pageIndex: true }

  test('up makes the same things under names that derive from the tables, down undoes them', async () => {
    const customer = parseTableName(options.customerTable!)
    const definition = parseTableName(options.definitionTable!)
    await createCustomerTable(db.sql, options.customerTable!)
    const before = await dumpCatalogue(db.sql)
    await apply(options)
    const after = await dumpCatalogue(db.sql)
    await apply(options)
    expect(await dumpCatalogue(db.sql)).toEqual(after)

    const made = migrationNames(customer, definition)
    for (const name of Object.values<string>({ ...made })) expect(utf8Bytes(name)).toBeLessThanOrEqual(63)
    const found = await db.sql<{ name: string }[]>`
      select conname::text as name from pg_constraint union select relname::text from pg_class`
    const all = new Set(found.map(({ name }) => name))
    for (const name of Object.values<string>({ ...made })) expect(all).toContain(name)

    const table = db.sql.unsafe(`insert into ${formatTableName(customer)} (account_id, email, custom_attributes)
      values (1, 'ann@example.com', '{"a": "1", "b": "2", "c": "3", "d": "4"}')`)
    await expect(table).rejects.toMatchObject({ code: '23514', constraint_name: made.attributesCheck })
    const define = () =>
      db.sql.unsafe(`insert into ${formatTableName(definition)} (account_id, attribute_name) values (9, 'tier')`)
    await define()
    await expect(define()).rejects.toMatchObject({ code: '23505', constraint_name: made.definitionUnique })
    const [comment] = await db.sql`
      select col_description(attrelid, attnum) as text from pg_attribute
      where attrelid = ${formatTableName(customer)}::regclass and attname = 'custom_attributes'`
    expect(comment?.text).toBe(
      'Flexible storage for user-defined attributes from CSV uploads. Max 3 attributes per customer.',
    )

    await undo(options)
    expect(await dumpCatalogue(db.sql)).toEqual(before)
  })
})

test('two installs stand side by side in one schema, also under names that begin alike', async () => {
  const begin = 'c'.repeat(60)
  const installs: MigrationOptions[] = [
    { customerTable: 'shop.customer', definitionTable: 'shop.custom_attribute_definition', accountIdType: 'bigint' },
    { customerTable: 'shop.lead', definitionTable: 'shop.lead_attribute', accountIdType: 'bigint' },
    { customerTable: `shop.${begin}_a`, definitionTable: `shop.${begin}_da`, accountIdType: 'bigint' },
    { customerTable: `shop.${begin}_b`, definitionTable: `shop.${begin}_db`, accountIdType: 'bigint' },
  ]
  const lines = async () => new Set(await dumpCatalogue(db.sql))
  for (const options of installs) await createCustomerTable(db.sql, options.customerTable!)
  const sizes: number[] = []
  for (const options of installs) {
    const before = await lines()
    await apply(options)
    const after = await lines()
    sizes.push([...after].filter((line) => !before.has(line)).length)
  }
  // Each made as much as the first: nothing was taken for already there.
  expect(new Set(sizes).size).toBe(1)
  const [first, ...others] = installs
  const all = await lines()
  await undo(first!)
  await apply(first!)
  expect(await lines()).toEqual(all)
  for (const options of others) await undo(options)
  await db.sql`insert into shop.customer (account_id, email, custom_attributes) values (1, 'a@example.com', '{"a": "1"}')`
})

test('nothing of the default names or the default cap is left in the texts', () => {
  const texts = readMigrations({
    customerTable: 'a.b',
    definitionTable: 'c.d',
    maxCustomAttributes: 25,
    accountIdType: 'text',
  })
  const all = texts.map(({ up, down }) => up + down).join('\n')
  expect(all).not.toMatch(/customer\.[a-z]|customer_custom|custom_attribute_definition|\b10\b|account_id uuid/)
  expect(all.match(/\b25\b/g)).toHaveLength(3)
})

test.each(['uuid', 'bigint', 'integer', 'text'] as const)(
  'account_id of the definitions can be %s',
  async (accountIdType) => {
    const options: MigrationOptions = {
      customerTable: 'typed',
      definitionTable: `typed_${accountIdType}`,
      accountIdType,
    }
    await db.sql`create table if not exists typed (account_id text)`
    await apply(options)
    const [column] = await db.sql`
    select format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = ${`typed_${accountIdType}`}::regclass and attname = 'account_id'`
    expect(column?.type).toBe(accountIdType)
  },
)

test.each<[MigrationOptions, string]>([
  [{ customerTable: 'Customer' }, 'in double quotes where a part has capitals'],
  [{ customerTable: 'my-schema.customer' }, 'in double quotes'],
  [{ customerTable: 'my schema.customer' }, 'in double quotes'],
  [{ customerTable: 'a.b.c' }, 'the name of a table'],
  [{ customerTable: '"a"b' }, 'the name of a table'],
  [{ customerTable: '"a' }, 'the name of a table'],
  [{ customerTable: 'a"b"' }, 'the name of a table'],
  [{ customerTable: '.customer' }, 'a name without empty parts'],
  [{ customerTable: 'customer.' }, 'a name without empty parts'],
  [{ customerTable: '""' }, 'a name without empty parts'],
  [{ customerTable: '"a\u0000b"' }, 'a name without control characters'],
  [{ customerTable: '"a\nb"' }, 'a name without control characters'],
  [{ customerTable: 'ä'.repeat(32) }, 'at most 63 bytes'],
  [{ customerTable: '"$check$"' }, 'must not hold $check$'],
  [{ customerTable: '' }, 'customerTable must be a non-empty string'],
  [{ definitionTable: 'a..b' }, 'definitionTable must be the name of a table'],
  [{ maxCustomAttributes: -1 }, 'maxCustomAttributes must be a whole number'],
  [{ maxCustomAttributes: 1.5 }, 'maxCustomAttributes must be a whole number'],
  [{ accountIdType: 'varchar' as 'text' }, 'accountIdType must be "uuid" or "bigint"'],
  [{ customertable: 'a.b' } as MigrationOptions, 'readMigrations has no option "customertable"'],
])('%j is INVALID_OPTION', (options, message) => {
  try {
    readMigrations(options)
    expect.unreachable()
  } catch (error) {
    expect(isCustomAttributesError(error, 'INVALID_OPTION')).toBe(true)
    expect((error as Error).message).toContain(message)
  }
})

test('names are read and written as PostgreSQL does', async () => {
  const seed = 20_251_123
  const part = fc
    .string({
      unit: fc.constantFrom('a', 'Z', 'é', '語', '😀', '_', '"', '.', ' ', '$', '1', "'", '\\', '-'),
      minLength: 1,
    })
    .filter((text) => utf8Bytes(text) <= 63)
  await fc.assert(
    fc.asyncProperty(part, fc.option(part, { nil: undefined }), async (table, schema) => {
      const name = schema === undefined ? { table } : { schema, table }
      const text = formatTableName(name)
      expect(parseTableName(text)).toEqual(name)
      const [row] = await db.sql`select parse_ident(${text})::text[] as parts`
      expect(row?.parts).toEqual(schema === undefined ? [table] : [schema, table])
    }),
    { seed, numRuns: 300 },
  )
  console.log(`seed ${seed}`)
})

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate } from 'drizzle-orm/postgres-js/migrator'
import { transformSync } from 'esbuild'
import knex from 'knex'
import type { Sql } from 'postgres'
import * as typeorm from 'typeorm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MIGRATION_STYLES, type MigrationStyle, writeMigrations } from '../../src/cli/migration-files.js'
import { type MigrationOptions, readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { childEnvironment } from '../support/child-environment.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'
import { codeBlocks, section } from '../support/readme.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const AT = new Date('2026-03-04T05:06:07.890Z')
const ACCOUNT = '00000000-0000-4000-8000-000000000001'

/** A host's project: a folder in which its tools find what is installed, and its database where a test has one. */
let project: string
let db: TestDatabase

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'host-'))
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'))
})
afterEach(async () => {
  await rm(project, { recursive: true, force: true })
})

/** A database for each test of a suite: those of the files alone need none. */
function useNewDatabase(): void {
  beforeEach(async () => {
    db = await createDatabase({ migrated: false, distributed: false })
  })
  afterEach(() => db.drop())
}

/** Runs a program of a package in the project; returns what it printed. */
async function run(script: string, args: readonly string[], node: readonly string[] = []): Promise<string> {
  const command = [...node, join('node_modules', script), ...args]
  const env = childEnvironment({ DATABASE_URL: db.url, NO_COLOR: '1' })
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: project, env }).catch(
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${script} ${args.join(' ')} failed:\n${error.stdout}\n${error.stderr}`)
    },
  )
  return stripVTControlCharacters(stdout + stderr)
}

/** How a tool reads its folder. */
interface Tool {
  folder: string
  prepare?(): Promise<void>
  /** Its command, for the first time; by `up` the tool does the same in this process, which takes a tenth of the time. */
  command?(): Promise<unknown>
  up(): Promise<unknown>
  /** Undoes both migrations. */
  down?(): Promise<unknown>
}

/** Files of plain SQL, run in an order as tools do: each once, each as one text. */
function sqlFiles(folder: string, orders: (files: string[]) => { up: string[]; down: string[] }): Tool {
  const done = new Set<string>()
  const runAll = async (way: 'up' | 'down') => {
    const files = (await readdir(join(project, folder), { recursive: true })).filter((file) => file.endsWith('.sql'))
    for (const file of orders(files.sort())[way]) {
      if (way === 'up' && done.has(file)) continue
      await db.sql.unsafe(await readFile(join(project, folder, file), 'utf8')).simple()
      done.add(file)
    }
    if (way === 'down') done.clear()
  }
  return { folder, up: () => runAll('up'), down: () => runAll('down') }
}

const ends = (files: string[], end: string) => files.filter((file) => file.endsWith(end))
const begins = (files: string[], start: string) => files.filter((file) => file.startsWith(start))
const upAndDown = (files: string[]) => ({ up: ends(files, '.up.sql'), down: ends(files, '.down.sql').reverse() })

const TOOLS: Record<MigrationStyle, () => Tool> = {
  plain: () => sqlFiles('sql', upAndDown),
  'golang-migrate': () => sqlFiles('migrations', upAndDown),
  flyway: () => sqlFiles('db/migration', (files) => ({ up: begins(files, 'V'), down: begins(files, 'U').reverse() })),
  prisma: () => {
    const { folder, up } = sqlFiles('prisma/migrations', (files) => ({ up: files, down: [] }))
    return { folder, up }
  },
  dbmate: () => {
    const dbmate = (command: string) =>
      run('dbmate/dist/cli.js', [
        ...['--url', `${db.url}${db.url.includes('?') ? '&' : '?'}sslmode=disable`],
        ...['--migrations-dir', 'db/migrations', '--no-dump-schema', command],
      ])
    return {
      folder: 'db/migrations',
      up: () => dbmate('up'),
      down: async () => {
        await dbmate('down')
        await dbmate('down')
      },
    }
  },
  drizzle: () => ({
    folder: 'drizzle',
    prepare: () =>
      writeFile(
        join(project, 'drizzle.config.ts'),
        `export default { dialect: 'postgresql', out: './drizzle', schema: './schema.ts', schemaFilter: ['customer'],
          dbCredentials: { url: process.env.DATABASE_URL } }`,
      ),
    command: () => run('drizzle-kit/bin.cjs', ['migrate']),
    up: drizzleMigrate,
  }),
  typeorm: () => ({
    folder: 'migrations',
    prepare: () =>
      writeFile(
        join(project, 'data-source.ts'),
        `import { DataSource } from 'typeorm'
          export default new DataSource({ type: 'postgres', url: process.env.DATABASE_URL, migrations: ['migrations/*.ts'] })`,
      ),
    command: () => run('typeorm/cli.js', ['migration:run', '-d', 'data-source.ts'], ['--import', 'tsx']),
    up: () => withTypeorm((source) => source.runMigrations()),
    down: () =>
      withTypeorm(async (source) => {
        await source.undoLastMigration()
        await source.undoLastMigration()
      }),
  }),
  knex: () => ({
    folder: 'migrations',
    prepare: () =>
      writeFile(
        join(project, 'knexfile.cjs'),
        `module.exports = { client: 'pg', connection: process.env.DATABASE_URL, migrations: { directory: './migrations' } }`,
      ),
    command: () => run('knex/bin/cli.js', ['--knexfile', 'knexfile.cjs', 'migrate:latest']),
    up: () => withKnex((migrator) => migrator.latest()),
    down: () => withKnex((migrator) => migrator.rollback()),
  }),
}

/** What `drizzle-kit migrate` calls. */
const drizzleMigrate = () => migrate(drizzle(db.sql), { migrationsFolder: join(project, 'drizzle') })

/** What the command of TypeORM calls, with the migrations as a host compiles them. */
async function withTypeorm(work: (source: typeorm.DataSource) => Promise<unknown>): Promise<void> {
  const folder = join(project, 'migrations')
  for (const file of ends(await readdir(folder), '.ts')) {
    const { code } = transformSync(await readFile(join(folder, file), 'utf8'), { loader: 'ts', format: 'cjs' })
    await writeFile(join(folder, file.replace(/ts$/, 'cjs')), code)
  }
  const migrations = [join(folder, '*.cjs')]
  const source = await new typeorm.DataSource({ type: 'postgres', url: db.url, migrations }).initialize()
  await work(source).finally(() => source.destroy())
}

/** What the command of Knex calls. */
async function withKnex(work: (migrator: knex.Knex.Migrator) => Promise<unknown>): Promise<void> {
  const client = knex({ client: 'pg', connection: db.url, migrations: { directory: join(project, 'migrations') } })
  await work(client.migrate).finally(() => client.destroy())
}

/** Columns, constraints, indexes and comments of the host's schema: all but what tools keep for themselves. */
async function schemaOf(sql: Sql, schema: string): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    select format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid)) || coalesce(' ' || col_description(c.oid, a.attnum), '') as line
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relnamespace = ${schema}::regnamespace and c.relkind = 'r'
    union all
    select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint
    where connamespace = ${schema}::regnamespace and contype <> 'n'
    union all select indexdef from pg_indexes where schemaname = ${schema}
    order by line`
  return rows.map(({ line }) => line)
}

interface Tables {
  schema: string
  create: string
  options: MigrationOptions
}

const USUAL: Tables = {
  schema: 'customer',
  create: `create schema customer;
    create table customer.customer (
      id uuid primary key default gen_random_uuid(),
      account_id uuid not null,
      email text not null,
      unique (account_id, email)
    )`,
  options: {},
}

/** Names in which each tool's own language, and SQL, has something to say. */
const QUOTED: Tables = {
  schema: 'crm',
  create: `create schema crm;
    create table crm."Wer? \`Kunde\` 'so'" (
      "Id" uuid primary key default gen_random_uuid(),
      "Mandant" uuid not null,
      "E-Mail" text not null,
      unique ("Mandant", "E-Mail")
    )`,
  options: {
    customerTable: `crm."Wer? \`Kunde\` 'so'"`,
    definitionTable: 'crm."$1 :name \\\\ ""Attribute"""',
    maxCustomAttributes: 25,
    columns: {
      id: 'Id',
      account_id: 'Mandant',
      email: 'E-Mail',
      custom_attributes: 'was "noch"?',
      created_at: null,
      updated_at: null,
      status: null,
    },
  },
}

const storeOf = ({ options: { accountIdType: _, ...options } }: Tables) =>
  createCustomAttributesStore(db.client, {
    ...options,
    columns: { created_at: null, updated_at: null, status: null, ...options.columns },
  })

async function expectStoreToWork(tables: Tables): Promise<void> {
  const store = storeOf(tables)
  expect((await store.checkSchema()).filter(({ severity }) => severity === 'error')).toEqual([])
  await store.upsertCustomer(ACCOUNT, { email: 'ann@example.com', custom_attributes: { 'Shoe size': '38' } })
  expect(await store.getCustomer(ACCOUNT, 'ann@example.com')).toMatchObject({
    custom_attributes: { 'Shoe size': '38' },
  })
}

describe.each(MIGRATION_STYLES)('%s', (style) => {
  useNewDatabase()

  const kinds = [
    ['names that need quoting', QUOTED],
    ['the usual names', USUAL],
  ] as const
  it.each(kinds.slice(0, samples(2, 1)))('runs them once, and back, with %s', async (_names, tables) => {
    const tool = TOOLS[style]()
    await db.sql.unsafe(tables.create).simple()
    await tool.prepare?.()
    const before = await schemaOf(db.sql, tables.schema)

    await writeMigrations(join(project, tool.folder), style, readMigrations(tables.options), AT)
    await (tool.command ?? tool.up)()
    await expectStoreToWork(tables)

    const after = await schemaOf(db.sql, tables.schema)
    expect(after).not.toEqual(before)
    await tool.up()
    expect(await schemaOf(db.sql, tables.schema)).toEqual(after)
    await expectStoreToWork(tables)

    if (!tool.down) return
    await tool.down()
    expect(await schemaOf(db.sql, tables.schema)).toEqual(before)
    await tool.up()
    expect(await schemaOf(db.sql, tables.schema)).toEqual(after)
  })
})

describe('the names of the files', () => {
  const FIRST = '20260304050607'
  const SECOND = '20260304050608'
  const ms = AT.getTime() - 890
  it.each<[MigrationStyle, string[]]>([
    [
      'plain',
      [
        '0001_add_custom_attributes.up.sql',
        '0001_add_custom_attributes.down.sql',
        '0002_create_attribute_definitions.up.sql',
        '0002_create_attribute_definitions.down.sql',
      ],
    ],
    [
      'golang-migrate',
      [
        `${FIRST}_add_custom_attributes.up.sql`,
        `${FIRST}_add_custom_attributes.down.sql`,
        `${SECOND}_create_attribute_definitions.up.sql`,
        `${SECOND}_create_attribute_definitions.down.sql`,
      ],
    ],
    [
      'flyway',
      [
        `V${FIRST}__add_custom_attributes.sql`,
        `U${FIRST}__add_custom_attributes.sql`,
        `V${SECOND}__create_attribute_definitions.sql`,
        `U${SECOND}__create_attribute_definitions.sql`,
      ],
    ],
    ['dbmate', [`${FIRST}_add_custom_attributes.sql`, `${SECOND}_create_attribute_definitions.sql`]],
    [
      'prisma',
      [`${FIRST}_add_custom_attributes/migration.sql`, `${SECOND}_create_attribute_definitions/migration.sql`],
    ],
    [
      'drizzle',
      [
        '0000_add_custom_attributes.sql',
        'meta/0000_snapshot.json',
        '0001_create_attribute_definitions.sql',
        'meta/0001_snapshot.json',
        'meta/_journal.json',
      ],
    ],
    ['typeorm', [`${ms}-AddCustomAttributes.ts`, `${ms + 1000}-CreateAttributeDefinitions.ts`]],
    ['knex', [`${FIRST}_add_custom_attributes.cjs`, `${SECOND}_create_attribute_definitions.cjs`]],
  ])('%s', async (style, names) => {
    const directory = join(project, 'new/folder')
    const paths = await writeMigrations(directory, style, readMigrations(), AT)
    expect(paths.map((path) => relative(directory, path))).toEqual(names)
    const found = await readdir(directory, { recursive: true, withFileTypes: true })
    const files = found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    expect(files.sort()).toEqual([...paths].sort())
  })

  it('are those of the shipped files for plain, and so is what stands in them', async () => {
    for (const path of await writeMigrations(project, 'plain', readMigrations(), AT)) {
      expect(await readFile(path, 'utf8')).toBe(await readFile(join(root, 'sql', relative(project, path)), 'utf8'))
    }
  })
})

describe('what is in the way', () => {
  it.each(MIGRATION_STYLES)('is kept, and nothing else is written for %s', async (style) => {
    const directory = join(project, 'out')
    const paths = await writeMigrations(directory, style, readMigrations(), AT)
    const journal = style === 'drizzle' ? { version: '7', dialect: 'postgresql', entries: [] } : undefined
    await rm(directory, { recursive: true })
    const inTheWay = paths.filter((path) => !path.endsWith('_journal.json')).at(-1)!
    await mkdir(join(inTheWay, '..'), { recursive: true })
    await writeFile(inTheWay, journal ? '{"version":"7"}' : 'mine')
    if (journal) await writeFile(join(directory, 'meta/_journal.json'), JSON.stringify(journal))
    const before = await readdir(directory, { recursive: true })

    await expect(writeMigrations(directory, style, readMigrations(), AT)).rejects.toThrow(
      `${inTheWay} is there already: nothing was written.`,
    )
    expect(await readdir(directory, { recursive: true })).toEqual(before)
    if (journal) expect(JSON.parse(await readFile(join(directory, 'meta/_journal.json'), 'utf8'))).toEqual(journal)
  })

  it.each<[MigrationStyle, string]>([
    ['flyway', ['a', '{b}'].join('$')],
    ['dbmate', 'a\n-- migrate:down'],
    ['drizzle', 'a--> statement-breakpoint'],
    ['knex', 'a\\?'],
  ])('is said of a name that %s would take for its own', async (style, name) => {
    const migrations = readMigrations({ columns: { custom_attributes: name } })
    await expect(writeMigrations(join(project, 'out'), style, migrations, AT)).rejects.toThrow(
      /^A name of a table or column holds .* cannot be written for/,
    )
    expect(await readdir(project)).toEqual(['node_modules'])
  })
})

describe('drizzle-kit', () => {
  useNewDatabase()

  const [declared, config] = codeBlocks(section('### Drizzle', 'docs/migrations.md'), 'ts')
  const bare = `import { pgSchema, text, unique, uuid } from 'drizzle-orm/pg-core'
    export const customerSchema = pgSchema('customer')
    export const customer = customerSchema.table('customer', {
      id: uuid().primaryKey().defaultRandom(),
      account_id: uuid().notNull(),
      email: text().notNull(),
    }, (table) => [unique().on(table.account_id, table.email)])`
  const kit = (...args: string[]) => run('drizzle-kit/bin.cjs', args)
  const declare = (schema: string) => writeFile(join(project, 'schema.ts'), schema)
  const folder = () => readdir(join(project, 'drizzle'), { recursive: true })
  const write = () => writeMigrations(join(project, 'drizzle'), 'drizzle', readMigrations(), AT)

  beforeEach(() => TOOLS.drizzle().prepare!())

  it.each(['timestamp', 'index', 'unix'].slice(0, samples(3, 1)))(
    'goes on after its own migrations, with the prefix %s',
    async (prefix) => {
      await writeFile(
        join(project, 'drizzle.config.ts'),
        `export default { dialect: 'postgresql', out: './drizzle', schema: './schema.ts',
        dbCredentials: { url: process.env.DATABASE_URL }, migrations: { prefix: '${prefix}' } }`,
      )
      await declare(bare)
      await kit('generate')
      await drizzleMigrate()
      await write()
      await drizzleMigrate()
      await expectStoreToWork(USUAL)

      // What it generates is the host's own change, and nothing about what the migrations made.
      await declare(bare.replace('email: text()', 'nickname: text(), email: text()'))
      const printed = await kit('generate', '--name', 'nickname')
      expect(printed).toContain('nickname')
      const added = (await folder()).find((file) => /^\d+_nickname\.sql$/.test(file))!
      expect((await readFile(join(project, 'drizzle', added), 'utf8')).trim()).toBe(
        'ALTER TABLE "customer"."customer" ADD COLUMN "nickname" text;',
      )
      await drizzleMigrate()
      await expectStoreToWork(USUAL)
    },
  )

  it('generates what the page declares, and changes no more after the migrations', async () => {
    await declare(declared!)
    await kit('generate')
    await write()
    await drizzleMigrate()
    await expectStoreToWork(USUAL)
    const before = await folder()
    expect(await kit('generate')).toContain('No schema changes')
    expect(await folder()).toEqual(before)
  })

  it('pushes what the page declares, and changes nothing of what the migrations made', async () => {
    await writeFile(join(project, 'drizzle.config.ts'), `import { defineConfig } from 'drizzle-kit'\n${config}`)
    await declare(declared!)
    expect(await kit('push', '--force')).toContain('Changes applied')
    for (const { up } of readMigrations()) await db.sql.unsafe(up).simple()
    await expectStoreToWork(USUAL)
    const before = await schemaOf(db.sql, 'customer')

    // What the host changes besides is all that is executed.
    await declare(declared!.replace('email: text()', 'nickname: text(),\n    email: text()'))
    const printed = await kit('push', '--force', '--verbose')
    expect(printed.match(/^\w.*;$/gm)).toEqual(['ALTER TABLE "customer"."customer" ADD COLUMN "nickname" text;'])
    expect(printed).toContain('Changes applied')
    expect((await schemaOf(db.sql, 'customer')).sort()).toEqual([...before, 'customer.nickname text f '].sort())
    await expectStoreToWork(USUAL)
  })
})

describe('TypeORM', () => {
  useNewDatabase()

  it('would generate no change for the entity of the page', async () => {
    const [entity] = codeBlocks(section('### TypeORM', 'docs/migrations.md'), 'ts')
    const { code } = transformSync(`${entity}\nmade.Customer = Customer`, {
      loader: 'ts',
      tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    })
    const made: { Customer?: new () => object } = {}
    const { Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique } = typeorm
    const around = { made, Check, Column, Entity, Index, PrimaryGeneratedColumn, Unique }
    new Function(...Object.keys(around), code)(...Object.values(around))
    await db.sql.unsafe(USUAL.create).simple()
    await db.sql`alter table customer.customer rename constraint customer_account_id_email_key to customer_account_email_un`
    for (const { up } of readMigrations()) await db.sql.unsafe(up).simple()
    const source = await new typeorm.DataSource({
      type: 'postgres',
      url: db.url,
      entities: [made.Customer!],
      uuidExtension: 'pgcrypto',
      installExtensions: false,
    }).initialize()
    try {
      const { upQueries } = await source.driver.createSchemaBuilder().log()
      expect(upQueries.map(({ query }) => query)).toEqual([])
    } finally {
      await source.destroy()
    }
  })
})

describe('the lines for schema.prisma', () => {
  useNewDatabase()

  it('name the column, the index and the table as the migrations do', async () => {
    const models = codeBlocks(section('### Prisma', 'docs/migrations.md'), 'prisma').join('\n')
    await db.sql.unsafe(USUAL.create).simple()
    const had = await schemaOf(db.sql, 'customer')
    for (const { up } of readMigrations()) await db.sql.unsafe(up).simple()
    const made = (await schemaOf(db.sql, 'customer')).filter((line) => !had.includes(line))
    const indexes = made.flatMap((line) => line.match(/^CREATE (?:UNIQUE )?INDEX (\S+)/)?.[1] ?? [])
    const named = [...models.matchAll(/map: "(\w+)"/g)].map(([, name]) => name)
    const primaryKey = 'custom_attribute_definition_pkey'
    expect(named.sort()).toEqual(indexes.filter((name) => name !== primaryKey).sort())
    const columns = made.flatMap((line) => line.match(/^custom_attribute_definition\.(\w+)/)?.[1] ?? [])
    const model = models.slice(models.indexOf('model custom_attribute_definition'))
    expect([...model.matchAll(/^ {2}(\w+) +(?:String|DateTime)/gm)].map(([, name]) => name)).toEqual(
      expect.arrayContaining(columns),
    )
  })
})

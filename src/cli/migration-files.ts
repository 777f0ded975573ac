import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Migration } from '../db/migrations.js'

export const MIGRATION_STYLES = [
  'plain',
  'golang-migrate',
  'flyway',
  'dbmate',
  'prisma',
  'drizzle',
  'typeorm',
  'knex',
] as const

/** A migration tool, or none: `plain` are the files of `sql/`. */
export type MigrationStyle = (typeof MIGRATION_STYLES)[number]

/** A file to be written: where, seen from the directory, and what. */
interface MigrationFile {
  path: string
  text: string
  /** Whether a file that is there becomes this one. */
  replaces?: boolean
}

/** A migration with the place that it takes among a tool's others. */
interface Step extends Migration {
  /** Its name without the number: `add_custom_attributes`. */
  title: string
  at: Date
}

type Files = (step: Step) => MigrationFile[]

const STYLES: Record<Exclude<MigrationStyle, 'drizzle'>, Files> = {
  plain: ({ name, up, down }) => bothWays(name, up, down),
  'golang-migrate': (step) => bothWays(`${version(step)}_${step.title}`, step.up, step.down),
  flyway: (step) => [
    { path: `V${version(step)}__${step.title}.sql`, text: step.up },
    { path: `U${version(step)}__${step.title}.sql`, text: step.down },
  ],
  dbmate: (step) => [
    {
      path: `${version(step)}_${step.title}.sql`,
      text: `-- migrate:up\n${step.up}\n-- migrate:down\n${step.down}`,
    },
  ],
  prisma: (step) => [{ path: join(`${version(step)}_${step.title}`, 'migration.sql'), text: step.up }],
  typeorm: (step) => [{ path: `${step.at.getTime()}-${inCapitals(step.title)}.ts`, text: typeormClass(step) }],
  // `.cjs` is loaded by default and means the same in projects of either type of module.
  knex: (step) => [{ path: `${version(step)}_${step.title}.cjs`, text: knexModule(step) }],
}

/** What a tool takes for its own wherever it stands in a file; only in a name could the SQL hold it. */
const RESERVED: Partial<Record<MigrationStyle, { pattern: RegExp; what: string }>> = {
  flyway: { pattern: /\$\{/, what: '"${", which Flyway takes for a placeholder' },
  dbmate: { pattern: /^--\s*migrate:/m, what: 'a line that begins with "-- migrate:"' },
  drizzle: { pattern: /--> statement-breakpoint/, what: '"--> statement-breakpoint"' },
  knex: { pattern: /\\\?/, what: '"\\?", which Knex takes for an escaped "?"' },
}

/**
 * Writes the migrations as a tool expects them.
 *
 * @param directory - the folder that the tool reads; made when there is none
 * @param style - one of {@link MIGRATION_STYLES}
 * @param migrations - from `readMigrations`
 * @param at - the time that the versions are made of, in UTC and one second apart
 * @returns the paths of the files written
 * @throws Error when a file is in the way or a name cannot be told to the tool: then nothing is written
 */
export async function writeMigrations(
  directory: string,
  style: MigrationStyle,
  migrations: readonly Migration[],
  at: Date,
): Promise<string[]> {
  const reserved = RESERVED[style]
  if (reserved && migrations.some(({ up, down }) => reserved.pattern.test(up) || reserved.pattern.test(down))) {
    throw new Error(
      `A name of a table or column holds ${reserved.what}: the migrations cannot be written for ${style}.`,
    )
  }
  const files =
    style === 'drizzle'
      ? await drizzleFiles(directory, migrations, at)
      : stepsFrom(migrations, at.getTime()).flatMap(STYLES[style])
  return writeAll(directory, files)
}

function stepsFrom(migrations: readonly Migration[], first: number): Step[] {
  // Whole seconds: a version that is shown to the second says the same.
  const second = Math.floor(first / 1000)
  return migrations.map((migration, index) => ({
    ...migration,
    title: migration.name.replace(/^\d+_/, ''),
    at: new Date((second + index) * 1000),
  }))
}

/** `YYYYMMDDHHMMSS` in UTC. */
function version({ at }: Step): string {
  return at.toISOString().replace(/\D/g, '').slice(0, 14)
}

function bothWays(path: string, up: string, down: string): MigrationFile[] {
  return [
    { path: `${path}.up.sql`, text: up },
    { path: `${path}.down.sql`, text: down },
  ]
}

/** The class as `typeorm migration:create` writes it; TypeORM reads the time from the end of its name. */
function typeormClass(step: Step): string {
  return `import type { MigrationInterface, QueryRunner } from 'typeorm'

export class ${inCapitals(step.title)}${step.at.getTime()} implements MigrationInterface {
  public async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(${asTemplate(step.up)})
  }

  public async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(${asTemplate(step.down)})
  }
}
`
}

/** The module as `knex migrate:make` writes it. Knex numbers every `?` that has no backslash before it, in texts and names, too. */
function knexModule({ up, down }: Step): string {
  const raw = (sql: string): string => `knex.raw(${asTemplate(sql.replaceAll('?', '\\?'))})`
  return `/**
 * @param { import("knex").Knex } knex
 * @returns { Promise<void> }
 */
exports.up = (knex) => ${raw(up)}

/**
 * @param { import("knex").Knex } knex
 * @returns { Promise<void> }
 */
exports.down = (knex) => ${raw(down)}
`
}

function inCapitals(title: string): string {
  return title.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

/** A template literal that means the text. */
function asTemplate(text: string): string {
  return `\`${text.replace(/[\\`]|\$(?=\{)/g, '\\$&').replaceAll('\r', '\\r')}\``
}

/** What drizzle-kit (0.31) keeps in `meta/_journal.json`. */
interface Journal {
  version: string
  dialect: string
  entries: { idx: number; version: string; when: number; tag: string; breakpoints: boolean }[]
}

const DRIZZLE_VERSION = '7'
const NO_META = { columns: {}, schemas: {}, tables: {} }
/** What drizzle-kit starts from: the snapshot before the first. */
const NO_SNAPSHOT: Record<string, unknown> = {
  id: '00000000-0000-0000-0000-000000000000',
  prevId: '',
  version: DRIZZLE_VERSION,
  dialect: 'postgresql',
  tables: {},
  enums: {},
  schemas: {},
  sequences: {},
  roles: {},
  policies: {},
  views: {},
  _meta: NO_META,
}

/**
 * The files that `drizzle-kit generate --custom` writes: the SQL, an entry in the journal later than the last, and a snapshot
 * that says what the last said. A snapshot is what the host's schema files said, so a later `generate` finds no difference.
 */
async function drizzleFiles(directory: string, migrations: readonly Migration[], at: Date): Promise<MigrationFile[]> {
  const journalPath = join('meta', '_journal.json')
  const journal = ((await readJson(join(directory, journalPath))) as Journal | undefined) ?? {
    version: DRIZZLE_VERSION,
    dialect: 'postgresql',
    entries: [],
  }
  if (journal.dialect !== 'postgresql' || !Array.isArray(journal.entries)) {
    throw new Error(`${join(directory, journalPath)} is not the journal of migrations for PostgreSQL.`)
  }
  const last = journal.entries.at(-1)
  let snapshot = await lastSnapshot(join(directory, 'meta'))
  if (snapshot.version !== DRIZZLE_VERSION) {
    throw new Error(`The last snapshot in ${join(directory, 'meta')} is of another version: run drizzle-kit up first.`)
  }
  const entries = [...journal.entries]
  const files: MigrationFile[] = []
  // drizzle-kit migrate runs what is later than the last that it ran.
  const first = Math.max(at.getTime(), last ? last.when + 1000 : 0)
  for (const step of stepsFrom(migrations, first)) {
    const idx = (entries.at(-1)?.idx ?? -1) + 1
    const prefix = drizzlePrefix(last?.tag, idx, step)
    const tag = `${prefix}_${step.title}`
    snapshot = { ...snapshot, id: randomUUID(), prevId: snapshot.id, _meta: NO_META }
    entries.push({ idx, version: DRIZZLE_VERSION, when: step.at.getTime(), tag, breakpoints: true })
    files.push({ path: `${tag}.sql`, text: step.up })
    files.push({ path: join('meta', `${prefix}_snapshot.json`), text: JSON.stringify(snapshot, null, 2) })
  }
  files.push({ path: journalPath, text: JSON.stringify({ ...journal, entries }, null, 2), replaces: true })
  return files
}

/** The option `migrations.prefix` of drizzle-kit, as the last migration was named: snapshots are ordered by name. */
function drizzlePrefix(lastTag: string | undefined, idx: number, step: Step): string {
  if (/^\d{14}_/.test(lastTag ?? '')) return version(step)
  if (/^\d{10}_/.test(lastTag ?? '')) return String(step.at.getTime() / 1000)
  return String(idx).padStart(4, '0')
}

async function lastSnapshot(meta: string): Promise<Record<string, unknown>> {
  const names = await readdir(meta).catch(orNothing)
  const name = names
    ?.filter((file) => !file.startsWith('_'))
    .sort()
    .at(-1)
  return ((name && (await readJson(join(meta, name)))) as Record<string, unknown> | undefined) ?? NO_SNAPSHOT
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(orNothing)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${path} is not JSON.`)
  }
}

function orNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** Writes all files or, when one is in the way, none. */
async function writeAll(directory: string, files: readonly MigrationFile[]): Promise<string[]> {
  const made: string[] = []
  const written: string[] = []
  try {
    for (const { path: name, text, replaces } of files) {
      const path = join(directory, name)
      const madeDirectory = await mkdir(dirname(path), { recursive: true })
      if (madeDirectory !== undefined) made.push(madeDirectory)
      // What is replaced comes last, and in one step: the old file or the new.
      const target = replaces ? `${path}.${randomUUID()}` : path
      await writeFile(target, text, { flag: 'wx' })
      made.push(target)
      if (replaces) await rename(target, path)
      written.push(path)
    }
    return written
  } catch (error) {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true })
    const { code, path } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw error
    throw new Error(`${path} is there already: nothing was written.`)
  }
}

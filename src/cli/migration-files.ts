import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Migration } from '../db/migrations.js'

/** The migration tools whose files can be written. */
export const MIGRATION_STYLES = ['plain'] as const

export type MigrationStyle = (typeof MIGRATION_STYLES)[number]

/** Writes migrations as files; returns their paths. Throws when a file is in the way. */
export async function writeMigrations(
  directory: string,
  _style: MigrationStyle,
  migrations: readonly Migration[],
  _at: Date,
): Promise<string[]> {
  await mkdir(directory, { recursive: true })
  const files = migrations.flatMap(({ name, up, down }) => [
    { path: join(directory, `${name}.up.sql`), text: up },
    { path: join(directory, `${name}.down.sql`), text: down },
  ])
  for (const { path, text } of files) await writeFile(path, text, { flag: 'wx' })
  return files.map(({ path }) => path)
}

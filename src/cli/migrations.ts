import { readMigrations } from '../db/migrations.js'
import { readConfig } from './config.js'
import { type MigrationStyle, writeMigrations } from './migration-files.js'
import { EXIT, say } from './report.js'

/** Writes the migrations as files of a migration tool. Needs no database. */
export async function migrations(flags: { style: MigrationStyle; out: string; config?: string }): Promise<number> {
  const config = await readConfig(flags.config)
  const { customerTable, definitionTable, uploadTable, suppressionTable, maxCustomAttributes } = config
  const { accountIdType, columns, live, history, pageIndex, suppressions } = config
  const tables = { customerTable, definitionTable, uploadTable, suppressionTable, maxCustomAttributes }
  const texts = readMigrations({ ...tables, accountIdType, columns, live, history, pageIndex, suppressions })
  for (const path of await writeMigrations(flags.out, flags.style, texts, new Date())) say(path)
  return EXIT.done
}

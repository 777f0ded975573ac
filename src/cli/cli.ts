#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { check } from './check.js'
import { MIGRATION_STYLES } from './migration-files.js'
import { migrations } from './migrations.js'
import { preview } from './preview.js'
import { EXIT, sayError } from './report.js'
import { upload } from './upload.js'
import { addReadingFlags, addStoringFlags } from './upload-flags.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('postgres-custom-attributes')
  .description(
    'Custom attributes for customers in PostgreSQL: checks the schema, writes migrations, uploads CSV files.',
  )
  .version(version)

/** A subcommand; its work returns the exit code. */
function command(name: string, description: string, work: (...given: never[]) => Promise<number>): Command {
  return program
    .command(name)
    .description(description)
    .option('--config <file>', 'the config file (default: custom-attributes.config.js, .mjs or .ts)')
    .option('--verbose', 'shows stacks of errors')
    .action(async (...given: unknown[]) => {
      process.exitCode = await work(...(given as never[]))
    })
}

const onDatabase = (subcommand: Command): Command =>
  subcommand.option('--database-url <url>', 'the database (default: databaseUrl of the config, else DATABASE_URL)')

const onAccount = (subcommand: Command): Command =>
  onDatabase(subcommand)
    .argument('<file>', 'the CSV file, or - for standard input')
    .requiredOption('--account <id>', 'the account')

onDatabase(command('check', 'Says what the database lacks, with the SQL that mends it.', check)).option(
  '--json',
  'prints the problems as JSON',
)

command('migrations', "Writes the migrations as a migration tool's files; needs no database.", migrations)
  .addOption(new Option('--style <tool>', 'the migration tool').choices(MIGRATION_STYLES).makeOptionMandatory())
  .requiredOption('--out <directory>', 'where the files go')

addReadingFlags(
  onAccount(command('preview', 'Says what an upload would make of a file; writes nothing.', preview)),
).option('--json', 'prints the preview as JSON')

addStoringFlags(addReadingFlags(onAccount(command('upload', 'Uploads a CSV file.', upload))))
  .option('--rejected <file>', 'where rejected rows go (default: beside the file, as <name>.rejected.csv)')
  .option('--force', 'overwrites the file of rejected rows')
  .option('--json', 'prints the result as JSON')

// Who reads the output may have seen enough of it: `… | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

try {
  await program.parseAsync()
} catch (error) {
  sayError(error, process.argv.includes('--verbose'))
  process.exitCode = EXIT.failed
}

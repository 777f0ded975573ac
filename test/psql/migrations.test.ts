import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dumpCatalogue } from '../support/catalogue.js'
import { createDatabase, SCHEMA_FILES, type TestDatabase } from '../support/database.js'

const UP = ['0001_add_custom_attributes.up.sql', '0002_create_attribute_definitions.up.sql']
const DOWN = ['0002_create_attribute_definitions.down.sql', '0001_add_custom_attributes.down.sql']

let db: TestDatabase
let migrated: string[]
beforeEach(async () => {
  const reference = await createDatabase()
  migrated = await dumpCatalogue(reference.sql)
  await reference.drop()
  db = await createDatabase({ migrated: false })
})
afterEach(() => db.drop())

/** Runs one shipped file as the README says. */
function psql(file: string, flags: string[] = ['-1']): Promise<void> {
  const path = fileURLToPath(new URL(`../../sql/${file}`, import.meta.url))
  return new Promise((resolve, reject) => {
    const child = spawn('psql', ['-X', '-q', ...flags, '-v', 'ON_ERROR_STOP=1', '-d', db.url, '-f', path], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = 'psql is not installed: apt-get install postgresql-client, or brew install libpq'
      reject(error.code === 'ENOENT' ? new Error(missing, { cause: error }) : error)
    })
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`psql ended with ${code}: ${errors}`))))
  })
}

test('psql -1 -f applies the shipped files, applies them again, and rolls them back', async () => {
  await psql('reference/customer_table.sql')
  const before = await dumpCatalogue(db.sql)
  for (let round = 0; round < 2; round += 1) for (const file of UP) await psql(file)
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
  for (const file of DOWN) await psql(file)
  expect(await dumpCatalogue(db.sql)).toEqual(before)
})

test('psql applies the optional files twice, and takes them away', async () => {
  for (const file of SCHEMA_FILES) await psql(file)
  const optional = ['0003_create_upload_history', '0004_create_page_index', '0005_create_suppression']
  for (let round = 0; round < 2; round += 1) for (const file of optional) await psql(`${file}.up.sql`)
  const [row] = await db.sql`select count(*)::int as tables from pg_tables where tablename like 'custom_attribute_%'`
  expect(row!.tables).toBe(5)
  for (let round = 0; round < 2; round += 1) for (const file of optional) await psql(`${file}.down.sql`)
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
})

test('psql -f without a transaction around it works too', async () => {
  for (const file of SCHEMA_FILES) await psql(file, [])
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
})

test('twenty psql processes at once end in the same schema', async () => {
  await psql('reference/customer_table.sql')
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      for (const file of UP) await psql(file)
    }),
  )
  expect(await dumpCatalogue(db.sql)).toEqual(migrated)
})

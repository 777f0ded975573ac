import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { dumpCatalogue } from '../support/catalogue.js'
import { childEnvironment } from '../support/child-environment.js'
import { createDatabase, type TestDatabase } from '../support/database.js'

const PROCESSES = 20

let db: TestDatabase
beforeEach(async () => {
  db = await createDatabase({ distributed: false })
})
afterEach(() => db.drop())

/** A process of its own, as each instance of a deployed application is; it goes on when it is told to. */
const APPLIER = `
  import postgres from 'postgres'
  const [url, ...texts] = process.argv.slice(1)
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql\`select 1\`
  process.send('ready')
  await new Promise((resolve) => process.once('message', resolve))
  for (const text of texts) await sql.begin((tx) => tx.unsafe(text).simple())
  await sql.end()
  process.disconnect()`

test(`${PROCESSES} processes that apply the migrations at once end in the same schema`, async () => {
  const expected = await dumpCatalogue(db.sql)
  for (const { down } of readMigrations().reverse()) await db.sql.unsafe(down).simple()
  expect(await dumpCatalogue(db.sql)).not.toEqual(expected)

  const args = ['--input-type=module', '--eval', APPLIER, db.url, ...readMigrations().map(({ up }) => up)]
  const children = Array.from({ length: PROCESSES }, () => {
    const child = spawn(process.execPath, args, {
      env: childEnvironment(),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let errors = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    return { child, ready: once(child, 'message'), ended: once(child, 'close'), errors: () => errors }
  })
  await Promise.all(children.map(({ ready }) => ready))
  for (const { child } of children) child.send('go')
  for (const { ended, errors } of children) {
    const [code] = await ended
    expect({ code, errors: errors() }).toEqual({ code: 0, errors: '' })
  }
  expect(await dumpCatalogue(db.sql)).toEqual(expected)
})

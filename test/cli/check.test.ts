import { expect, test } from 'vitest'
import { useCommand } from '../support/command.js'
import { readSql, useDatabase } from '../support/database.js'
import { someOf } from '../support/law.js'

const db = useDatabase({ migrated: false, distributed: false })
const command = useCommand()

test('says what is missing until its own SQL has mended all of it', async () => {
  const env = { DATABASE_URL: db.url }
  const none = await command.run(['check'], { env })
  expect(none).toMatchObject({ code: 1, stderr: '' })
  expect(none.stdout).toContain('error: ')
  expect(none.stdout).toMatch(/The schema is not ready: 2 problems\.\n$/)

  await db.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
  const table = await command.run(['check'], { env })
  expect(table.code).toBe(1)
  expect(table.stdout).toContain('add column if not exists custom_attributes')
  const asJson = await command.run(['check', '--json', '--database-url', db.url])
  const problems = JSON.parse(asJson.stdout) as { severity: string; message: string; sql: string }[]
  expect(asJson.code).toBe(1)
  for (const { message } of problems) expect(table.stdout).toContain(message)

  for (const { sql } of problems.filter(({ severity }) => severity === 'error')) await db.sql.unsafe(sql).simple()
  const advised = await command.run(['check'], { env })
  expect(advised.code).toBe(0)
  expect(advised.stdout).toMatch(/^advice: /)
  expect(advised.stdout).toMatch(/The schema is ready; the advice makes it faster\.\n$/)

  for (const { sql } of problems.filter(({ severity }) => severity === 'advice')) await db.sql.unsafe(sql).simple()
  expect(await command.run(['check'], { env })).toEqual({ code: 0, stdout: 'The schema is ready.\n', stderr: '' })
})

test('a database that is not named, cannot be read as a URL or does not answer is a sentence with a remedy', async () => {
  const ended = (stderr: unknown) => ({ code: 1, stdout: '', stderr })
  expect(await command.run(['check'])).toEqual(
    ended(expect.stringMatching(/^error: No database is named\. Set DATABASE_URL .*\n$/)),
  )
  const unreadable = [
    'me:hush@host',
    'postgres://me:hush%hush@host/db',
    'postgres://me:hush/hush@host/db',
    'postgres://me:12/hush@host/db',
  ]
  for (const url of someOf(unreadable, 1)) {
    const { stderr, ...rest } = await command.run(['check', '--verbose'], { env: { DATABASE_URL: url } })
    expect(rest).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^error: The database URL cannot be read\. Write it as /)
    expect(stderr).not.toContain('hush')
  }
  const silent = await command.run(['check'], { env: { DATABASE_URL: 'postgres://me:hush@127.0.0.1:1/db' } })
  expect(silent).toEqual(
    ended(
      'error: CONNECTION_LOST: No connection to the database at 127.0.0.1:1 (ECONNREFUSED). Start the server, or correct the database URL.\n',
    ),
  )
})

test('a database that refuses is told with its reason, and without the password', async () => {
  const url = Object.assign(new URL(db.url), { pathname: '/no_such_database' })
  url.password ||= 'secret'
  const { code, stderr } = await command.run(['check', '--verbose'], { env: { DATABASE_URL: url.href } })
  expect(code).toBe(1)
  expect(stderr).toContain('DATABASE_ERROR')
  expect(stderr).toContain('cause: database "no_such_database" does not exist')
  expect(stderr).toMatch(/\n {4}at /)
  expect(stderr).not.toContain(`:${url.password}@`)
})

test('knows its version, and helps with every subcommand', async () => {
  expect((await command.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  for (const name of someOf(['check', 'migrations', 'preview', 'upload'], 2)) {
    const { code, stdout } = await command.run([name, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: postgres-custom-attributes ${name}`)
  }
  expect(await command.run(['chekc'])).toMatchObject({ code: 1, stderr: expect.stringContaining('Did you mean check') })
})

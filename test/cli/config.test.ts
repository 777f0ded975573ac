import { mkdirSync, symlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ownFolder, packageFolder, useCommand } from '../support/command.js'
import { useDatabase } from '../support/database.js'
import { codeBlocks, section } from '../support/readme.js'

const db = useDatabase({ migrated: false, distributed: false })
const command = useCommand()

/** Makes packages known to the files of the test's folder. */
function install(...names: string[]): void {
  mkdirSync(command.path('node_modules'))
  for (const name of names) {
    const from = name === 'postgres-custom-attributes' ? ownFolder : packageFolder(name)
    symlinkSync(from, command.path(`node_modules/${name}`), 'junction')
  }
}

test("a table of other names is uploaded to by the config's word alone", async () => {
  await db.sql
    .unsafe(`create schema app;
      create table app.contacts (id bigserial primary key, org_id bigint not null, email text not null, fname text,
        deleted_at timestamptz);
      create unique index contacts_email on app.contacts (org_id, lower(email)) where deleted_at is null`)
    .simple()
  install('postgres-custom-attributes')
  const [config] = codeBlocks(section('## Config file', 'docs/command.md'), 'js')
  const env = { CRM_DATABASE_URL: db.url, DATABASE_URL: 'postgres://me@127.0.0.1:1/none' }
  command.write('custom-attributes.config.mjs', config!)
  expect((await command.run(['migrations', '--style', 'plain', '--out', 'sql'])).code).toBe(0)
  const problems = JSON.parse((await command.run(['check', '--json'], { env })).stdout) as {
    severity: string
    sql: string
  }[]
  for (const { sql, severity } of problems) if (severity === 'error') await db.sql.unsafe(sql).simple()
  command.write('a.csv', 'email,first_name,tier\na@example.com,Ann,gold\n')
  expect((await command.run(['upload', 'a.csv', '--account', '7'], { env })).code).toBe(0)
  expect(await db.sql`select org_id, fname, custom_attributes from app.contacts`).toEqual([
    { org_id: '7', fname: 'Ann', custom_attributes: { tier: 'gold' } },
  ])

  // A file that is named goes before that of the folder, and the flag before all.
  command.write('other.mjs', config!.replace('CRM_DATABASE_URL', 'DATABASE_URL'))
  const elsewhere = await command.run(['check', '--config', 'other.mjs'], { env })
  expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('127.0.0.1:1') })
  expect((await command.run(['check', '--config', 'other.mjs', '--database-url', db.url], { env })).code).toBe(0)
})

test('what is wrong with a config is said with its name', async () => {
  const run = (file: string) => command.run(['migrations', '--style', 'plain', '--out', 'sql', '--config', file])
  const wrongs: [string, string, string][] = [
    ['throws.mjs', "throw new Error('no secret is set')", 'throws.mjs could not be loaded: no secret is set'],
    ['syntax.mjs', 'export default {', 'syntax.mjs could not be loaded: '],
    ['named.mjs', 'export const customerTable = 1', 'named.mjs has no default export.'],
    ['null.mjs', 'export default null', 'INVALID_OPTION: null.mjs: options must be an object, got null.'],
    [
      'unknown.mjs',
      "export default { customersTable: 'x' }",
      'INVALID_OPTION: unknown.mjs has no option "customersTable". Known options: ',
    ],
    [
      'wrong.mjs',
      "export default { accountIdType: 'serial' }",
      'INVALID_OPTION: wrong.mjs: accountIdType must be "uuid" or ',
    ],
  ]
  for (const [file, text, expected] of wrongs) {
    command.write(file, text)
    const { code, stdout, stderr } = await run(file)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.startsWith(`error: ${expected}`), stderr).toBe(true)
    expect(stderr).not.toMatch(/\n {4}at /)
  }
  expect((await run('missing.mjs')).stderr).toBe('error: There is no config file missing.mjs.\n')
})

test('a config may be CommonJS', async () => {
  command.write('package.json', '{}')
  command.write('custom-attributes.config.js', "module.exports = { maxCustomAttributes: 'many' }")
  const { stderr } = await command.run(['migrations', '--style', 'plain', '--out', 'sql'])
  expect(stderr).toContain('custom-attributes.config.js: maxCustomAttributes must be')
})

test('a config in TypeScript is loaded, or what to do is said, and works', async () => {
  install('tsx')
  command.write('package.json', '{ "type": "module" }')
  command.write(
    'custom-attributes.config.ts',
    'const most: number = 25\nexport default { maxCustomAttributes: most }\n',
  )
  const args = ['migrations', '--style', 'plain', '--out']
  const plain = await command.run([...args, 'plain'])
  const remedy = 'NODE_OPTIONS="--import tsx"'
  if ((process.features as { typescript?: unknown }).typescript) expect(plain).toMatchObject({ code: 0 })
  else expect(plain).toMatchObject({ code: 1, stderr: expect.stringContaining(remedy) })
  const followed = await command.run([...args, 'followed'], { env: { NODE_OPTIONS: '--import tsx' } })
  expect(followed).toMatchObject({ code: 0, stderr: '' })
})

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { useCommand } from '../support/command.js'

const command = useCommand()

test('writes the migrations for the tables of the config, without a database', async () => {
  const tables = { customerTable: 'crm.contact', definitionTable: 'crm.contact_attribute', maxCustomAttributes: 25 }
  const options = { ...tables, accountIdType: 'bigint' as const, columns: { custom_attributes: 'extra' } }
  command.write(
    'custom-attributes.config.mjs',
    `export default ${JSON.stringify({ ...options, emailCase: 'preserve' })}`,
  )
  const { code, stdout, stderr } = await command.run(['migrations', '--style', 'plain', '--out', 'db/sql'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const texts = stdout
    .trim()
    .split('\n')
    .map((path) => readFileSync(command.path(path), 'utf8'))
  for (const { up } of readMigrations(options)) expect(texts.some((text) => text.includes(up))).toBe(true)
})

test('writes those of the history where the config asks for them', async () => {
  const options = { history: true, uploadTable: 'crm.contact_upload', definitionTable: 'crm.contact_attribute' }
  command.write('custom-attributes.config.mjs', `export default ${JSON.stringify(options)}`)
  const { stdout } = await command.run(['migrations', '--style', 'plain', '--out', 'db/history'])
  const texts = stdout.trim().split('\n')
  expect(texts).toHaveLength(6)
  const up = texts.find((path) => path.includes('upload_history.up'))!
  expect(readFileSync(command.path(up), 'utf8')).toBe(readMigrations(options)[2]!.up)
})

test('writes that of suppressed addresses where the store of the config has them', async () => {
  const options = { suppressions: { salt: 'a salt that is long enough' }, suppressionTable: 'crm.contact_suppression' }
  command.write('custom-attributes.config.mjs', `export default ${JSON.stringify(options)}`)
  const { stdout } = await command.run(['migrations', '--style', 'plain', '--out', 'db/suppressions'])
  const texts = stdout.trim().split('\n')
  expect(texts).toHaveLength(6)
  const up = texts.find((path) => path.includes('create_suppression.up'))!
  expect(readFileSync(command.path(up), 'utf8')).toBe(readMigrations(options).at(-1)!.up)
})

test('overwrites nothing, and says which styles there are', async () => {
  const args = ['migrations', '--style', 'plain', '--out', 'sql']
  const [path] = (await command.run(args)).stdout.split('\n')
  const before = readFileSync(command.path(path!), 'utf8')
  expect(await command.run(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: /) })
  expect(readFileSync(command.path(path!), 'utf8')).toBe(before)
  const wrong = await command.run(['migrations', '--style', 'liquibase', '--out', 'other'])
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Allowed choices are plain') })
  expect(existsSync(command.path('other'))).toBe(false)
})

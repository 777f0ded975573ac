import { spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import * as index from 'postgres-custom-attributes'
import * as http from 'postgres-custom-attributes/http'
import { describe, expect, it } from 'vitest'
import { MIGRATION_DEFAULTS } from '../../src/db/migrations.js'
import { LIMITS } from '../../src/options.js'
import { resolveUploadOptions, UPLOAD_DEFAULTS } from '../../src/upload/options.js'
import { childEnvironment } from '../support/child-environment.js'
import { readSql, useDatabase } from '../support/database.js'
import { codeBlocks, page, section, tableRows } from '../support/readme.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const database = useDatabase({ migrated: false })

const name = (cell: string): string => /^`(\w+)/.exec(cell)?.[1] ?? cell

describe('README and docs', () => {
  it('the README has at most 20 KB', () => {
    expect(Buffer.byteLength(page('README.md'))).toBeLessThanOrEqual(20_000)
  })

  it('has a quick start of at most 20 lines that prints what its comments say', async () => {
    await database.sql.unsafe(await readSql('reference/customer_table.sql')).simple()
    const [code] = codeBlocks(section('## Quick start'), 'ts')
    expect(code!.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
      cwd: root,
      env: childEnvironment({ DATABASE_URL: database.url }),
      input: transformSync(code!, { loader: 'ts' }).code,
      encoding: 'utf8',
    })
    const promised = [...code!.matchAll(/\/\/ (.+)$/gm)].map(([, text]) => text)
    expect(promised.length).toBeGreaterThan(2)
    expect(stderr).toBe('')
    expect(stdout.trim().split('\n')).toEqual(promised)
  })

  it('shows HTTP under Hono and Express in about ten lines each, which work', async () => {
    const accountId = randomUUID()
    const blocks = codeBlocks(section('## HTTP'), 'ts')
    expect(blocks.length).toBe(2)
    for (const block of blocks) {
      expect(
        block
          .trimEnd()
          .split('\n')
          .filter((line) => line && !line.startsWith('import ')).length,
      ).toBeLessThan(10)
      // Imports are hoisted; what the block takes for granted stands before it, a free port in place of its own.
      const code = `
        const userOf = async (request) => ({ accountId: request.headers.get('x-account') })
        const store = { getMergeTags: async () => ({ standardFields: ['email'], customAttributes: ['tier'] }) }
        ${block.replace('3000', '0')}
        if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
        for (const account of ['${accountId}', 'another']) {
          const url = \`http://localhost:\${server.address().port}/api/accounts/${accountId}/merge-tags\`
          console.log((await fetch(url, { headers: { 'x-account': account } })).status)
        }
        process.exit()`
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
        cwd: root,
        env: childEnvironment(),
        input: transformSync(code, { loader: 'ts' }).code,
        encoding: 'utf8',
      })
      expect(stderr).toBe('')
      expect(stdout.trim().split('\n')).toEqual(['200', '403'])
    }
  })

  it('has the error catalogue', () => {
    const rows = Object.entries(index.ERROR_CATALOGUE).map(([code, { status, title }]) => [
      `\`${code}\``,
      String(status),
      title,
    ])
    expect(tableRows(page('docs/errors.md'))).toEqual(rows)
  })

  it('has every option of an upload with its default', () => {
    let message = ''
    try {
      resolveUploadOptions({ none: 1 } as never)
    } catch (error) {
      message = (error as Error).message
    }
    const known = /Known options: (.*)\./.exec(message)![1]!.split(', ')
    const rows = tableRows(section('## Options', 'docs/uploading.md'))
    expect(rows.map(([option]) => name(option!)).sort()).toEqual(known.sort())
    // Those that the README shows are among them, as they are.
    const shown = tableRows(section('## Uploading'))
    expect(shown.length).toBe(5)
    expect(rows).toEqual(expect.arrayContaining(shown))
    for (const [option, given] of rows) {
      const value = (UPLOAD_DEFAULTS as Record<string, unknown>)[name(option!)]
      if (value === undefined) expect(given).toMatch(/^(automatic)?$/)
      else
        expect(given).toBe(
          typeof value === 'number'
            ? String(value)
            : `\`${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}\``,
        )
    }
  })

  it('has the limits', () => {
    const inBytes = (value: number) => (value >= 2 ** 20 ? `${value / 2 ** 20} MB` : `${value / 1024} KiB`)
    expect(tableRows(section('## Limits')).map(([, limit]) => limit)).toEqual([
      ...[LIMITS.maxCustomAttributes, LIMITS.maxAttributeNameLength, LIMITS.maxValueLength, LIMITS.maxEmailLength].map(
        (limit) => limit.toLocaleString('en'),
      ),
      inBytes(LIMITS.maxBytes),
      LIMITS.maxRows.toLocaleString('en'),
      String(LIMITS.maxColumns),
      inBytes(LIMITS.maxRecordBytes),
      inBytes(LIMITS.maxTemplateBytes),
      String(LIMITS.maxTemplateTags),
      String(LIMITS.maxTagLength),
    ])
  })

  it('names every function of the public API', () => {
    const store = index.createCustomAttributesStore(database.client)
    const names = [...Object.keys(index), ...Object.keys(http), ...Object.keys(store)]
    expect(names.filter((each) => !new RegExp(`\`${each}[\`(]`).test(page('docs/functions.md')))).toEqual([])
    for (const field of index.STANDARD_COLUMNS)
      expect(section('## Your customer table')).toMatch(new RegExp(`\\b${field}\\b`))
  })

  it('asks for the rights that the store needs, and for no more', async () => {
    const [grants] = codeBlocks(section('## Rights', 'docs/security.md'), 'sql')
    for (const { up } of index.readMigrations()) await database.sql.begin((tx) => tx.unsafe(up))
    const role = `role_${randomBytes(6).toString('hex')}`
    const own = grants!.replaceAll(' app', ` ${role}`)
    await database.sql.unsafe(`create role ${role} login password 'secret'; ${own}`)
    const sql = database.connect({ username: role, password: 'secret', max: 2 })
    const useAll = async () => {
      const store = index.createCustomAttributesStore(sql)
      const accountId = randomUUID()
      await store.uploadCsv(accountId, 'email,tier\na@example.com,gold')
      await store.uploadCsv(accountId, 'email,tier\na@example.com,silver\nb@example.com,gold', { atomic: true })
      await store.upsertCustomer(accountId, { email: 'a@example.com', custom_attributes: { plan: 'pro' } })
      await store.upsertAttributeDefinitions(accountId, ['later', 'tier'])
      expect(await store.getAttributeDefinitions(accountId)).toEqual(['later', 'plan', 'tier'])
      const messages = await store.renderForCustomers(accountId, '{{tier}} {{plan}}', ['a@example.com'])
      expect(messages.get('a@example.com')).toBe('silver pro')
      await store.renameAttribute(accountId, 'plan', 'tier', { onConflict: 'keep-source' })
      await store.removeAttribute(accountId, 'tier')
    }
    try {
      await useAll()
      const tables = ['customer.customer', 'customer.custom_attribute_definition']
      const rights = tables.flatMap((table) => ['select', 'insert', 'update'].map((each) => `${each} on ${table}`))
      for (const right of [...rights, `delete on ${tables[1]}`]) {
        await database.sql.unsafe(`revoke ${right} from ${role}`)
        await expect(useAll(), `without ${right}`).rejects.toMatchObject({ details: { sqlstate: '42501' } })
        await database.sql.unsafe(`grant ${right} to ${role}`)
      }
    } finally {
      await sql.end({ timeout: 1 })
      await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
    }
  })

  it('finds emails that differ in case by its queries', async () => {
    const accountId = '00000000-0000-4000-8000-000000000003'
    const { customerTable } = MIGRATION_DEFAULTS
    await database.sql.unsafe(
      `insert into ${customerTable} (account_id, email) select $1::uuid, unnest(array['Ann@X.org', 'ann@x.org', 'bob@x.org'])`,
      [accountId],
    )
    const [queries] = codeBlocks(page('docs/limitations.md'), 'sql')
    const [capitals, twins] = await database.sql.unsafe(queries!)
    expect(capitals).toMatchObject([{ email: 'Ann@X.org' }])
    expect(twins).toMatchObject([{ email: 'ann@x.org', ids: [expect.any(String), expect.any(String)] }])
  })
})

import { randomUUID } from 'node:crypto'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { type Migration, readMigrations } from '../../src/db/migrations.js'
import { defineFields } from '../../src/fields.js'
import { createCustomAttributesStore } from '../../src/store.js'
import type { StoreOptions } from '../../src/store-options.js'
import { useDatabase } from '../support/database.js'
import { page } from '../support/readme.js'

const db = useDatabase({ migrated: false, distributed: false })

/** The examples: each a table and what is said of it. */
const examples = [
  ...page('docs/your-table.md').matchAll(/^## (.*)\n[^#]*?```sql\n([\s\S]*?)```\n\n```ts\n([\s\S]*?)```/gm),
].map(([, title, sql, code]) => [title!, sql!, code!] as const)

test('there are five', () => expect(examples).toHaveLength(5))

test.each(examples)('%s', async (_title, sql, code) => {
  await db.sql.unsafe(sql).simple()
  const run = new Function(
    'readMigrations',
    'defineFields',
    'randomUUID',
    `${transformSync(code, { loader: 'ts' }).code}; return { options, migrations, account }`,
  )
  const { options, migrations, account } = run(readMigrations, defineFields, randomUUID) as {
    options: StoreOptions
    migrations: Migration[]
    account: string
  }
  for (const { up } of migrations) await db.sql.begin((tx) => tx.unsafe(up).simple())
  // Twice, as at every start.
  for (const { up } of migrations) await db.sql.begin((tx) => tx.unsafe(up).simple())
  const store = createCustomAttributesStore(db.client, options)
  expect((await store.checkSchema()).filter(({ severity }) => severity === 'error')).toEqual([])

  const csv = 'Email,First Name,Tier\nann@example.com,Ann,gold\nBob@example.com,Bob,\n'
  expect(await store.uploadCsv(account, csv)).toMatchObject({ customersCreated: 2, rowsRejected: 0 })
  expect(await store.uploadCsv(account, csv)).toMatchObject({ customersUnchanged: 2 })
  expect(await store.preflight(account, 'Hi {{first_name}}', { audience: 'all' })).toMatchObject({
    recipients: 2,
    complete: 2,
  })
  const sent: string[] = []
  const message = 'Hi {{first_name}}, {{Tier|none}}'
  for await (const result of store.mailMerge(account, message, { audience: 'all' })) {
    if (result.ok) sent.push(result.content)
  }
  expect(sent.sort()).toEqual(['Hi Ann, gold', 'Hi Bob, none'])

  const [dead] = Object.keys(options.live ?? {})
  if (dead === undefined) return
  await db.sql.unsafe(`update ${options.customerTable} set ${dead} = now() where email = 'ann@example.com'`)
  const before = await db.sql.unsafe(`select * from ${options.customerTable} where ${dead} is not null`)
  expect(await store.preflight(account, 'Hi {{first_name}}', { audience: 'all' })).toMatchObject({ recipients: 1 })
  expect(await store.getCustomer(account, 'ann@example.com')).toBeNull()
  const again = await store.uploadCsv(account, csv)
  expect(again.customersCreated + again.rowsRejected).toBe(1)
  for (const { code } of again.rejected) expect(code).toBe('CUSTOMER_DELETED')
  expect(await db.sql.unsafe(`select * from ${options.customerTable} where ${dead} is not null`)).toEqual(before)
})

/**
 * How an application tests its use of the library: a real PostgreSQL, the application's own table, the package's
 * migrations, one upload through the HTTP API. Run it with `node --import tsx --test examples/host-tests/upload.test.ts`;
 * without TEST_DATABASE_URL (an empty database) it starts a container.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql'
import postgres from 'postgres'
import { createCustomAttributesStore, readMigrations } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'

const accountId = randomUUID()
let container: StartedPostgreSqlContainer | undefined
let sql: postgres.Sql

before(async () => {
  let url = process.env.TEST_DATABASE_URL
  if (!url) {
    container = await new PostgreSqlContainer('postgres:18-alpine').start()
    url = container.getConnectionUri()
  }
  sql = postgres(url)
  await sql`create schema customer`
  await sql`
    create table customer.customer (
      id uuid primary key default gen_random_uuid(),
      account_id uuid not null,
      email text not null,
      first_name text,
      unique (account_id, email)
    )`
  for (const { up } of readMigrations()) await sql.begin((tx) => tx.unsafe(up))
})

after(async () => {
  await sql?.end()
  await container?.stop()
})

test('a file with a column that nobody declared becomes a customer with an attribute', async () => {
  const store = createCustomAttributesStore(sql)
  const handler = createHttpHandler(store, { authorize: (_request, route) => route.accountId === accountId })

  const form = new FormData()
  form.append('file', new File(['email,first_name,loyalty_tier\nada@example.com,Ada,gold\n'], 'customers.csv'))
  const url = `http://localhost/api/accounts/${accountId}/customers/upload`
  const response = await handler(new Request(url, { method: 'POST', body: form }))

  assert.equal(response.status, 200)
  assert.equal((await response.json()).customers_created, 1)
  const customer = await store.getCustomer(accountId, 'ada@example.com')
  assert.equal(customer?.first_name, 'Ada')
  assert.deepEqual(customer?.custom_attributes, { loyalty_tier: 'gold' })
})

test('another account is none of its business', async () => {
  const handler = createHttpHandler(createCustomAttributesStore(sql), {
    authorize: (_request, route) => route.accountId === accountId,
  })
  const response = await handler(new Request(`http://localhost/api/accounts/${randomUUID()}/merge-tags`))
  assert.equal(response.status, 403)
})

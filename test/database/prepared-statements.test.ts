import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()

test('uploads of many layouts leave no statement for each on the server, nor do audiences or upserts', async () => {
  const sql = db.connect({ max: 1 })
  const store = createCustomAttributesStore(sql)
  const account = newAccount()
  const fields = ['first_name', 'last_name', 'phone', 'company', 'country', 'province', 'city', 'address1'].slice(
    0,
    samples(8, 5),
  )
  for (let layout = 0; layout < 2 ** fields.length; layout++) {
    const chosen = fields.filter((_, at) => layout & (1 << at))
    const row = Object.fromEntries(chosen.map((field) => [field, `${layout}`]))
    await store.uploadCsv(account, `email,${chosen.join(',')}\na@example.com,${chosen.map(() => layout).join(',')}\n`)
    await store.upsertCustomer(account, { email: 'a@example.com', ...row })
    if (chosen.length > 0) for await (const _ of store.pageCustomers(account, { audience: { where: row } }));
  }
  const [left] =
    await sql`select count(*)::int as count, sum(length(statement))::int as length from pg_prepared_statements`
  expect(left!.count).toBeLessThan(50)
})

test('an audience may name any number of values', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(
    account,
    'email,city,Tier\na@example.com,Rome,gold\nb@example.com,Oslo,\nc@example.com,,silver\n',
  )
  const many = Array.from({ length: 70_000 }, (_, at) => `value ${at}`)
  const emailsOf = async (where: Record<string, string | string[]>) => {
    const emails: string[] = []
    for await (const page of store.pageCustomers(account, { audience: { where } })) {
      emails.push(...page.map(({ email }) => email))
    }
    return emails.sort()
  }
  expect(await emailsOf({ city: [...many, 'Rome', 'Oslo'] })).toEqual(['a@example.com', 'b@example.com'])
  expect(await emailsOf({ Tier: [...many, 'gold'] })).toEqual(['a@example.com'])
  expect(await emailsOf({ Tier: ['silver', ''] })).toEqual(['c@example.com'])
  expect(await emailsOf({ city: '' })).toEqual([])
})

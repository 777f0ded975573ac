import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { renderTemplate } from '../../src/template/render.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()

/** Types that a host may have given the fields, and values of them. */
const TYPES: Record<string, fc.Arbitrary<string | null>> = {
  smallint: fc.constantFrom(null, '0', '-1', '7'),
  integer: fc.constantFrom(null, '0', '1', '-5', '2147483647'),
  bigint: fc.constantFrom(null, '0', '3', '9007199254740993'),
  numeric: fc.constantFrom(null, '0', '0.00', '12.50', '-0.1'),
  'numeric(12, 2)': fc.constantFrom(null, '0', '12.5'),
  'double precision': fc.constantFrom(null, '0', '0.5', '1e+100'),
  text: fc.constantFrom(null, '', ' ', '0', 'false', 'a & b', "O'Brien"),
  boolean: fc.constantFrom(null, 'true', 'false'),
  date: fc.constantFrom(null, '1990-03-01', '2024-02-29'),
  timestamptz: fc.constantFrom(
    null,
    '2024-03-01T00:00:00Z',
    '2024-03-01T10:05:00Z',
    '2024-03-01T10:05:00.12Z',
    '1999-12-31T23:59:59.999Z',
  ),
}

/** Fields of which each table has one of several types. */
const FIELDS: Record<string, readonly string[]> = {
  orders_count: ['smallint', 'integer', 'bigint', 'numeric', 'double precision', 'text'],
  total_spent: ['numeric', 'numeric(12, 2)', 'double precision', 'integer', 'bigint'],
  last_order_price: ['numeric', 'integer'],
  last_order_date: ['timestamptz', 'date'],
  birthday: ['date', 'timestamptz'],
  accepts_marketing: ['boolean', 'text'],
  company: ['text'],
  postal_code: ['text', 'integer'],
}

const table = fc.record(
  Object.fromEntries(Object.entries(FIELDS).map(([field, types]) => [field, fc.constantFrom(...types)])),
)
const rows = (types: Record<string, string>) =>
  fc.array(fc.record(Object.fromEntries(Object.entries(types).map(([field, type]) => [field, TYPES[type]!]))), {
    minLength: 1,
    maxLength: 6,
  })

/** Everything that a template can ask of a field. */
const template = Object.keys(FIELDS)
  .flatMap((field) => [
    `${field}: [{{${field}}}] [{{${field.replace('_', ' ')} | there}}] {{#${field}}}open{{else}}closed{{/${field}}}`,
    `{{#${field} = 0}}zero{{/${field}}} {{#${field} > 1}}more{{/${field}}} {{#${field} >= "2024-03-01"}}late{{/${field}}}`,
    `{{${field} | number: 2}} {{${field} | date: "long"}} {{${field} | upper}}`,
  ])
  .join('\n')

test('law: a mail, a preview and the row that the host selects itself never differ, whatever the types of the columns', async () => {
  let number = 0
  await checkLaw(
    'store rows and host rows',
    fc.asyncProperty(
      table.chain((types) => rows(types).map((values) => ({ types, values }))),
      async ({ types, values }) => {
        const name = `customer.rendered_${number++}`
        await db.sql.unsafe(`create table ${name} (like customer.customer including all)`)
        for (const [field, type] of Object.entries(types)) {
          await db.sql.unsafe(`alter table ${name} alter ${field} type ${type} using null`)
        }
        const account = newAccount()
        for (const [at, value] of values.entries()) {
          await db.sql`insert into ${db.sql(name)} ${db.sql({ account_id: account, email: `p${at}@example.com`, ...value })}`
        }
        const store = createCustomAttributesStore(db.client, { customerTable: name })
        const hostRows = await db.sql`select * from ${db.sql(name)} where account_id = ${account} order by id`
        const own = new Map(hostRows.map((row) => [row.email, renderTemplate(template, row, { format: 'text' })]))
        const mailed = new Map<string, string>()
        for await (const result of store.mailMerge(account, template, { audience: 'all', format: 'text' })) {
          mailed.set(result.customer.email, (result as { content: string }).content)
        }
        const previewed = await store.renderForCustomers(account, template, [...own.keys()], { format: 'text' })
        for (const [email, text] of own) {
          expect(mailed.get(email)).toBe(text)
          expect(previewed.get(email)).toBe(text)
        }
        const { tags } = await store.preflight(account, '{{total_spent}}', { audience: 'all' })
        expect(tags[0]!.missing).toBe(hostRows.filter((row) => row.total_spent === null).length)
      },
    ),
    300,
    12,
  )
})

test('a number column that is 0 closes its section in a mail as in the row of the host', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.upsertCustomer(account, {
    email: 'a@example.com',
    orders_count: 0,
    total_spent: '0.00',
    custom_attributes: { points: '0' },
  })
  const text =
    '{{#orders_count}}a{{/orders_count}}{{#total_spent}}b{{/total_spent}}{{#points}}c{{/points}} {{orders_count}}'
  const rendered = await store.renderForCustomers(account, text, ['a@example.com'])
  expect(rendered.get('a@example.com')).toBe('c 0')
  const report = await store.preflight(account, '{{#orders_count}}{{company}}{{/orders_count}}', { audience: 'all' })
  expect(report).toMatchObject({ recipients: 1, complete: 1 })
})

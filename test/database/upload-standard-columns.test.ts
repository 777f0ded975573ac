import { expect, test } from 'vitest'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()

/** Every standard column with a value, its form in a CSV, and as PostgreSQL's JSON has it. */
const VALUES: Record<(typeof STANDARD_COLUMNS)[number], [csv: string, stored: unknown]> = {
  email: ['John@Example.com', 'john@example.com'],
  first_name: ['Jöhn', 'Jöhn'],
  last_name: ["'t Hooft", "'t Hooft"],
  phone: ["'+4512345678", '+4512345678'],
  company: ['ACME, Inc. "Ltd"', 'ACME, Inc. "Ltd"'],
  birthday: ['1990-05-01', '1990-05-01'],
  currency: ['EUR', 'EUR'],
  country: ['Côte d’Ivoire', 'Côte d’Ivoire'],
  province: ['München', 'München'],
  city: ['東京', '東京'],
  address1: ['Line 1\nLine 2', 'Line 1\nLine 2'],
  address2: ['\\N', '\\N'],
  postal_code: ['00123', '00123'],
  timezone: ['Europe/Berlin', 'Europe/Berlin'],
  accepts_marketing: ['yes', true],
  source: ['=SUM(A1)', '=SUM(A1)'],
  status: ['vip', 'vip'],
  status_reason: ['NULL', 'NULL'],
  orders_count: ['007', 7],
  total_spent: ['1234.5', 1234.5],
  last_order_id: ['12345678901234567890', '12345678901234567890'],
  last_order_name: ['#1001', '#1001'],
  last_order_date: ['2024-05-01T12:30:00+02:00', '2024-05-01T10:30:00+00:00'],
  last_order_price: ['.10', 0.1],
  source_id: ['0', '0'],
  action_status: ['{{x}}', '{{x}}'],
  domain_name: ['example.com', 'example.com'],
}

const csv = writeCsv([[...STANDARD_COLUMNS], STANDARD_COLUMNS.map((name) => VALUES[name][0])])

test('all 27 standard columns are stored, not a chosen few', async () => {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  expect(await store.uploadCsv(account, csv)).toMatchObject({
    customersCreated: 1,
    rowsRejected: 0,
    customAttributesFound: [],
  })
  const { customers } = await contentsOf(db.openSql({ connection: { TimeZone: 'UTC' } }), account)
  const stored = Object.fromEntries(STANDARD_COLUMNS.map((name) => [name, VALUES[name][1]]))
  expect(customers).toEqual([{ ...stored, custom_attributes: {} }])
})

test('each of them is updated alone', async () => {
  const store = createCustomAttributesStore(db.client)
  for (const name of STANDARD_COLUMNS.slice(1)) {
    const account = newAccount()
    await store.upsertCustomer(account, { email: VALUES.email[0] })
    const one = writeCsv([
      ['email', name],
      [VALUES.email[0], VALUES[name][0]],
    ])
    expect(await store.uploadCsv(account, one), name).toMatchObject({ customersUpdated: 1 })
    expect(await store.uploadCsv(account, one), name).toMatchObject({ customersUnchanged: 1 })
  }
})

import postgres from 'postgres'
import { describe, expect, inject, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { thrownBy } from '../support/errors.js'

const db = useDatabase()

const asText = {
  to: 25,
  from: [20, 1082, 1114, 1184, 1700, 16, 2950],
  serialize: String,
  parse: (text: string) => `parsed ${text}`,
}
const brokenJson = { to: 114, from: [114, 3802], serialize: () => 'broken', parse: () => ({ broken: true }) }

/** What clients of real hosts are set to. */
const CLIENTS: Record<string, Parameters<typeof db.connect>[0]> = {
  'as postgres.js comes': {},
  'one connection': { max: 1 },
  'no prepared statements': { prepare: false },
  'no fetched types': { fetch_types: false },
  'one connection behind a pooler': { max: 1, prepare: false, fetch_types: false },
  'camel case columns': { transform: postgres.camel },
  'pascal case columns': { transform: postgres.pascal },
  'undefined as null': { transform: { undefined: null } },
  'values transformed': { transform: { value: { from: () => 'changed' } } },
  'types of its own': { types: { asText } },
  'json of its own': { types: { json: brokenJson, jsonb: { ...brokenJson, to: 3802 } } },
  'another schema first': { connection: { search_path: 'pg_temp' } },
  'odd session settings': {
    connection: {
      DateStyle: inject('hasCitus') ? 'ISO, DMY' : 'SQL, DMY', // docs/citus.md
      TimeZone: 'Pacific/Chatham',
      standard_conforming_strings: 'on',
      IntervalStyle: 'sql_standard',
      bytea_output: 'escape',
      extra_float_digits: '0',
    },
  },
  'an empty search path': { connection: { search_path: "''" } },
  'a statement timeout': { connection: { statement_timeout: 5_000 } },
  'its encoding said': { connection: { client_encoding: 'UTF8' } },
  serializable: { connection: { default_transaction_isolation: 'serializable' } },
}

describe.each(Object.entries(CLIENTS))('%s', (_name, options) => {
  test('everything works the same', async () => {
    const store = createCustomAttributesStore(db.connect({ max: 2, ...options }))
    const account = newAccount()
    const csv =
      'email,first_name,birthday,accepts_marketing,total_spent,last_order_date,loyalty_tier,camel_case\n' +
      'john@example.com,John,1990-05-01,yes,10.5,2024-05-01T10:30:00Z,gold,"{""a_b"":1}"\n' +
      'jane@example.com,,,,,,,\nbad,,,,,,,\n'
    const created = await store.uploadCsv(account, csv, { batchSize: 1 })
    expect(created).toMatchObject({
      customersCreated: 2,
      rowsRejected: 1,
      customAttributesFound: ['loyalty_tier', 'camel_case'],
    })
    expect(await store.uploadCsv(account, csv)).toMatchObject({ customersUnchanged: 2, rowsRejected: 1 })
    expect(await store.uploadCsv(account, csv, { dryRun: true })).toMatchObject({ customersUnchanged: 2 })
    expect(await store.uploadCsv(account, csv, { atomic: true })).toMatchObject({ customersUnchanged: 2 })

    const john = {
      account_id: account,
      email: 'john@example.com',
      first_name: 'John',
      birthday: '1990-05-01',
      accepts_marketing: true,
      total_spent: '10.50',
      last_order_date: '2024-05-01T10:30:00Z',
      orders_count: null,
      custom_attributes: { loyalty_tier: 'gold', camel_case: '{"a_b":1}' },
    }
    expect(await store.getCustomer(account, 'john@example.com')).toMatchObject(john)
    const { id, outcome } = await store.upsertCustomer(account, john as never)
    expect(outcome).toBe('unchanged')
    const pages = []
    for await (const page of store.pageCustomers(account, {
      audience: { where: { loyalty_tier: 'gold', birthday: '1990-05-01' } },
    })) {
      pages.push(page)
    }
    expect(pages).toMatchObject([[{ ...john, id }]])
    await store.upsertAttributeDefinitions(account, ['zebra'])
    expect((await store.getMergeTags(account)).customAttributes).toEqual(['camel_case', 'loyalty_tier', 'zebra'])
    const messages = await store.renderForCustomers(account, '{{first_name}} {{loyalty_tier}}', ['john@example.com'])
    expect(messages.get('john@example.com')).toBe('John gold')
  })
})

test('a client that changes whole rows is refused at once: nothing could be read through it', () => {
  const client = db.connect({ transform: { row: { from: () => ({ changed: true }) } } })
  const message = /^sql has the option transform\.row, .*\. Pass a client without it\.$/
  expect(thrownBy(() => createCustomAttributesStore(client))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(() => createCustomAttributesStore(client)).toThrow(message)
})

test('a client that tells the server another encoding than postgres.js sends is refused at once', async () => {
  const client = db.connect({ connection: { client_encoding: 'LATIN1' } })
  const message = /^sql sets client_encoding to another than UTF-8, .*\. Pass a client without it;/
  expect(thrownBy(() => createCustomAttributesStore(client))).toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(() => createCustomAttributesStore(client)).toThrow(message)
  // Why: this is what comes of it.
  const [row] = await client<{ stored: string }[]>`select encode(convert_to(${'é'}::text, 'UTF8'), 'hex') as stored`
  expect(row!.stored).not.toBe(Buffer.from('é').toString('hex'))
})

import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const account = newAccount()
const open = () => createCustomAttributesStore(db.client)

beforeAll(async () => {
  const store = open()
  await store.upsertCustomer(account, {
    email: 'john@example.com',
    first_name: 'John',
    custom_attributes: { loyalty_tier: 'gold' },
  })
  await store.upsertCustomer(account, { email: 'jane@example.com', first_name: '<Jané>' })
})

test('renders by email as given, null where there is no such customer', async () => {
  const messages = await open().renderForCustomers(
    account,
    'Hi {{first_name}}, your {{loyalty_tier|basic}} status!',
    ['JOHN@example.com', 'nobody@example.com', 'jane@example.com'],
    { format: 'text' },
  )
  expect([...messages]).toEqual([
    ['JOHN@example.com', 'Hi John, your gold status!'],
    ['nobody@example.com', null],
    ['jane@example.com', 'Hi <Jané>, your basic status!'],
  ])
})

test('Hi {{first_name}}, status: {{vip_status}} without the value gives exactly "Hi John, status: "', async () => {
  const messages = await open().renderForCustomers(account, 'Hi {{first_name}}, status: {{vip_status}}', [
    'john@example.com',
  ])
  expect(messages.get('john@example.com')).toBe('Hi John, status: ')
})

test('options are those of templates', async () => {
  const store = open()
  const messages = await store.renderForCustomers(account, '{{first_name}} {{link}}', ['jane@example.com'], {
    extraTags: { link: 'https://x.example/?a=1' },
  })
  expect(messages.get('jane@example.com')).toBe('&lt;Jané&gt; https://x.example/?a=1')
  const missing = store.renderForCustomers(account, '{{loyalty_tier}}', ['jane@example.com'], { missing: 'error' })
  expect((await rejectionOf(missing)).code).toBe('MISSING_VALUE')
})

test('a bad template is refused before anything is read', async () => {
  const statements: string[] = []
  const store = createCustomAttributesStore(db.connect({ debug: (_, text) => void statements.push(text) }))
  await store.getMergeTags(account)
  statements.length = 0
  expect((await rejectionOf(store.renderForCustomers(account, 'Hi {{#a}}', ['john@example.com']))).code).toBe(
    'UNCLOSED_SECTION',
  )
  expect(statements).toEqual([])
})

test('nobody is nothing', async () => {
  expect(await open().renderForCustomers(account, 'Hi', [])).toEqual(new Map())
})

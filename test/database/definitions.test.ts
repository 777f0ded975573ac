import { describe, expect, test } from 'vitest'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

test('definitions are upserted and sorted: zebra, apple, banana → apple, banana, zebra', async () => {
  const { store, account } = open()
  await store.upsertAttributeDefinitions(account, ['zebra', 'apple'])
  await store.upsertAttributeDefinitions(account, ['banana', 'apple', 'banana'])
  expect(await store.getAttributeDefinitions(account)).toEqual(['apple', 'banana', 'zebra'])
})

test('they are sorted by code point, whatever the collation of the database', async () => {
  const { store, account } = open()
  const names = ['b', 'a', 'B', 'A', 'ä', 'z', '_', 'a b', 'a-b', 'ab', '1', '10', '2', '😀', '\uffee', 'É']
  await store.upsertAttributeDefinitions(account, names)
  const byCodePoint = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect(await store.getAttributeDefinitions(account)).toEqual(byCodePoint)
  expect((await store.getMergeTags(account)).customAttributes).toEqual(byCodePoint)
})

test('of a name that is recorded again last_seen_at moves, and nothing else', async () => {
  const { store, account } = open()
  await store.upsertAttributeDefinitions(account, ['seen', 'unseen'])
  const read = () =>
    db.sql<{ attribute_name: string; id: string; created_at: Date; last_seen_at: Date }[]>`
      select * from customer.custom_attribute_definition where account_id = ${account} order by attribute_name`
  const before = await read()
  await store.upsertAttributeDefinitions(account, ['seen'])
  const after = await read()
  expect(after[0]!.last_seen_at.getTime()).toBeGreaterThan(before[0]!.last_seen_at.getTime())
  expect(after[0]).toMatchObject({ id: before[0]!.id, created_at: before[0]!.created_at })
  expect(after[1]).toEqual(before[1])
})

test('no names are no work', async () => {
  const { store, account } = open()
  await store.upsertAttributeDefinitions(account, [])
  expect(await store.getAttributeDefinitions(account)).toEqual([])
})

test('names with signs of all kinds come back as they are', async () => {
  const { store, account } = open()
  const names = ['a,b', '"q"', "it's", '{x}', '\\', 'null', 'NULL', '%', "'); drop schema customer cascade; --"].sort()
  await store.upsertAttributeDefinitions(account, names)
  expect(await store.getAttributeDefinitions(account)).toEqual(names)
})

test.each<[unknown, string, string]>([
  ['tier', 'INVALID_ARGUMENT', 'names must be an array of strings.'],
  [[5], 'INVALID_ARGUMENT', 'names must be an array of strings.'],
  [[undefined], 'INVALID_ARGUMENT', 'names must be an array of strings.'],
  [new Array(1), 'INVALID_ARGUMENT', 'names must be an array of strings.'],
  [['fine', 'a|b'], 'INVALID_ATTRIBUTE_NAME', 'name 2 (holds |).'],
  [[''], 'INVALID_ATTRIBUTE_NAME', 'name 1 (the name is empty).'],
  [[' x'], 'INVALID_ATTRIBUTE_NAME', 'name 1 (blanks at its start or end).'],
])('%j is %s, and nothing is recorded', async (names, code, message) => {
  const { store, account } = open()
  const error = await rejectionOf(store.upsertAttributeDefinitions(account, names as string[]))
  expect(error.code).toBe(code)
  expect(error.message).toContain(message)
  expect(await store.getAttributeDefinitions(account)).toEqual([])
})

test('many at once, in any order, do not deadlock', async () => {
  const { account } = open()
  const store = createCustomAttributesStore(db.connect({ max: 8 }))
  const names = Array.from({ length: 50 }, (_, at) => `name ${at}`)
  await Promise.all(
    Array.from({ length: 40 }, (_, round) =>
      store.upsertAttributeDefinitions(account, round % 2 ? names : [...names].reverse()),
    ),
  )
  expect(await store.getAttributeDefinitions(account)).toHaveLength(50)
})

describe('merge tags', () => {
  test('are the standard fields of the table and the attributes of the account, both sorted', async () => {
    const { store, account } = open()
    await store.upsertAttributeDefinitions(account, ['zebra', 'apple'])
    expect(await store.getMergeTags(account)).toEqual({
      standardFields: [...STANDARD_COLUMNS].sort(),
      customAttributes: ['apple', 'zebra'],
    })
  })

  test('of an account without anything are the standard fields', async () => {
    const { store, account } = open()
    expect(await store.getMergeTags(account)).toMatchObject({ customAttributes: [] })
  })

  test('what a caller does to the lists does not come back', async () => {
    const { store, account } = open()
    const tags = await store.getMergeTags(account)
    tags.standardFields.length = 0
    expect((await store.getMergeTags(account)).standardFields).toHaveLength(27)
  })
})

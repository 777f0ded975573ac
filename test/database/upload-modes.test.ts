import { beforeEach, describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { UploadOptions } from '../../src/upload/options.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()
let store: CustomAttributesStore
let account: string

beforeEach(async () => {
  store = createCustomAttributesStore(db.client)
  account = newAccount()
  await store.uploadCsv(account, 'email,first_name,city,status,tier,plan\njohn@example.com,John,Rome,vip,gold,pro\n')
})

const csv = 'email,first_name,city,status,tier,plan\njohn@example.com,,Oslo,,silver,\njane@example.com,Jane,,,,team\n'
const upload = (options: UploadOptions, file = csv) => store.uploadCsv(account, file, options)
const john = async () => (await contentsOf(db.sql, account)).customers.find(({ email }) => email === 'john@example.com')
const jane = async () => (await contentsOf(db.sql, account)).customers.find(({ email }) => email === 'jane@example.com')

test("existing: 'merge' is the default: filled cells replace, empty ones keep, attributes merge per name", async () => {
  expect(await upload({})).toMatchObject({ customersCreated: 1, customersUpdated: 1 })
  expect(await john()).toMatchObject({
    first_name: 'John',
    city: 'Oslo',
    status: 'vip',
    custom_attributes: { tier: 'silver', plan: 'pro' },
  })
  expect(await jane()).toMatchObject({
    first_name: 'Jane',
    city: null,
    status: 'active',
    custom_attributes: { plan: 'team' },
  })
})

test("existing: 'replace' replaces the attributes and keeps standard values that the file lacks", async () => {
  expect(await upload({ existing: 'replace' })).toMatchObject({ customersCreated: 1, customersUpdated: 1 })
  const { custom_attributes, ...rest } = (await john())!
  expect(rest).toMatchObject({ first_name: 'John', city: 'Oslo', status: 'vip' })
  expect(custom_attributes).toEqual({ tier: 'silver' })
  expect(await upload({ existing: 'replace' })).toMatchObject({ customersUnchanged: 2 })
})

test("existing: 'reject' gives CUSTOMER_EXISTS and creates the new ones", async () => {
  const before = await john()
  const result = await upload({ existing: 'reject' })
  expect(result).toMatchObject({ customersCreated: 1, rowsRejected: 1 })
  expect(result.rejected).toMatchObject([
    { row: 2, code: 'CUSTOMER_EXISTS', message: "The customer exists already, and existing is 'reject'." },
  ])
  expect(await john()).toEqual(before)
})

test("unknown: 'reject' gives CUSTOMER_NOT_FOUND, updates the known ones, and records no name of the others", async () => {
  const result = await upload(
    { unknown: 'reject' },
    `${csv.replace('\n', ',new\n').replace(/(\n.*)(\n.*)\n/, '$1,$2,x\n')}`,
  )
  expect(result).toMatchObject({ customersUpdated: 1, rowsRejected: 1, customAttributesFound: ['tier'] })
  expect(result.rejected).toMatchObject([
    { row: 3, code: 'CUSTOMER_NOT_FOUND', message: "The customer does not exist, and unknown is 'reject'." },
  ])
  expect(await jane()).toBeUndefined()
  expect(await store.getAttributeDefinitions(account)).toEqual(['plan', 'tier'])
})

test('both reject: nothing is written at all', async () => {
  const before = await contentsOf(db.sql, account)
  const result = await upload({ existing: 'reject', unknown: 'reject' })
  expect(result.rejected.map(({ code }) => code)).toEqual(['CUSTOMER_EXISTS', 'CUSTOMER_NOT_FOUND'])
  expect(await contentsOf(db.sql, account)).toEqual(before)
})

describe("emptyValues: 'clear'", () => {
  test('a blank cell empties its field or removes its attribute; NOT NULL columns and columns that the file lacks stay', async () => {
    expect(await upload({ emptyValues: 'clear' })).toMatchObject({ customersCreated: 1, customersUpdated: 1 })
    expect(await john()).toMatchObject({ first_name: null, city: 'Oslo', status: 'vip' })
    expect((await john())!.custom_attributes).toEqual({ tier: 'silver' })
    expect(await jane()).toMatchObject({ first_name: 'Jane', status: 'active' })
    expect(await upload({ emptyValues: 'clear' })).toMatchObject({ customersUnchanged: 2 })
    expect(await upload({ emptyValues: 'clear' }, 'email,plan\njohn@example.com,\n')).toMatchObject({
      customersUnchanged: 1,
    })
    expect((await john())!.custom_attributes).toEqual({ tier: 'silver' })
  })

  test('with replace', async () => {
    await upload({ emptyValues: 'clear', existing: 'replace' })
    expect(await john()).toMatchObject({ first_name: null })
    expect((await john())!.custom_attributes).toEqual({ tier: 'silver' })
  })

  test('of a file of emails alone clears nothing', async () => {
    const before = await john()
    expect(await upload({ emptyValues: 'clear' }, 'email\njohn@example.com\nnew@example.com\n')).toMatchObject({
      customersCreated: 1,
      customersUnchanged: 1,
    })
    expect(await john()).toEqual(before)
  })
})

test('fields, attributes and columns decide what a file may touch', async () => {
  const result = await upload({
    fillable: ['city'],
    attributes: ['PLAN'],
    columns: { first_name: { attribute: 'nickname' } },
  })
  expect(result).toMatchObject({
    customAttributesFound: ['nickname', 'plan'],
    ignored: [
      { header: 'status', reason: 'field_not_allowed' },
      { header: 'tier', reason: 'attribute_not_chosen' },
    ],
  })
  expect(await john()).toMatchObject({
    first_name: 'John',
    city: 'Oslo',
    status: 'vip',
    custom_attributes: { tier: 'gold', plan: 'pro' },
  })
  expect(await jane()).toMatchObject({ first_name: null, custom_attributes: { nickname: 'Jane', plan: 'team' } })
})

test('an email column that only columns knows, by header and by position, also below a preamble', async () => {
  const file = 'Kontakt;Stufe\nada@example.com;gold\n'
  await upload({ columns: { Kontakt: { field: 'email' } } }, file)
  await upload({ columns: [{ field: 'email' }] }, file.replace('ada', 'bob'))
  await upload({ columns: { Kontakt: { field: 'email' } } }, `Export 2024;\n\n${file.replace('ada', 'eve')}`)
  const { customers } = await contentsOf(db.sql, account)
  expect(customers.map(({ email }) => email)).toEqual([
    'ada@example.com',
    'bob@example.com',
    'eve@example.com',
    'john@example.com',
  ])
})

test('a later upload does not make "TIER" beside "tier"', async () => {
  const result = await upload({}, 'email,TIER,Plan\njohn@example.com,platinum,\n')
  expect(result.customAttributesFound).toEqual(['tier'])
  expect((await john())!.custom_attributes).toEqual({ tier: 'platinum', plan: 'pro' })
  expect(await store.getAttributeDefinitions(account)).toEqual(['plan', 'tier'])
})

test('dateFormat reads other orders', async () => {
  const file = 'email,birthday\njohn@example.com,5/1/1990\n'
  expect(await upload({}, file)).toMatchObject({
    rowsRejected: 1,
    rejected: [{ code: 'INVALID_VALUE', column: 'birthday' }],
  })
  await upload({ dateFormat: 'mdy' }, file)
  expect(await john()).toMatchObject({ birthday: '1990-05-01' })
  await upload({ dateFormat: 'dmy' }, file)
  expect(await john()).toMatchObject({ birthday: '1990-01-05' })
})

test.each<[unknown, string]>([
  [{ batchsize: 5 }, 'uploadCsv has no option "batchsize". Known options:'],
  [{ existing: 'skip' }, 'uploadCsv: existing must be "merge" or "replace" or "reject", got the string "skip".'],
  [{ unknown: true }, 'unknown must be "create" or "reject"'],
  [{ emptyValues: 'delete' }, 'emptyValues must be "keep" or "clear"'],
  [{ onInvalidRow: 'stop' }, 'onInvalidRow must be "skip" or "abort"'],
  [{ atomic: 1 }, 'atomic must be true or false'],
  [{ dryRun: 'yes' }, 'dryRun must be true or false'],
  [{ batchSize: 0 }, 'batchSize must be a whole number'],
  [{ concurrency: 0 }, 'concurrency must be a whole number'],
  [{ maxRows: -1 }, 'maxRows must be a whole number'],
  [{ maxBytes: 1.5 }, 'maxBytes must be a whole number'],
  [{ delimiter: ':' }, 'delimiter must be "auto" or ","'],
  [{ encoding: 'no-such-one' }, 'encoding must be "auto" or '],
  [{ dateFormat: 'ymd' }, 'dateFormat must be "iso" or "mdy" or "dmy"'],
  [{ signal: new AbortController() }, 'signal must be an AbortSignal, got an object of class AbortController'],
  [{ onRejected: 'log' }, 'onRejected must be a function'],
  [{ fillable: ['tier'] }, 'fillable names "tier", which is no field. Known ones: email, first_name, '],
  [{ fillable: 'none' }, 'fillable must be "all" or an array of strings'],
  [{ columns: 'auto' }, 'columns must be an object or an array'],
  [{ columns: { email: { to: 'email' } } }, 'columns["email"] must be'],
  [null, 'uploadCsv: options must be an object, got null.'],
])('INVALID_OPTION: %j', async (options, message) => {
  const before = await contentsOf(db.sql, account)
  const error = await rejectionOf(upload(options as UploadOptions))
  expect(error.code).toBe('INVALID_OPTION')
  expect(error.message).toContain(message)
  expect(await contentsOf(db.sql, account)).toEqual(before)
})

import { describe, expect, test } from 'vitest'
import { checkColumnClashes } from '../../src/db/column-clashes.js'
import { readMigrations } from '../../src/db/migrations.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { defineFields, STANDARD_FIELDS } from '../../src/fields.js'

type Given = Parameters<typeof checkColumnClashes>[0]
const nothing: Given = { fields: STANDARD_FIELDS, columns: {}, live: {} }

function clashOf(given: Partial<Given>): { message: string; option: unknown } {
  try {
    checkColumnClashes({ ...nothing, ...given })
  } catch (error) {
    if (isCustomAttributesError(error, 'INVALID_OPTION'))
      return { message: error.message, option: error.details.option }
    throw error
  }
  throw new Error('no clash was found')
}

test.each<[string, Partial<Given>]>([
  ['nothing said', {}],
  ['other names', { columns: { account_id: 'org_id', email: 'mail', status: 'state', created_at: null } }],
  [
    'a status of its own and another field',
    { columns: { status: 'state' }, fields: defineFields({ status: {}, plan: {} }) },
  ],
  ['a field of the moment of creation', { fields: defineFields({ since: { column: 'created_at' } }) }],
  ['a field of the moment of change', { fields: defineFields({ touched: { column: 'updated_at' } }) }],
  ['two without a column', { columns: { created_at: null, updated_at: null } }],
  ['live by the status', { live: { status: 'active', deleted_at: null } }],
])('may be: %s', (_what, given) => {
  expect(() => checkColumnClashes({ ...nothing, ...given })).not.toThrow()
})

describe('a field in a column that no file may fill', () => {
  test.each(['id', 'account_id', 'custom_attributes'] as const)('%s, by its own name and by another', (own) => {
    for (const columns of [{}, { [own]: 'kept' }]) {
      const column = Object.values(columns)[0] ?? own
      const { message, option } = clashOf({ columns, fields: defineFields({ org: { column } }) })
      expect(message).toContain(`the field "org" is in the column "${column}", which is that of ${own}: no file may`)
      expect(option).toBe('fields')
    }
  })

  test('that of the email, once columns are known', () => {
    const fields = defineFields({ contact: { column: 'mail' } })
    expect(() => checkColumnClashes({ ...nothing, fields })).not.toThrow()
    expect(clashOf({ fields, columns: { email: 'mail' } }).message).toContain('which is that of email')
  })

  test('a standard field that nobody named', () => {
    expect(clashOf({ columns: { account_id: 'company' } }).message).toContain('the field "company" is in')
  })

  test('also one that is read only', () => {
    const fields = defineFields({ org: { column: 'account_id', fillable: false } })
    expect(clashOf({ fields }).option).toBe('fields')
  })
})

test('two entries of columns in one column', () => {
  expect(clashOf({ columns: { email: 'fname', status: 'fname' } })).toEqual({
    message: expect.stringContaining('columns has email and status in one column, "fname". Give each'),
    option: 'columns',
  })
  expect(clashOf({ columns: { email: 'status' } }).option).toBe('columns')
})

test('two fields in one column, once columns are known', () => {
  expect(
    clashOf({ columns: { status: 'state' }, fields: defineFields({ status: {}, region: { column: 'state' } }) }),
  ).toEqual({
    message: expect.stringContaining('fields has status and region in one column, "state".'),
    option: 'fields',
  })
})

test('readMigrations says the same of columns', () => {
  expect(() => readMigrations({ columns: { email: 'fname', status: 'fname' } })).toThrow(
    'readMigrations: columns has email and status in one column, "fname".',
  )
})

test.each(['id', 'account_id', 'email', 'custom_attributes', 'created_at', 'updated_at'])(
  'live cannot be said of %s',
  (own) => {
    expect(clashOf({ live: { [own]: null } })).toMatchObject({ option: 'live' })
  },
)

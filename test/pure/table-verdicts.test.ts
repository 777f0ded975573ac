import { describe, expect, test } from 'vitest'
import { quoteIdentifier } from '../../src/db/identifiers.js'
import type { CatalogueTable, TableColumn } from '../../src/db/table-catalogue.js'
import { type LiveValues, OWN_NAMES } from '../../src/db/table-names.js'
import {
  checkCustomerTable,
  checkDefinitionTable,
  requireCustomerTable,
  requireIsoDates,
} from '../../src/db/table-verdicts.js'
import { isCustomAttributesError } from '../../src/errors.js'

type Changes = Readonly<Record<string, Partial<TableColumn> | undefined>>

const column = (name: string, type: string, more: Partial<TableColumn> = {}): TableColumn => ({
  name,
  sql: quoteIdentifier(name),
  type,
  castType: type,
  maxLength: undefined,
  numeric: undefined,
  labels: undefined,
  isNotNull: false,
  defaultSql: undefined,
  isGenerated: false,
  ...more,
})

/** A table of the columns, changed: `undefined` takes a column away, another name adds a text. */
function table(
  name: string,
  columns: readonly TableColumn[],
  changes: Changes,
  keys: [string, string] | undefined,
): CatalogueTable {
  const all = new Map(columns.map((each) => [each.name, each]))
  for (const [key, change] of Object.entries(changes)) {
    if (change === undefined) all.delete(key)
    else all.set(key, { ...(all.get(key) ?? column(key, 'text')), ...change })
  }
  return {
    oid: '1',
    name,
    columns: all,
    uniqueIndexes: keys ? [{ oid: '2', keys, predicate: undefined }] : [],
    otherIndexes: [],
  }
}

const customer = (changes: Changes = {}, isKeyUnique = true) =>
  table(
    '"c"."t"',
    [
      column('id', 'uuid', { isNotNull: true, defaultSql: 'gen_random_uuid()' }),
      column('account_id', 'uuid', { isNotNull: true }),
      column('email', 'citext', { isNotNull: true }),
      column('custom_attributes', 'jsonb', { isNotNull: true, defaultSql: "'{}'::jsonb" }),
      column('status', 'varchar', { isNotNull: true, maxLength: 20 }),
      column('phone', 'varchar'),
    ],
    changes,
    isKeyUnique ? ['account_id', 'email'] : undefined,
  )
const definition = (changes: Changes = {}, isKeyUnique = true) =>
  table(
    '"c"."d"',
    [
      column('account_id', 'uuid', { isNotNull: true }),
      column('attribute_name', 'text', { isNotNull: true }),
      column('last_seen_at', 'timestamptz', { isNotNull: true, defaultSql: 'now()' }),
    ],
    changes,
    isKeyUnique ? ['account_id', 'attribute_name'] : undefined,
  )
const cap = (most: number, name = 'cap') => ({
  name,
  definition: `CHECK (jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*')) <= ${most})`,
})

/** What a verdict throws: its message and details. */
function verdictOf(judge: () => void): { message: string; details: Readonly<Record<string, unknown>> } {
  try {
    judge()
  } catch (error) {
    if (isCustomAttributesError(error, 'SCHEMA_NOT_READY')) return error
    throw error
  }
  throw new Error('the table was found to be ready')
}
const optionsOf = (maxCustomAttributes = 10) => ({ names: OWN_NAMES, live: {}, maxCustomAttributes, hasNewId: false })
const ofCustomer = (judged: CatalogueTable, checks = [cap(10)], most = 10) =>
  verdictOf(() => checkCustomerTable(judged, checks, optionsOf(most)))

describe('the customer table', () => {
  test('is ready', () => {
    const ready = customer()
    expect(checkCustomerTable(ready, [cap(10)], optionsOf())).toEqual({
      id: ready.columns.get('id'),
      account: ready.columns.get('account_id'),
      email: ready.columns.get('email'),
      attributes: ready.columns.get('custom_attributes'),
      accountIdType: 'uuid',
      identity: { index: '2', isLower: false, conflictTarget: '(account_id, email)', holds: {}, others: [] },
    })
    expect(() => requireCustomerTable('t', ready)).not.toThrow()
  })

  test.each([
    ['int8', 'bigint'],
    ['int4', 'integer'],
    ['text', 'text'],
    ['varchar', 'text'],
  ])('an account_id of %s is %s', (type, accountIdType) => {
    expect(checkCustomerTable(customer({ account_id: { type } }), [cap(10)], optionsOf())).toMatchObject({
      accountIdType,
    })
  })

  test.each<[string, Changes]>([
    ['an id that is an identity', { id: { defaultSql: undefined, isGenerated: true } }],
    ['no status', { status: undefined }],
    ['a computed status', { status: { type: 'int4', isGenerated: true } }],
    ['an enum with active', { status: { type: 'mood', labels: ['gone', 'active'] } }],
    ['a status of six characters', { status: { maxLength: 6 } }],
    ['NOT NULL with a default', { phone: { isNotNull: true, defaultSql: "''" } }],
    ['NOT NULL and computed', { phone: { isNotNull: true, isGenerated: true } }],
    ['timestamps without default, which the library fills', { created_at: { isNotNull: true } }],
  ])('may have %s', (_what, changes) => {
    expect(() => checkCustomerTable(customer(changes), [cap(10)], optionsOf())).not.toThrow()
  })

  test('does not exist', () => {
    const { message, details } = verdictOf(() => requireCustomerTable('crm.person', undefined))
    expect(message).toMatch(/^Table crm\.person does not exist\. .*, or name yours with customerTable\.$/)
    expect(details).toEqual({ table: 'crm.person' })
  })

  test.each<[string, Changes, string, RegExp]>([
    ['no id', { id: undefined }, 'id', /has no column id\. .*with a default/],
    ['no account_id', { account_id: undefined }, 'account_id', /has no column account_id/],
    ['no email', { email: undefined }, 'email', /has no column email/],
    ['no attributes', { custom_attributes: undefined }, 'custom_attributes', /Apply sql\/0001_.*readMigrations/],
    ['json', { custom_attributes: { type: 'json' } }, 'custom_attributes', /It is json: rename it/],
    ['null attributes', { custom_attributes: { isNotNull: false } }, 'custom_attributes', /set not null;$/],
    [
      'no default',
      { custom_attributes: { defaultSql: undefined } },
      'custom_attributes',
      /alter column .* set default/,
    ],
    ['numeric accounts', { account_id: { type: 'numeric' } }, 'account_id', /is numeric; it must be uuid, bigint/],
    [
      'an id without default',
      { id: { defaultSql: undefined } },
      'id',
      /gen_random_uuid\(\); or give the store newId\.$/,
    ],
    ['NOT NULL', { 'a "b"': { isNotNull: true } }, 'a "b"', /alter table "c"\."t" alter column "a ""b""" set default/],
    ['a short status', { status: { maxLength: 5 } }, 'status', /cannot hold 'active'/],
    ['an enum', { status: { type: 'mood', labels: ['gone'] } }, 'status', /cannot hold 'active'/],
    ['a number', { status: { type: 'int4' } }, 'status', /cannot hold 'active'/],
  ])('is not ready: %s', (_what, changes, name, message) => {
    const verdict = ofCustomer(customer(changes))
    expect(verdict.message).toMatch(message)
    expect(verdict.details).toEqual({ table: '"c"."t"', column: name })
  })

  test('is not ready: no unique constraint', () => {
    const { message, details } = ofCustomer(customer({}, false))
    expect(message).toMatch(
      /constraint on \(account_id, email\)\. alter table "c"\."t" add unique \(account_id, email\); Where rows stand in its way/,
    )
    expect(details).toEqual({
      table: '"c"."t"',
      columns: ['account_id', 'email'],
      duplicates: 'select account_id, email, count(*) from "c"."t" group by account_id, email having count(*) > 1;',
    })
  })

  test('is not ready: no unique index over the living', () => {
    const judged = { ...customer({ deleted_at: { type: 'timestamptz' } }, false) }
    const partial = { oid: '3', keys: ['account_id', 'email'] as const, predicate: 'other IS NULL' }
    const { message } = verdictOf(() =>
      checkCustomerTable({ ...judged, uniqueIndexes: [partial] }, [cap(10)], {
        ...optionsOf(),
        live: { deleted_at: null },
      }),
    )
    expect(message).toMatch(
      /as in live: .* create unique index on "c"\."t" \(account_id, email\) where "deleted_at" is null; Where rows/,
    )
  })

  test.each<[string, Partial<TableColumn>, RegExp | undefined]>([
    ['always', { identity: 'always' }, /alter column "id" set generated by default; Or leave newId out/],
    ['by default', { identity: 'by default' }, undefined],
    [
      'as a virtual expression',
      { isVirtual: true },
      /It is virtual: drop it, and add one in its place that is filled\./,
    ],
    ['as an expression', {}, /alter column "id" drop expression; Or leave newId out/],
  ])('an id that the database makes %s, with newId', (_what, more, message) => {
    const judge = () =>
      checkCustomerTable(customer({ id: { isGenerated: true, ...more } }), [cap(10)], {
        ...optionsOf(),
        hasNewId: true,
      })
    if (message) expect(verdictOf(judge).message).toMatch(message)
    else expect(judge).not.toThrow()
  })

  test.each<[string, Partial<TableColumn>, LiveValues[string], RegExp | undefined]>([
    ['null', { type: 'timestamptz' }, null, undefined],
    [
      'null of NOT NULL',
      { type: 'timestamptz', isNotNull: true },
      null,
      /^live\.gone of "c"\."t": the column is NOT NULL/,
    ],
    ['true', { type: 'bool' }, true, undefined],
    ['false of a text', { type: 'text' }, false, /text, which is never false\. Say null or a text/],
    ['a text', { type: 'text' }, 'anything', undefined],
    ['a text that is a number', { type: 'int4' }, '1', undefined],
    [
      'a text that is none',
      { type: 'int4', isNotNull: true },
      'one',
      /int4, which cannot hold the text\. Say a text of/,
    ],
    ['a text that is too long', { type: 'varchar', maxLength: 2 }, 'one', /cannot hold the text/],
    ['a text of json', { type: 'json' }, '{}', /json, which nothing equals\. Say null\./],
    ['a computed boolean', { type: 'bool', isGenerated: true }, false, undefined],
  ])('live by %s', (_what, more, value, message) => {
    const judge = () =>
      checkCustomerTable(customer({ gone: more }), [cap(10)], { ...optionsOf(), live: { gone: value } })
    if (message) expect(verdictOf(judge).message).toMatch(message)
    else expect(judge).not.toThrow()
  })

  test('of several faults the first in the order of the columns is told', () => {
    expect(ofCustomer(customer({ email: undefined, status: { maxLength: 1 } }, false), []).message).toMatch(
      /no column email/,
    )
  })
})

describe('the cap', () => {
  test('is missing', () => {
    const other = { name: 'other', definition: 'CHECK (custom_attributes IS NOT NULL)' }
    const { message, details } = ofCustomer(customer(), [other])
    expect(message).toMatch(/has no CHECK for its number of names\. Apply sql\/0001/)
    expect(details).toEqual({ table: '"c"."t"', maxCustomAttributes: 10, found: [] })
  })

  test('is another: the remedy drops every CHECK that counts, and no other', () => {
    const other = { name: 'other', definition: 'CHECK (custom_attributes IS NOT NULL)' }
    const { message, details } = ofCustomer(customer(), [cap(10), other, cap(12, 'a "b"')], 20)
    expect(message).toContain('allows 10 names, maxCustomAttributes is 20')
    expect(message).toContain('alter table "c"."t" drop constraint "cap", drop constraint "a ""b"""; then')
    expect(details).toMatchObject({ maxCustomAttributes: 20, found: [10, 12] })
  })

  test('is the smallest of several', () => {
    expect(() => checkCustomerTable(customer(), [cap(12), cap(10)], optionsOf())).not.toThrow()
    expect(ofCustomer(customer(), [cap(12), cap(10)], 12).message).toContain('allows 10 names')
  })
})

describe('the definition table', () => {
  const ofDefinition = (judged: CatalogueTable | undefined) =>
    verdictOf(() => checkDefinitionTable('c.d', judged, 'uuid'))

  test('is ready', () => {
    expect(() => checkDefinitionTable('c.d', definition(), 'uuid')).not.toThrow()
    expect(() => checkDefinitionTable('c.d', definition({ account_id: { type: 'varchar' } }), 'text')).not.toThrow()
  })

  test('does not exist', () => {
    expect(ofDefinition(undefined)).toMatchObject({
      message: expect.stringMatching(/^Table c\.d does not exist\. Apply sql\/0002/),
      details: { table: 'c.d' },
    })
  })

  test.each<[string, CatalogueTable, RegExp]>([
    ['no account', definition({ account_id: undefined }), /no column account_id\. Apply sql\/0002/],
    ['no name', definition({ attribute_name: undefined }), /no column attribute_name\. Apply sql\/0002/],
    ['no moment', definition({ last_seen_at: undefined }), /no column last_seen_at\. Apply sql\/0002/],
    [
      'another type',
      definition({ account_id: { type: 'text' } }),
      /is uuid in the customer table but text in "c"\."d"/,
    ],
    ['a strange type', definition({ account_id: { type: 'money' } }), /but another type in .*accountIdType: 'uuid'/],
    ['no unique constraint', definition({}, false), /no unique constraint on \(account_id, attribute_name\)/],
    ['NOT NULL', definition({ label: { isNotNull: true } }), /Column label .* NOT NULL without a default/],
  ])('is not ready: %s', (_what, judged, message) => {
    const verdict = ofDefinition(judged)
    expect(verdict.message).toMatch(message)
    expect(verdict.details).toMatchObject({ table: '"c"."d"' })
  })
})

test('a distributed table needs moments in an ISO style', () => {
  expect(() => requireIsoDates('t', 'ISO, DMY')).not.toThrow()
  expect(verdictOf(() => requireIsoDates('t', 'German, DMY'))).toMatchObject({
    message: expect.stringContaining("the session's DateStyle, German, DMY, in which"),
    details: { table: 't', setting: 'DateStyle' },
  })
  expect(verdictOf(() => requireIsoDates('t', undefined)).details).toEqual({ table: 't', setting: 'DateStyle' })
})

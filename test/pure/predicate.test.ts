import { expect, test } from 'vitest'
import { findIdentity } from '../../src/db/identity.js'
import { conditionsOf, spellingOf } from '../../src/db/predicate.js'
import type { LiveValues } from '../../src/db/table-names.js'
import { OWN_NAMES } from '../../src/db/table-names.js'

const holds = (predicate: string, live: LiveValues) =>
  findIdentity(
    {
      oid: '1',
      name: 't',
      columns: new Map(),
      uniqueIndexes: [{ oid: '2', keys: ['account_id', 'email'], predicate }],
      otherIndexes: [],
    },
    OWN_NAMES,
    live,
  )?.holds

// As PostgreSQL prints them, with and without brackets.
test.each<[string, LiveValues]>([
  ['deleted_at IS NULL', { deleted_at: null }],
  ['(deleted_at IS NULL)', { deleted_at: null }],
  ['"Deleted At" IS NULL', { 'Deleted At': null }],
  ['NOT gone', { gone: false }],
  ['NOT (gone)', { gone: false }],
  ['gone = false', { gone: false }],
  ['gone IS FALSE', { gone: false }],
  ['here', { here: true }],
  ["state = 'active'::text", { state: 'active' }],
  ["state::text = 'active'::text", { state: 'active' }],
  ["((state)::text = ('active'::character varying)::text)", { state: 'active' }],
  ["state = 'up and (running)'::text", { state: 'up and (running)' }],
  ["state = 'it''s'::text", { state: "it's" }],
  ["state = E'a\\\\b'::text", { state: 'a\\b' }],
  ['mood = \'fine\'::app."Mood"', { mood: 'fine' }],
  ["at = '2020-01-01 00:00:00'::timestamp without time zone", { at: '2020-01-01 00:00:00' }],
  ["deleted_at IS NULL AND here AND state = 'a AND b'::text", { deleted_at: null, here: true, state: 'a AND b' }],
  ['((deleted_at IS NULL) AND (NOT gone))', { deleted_at: null, gone: false }],
  ['((deleted_at IS NULL) AND ((NOT gone) AND (here IS TRUE)))', { deleted_at: null, gone: false, here: true }],
])('%s', (predicate, live) => {
  expect(holds(predicate, live)).toEqual(live)
})

test('an index over some of the conditions holds those', () => {
  expect(holds('deleted_at IS NULL', { here: true, deleted_at: null })).toEqual({ deleted_at: null })
})

test.each<[string, LiveValues]>([
  ['NOT (a AND b)', { a: false, b: true }],
  ['NOT a AND NOT b', { a: false, b: true }],
  ['a IS NULL OR b IS NULL', { a: null, b: null }],
  ['a IS NULL AND (b IS NULL OR c IS NULL)', { a: null, b: null, c: null }],
  ["lower(state) = 'active'::text", { state: 'active' }],
  ["state::character varying(1) = 'a'::text", { state: 'a' }],
  ["state = 'active'::character(3)", { state: 'active' }],
  ['a IS NULL AND other IS NULL', { a: null }],
  ["state = 'other'::text", { state: 'active' }],
  ['gone IS NOT TRUE', { gone: false }],
  ["state = 'never closed", { state: 'never closed' }],
])('is another: %s', (predicate, live) => {
  expect(holds(predicate, live)).toBeUndefined()
})

test('conditions are told apart', () => {
  expect(conditionsOf("(a = 'x AND y'::text) AND (b IS NULL)")).toEqual([
    spellingOf(`"a" = 'x AND y'`),
    spellingOf('b IS NULL'),
  ])
})

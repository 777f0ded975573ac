import { expect, test } from 'vitest'
import { classifyFailure, describeRefusal, isConnectionGone, noteDatabaseError } from '../../src/db/failures.js'

test.each([
  [
    '23505',
    'duplicate key value violates unique constraint "customer_account_email_un_102009"',
    'customer_account_email_un',
  ],
  ['23P01', 'conflicting key value violates exclusion constraint "no_overlap_102009"', 'no_overlap'],
  ['23503', 'insert or update on table "customer_102009" violates foreign key constraint "c_fk_102009"', 'c_fk'],
  ['23514', 'new row for relation "customer_102009" violates check constraint "city_ok_102009"', 'city_ok'],
  ['23514', 'new row for relation "customer_102009" violates check constraint "of_2024"', 'of_2024'],
])("a shard's refusal %s names the table's constraint: %s", (code, message, constraint) => {
  expect(describeRefusal({ code, message })).toEqual({ sqlstate: code, constraint })
})

test("a shard's null names the column", () => {
  const message = 'null value in column "email" of relation "customer_102009" violates not-null constraint'
  expect(describeRefusal({ code: '23502', message })).toEqual({ sqlstate: '23502', column: 'email' })
})

test.each([
  ['23514', 'a trigger says: constraint "someone@example.com_1"'],
  ['22P02', 'invalid input syntax for type uuid: "x"'],
  ['23505', ''],
])('no other sentence is read: %s %s', (code, message) => {
  expect(describeRefusal({ code, message })).toEqual({ sqlstate: code })
})

test('a name that came with the error stands', () => {
  const message = 'duplicate key value violates unique constraint "un_1"'
  expect(describeRefusal({ code: '23505', message, constraint_name: 'un_1' })).toMatchObject({ constraint: 'un_1' })
})

test.each([
  [{ code: 'XX000', severity: 'ERROR', message: 'server closed the connection unexpectedly\n\tThis' }, 'lost', false],
  [{ code: '08006', severity: 'ERROR', message: 'connection to the remote node failed' }, 'lost', false],
  [{ code: '57P01', severity: 'ERROR', message: 'terminating connection' }, 'lost', false],
  [{ code: '57P01', severity: 'FATAL', message: 'terminating connection' }, 'lost', true],
  [{ code: 'CONNECTION_CLOSED', message: 'write CONNECTION_CLOSED' }, 'lost', true],
  [{ code: 'XX000', severity: 'ERROR', message: 'cache lookup failed' }, 'fatal', false],
])('%o is %s', (error, kind, isGone) => {
  noteDatabaseError(error)
  expect(classifyFailure(error)).toBe(kind)
  expect(isConnectionGone(error)).toBe(isGone)
})

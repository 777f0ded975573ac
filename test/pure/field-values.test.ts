import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueCheck } from '../../src/db/field-values.js'
import { checkLaw } from '../support/law.js'

const column = (type: string) => ({
  name: 'x',
  sql: '"x"',
  type,
  castType: type,
  maxLength: undefined,
  numeric: undefined,
  labels: undefined,
  isNotNull: false,
  defaultSql: undefined,
  isGenerated: false,
})

test.each([
  ['timestamp', '2026-01-31T23:30:00+02:00', '2026-01-31 21:30:00'],
  ['timestamp', '2026-01-31 23:30:00.123456-0530', '2026-02-01 05:00:00.123456'],
  ['timestamp', '2026-01-31T23:30:00Z', '2026-01-31 23:30:00'],
  ['timestamp', '2026-01-31 23:30', '2026-01-31 23:30:00'],
  ['timestamptz', '2026-01-31 23:30:00+02', '2026-01-31 23:30:00+02'],
  ['timestamptz', '2026-01-31 23:30:00', '2026-01-31 23:30:00Z'],
  ['date', '2026-01-31 00:00:00', '2026-01-31'],
  ['bool', 'Yes', 'true'],
  ['int4', '+7', '7'],
  ['int4', '3.0', '3'],
  ['int8', '-12.00', '-12'],
  ['bool', '1.0', 'true'],
  ['bool', '0.0', 'false'],
  ['timestamp', '2026-01-31 9:05', '2026-01-31 09:05:00'],
  ['timestamp', '2026-01-31 0:00', '2026-01-31 00:00:00'],
  ['timestamp', '2026-01-31 9:05 AM', '2026-01-31 09:05:00'],
  ['timestamp', '2026-01-31, 12:05:06 am', '2026-01-31 00:05:06'],
  ['timestamp', '2026-01-31 12:05\u202fp.m.', '2026-01-31 12:05:00'],
  ['timestamptz', '2026-01-31 11:59:59.5 PM UTC', '2026-01-31 23:59:59.5Z'],
  ['timestamp', '2026-01-31 10:00:00 UTC', '2026-01-31 10:00:00'],
  ['timestamptz', '2026-01-31 10:00:00 GMT', '2026-01-31 10:00:00Z'],
  ['date', '2024/03/01', '2024-03-01'],
  ['date', '2024/3/1 0:00', '2024-03-01'],
  ['date', '2024.03.01 12:00 AM', '2024-03-01'],
])('%s %s is written as %s', (type, value, written) => {
  expect(valueCheck(column(type), 'iso')?.(value)).toBe(written)
})

test.each([
  ['date', '2026-02-30'],
  ['date', '31/01/2026'],
  ['timestamp', '2026-01-31 10:00:00+02:60'],
  ['timestamptz', '2026-01-31 10:00:00+0299'],
  ['timestamp', '2026-01-31 10:00:00+16:00'],
  ['timestamp', '9999-12-31 23:59:59-01:00'],
  ['timestamp', '0001-01-01 00:00:00+01:00'],
  ['date', '2026-01-31 10:00:00'],
  ['timestamp', '2026-01-31 25:00:00'],
  ['int4', '2147483648'],
  ['int2', '1.5'],
  ['int4', '1.0e1'],
  ['bool', '2.0'],
  ['timestamp', '2026-01-31 13:05 PM'],
  ['timestamp', '2026-01-31 0:05 AM'],
  ['timestamp', '2026-01-31 9:5'],
  ['timestamp', '2026-01-31 10:00 CET'],
  ['date', '2026/13/01'],
  ['date', '2026/01-31'],
  ['numeric', '1.234,50'],
  ['numeric', '1,000'],
  ['bool', 'maybe'],
  ['uuid', 'abc'],
])('%s %s does not fit', (type, value) => {
  expect(valueCheck(column(type), 'iso')?.(value)).toMatchObject({ code: 'INVALID_VALUE' })
})

test.each([
  ['mdy', '1/31/2026', '2026-01-31'],
  ['dmy', '31.01.2026', '2026-01-31'],
  ['dmy', '2026-01-31', '2026-01-31'],
] as const)('under %s %s is %s', (format, value, written) => {
  expect(valueCheck(column('date'), format)?.(value)).toBe(written)
})

test('numbers of another notation: numberFormat', () => {
  const read = (type: string, value: string, format?: 'point' | 'comma') =>
    valueCheck(column(type), 'iso', format)?.(value)
  for (const [format, value, written] of [
    ['comma', '1.234,50', '1234.50'],
    ['comma', '-1 234 567,5', '-1234567.5'],
    ['comma', '1234,5', '1234.5'],
    ['comma', ',5', '.5'],
    ['comma', '-,5', '-.5'],
    ['comma', '+,5E2', '+.5E2'],
    ['point', '-.5', '-.5'],
    ['comma', '1.0000', '1.0000'],
    ['comma', '1.234', '1234'],
    ['comma', '1,5E+03', '1.5E+03'],
    ['point', '1,234.50', '1234.50'],
    ['point', "1'234.5", '1234.5'],
    ['point', '1,234', '1234'],
    ['point', '12.5', '12.5'],
  ] as const) {
    expect(read('numeric', value, format), value).toBe(written)
  }
  expect(read('int4', '1.234', 'comma')).toBe('1234')
  expect(read('int4', '3,0', 'comma')).toBe('3')
  expect(read('int4', '3.0', 'comma')).toBe('3')
  expect(read('int4', '-12.00', 'comma')).toBe('-12')
  expect(read('int4', '3.000', 'comma')).toBe('3000')
  expect(read('bool', '1.0', 'comma')).toBe('true')
  expect(read('bool', '0.0', 'comma')).toBe('false')
  expect(read('bool', '1,0', 'comma')).toBe('true')
  expect(read('bool', 'yes', 'comma')).toBe('true')
  expect(read('date', '2024-03-01', 'comma')).toBe('2024-03-01')
  for (const [format, value] of [
    ['comma', '12.5'],
    ['comma', '1.23.456'],
    ['comma', '1,234,567'],
    ['comma', '1.234 567'],
    ['point', '1.234,50'],
    ['point', '1,23'],
  ] as const) {
    expect(read('numeric', value, format), value).toMatchObject({ message: expect.stringContaining('numberFormat') })
  }
  for (const value of ['1.234,50', '1,234.50', '1,5', '1 234', "1'234"]) {
    const fault = read('numeric', value) as { message: string }
    expect(fault.message).toContain('Correct the cell, or say with numberFormat whether')
  }
  expect((read('numeric', 'many') as { message: string }).message).not.toContain('numberFormat')
})

test('law: a moment of any digits is written or refused, never thrown at', async () => {
  const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0'))
  const moment = fc
    .tuple(fc.integer({ min: 0, max: 9999 }), two, two, two, two, two, fc.constantFrom('+', '-', 'Z'), two, two)
    .map(([year, month, day, hour, minute, second, sign, hours, minutes]) => {
      const zone = sign === 'Z' ? sign : `${sign}${hours}:${minutes}`
      return `${String(year).padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}${zone}`
    })
  await checkLaw(
    'moments',
    fc.property(moment, fc.constantFrom('timestamp', 'timestamptz', 'date'), (value, type) => {
      const written = valueCheck(column(type), 'iso')?.(value)
      if (typeof written === 'string') expect(written).toMatch(/^\d{4}-\d\d-\d\d/)
      else expect(written?.code).toBe('INVALID_VALUE')
    }),
    2_000,
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { valueCheck } from '../../src/db/field-values.js'
import { checkLaw } from '../support/law.js'

const column = (type: string) => ({
  name: 'x',
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
  ['int2', '1.0'],
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

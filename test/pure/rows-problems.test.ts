import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ColumnMapping } from '../../src/column-targets.js'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { parseRow, type RowOptions } from '../../src/rows.js'
import { costOf } from '../support/cost.js'
import { thrownBy } from '../support/errors.js'
import { checkLaw, codePoint } from '../support/law.js'

const problemOf = (headers: readonly string[], row: readonly string[], options?: RowOptions) =>
  thrownBy(() => parseRow(headers, row, options))

describe('EMAIL_REQUIRED: email is required', () => {
  test.each(['', ' ', '\u00a0', '\t'])('the cell is empty: %j', (cell) => {
    const error = problemOf(['first_name', 'Email Address'], ['John', cell])
    expect(error).toMatchObject({ code: 'EMAIL_REQUIRED', status: 400, details: { column: 'Email Address' } })
    expect(error.message).toBe('email is required: the cell is empty.')
  })

  test('the column is missing', () => {
    const error = problemOf(['first_name'], ['John'])
    expect(error.code).toBe('EMAIL_COLUMN_MISSING')
    expect(error.message).toMatch(/^email is required: /)
  })

  test('the column is missing in a mapping that was made in spite of it', () => {
    const { mapping } = inspectColumns(['first_name'])
    const error = thrownBy(() => parseRow(mapping, ['John']))
    expect(error.code).toBe('EMAIL_COLUMN_MISSING')
    expect(error.message).toMatch(/^email is required: /)
  })
})

describe('COLUMN_COUNT_MISMATCH: Headers and row must have same length', () => {
  test.each([
    ['a filled cell too many', ['a@example.com', 'gold', 'x', 'y']],
    ['a filled cell behind empty ones', ['a@example.com', 'gold', 'x', '', 'y']],
  ])('%s', (_what, row) => {
    const error = problemOf(['email', 'tier', 'plan'], row)
    expect(error.code).toBe('COLUMN_COUNT_MISMATCH')
    expect(error.message).toMatch(/^Headers and row must have same length: 3 headers, \d cells\. A cell that holds/)
    expect(error.details).toEqual({ headers: 3, cells: row.length })
  })

  test.each([
    ['too few cells', ['a@example.com', 'gold'], '2 cells'],
    ['one', ['a@example.com'], '1 cell'],
    ['no cells', [], '0 cells'],
  ])('%s', (_what, row, cells) => {
    const error = problemOf(['email', 'tier', 'plan'], row)
    expect(error).toMatchObject({ code: 'COLUMN_COUNT_MISMATCH', details: { headers: 3, cells: row.length } })
    expect(error.message).toBe(
      `Headers and row must have same length: 3 headers, only ${cells}. Add the missing cells, or set shortRows to ` +
        "'fill' where rows may end early: what is missing is then empty.",
    )
  })

  test('comes before an empty email', () => {
    expect(problemOf(['email', 'tier'], ['']).code).toBe('COLUMN_COUNT_MISMATCH')
  })

  test.each([
    ['of a blank header', ['email', 'tier', '']],
    ['of a column that is never stored', ['email', 'tier', 'password', 'created_at']],
    ['of a column that is skipped', ['email', 'tier', 'id', ' ']],
  ])('a missing cell %s is nothing', (_what, headers) => {
    expect(parseRow(headers, ['a@example.com', 'gold']).custom_attributes).toEqual({ tier: 'gold' })
    expect(problemOf(headers, ['a@example.com']).code).toBe('COLUMN_COUNT_MISMATCH')
  })

  test("shortRows: 'fill' takes missing cells for empty, and no surplus ones", () => {
    const fill = { shortRows: 'fill' } as const
    const headers = ['email', 'tier', 'plan']
    expect(parseRow(headers, ['a@example.com', 'gold'], fill).custom_attributes).toEqual({ tier: 'gold' })
    expect(parseRow(headers, ['a@example.com'], fill).custom_attributes).toEqual({})
    expect(thrownBy(() => parseRow(headers, ['a@example.com', '', '', 'x'], fill)).code).toBe('COLUMN_COUNT_MISMATCH')
    expect(thrownBy(() => parseRow(['tier', 'email'], ['gold'], fill)).code).toBe('EMAIL_REQUIRED')
  })
})

test('emptyMarkers: cells that stand for no value, as spelt', () => {
  const options = { emptyMarkers: ['NULL', 'N/A', '\\N'] }
  const row = ['a@example.com', ' NULL ', 'N/A', '\\N', 'null']
  const headers = ['email', 'first_name', 'tier', 'plan', 'code']
  expect(parseRow(headers, row, options)).toEqual({
    standard: { email: 'a@example.com' },
    custom_attributes: { code: 'null' },
  })
  expect(parseRow(headers, row).custom_attributes.plan).toBe('\\N')
  expect(thrownBy(() => parseRow(headers, ['NULL', '', '', '', ''], options)).code).toBe('EMAIL_REQUIRED')
})

describe('INVALID_EMAIL', () => {
  test.each([
    'john',
    '@example.com',
    'john@',
    'john@@example.com',
    'john doe@example.com',
    'john@example..com',
    'john@-example.com',
    'john@example-.com',
    'john@example.com.',
    'john@exa_mple.com',
    'john@[1.2.3.4]',
    'john@example.com,jane@example.com',
    'John <john@example.com>',
    'mailto:john@example.com\n',
    'jöhn@example.com',
    'john@exämple.com',
    `a@${'x'.repeat(64)}.com`,
    'john\u200b@example.com',
    `${'a'.repeat(255 - '@example.com'.length)}@example.com`,
  ])('%s', (email) => {
    const error = problemOf(['E-Mail'], [email])
    expect(error).toMatchObject({ code: 'INVALID_EMAIL', details: { column: 'E-Mail' } })
    const hidden = email.includes('\u200b') ? 'Character 5 is an invisible one, U+200B. ' : ''
    expect(error.message).toBe(
      `Not a valid email address (HTML standard, at most 254 characters). ${hidden}Correct the cell.`,
    )
  })

  test('an adversarial address is judged at once', async () => {
    const judge = () => {
      expect(problemOf(['email'], [`${'a.'.repeat(4_000)}@`]).code).toBe('INVALID_EMAIL')
      expect(problemOf(['email'], [`a@${'a-'.repeat(4_000)}`]).code).toBe('INVALID_EMAIL')
    }
    expect(await costOf(judge)).toBeLessThan(20)
  })
})

describe('INVALID_CHARACTER', () => {
  test.each(['a\0b', '\0', 'a\ud83d', '\ude00b', '\ude00\ud83d', 'x\ud83d\ud83d\ude00'])('%j', (cell) => {
    const error = problemOf(['email', 'Tier'], ['a@example.com', cell])
    expect(error).toMatchObject({ code: 'INVALID_CHARACTER', details: { column: 'Tier' } })
    expect(error.message).toContain('NUL character or half of a surrogate pair, which PostgreSQL cannot store')
  })

  test('whole pairs and other control characters are fine', () => {
    expect(parseRow(['email', 'x'], ['a@example.com', '😀\u0001\u007f\ufffd']).custom_attributes.x).toBe(
      '😀\u0001\u007f\ufffd',
    )
  })

  test('an ignored column may hold anything', () => {
    expect(parseRow(['email', 'id'], ['a@example.com', '\0']).custom_attributes).toEqual({})
  })
})

describe('VALUE_TOO_LONG', () => {
  test('over 10,000 characters; 10,000 fit, counted as characters and not as UTF-16 units', () => {
    const error = problemOf(['email', 'Tier'], ['a@example.com', 'x'.repeat(10_001)])
    expect(error).toMatchObject({ code: 'VALUE_TOO_LONG', details: { column: 'Tier', max: 10_000 } })
    expect(error.message).toBe('The value is over 10000 characters. Shorten it; nothing is ever cut off.')
    expect(problemOf(['email', 'x'], ['a@example.com', '😀'.repeat(10_001)]).code).toBe('VALUE_TOO_LONG')
    for (const value of ['x'.repeat(10_000), '😀'.repeat(10_000), ` ${'x'.repeat(10_000)} `]) {
      expect(parseRow(['email', 'x'], ['a@example.com', value]).custom_attributes.x).toBe(value.trim())
    }
  })

  test('maxValueLength is another limit', () => {
    expect(problemOf(['email', 'first_name'], ['a@b.c', 'abcdef'], { maxValueLength: 5 }).details).toEqual({
      column: 'first_name',
      max: 5,
    })
    expect(parseRow(['email', 'first_name'], ['a@b.c', 'abcde'], { maxValueLength: 5 }).standard.first_name).toBe(
      'abcde',
    )
  })
})

test('no message and no detail repeats a cell', () => {
  const secret = 'TOPSECRET'
  for (const row of [
    [`${secret} @example.com`, 'x'],
    ['a@example.com', `${secret}\0`],
    ['a@example.com', secret.repeat(2_000)],
    [secret],
    ['', secret],
  ]) {
    const error = problemOf(['email', 'tier'], row)
    expect(error.message + JSON.stringify(error.details)).not.toContain(secret)
  }
})

describe('INVALID_ARGUMENT and INVALID_OPTION', () => {
  test.each([[undefined], [null], ['a@example.com'], [{ 0: 'a@example.com' }]])('row is no array: %j', (row) => {
    const error = thrownBy(() => parseRow(['email'], row as unknown as string[]))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toBe('row must be an array of strings.')
  })

  test.each([[[null]], [[undefined]], [[5]], [[new Array(1)]], [new Array(1)]])('a cell is no string: %j', (row) => {
    const error = thrownBy(() => parseRow(['email'], row as unknown as string[]))
    expect(error.code).toBe('INVALID_ARGUMENT')
    expect(error.message).toBe('row must be an array of strings.')
  })

  test.each([[undefined], [null], ['email'], [{}], [{ columns: 'email' }]])(
    'neither headers nor mapping: %j',
    (headers) => {
      const error = thrownBy(() => parseRow(headers as unknown as ColumnMapping, ['a@example.com']))
      expect(error.code).toBe('INVALID_ARGUMENT')
      expect(error.message).toBe('parseRow needs an array of headers or the mapping that mapColumns returns.')
    },
  )

  test.each([{ emailCase: 'upper' }, { maxValueLength: 0 }, { maxLength: 5 }])('options: %j', (options) => {
    expect(thrownBy(() => parseRow(['email'], ['a@example.com'], options as RowOptions)).code).toBe('INVALID_OPTION')
  })
})

test('law: parseRow gives trimmed, non-empty, storable strings under the mapped names, or a known error', async () => {
  const cell = fc.oneof(
    fc.constantFrom('', ' ', 'a@example.com', 'A@B.c', "'=x", '\u00a0x\u00a0', '__proto__', 'a\0', '\ud800'),
    fc.string({ unit: codePoint, maxLength: 30 }),
  )
  const mapping = mapColumns(['email', 'first_name', 'tier', 'id', ''])
  await checkLaw(
    'parseRow',
    fc.property(fc.array(cell, { minLength: 4, maxLength: 7 }), (row) => {
      try {
        const { standard, custom_attributes } = parseRow(mapping, row)
        expect(standard.email).toMatch(/^[^A-Z\s]+@[^A-Z\s]+$/)
        for (const value of [...Object.values(standard), ...Object.values(custom_attributes)]) {
          expect(value).toBe(value.trim())
          expect(value).not.toBe('')
          expect(value).not.toMatch(/\0|\p{Cs}/u)
        }
        expect(Object.keys(custom_attributes)).toEqual(custom_attributes.tier === undefined ? [] : ['tier'])
      } catch (error) {
        if (!isCustomAttributesError(error)) throw error
        expect(['EMAIL_REQUIRED', 'INVALID_EMAIL', 'COLUMN_COUNT_MISMATCH', 'INVALID_CHARACTER']).toContain(error.code)
      }
    }),
    3_000,
  )
})

import { expect, test } from 'vitest'
import { CustomAttributesError, ERROR_CATALOGUE, type ErrorCode, isCustomAttributesError } from '../../src/errors.js'

test('an error carries code, status, details and cause', () => {
  const cause = new Error('why')
  const error = new CustomAttributesError('FILE_TOO_LARGE', 'too large', { maxBytes: 5 }, { cause })
  expect(error).toBeInstanceOf(Error)
  expect({ ...error, name: error.name, message: error.message, cause: error.cause }).toEqual({
    name: 'CustomAttributesError',
    code: 'FILE_TOO_LARGE',
    status: 413,
    message: 'too large',
    details: { maxBytes: 5 },
    cause,
  })
})

test('is recognised by its brand, also from another copy of the package', async () => {
  const copy = (await import(`${new URL('../../src/errors.ts', import.meta.url).href}?copy`)) as {
    CustomAttributesError: typeof CustomAttributesError
  }
  const foreign = new copy.CustomAttributesError('ABORTED', 'stopped')
  expect(copy.CustomAttributesError).not.toBe(CustomAttributesError)
  expect(foreign).not.toBeInstanceOf(CustomAttributesError)
  expect(isCustomAttributesError(foreign)).toBe(true)
  expect(isCustomAttributesError(foreign, 'ABORTED')).toBe(true)
  expect(isCustomAttributesError(foreign, 'INVALID_EMAIL')).toBe(false)
})

test.each([[undefined], [null], ['ABORTED'], [{ code: 'ABORTED' }], [new Error('x')], [Object.create(null)]])(
  'nothing else is one: %j',
  (value) => {
    expect(isCustomAttributesError(value)).toBe(false)
    expect(isCustomAttributesError(value, 'ABORTED')).toBe(false)
  },
)

test.each(Object.keys(ERROR_CATALOGUE) as ErrorCode[])(
  '%s is upper snake case with an HTTP status and a title',
  (code) => {
    const { status, title } = ERROR_CATALOGUE[code]
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(600)
    expect(title).toMatch(/^[A-Z].*[^.]$/)
    expect(new CustomAttributesError(code, 'x').status).toBe(status)
  },
)

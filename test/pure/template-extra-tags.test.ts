import { expect, test } from 'vitest'
import { compileTemplate } from '../../src/template/render.js'

test.each([
  ['URLSearchParams', new URLSearchParams('a=1')],
  ['Date', new Date(0)],
  ['Map', new Map([['a', 1]])],
])('extraTags cannot be an object whose names are not its own: %s', (name, extraTags) => {
  expect(() => compileTemplate('{{a}}', { extraTags: extraTags as never })).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: `compileTemplate: extraTags must be an object, got an object of class ${name}.`,
    }),
  )
  expect(() => compileTemplate('{{a}}')({}, extraTags as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

test('extraTags can be an object of any class or of none', () => {
  class Links {
    a = 1
  }
  expect(compileTemplate('{{a}}', { extraTags: new Links() as never })({})).toBe('1')
  expect(compileTemplate('{{a}}', { extraTags: Object.assign(Object.create(null), { a: 1 }) })({})).toBe('1')
})

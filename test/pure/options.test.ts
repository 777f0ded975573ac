import { expect, test } from 'vitest'
import {
  anyOf,
  describe as describeValue,
  isFlag,
  isText,
  oneOf,
  resolveOptions,
  wholeNumber,
  withDefault,
} from '../../src/options.js'
import { thrownBy } from '../support/errors.js'

interface Options {
  mode?: 'fast' | 'slow'
  size?: number
  name?: string
  loud?: boolean
}

const table = {
  mode: withDefault(oneOf('fast', 'slow'), 'fast'),
  size: withDefault(wholeNumber(1, 9), 3),
  name: isText,
  loud: isFlag,
}
const resolve = (given?: unknown) => resolveOptions('doIt', table, given as Options)

test('defaults stand where nothing, or undefined, was given', () => {
  expect(resolve()).toEqual({ mode: 'fast', size: 3 })
  expect(resolve({})).toEqual({ mode: 'fast', size: 3 })
  expect(resolve({ mode: undefined, size: 5, loud: false })).toEqual({ mode: 'fast', size: 5, loud: false })
})

test('the defaults are not changed by what was given', () => {
  resolve({ size: 9 })
  expect(resolve().size).toBe(3)
})

test.each([
  [{ mod: 'fast' }, 'doIt has no option "mod". Known options: mode, size, name, loud.'],
  [{ mode: 'quick' }, 'doIt: mode must be "fast" or "slow", got the string "quick".'],
  [{ size: 0 }, 'doIt: size must be a whole number from 1 to 9, got the number 0.'],
  [{ size: 1.5 }, 'doIt: size must be a whole number from 1 to 9, got the number 1.5.'],
  [{ size: '3' }, 'doIt: size must be a whole number from 1 to 9, got the string "3".'],
  [{ size: Number.NaN }, 'doIt: size must be a whole number from 1 to 9, got the number NaN.'],
  [{ name: '' }, 'doIt: name must be a non-empty string, got the string "".'],
  [{ loud: null }, 'doIt: loud must be true or false, got null.'],
  [{ loud: [] }, 'doIt: loud must be true or false, got an array.'],
  [{ loud: new Map() }, 'doIt: loud must be true or false, got an object of class Map.'],
  [{ toString: 1 }, 'doIt has no option "toString". Known options: mode, size, name, loud.'],
  [null, 'doIt: options must be an object, got null.'],
  [[], 'doIt: options must be an object, got an array.'],
  ['fast', 'doIt: options must be an object, got the string "fast".'],
])('%j is an error that says what was expected and what came', (given, message) => {
  expect(thrownBy(() => resolve(given))).toMatchObject({ code: 'INVALID_OPTION', status: 400, message })
})

test('several rules: the message names them all', () => {
  expect(anyOf(isFlag, isText)(5)).toBe('true or false or a non-empty string')
  expect(anyOf(isFlag, isText)('x')).toBeUndefined()
})

test('a long text is not repeated in a message', () => {
  expect(describeValue('x'.repeat(41))).toBe('a long string')
})

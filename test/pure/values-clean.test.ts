import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cellOf, cleanValue } from '../../src/text-mark.js'
import { trim } from '../../src/trim.js'

test.each([
  ['\u202a+46 1\u202c', '+46 1'],
  ['\ufeff\u2060gold\u200b\u00ad', 'gold'],
  ['\u200e\u2066x\u2069\u200f', 'x'],
  ['می\u200cخواهم', 'می\u200cخواهم'],
  ["'007", '007'],
  ["'1.234,5", '1.234,5'],
  ["'john@x.com", 'john@x.com'],
  ["'o'neil@x.com", "o'neil@x.com"],
  ["o'neil@x.com", "o'neil@x.com"],
  ["'john@x.com'", "'john@x.com'"],
  ["'t Hooft", "'t Hooft"],
  ["'90s kids", "'90s kids"],
  ['="00720"', '00720'],
  ['\'="00720"', '00720'],
  ['="1"&"2"', '="1"&"2"'],
  ['="5"" pipe"', '5" pipe'],
])('%j is %j', (cell, value) => {
  expect(cleanValue(cell)).toBe(value)
})

test.each([
  ['007', '007', '007'],
  ['=1+1', "'=1+1", '=1+1'],
  ["'t Hooft", "'t Hooft", "'t Hooft"],
  ["'007", '\'="\'007"', '="\'007"'],
  ['="00720"', '\'="=""00720"""', '="=""00720"""'],
])('the cell of %j is %j, unguarded %j', (value, guarded, raw) => {
  expect([cellOf(value, true), cellOf(value, false)]).toEqual([guarded, raw])
  expect([cleanValue(guarded), cleanValue(raw)]).toEqual([value, value])
})

test('law: a cell says its value, guarded or not', () => {
  const text = fc.string({ unit: fc.constantFrom(...'\'="+-@a1.,\t\r\n \u200b'), maxLength: 12 }).map(trim)
  fc.assert(
    fc.property(text, fc.boolean(), (value, isGuarded) => {
      const cell = cellOf(value, isGuarded)
      expect(cleanValue(cell)).toBe(value)
      if (isGuarded) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
    }),
    { numRuns: 5_000 },
  )
})

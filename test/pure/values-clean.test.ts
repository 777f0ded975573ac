import { expect, test } from 'vitest'
import { cleanValue } from '../../src/text-mark.js'

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
])('%j is %j', (cell, value) => {
  expect(cleanValue(cell)).toBe(value)
})

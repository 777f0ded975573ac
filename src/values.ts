import { LIMITS } from './options.js'

/** Section 4.10.5.1.5 of the HTML standard: "valid email address". */
const EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Whether a value is an e-mail address that a customer can have. */
export function isEmail(value: string): boolean {
  return value.length <= LIMITS.maxEmailLength && EMAIL.test(value)
}

/**
 * A text without what shows nothing at its ends: white space of any kind, byte order marks, and the invisible characters
 * that come with copied text. The joiners U+200C and U+200D belong to the text.
 */
export function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isInvisible(text.charCodeAt(start))) start++
  while (end > start && isInvisible(text.charCodeAt(end - 1))) end--
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

function isInvisible(code: number): boolean {
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13)
  if (code < 0x2000) return code === 0x85 || code === 0xa0 || code === 0xad || code === 0x1680
  if (code <= 0x206f) {
    return (
      code <= 0x200b ||
      code === 0x200e ||
      code === 0x200f ||
      (code >= 0x2028 && code <= 0x202f) ||
      code === 0x205f ||
      code === 0x2060 ||
      (code >= 0x2066 && code <= 0x2069)
    )
  }
  return code === 0x3000 || code === 0xfeff
}

/**
 * A cell's value: trimmed, without a spreadsheet's text mark, and what a spreadsheet's text formula (`="00720"`) says.
 */
export function cleanValue(cell: string): string {
  let value = trim(cell)
  const first = value.charCodeAt(0)
  if (first !== 39 && first !== 61) return value
  // Again, because behind the mark of a TAB or CR a cell may have a mark of its own, as `rejectedRowsCsv` writes it.
  while (value.charCodeAt(0) === 39 && isMarked(value.slice(1))) value = trim(value.slice(1))
  return /^="[^"]*"$/.test(value) ? trim(value.slice(2, -1)) : value
}

/**
 * Whether an apostrophe before a text is a spreadsheet's mark and not the text's own: before what would run as a formula, a
 * number, or an e-mail address, which with an apostrophe at its end is none.
 */
function isMarked(rest: string): boolean {
  return /^(?:[=+\-@\t\r]|\d+(?:[.,]\d+)*$)/.test(rest) || isEmail(trim(rest))
}

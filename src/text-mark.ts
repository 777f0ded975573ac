import { isEmail } from './email.js'
import { trim } from './trim.js'

/** Puts the mark before a cell that a spreadsheet would run as a formula. */
export function markText(cell: string): string {
  return /^[=+\-@\t\r]/.test(cell) && trim(cell) !== '' ? `'${cell}` : cell
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
  return /^="[^"]*(?:""[^"]*)*"$/.test(value) ? trim(value.slice(2, -1).replaceAll('""', '"')) : value
}

/**
 * The cell that {@link cleanValue} reads as a value. Only the few values that it would read as others are written as a text
 * formula; under `isGuarded` what a spreadsheet would run has the mark before it.
 */
export function cellOf(value: string, isGuarded: boolean): string {
  // Most values begin with a letter, and those are what they are.
  if (value.charCodeAt(0) > 64 && value.charCodeAt(0) < 128) return value
  const cell = isGuarded ? markText(value) : value
  const text = trim(value)
  const first = text.charCodeAt(0)
  if ((first !== 39 && first !== 61) || cleanValue(cell) === text) return cell
  const formula = `="${value.replaceAll('"', '""')}"`
  return isGuarded ? markText(formula) : formula
}

/**
 * Whether an apostrophe before a text is a spreadsheet's mark and not the text's own: before what would run as a formula, a
 * number, or an e-mail address, which with an apostrophe at its end is none.
 */
function isMarked(rest: string): boolean {
  return /^(?:[=+\-@\t\r]|\d+(?:[.,]\d+)*$)/.test(rest) || isEmail(trim(rest))
}

import { LIMITS } from './options.js'

/** Section 4.10.5.1.5 of the HTML standard: "valid email address". */
const EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Whether a value is an e-mail address that a customer can have. */
export function isEmail(value: string): boolean {
  return value.length <= LIMITS.maxEmailLength && EMAIL.test(value)
}

/** A cell's value: trimmed (NBSP too), without a spreadsheet's text mark. */
export function cleanValue(cell: string): string {
  const length = cell.length
  if (length === 0) return cell
  const first = cell.charCodeAt(0)
  const last = cell.charCodeAt(length - 1)
  // Only blanks below 33 or from 160 up are trimmable; most cells have neither at their ends.
  let value = first <= 32 || first >= 160 || last <= 32 || last >= 160 ? cell.trim() : cell
  // Again, because behind the mark of a TAB or CR a cell may have a mark of its own, as `rejectedRowsCsv` writes it.
  while (value.length > 1 && value.charCodeAt(0) === 39 && '=+-@\t\r'.includes(value.charAt(1))) {
    value = value.slice(1).trim()
  }
  return value
}

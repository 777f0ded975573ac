import { randomBytes } from 'node:crypto'

/** ASCII's own separators of fields and rows, which hardly any text holds. */
export const FIELD_SEPARATOR = '\x1f'
export const ROW_SEPARATOR = '\x1e'

/** A separator that no text holds, for values that may hold ASCII's. */
export function rareSeparator(): string {
  return FIELD_SEPARATOR + randomBytes(8).toString('hex')
}

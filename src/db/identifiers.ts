import { CustomAttributesError } from '../errors.js'

/** A table's name as the catalogue has it, without quotes. No schema: the search path finds the table. */
export interface TableName {
  schema?: string
  table: string
}

/** PostgreSQL cuts longer names (NAMEDATALEN - 1). */
export const MAX_IDENTIFIER_BYTES = 63

const PART = /"(?:[^"]|"")*"|[^".]*/y
const UNQUOTED = /^[\p{L}_][\p{L}\p{N}_$]*$/u

/**
 * Reads the name of a table as SQL writes it: `table`, `schema.table`, or either part in double quotes, inside which
 * two double quotes stand for one.
 *
 * Without quotes PostgreSQL would fold capitals; that is nearly always a mistake in an option, so they are refused.
 *
 * @param name - the name
 * @param option - the option it was given for, for the message
 * @throws CustomAttributesError `INVALID_OPTION`, when it is no such name
 */
export function parseTableName(name: string, option = 'table'): TableName {
  const refuse = (expected: string): never => {
    throw new CustomAttributesError('INVALID_OPTION', `${option} must be ${expected}, got ${JSON.stringify(name)}.`, {
      option,
      expected,
    })
  }
  const [first, second] = splitName(name) ?? refuse('the name of a table: table, schema.table or "Schema"."Table"')
  const [schema, table] = second === undefined ? [undefined, first] : [first, second]

  const read = (part: string): string => {
    const quoted = part.startsWith('"')
    const text = quoted ? part.slice(1, -1).replaceAll('""', '"') : part
    if (text === '') refuse('a name without empty parts')
    if (/\p{Cc}/u.test(text)) refuse('a name without control characters')
    if (byteLength(text) > MAX_IDENTIFIER_BYTES)
      refuse(`a name with at most ${MAX_IDENTIFIER_BYTES} bytes in each part`)
    if (!quoted && (!UNQUOTED.test(text) || text !== text.toLowerCase())) {
      refuse('in double quotes where a part has capitals, blanks or signs ("Schema"."Table")')
    }
    return text
  }
  return schema === undefined ? { table: read(table) } : { schema: read(schema), table: read(table) }
}

/** The one or two parts of a name, quotes and all; undefined when it has another shape. */
function splitName(name: string): [string] | [string, string] | undefined {
  const parts: string[] = []
  let position = 0
  for (;;) {
    PART.lastIndex = position
    const part = PART.exec(name)?.[0] ?? ''
    parts.push(part)
    position += part.length
    if (position === name.length) break
    if (name[position] !== '.') return undefined
    position += 1
  }
  const [first, second, ...more] = parts
  if (first === undefined || more.length > 0) return undefined
  return second === undefined ? [first] : [first, second]
}

/** A name as SQL text, in double quotes, so that no spelling and no keyword needs thought. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? ` E${quoted}` : quoted
}

/** A table's name as SQL text. */
export function formatTableName({ schema, table }: TableName): string {
  return schema === undefined ? quoteIdentifier(table) : `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}

/**
 * The name of something that belongs to a table, such as its index: the table's name and a suffix. Where that is too
 * long, the table's name is cut and a checksum of it put in between, so that two long names do not meet in one.
 *
 * @param table - the table's name, without schema
 * @param suffix - at most 40 bytes, with its leading underscore
 */
export function deriveName(table: string, suffix: string): string {
  if (byteLength(table + suffix) <= MAX_IDENTIFIER_BYTES) return table + suffix
  const end = `_${checksum(table)}${suffix}`
  const characters = [...table]
  while (byteLength(characters.join('') + end) > MAX_IDENTIFIER_BYTES) characters.pop()
  return characters.join('') + end
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

/** FNV-1a of the UTF-8 bytes, as eight hexadecimal digits. */
function checksum(text: string): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

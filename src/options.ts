import { CustomAttributesError } from './errors.js'

/** The library's limits; each is a default that an option of the same name overrides, except the template ones. */
export const LIMITS = {
  /** Custom attributes of one customer; the schema's CHECK holds the same number. */
  maxCustomAttributes: 10,
  /** Characters of a custom attribute's name. */
  maxAttributeNameLength: 100,
  /** Characters of one value. */
  maxValueLength: 10_000,
  /** Characters of an email address (RFC 5321 leaves 254 for it). */
  maxEmailLength: 254,
  maxBytes: 100 * 1024 * 1024,
  maxRows: 1_000_000,
  maxColumns: 500,
  maxRecordBytes: 256 * 1024,
  /** Bytes of a template in UTF-8. */
  maxTemplateBytes: 256 * 1024,
  maxTemplateTags: 500,
  /** Characters between the braces of one tag. */
  maxTagLength: 200,
} as const

/** How one option is checked: returns what was expected when the value does not fit, else undefined. */
export type OptionRule = (value: unknown) => string | undefined

export const isFlag: OptionRule = (value) => (typeof value === 'boolean' ? undefined : 'true or false')

/** A moment that PostgreSQL can be asked for. */
export const isDate: OptionRule = (value) =>
  value instanceof Date && Math.abs(value.getUTCFullYear()) < 10_000 ? undefined : 'a Date'

export const isText: OptionRule = (value) =>
  typeof value === 'string' && value.length > 0 ? undefined : 'a non-empty string'

const SECRET_LENGTH = 16

/** A text that is hard to guess. */
export const isSecret: OptionRule = (value) =>
  typeof value === 'string' && value.length >= SECRET_LENGTH
    ? undefined
    : `a string of at least ${SECRET_LENGTH} characters`

export const isFunction: OptionRule = (value) => (typeof value === 'function' ? undefined : 'a function')

export const isSignal: OptionRule = (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal')

export const isObject: OptionRule = (value) =>
  // By its tag, because a Map, a Date or URLSearchParams would pass as an object without names.
  Object.prototype.toString.call(value) === '[object Object]' ? undefined : 'an object'

export const oneOf =
  (...choices: readonly (string | undefined)[]): OptionRule =>
  (value) =>
    choices.includes(value as string) ? undefined : choices.map((choice) => JSON.stringify(choice)).join(' or ')

export const wholeNumber =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): OptionRule =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
      ? undefined
      : max === Number.MAX_SAFE_INTEGER
        ? `a whole number of at least ${min}`
        : `a whole number from ${min} to ${max}`

export const isTextList: OptionRule = (value) =>
  // Spread, because `every` leaves out the holes of a sparse array.
  Array.isArray(value) && [...value].every((entry) => typeof entry === 'string') ? undefined : 'an array of strings'

export const isTexts: OptionRule = (value) =>
  isObject(value) === undefined && Object.values(value as object).every((entry) => typeof entry === 'string')
    ? undefined
    : 'an object whose values are strings'

export const anyOf =
  (...rules: readonly OptionRule[]): OptionRule =>
  (value) => {
    const expected = rules.map((rule) => rule(value))
    return expected.includes(undefined) ? undefined : expected.join(' or ')
  }

/** The rule of an option that has a default, and the default. */
export function withDefault<const Value>(rule: OptionRule, value: Value): OptionRule & { default: Value } {
  return Object.assign((given: unknown) => rule(given), { default: value })
}

type Defaulted<Table> = { [Key in keyof Table]: Table[Key] extends { default: unknown } ? Key : never }[keyof Table]

/** Options in which those that have a default are always there. */
export type Resolved<Options, Table> = Options & {
  [Key in keyof Options & Defaulted<Table>]-?: Exclude<Options[Key], undefined>
}

/** The defaults of a table of options. */
export function defaultsOf<Table extends object>(
  table: Table,
): { [Key in Defaulted<Table>]: Table[Key] extends { default: infer Value } ? Value : never } {
  const defaults: Record<string, unknown> = {}
  for (const [name, rule] of Object.entries(table)) if ('default' in rule) defaults[name] = rule.default
  return defaults as never
}

/**
 * Checks the options a caller gave against their table and fills in the defaults. An option that is `undefined` counts as
 * not given, so that `{ signal: maybe }` needs no ceremony.
 *
 * @param where - the function the options belong to, for the message
 * @param table - each option's rule, and its default where it has one; a key that is not in it is unknown
 * @param given - what the caller passed
 * @throws CustomAttributesError `INVALID_OPTION`, naming the option, what was expected and what came
 */
export function resolveOptions<
  Options extends object,
  Table extends { readonly [Key in keyof Required<Options>]: OptionRule & { default?: Options[Key] } },
>(where: string, table: Table, given: Options | undefined): Resolved<Options, Table> {
  const resolved: Record<string, unknown> = defaultsOf(table)
  if (given === undefined) return resolved as unknown as Resolved<Options, Table>
  const notAnObject = isObject(given)
  if (notAnObject) throw invalidOption(where, 'options', notAnObject, given)
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(table, name)) {
      throw new CustomAttributesError(
        'INVALID_OPTION',
        `${where} has no option "${name}". Known options: ${Object.keys(table).join(', ')}.`,
        { function: where, option: name },
      )
    }
    if (value === undefined) continue
    const expected = table[name as keyof Options](value)
    if (expected !== undefined) throw invalidOption(where, name, expected, value)
    resolved[name] = value
  }
  return resolved as unknown as Resolved<Options, Table>
}

function invalidOption(where: string, option: string, expected: string, value: unknown): CustomAttributesError {
  const came = describe(value)
  return new CustomAttributesError('INVALID_OPTION', `${where}: ${option} must be ${expected}, got ${came}.`, {
    function: where,
    option,
    expected,
    got: came,
  })
}

/** Names an argument's value by its kind alone: it may be a customer's. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string'
  return typeof value === 'number' || typeof value === 'boolean' ? `a ${typeof value}` : describe(value)
}

/** Names the value of an option, which is the host's own, by its kind and, where it is short, itself. */
export function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'string') return value.length <= 40 ? `the string ${JSON.stringify(value)}` : 'a long string'
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${String(value)}`
  if (typeof value === 'object') {
    const name = Object.getPrototypeOf(value)?.constructor?.name
    return name && name !== 'Object' ? `an object of class ${name}` : 'an object'
  }
  return typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`
}

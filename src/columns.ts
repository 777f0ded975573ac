import { CustomAttributesError, type Problem, throwProblem, toProblem } from './errors.js'
import { attributeNameFault, fieldOfForm, isStandardColumn, nameForm, nameIndex, type StandardColumn } from './names.js'
import {
  anyOf,
  describe,
  isObject,
  isTextList,
  LIMITS,
  oneOf,
  type Resolved,
  resolveOptions,
  wholeNumber,
} from './options.js'

/** Where a column goes: to a standard field, to a custom attribute, or nowhere (`null`). */
export type ColumnTarget = { field: StandardColumn } | { attribute: string } | null

/** Why a column goes where it goes. */
export type ColumnReason =
  /** the header has the form of the field's own name */
  | 'field'
  /** the header has the form of an alias of the field */
  | 'alias'
  /** any other header: an attribute under the header's own spelling */
  | 'attribute'
  /** the header has the form of an attribute name the account already uses */
  | 'known_attribute'
  /** the `columns` option said so */
  | 'mapped'
  | IgnoredReason

/** Why a column is left out. */
export type IgnoredReason =
  /** the header is blank */
  | 'blank'
  /** `id`, `account_id`, `created_at`, `updated_at`, `custom_attributes`: the database's own */
  | 'reserved'
  /** `error_code`, `error_message`: written by `rejectedRowsCsv` */
  | 'rejected_rows'
  /** a password, a token or a key */
  | 'sensitive'
  /** `columns` maps it to `null` */
  | 'skipped'
  /** not among `fields` */
  | 'field_not_allowed'
  /** not among `attributes` */
  | 'attribute_not_chosen'

/** One column of the file and its target. */
export interface MappedColumn {
  /** the header as the file has it, trimmed */
  header: string
  /** counted from 1 */
  position: number
  target: ColumnTarget
  reason: ColumnReason
}

/** What every column of a file means; made once by {@link mapColumns} and read for each row. */
export interface ColumnMapping {
  /** the standard fields, in header order */
  readonly standard: readonly StandardColumn[]
  /** the names of the custom attributes, in header order */
  readonly custom: readonly string[]
  /** the columns that are left out, each with its reason */
  readonly ignored: readonly { header: string; position: number; reason: IgnoredReason }[]
  /** one entry per header, in order; edited or not, it can be passed back as the option `columns` */
  readonly columns: readonly MappedColumn[]
}

/** Options of {@link mapColumns} and {@link inspectColumns}. */
export interface ColumnOptions {
  /**
   * Targets that override the automatic ones: an object by header (as spelt in the file, trimmed) or an array by
   * position. `{ field: 'phone' }`, `{ attribute: 'Handy' }`, or `null` to skip; `undefined` leaves a column automatic.
   * The entries of `ColumnMapping.columns` are accepted as they are.
   */
  columns?:
    | Readonly<Record<string, ColumnTarget | undefined>>
    | readonly (ColumnTarget | Pick<MappedColumn, 'target'> | undefined)[]
  /** Which headers that are no standard field become attributes. Default `'all'`. */
  attributes?: 'all' | 'none' | readonly string[]
  /** Which standard fields the file may fill, also by `columns`; `email` always may. Default `'all'`. */
  fields?: 'all' | readonly StandardColumn[]
  /** Attribute names that the account uses already: a header of the same form takes the known spelling. Default none. */
  knownAttributes?: readonly string[]
  /** Most custom attributes. Default 10. */
  maxCustomAttributes?: number
}

export const COLUMN_OPTION_RULES = {
  columns: anyOf(isObject, (value: unknown) => (Array.isArray(value) ? undefined : 'an array')),
  attributes: anyOf(oneOf('all', 'none'), isTextList),
  fields: anyOf(oneOf('all'), (value: unknown) =>
    Array.isArray(value) && value.every((field) => isStandardColumn(field)) ? undefined : 'an array of standard fields',
  ),
  knownAttributes: isTextList,
  maxCustomAttributes: wholeNumber(0, 10_000),
}

const COLUMN_DEFAULTS = {
  attributes: 'all',
  fields: 'all',
  maxCustomAttributes: LIMITS.maxCustomAttributes,
} as const satisfies ColumnOptions

type ResolvedColumnOptions = Resolved<ColumnOptions, typeof COLUMN_DEFAULTS>

const ALIASES: Readonly<Partial<Record<StandardColumn, readonly string[]>>> = {
  email: ['emailaddress', 'email1value'],
  first_name: ['fname', 'givenname'],
  last_name: ['lname', 'familyname', 'surname'],
  phone: ['phonenumber', 'mobile', 'mobilephone', 'phone1value', 'sms'],
  company: ['companyname', 'organization', 'organizationname'],
  postal_code: ['zip', 'zipcode', 'postcode', 'postal'],
  province: ['state', 'region', 'stateregion'],
}

const FIELD_BY_ALIAS = new Map<string, StandardColumn>(
  Object.entries(ALIASES).flatMap(([field, aliases]) =>
    aliases.map((alias) => [alias, field as StandardColumn] as const),
  ),
)
const RESERVED_FORMS = new Set(['id', 'accountid', 'createdat', 'updatedat', 'customattributes'])
const REJECTED_ROWS_HEADERS = new Set(['error_code', 'error_message'])
const SENSITIVE_FORMS = new Set(
  (
    'password passwd pwd passwordhash hashedpassword encryptedpassword passworddigest passwordsalt passwordtoken ' +
    'passwordresettoken resetpasswordtoken resettoken rptoken rememberme remembertoken accesstoken refreshtoken ' +
    'authtoken sessiontoken apitoken apikey apisecret secret secretkey privatekey otpsecret totpsecret'
  ).split(' '),
)

/**
 * How an email column is recognised by its header alone, before anything is mapped: by form, by alias, or by the option
 * `columns`.
 */
export function isEmailHeader(columns?: ColumnOptions['columns']): (header: string, index: number) => boolean {
  return (cell, index) => {
    const header = dropTextMark(cell.trim())
    const entry: unknown = Array.isArray(columns) ? columns[index] : undefined
    const named = (entry as Partial<MappedColumn> | null | undefined)?.header
    const target = override(columns, header, index)
    // By position a target alone says nothing of the header's text; an entry of a preview has it.
    if (Array.isArray(columns) && target !== undefined && header !== named) return false
    if (target !== undefined) return target !== null && 'field' in target && target.field === 'email'
    const form = nameForm(header)
    return fieldOfForm(form) === 'email' || FIELD_BY_ALIAS.get(form) === 'email'
  }
}

/**
 * Drops one leading apostrophe before `=`, `+`, `-`, `@`, TAB or CR: the mark with which spreadsheets, and
 * `rejectedRowsCsv`, keep a cell from running as a formula.
 */
export function dropTextMark(value: string): string {
  return value.charCodeAt(0) === 39 && '=+-@\t\r'.includes(value.charAt(1)) && value.length > 1 ? value.slice(1) : value
}

/**
 * Says what every column of a file means, and everything that is wrong with the headers, without throwing: the base of
 * a mapping screen.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @returns the mapping, complete as far as it could be made, and the problems: at most one per code, in the order
 *   `INVALID_ARGUMENT`, `INVALID_OPTION`, `UNKNOWN_COLUMN`, `EMAIL_COLUMN_MISSING`, `DUPLICATE_COLUMN`,
 *   `INVALID_ATTRIBUTE_NAME`, `TOO_MANY_ATTRIBUTES`
 */
export function inspectColumns(
  headers: readonly string[],
  options?: ColumnOptions,
): { mapping: ColumnMapping; problems: Problem[] } {
  const problems: Problem[] = []
  if (isTextList(headers) !== undefined) {
    problems.push({
      code: 'INVALID_ARGUMENT',
      message: `headers must be an array of strings, got ${describe(headers)}.`,
      details: { argument: 'headers' },
    })
    return { mapping: toMapping([]), problems }
  }
  let resolved: ResolvedColumnOptions = COLUMN_DEFAULTS
  try {
    resolved = resolveOptions<ColumnOptions, typeof COLUMN_DEFAULTS>(
      'inspectColumns',
      COLUMN_OPTION_RULES,
      COLUMN_DEFAULTS,
      options,
    )
    checkTargets(resolved.columns)
  } catch (error) {
    problems.push(toProblem(error))
    resolved = COLUMN_DEFAULTS
  }
  const columns = assignTargets(headers, resolved)
  const mapping = toMapping(columns)
  problems.push(
    ...[
      unknownColumns(headers, resolved),
      missingEmail(mapping, headers),
      duplicateColumns(columns),
      invalidNames(columns),
      tooManyAttributes(mapping, resolved.maxCustomAttributes),
    ].filter((problem) => problem !== undefined),
  )
  return { mapping, problems }
}

/**
 * Says what every column of a file means.
 *
 * A header matches a standard field by its form (NFKC, lower case, letters and digits only), or as one of the field's
 * aliases; any other header is a custom attribute under its own spelling. The mapping is made once and then read by
 * `parseRow` for each row.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @throws CustomAttributesError the first problem that {@link inspectColumns} finds
 */
export function mapColumns(headers: readonly string[], options?: ColumnOptions): ColumnMapping {
  const { mapping, problems } = inspectColumns(headers, options)
  if (problems[0]) throwProblem(problems[0])
  return mapping
}

function checkTargets(columns: ColumnOptions['columns']): void {
  for (const [key, entry] of Object.entries(columns ?? {})) {
    const target = toTarget(entry)
    if (target === undefined || target === null) continue
    const { field, attribute } = target as { field?: unknown; attribute?: unknown }
    if (attribute === undefined ? isStandardColumn(field) : typeof attribute === 'string' && field === undefined)
      continue
    throw new CustomAttributesError(
      'INVALID_OPTION',
      `columns[${JSON.stringify(key)}] must be { field: <standard field> }, { attribute: <name> } or null.`,
      { option: 'columns', key },
    )
  }
}

function toTarget(entry: ColumnTarget | Pick<MappedColumn, 'target'> | undefined): ColumnTarget | undefined {
  if (typeof entry === 'object' && entry !== null && 'target' in entry) return entry.target
  return entry
}

function assignTargets(headers: readonly string[], options: ResolvedColumnOptions): MappedColumn[] {
  const names = headers.map((header) => dropTextMark(header.trim()))
  const forms = names.map(nameForm)
  const overrides = names.map((name, index) => override(options.columns, name, index))
  const claimed = new Set<StandardColumn>()
  for (const [index, form] of forms.entries()) {
    const target = overrides[index]
    if (target && 'field' in target) claimed.add(target.field)
    const field = fieldOfForm(form)
    if (target === undefined && field) claimed.add(field)
  }
  const knownName = nameIndex(options.knownAttributes ?? [])
  const chosen = chosenAttributes(options.attributes)
  const allowed = options.fields === 'all' ? undefined : new Set<StandardColumn>(['email', ...options.fields])

  return names.map((header, index): MappedColumn => {
    const column = (target: ColumnTarget, reason: ColumnReason): MappedColumn => ({
      header,
      position: index + 1,
      target,
      reason,
    })
    const mapped = overrides[index]
    if (mapped === null) return column(null, 'skipped')
    if (mapped !== undefined) {
      // `fields` is the host's word, `columns` may be its user's.
      if ('field' in mapped && allowed && !allowed.has(mapped.field)) return column(null, 'field_not_allowed')
      return column('field' in mapped ? { field: mapped.field } : { attribute: mapped.attribute.trim() }, 'mapped')
    }
    const form = forms[index]!
    if (header === '') return column(null, 'blank')
    if (RESERVED_FORMS.has(form)) return column(null, 'reserved')
    if (REJECTED_ROWS_HEADERS.has(header.toLowerCase())) return column(null, 'rejected_rows')
    if (SENSITIVE_FORMS.has(form)) return column(null, 'sensitive')
    const exact = fieldOfForm(form)
    const alias = FIELD_BY_ALIAS.get(form)
    const field = exact ?? (alias && !claimed.has(alias) ? alias : undefined)
    if (field) {
      if (allowed && !allowed.has(field)) return column(null, 'field_not_allowed')
      return column({ field }, exact ? 'field' : 'alias')
    }
    if (!chosen(header, form)) return column(null, 'attribute_not_chosen')
    const known = knownName(header, form)
    return known === undefined
      ? column({ attribute: header }, 'attribute')
      : column({ attribute: known }, 'known_attribute')
  })
}

function override(columns: ColumnOptions['columns'], header: string, index: number): ColumnTarget | undefined {
  if (columns === undefined) return undefined
  if (Array.isArray(columns)) return toTarget(columns[index])
  const byHeader = columns as Readonly<Record<string, ColumnTarget | undefined>>
  return Object.hasOwn(byHeader, header) ? toTarget(byHeader[header]) : undefined
}

function chosenAttributes(attributes: 'all' | 'none' | readonly string[]): (header: string, form: string) => boolean {
  if (attributes === 'all') return () => true
  if (attributes === 'none') return () => false
  const forms = new Set(attributes.map(nameForm))
  return (_header, form) => forms.has(form)
}

function toMapping(columns: MappedColumn[]): ColumnMapping {
  return {
    standard: columns.flatMap(({ target }) => (target && 'field' in target ? [target.field] : [])),
    custom: columns.flatMap(({ target }) => (target && 'attribute' in target ? [target.attribute] : [])),
    ignored: columns.flatMap(({ header, position, target, reason }) =>
      target === null ? [{ header, position, reason: reason as IgnoredReason }] : [],
    ),
    columns,
  }
}

function unknownColumns(headers: readonly string[], { columns }: ResolvedColumnOptions): Problem | undefined {
  if (columns === undefined) return undefined
  const names = new Set(headers.map((header) => dropTextMark(header.trim())))
  const unknown = Array.isArray(columns)
    ? columns.slice(headers.length).map((_, index) => `position ${headers.length + index + 1}`)
    : Object.keys(columns).filter((header) => !names.has(header))
  if (unknown.length === 0) return undefined
  return {
    code: 'UNKNOWN_COLUMN',
    message: `columns names what the file does not have: ${unknown.join(', ')}. Use the headers as the file spells them.`,
    details: { columns: unknown, headers: [...names] },
  }
}

function missingEmail(mapping: ColumnMapping, headers: readonly string[]): Problem | undefined {
  if (mapping.standard.includes('email')) return undefined
  return {
    code: 'EMAIL_COLUMN_MISSING',
    message:
      'email is required: no column is named "email" (or "Email Address"). ' +
      'Name the column "email" in the first row, or say with columns which one holds it.',
    details: { headers: [...headers] },
  }
}

function duplicateColumns(columns: readonly MappedColumn[]): Problem | undefined {
  const positions = new Map<string, { name: string; positions: number[]; headers: string[] }>()
  for (const { target, position, header } of columns) {
    if (target === null) continue
    const name = 'field' in target ? target.field : target.attribute
    const entry = positions.get(name) ?? { name, positions: [], headers: [] }
    entry.positions.push(position)
    entry.headers.push(header)
    positions.set(name, entry)
  }
  const duplicates = [...positions.values()].filter((entry) => entry.positions.length > 1)
  if (duplicates.length === 0) return undefined
  const list = duplicates.map((entry) => `"${entry.name}" (columns ${entry.positions.join(' and ')})`).join(', ')
  return {
    code: 'DUPLICATE_COLUMN',
    message: `Two columns are meant for one name: ${list}. Rename or remove one, or skip it with columns.`,
    details: { duplicates },
  }
}

function invalidNames(columns: readonly MappedColumn[]): Problem | undefined {
  const invalid = columns.flatMap(({ target, position }) => {
    const why = target && 'attribute' in target ? attributeNameFault(target.attribute) : undefined
    return why === undefined ? [] : [{ position, reason: why }]
  })
  if (invalid.length === 0) return undefined
  return {
    code: 'INVALID_ATTRIBUTE_NAME',
    message: `Not usable as the name of a custom attribute: ${invalid
      .map(({ position, reason }) => `column ${position} (${reason})`)
      .join(', ')}. Rename the header, or give another name with columns.`,
    details: { columns: invalid },
  }
}

function tooManyAttributes(mapping: ColumnMapping, max: number): Problem | undefined {
  const names = [...new Set(mapping.custom)]
  if (names.length <= max) return undefined
  return {
    code: 'TOO_MANY_ATTRIBUTES',
    message:
      `Maximum ${max} custom attributes allowed. Found ${names.length}: ${names.join(', ')}. ` +
      'Choose which to take with attributes, or remove columns.',
    details: { max, found: names.length, names },
  }
}

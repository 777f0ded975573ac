import { CustomAttributesError, type Problem, throwProblem, toProblem } from './errors.js'
import { fieldOfAlias } from './field-names.js'
import { type FieldSuggestion, suggestFields } from './field-suggestions.js'
import { cleanHeader, whyLeftOut } from './headers.js'
import {
  attributeNameFault,
  fieldOfForm,
  isSpeltAlike,
  isStandardColumn,
  nameForm,
  nameIndex,
  type StandardColumn,
  usableName,
} from './names.js'
import {
  anyOf,
  isObject,
  isTextList,
  kindOf,
  LIMITS,
  oneOf,
  type Resolved,
  resolveOptions,
  wholeNumber,
} from './options.js'
import { trim } from './values.js'

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
  /** the account uses an attribute of this name already: of the same spelling, or the only one of the same form */
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
  /** the header as the file has it, trimmed and on one line */
  header: string
  /** counted from 1 */
  position: number
  target: ColumnTarget
  reason: ColumnReason
}

/** A header whose column goes to an attribute that is spelt otherwise, in more than case and blanks. */
export interface ColumnWarning {
  code: 'HEADER_TAKEN_AS'
  message: string
}

/** The standard fields that a header may mean, though no rule says so. */
export interface ColumnSuggestion {
  header: string
  /** counted from 1 */
  position: number
  /** the likeliest first, at most three */
  fields: FieldSuggestion[]
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
  /** what the owner of the file should know, though nothing is wrong */
  readonly warnings: readonly ColumnWarning[]
}

/** Options of {@link mapColumns} and {@link inspectColumns}. */
export interface ColumnOptions {
  /**
   * Targets that override the automatic ones: an object by header (as spelt in the file, trimmed, a blank for a line
   * break) or an array by position. `{ field: 'phone' }`, `{ attribute: 'Handy' }`, or `null` to skip; `undefined` leaves a column automatic.
   * The entries of `ColumnMapping.columns` are accepted as they are.
   */
  columns?:
    | Readonly<Record<string, ColumnTarget | undefined>>
    | readonly (ColumnTarget | Pick<MappedColumn, 'target'> | undefined)[]
  /**
   * Which headers that are no standard field become attributes: those of a listed spelling, or where the file has none of
   * that spelling, those of its form. Default `'all'`.
   */
  attributes?: 'all' | 'none' | readonly string[]
  /** Which standard fields the file may fill, also by `columns`; `email` always may. Default `'all'`. */
  fields?: 'all' | readonly StandardColumn[]
  /**
   * Attribute names that the account uses already. A header goes to the one of its spelling, else to the only one of its
   * form, before it is taken for an alias of a field. Default none.
   */
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

/**
 * How an email column is recognised by its header alone, before anything is mapped: by form, by alias, or by the option
 * `columns`.
 */
export function isEmailHeader(columns?: ColumnOptions['columns']): (header: string, index: number) => boolean {
  return (cell, index) => {
    const header = cleanHeader(cell)
    const entry: unknown = Array.isArray(columns) ? columns[index] : undefined
    const named = (entry as Partial<MappedColumn> | null | undefined)?.header
    const target = override(columns, cell, index)
    // By position a target alone says nothing of the header's text; an entry of a preview has it.
    if (Array.isArray(columns) && target !== undefined && header !== named) return false
    if (target !== undefined) return target !== null && 'field' in target && target.field === 'email'
    const form = nameForm(header)
    return fieldOfForm(form) === 'email' || fieldOfAlias(form) === 'email'
  }
}

/**
 * Says what every column of a file means, and everything that is wrong with the headers, without throwing: the base of
 * a mapping screen.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @returns the mapping, complete as far as it could be made, and the problems: at most one per code, in the order
 *   `INVALID_ARGUMENT`, `INVALID_OPTION`, `UNKNOWN_COLUMN`, `EMAIL_COLUMN_MISSING`, `DUPLICATE_COLUMN`,
 *   `INVALID_ATTRIBUTE_NAME`, `TOO_MANY_ATTRIBUTES`; and for headers that no rule takes for a field, the fields that they
 *   most likely mean: those are to be offered, nothing goes there by itself
 */
export function inspectColumns(
  headers: readonly string[],
  options?: ColumnOptions,
): { mapping: ColumnMapping; problems: Problem[]; suggestions: ColumnSuggestion[] } {
  const { mapping, problems, fields } = readColumns('inspectColumns', headers, options)
  return { mapping, problems, suggestions: suggestionsFor(mapping, fields) }
}

function readColumns(call: string, headers: readonly string[], options: ColumnOptions | undefined) {
  const problems: Problem[] = []
  let resolved: ResolvedColumnOptions = COLUMN_DEFAULTS
  if (isTextList(headers) !== undefined) {
    problems.push({
      code: 'INVALID_ARGUMENT',
      message: `headers must be an array of strings, got ${kindOf(headers)}.`,
      details: { argument: 'headers' },
    })
    return { mapping: toMapping([]), problems, fields: resolved.fields }
  }
  try {
    resolved = resolveOptions<ColumnOptions, typeof COLUMN_DEFAULTS>(
      call,
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
  return { mapping, problems, fields: resolved.fields }
}

/**
 * Says what every column of a file means.
 *
 * Names are compared by their form: case, blanks and most punctuation do not count; `%`, `#`, `+`, `&`, currencies and
 * other symbols do, and a separator between two digits. A header goes to the standard field of its form, else to the
 * attribute that the account knows by its spelling or as the only one of its form, else to the field that it is an alias
 * of; any other header is a custom attribute under its own spelling. A known attribute that another header spells stays
 * that header's. The mapping is made once and then read by `parseRow` for each row.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @throws CustomAttributesError the first problem that {@link inspectColumns} finds
 */
export function mapColumns(headers: readonly string[], options?: ColumnOptions): ColumnMapping {
  const { mapping, problems } = readColumns('mapColumns', headers, options)
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
  const names = headers.map(cleanHeader)
  const forms = names.map(nameForm)
  const overrides = headers.map((header, index) => override(options.columns, header, index))
  const claimed = new Set<StandardColumn>()
  for (const [index, form] of forms.entries()) {
    const target = overrides[index]
    if (target && 'field' in target) claimed.add(target.field)
    const field = fieldOfForm(form)
    if (target === undefined && field) claimed.add(field)
  }
  const findKnown = knownAttributeFinder(forms, overrides, options.knownAttributes ?? [])
  const chosen = chosenAttributes(options.attributes, names)
  const allowed = options.fields === 'all' ? undefined : new Set<StandardColumn>(['email', ...options.fields])

  return names.map((header, index): MappedColumn => {
    const column = (target: ColumnTarget, reason: ColumnReason): MappedColumn => ({
      header,
      position: index + 1,
      target,
      reason,
    })
    const toField = (field: StandardColumn, reason: ColumnReason) =>
      allowed && !allowed.has(field) ? column(null, 'field_not_allowed') : column({ field }, reason)
    const mapped = overrides[index]
    if (mapped === null) return column(null, 'skipped')
    if (mapped !== undefined) {
      // `fields` is the host's word, `columns` may be its user's.
      if ('field' in mapped) return toField(mapped.field, 'mapped')
      return column({ attribute: trim(mapped.attribute) }, 'mapped')
    }
    const leftOut = whyLeftOut(header)
    if (leftOut) return column(null, leftOut)
    const form = forms[index]!
    const field = fieldOfForm(form)
    if (field) return toField(field, 'field')
    const { known, isKnownForm } = findKnown(header, form)
    const alias = isKnownForm ? undefined : fieldOfAlias(form)
    if (alias && !claimed.has(alias)) return toField(alias, 'alias')
    if (!chosen(header, form)) return column(null, 'attribute_not_chosen')
    return known === undefined
      ? column({ attribute: header }, 'attribute')
      : column({ attribute: known }, 'known_attribute')
  })
}

/**
 * Finds the known attribute that a header claims: that of its spelling, or the only one of its form where no other column
 * is of that form or meant for it. A header of the form of known ones is never taken for an alias, even if it claims none.
 */
function knownAttributeFinder(
  forms: readonly string[],
  overrides: readonly (ColumnTarget | undefined)[],
  knownAttributes: readonly string[],
) {
  const byName = nameIndex(knownAttributes)
  const spellings = new Set(knownAttributes)
  const knownForms = new Set(knownAttributes.map(nameForm))
  const taken = new Set(
    overrides.flatMap((target) => (target && 'attribute' in target ? [trim(target.attribute)] : [])),
  )
  const columnsOfForm = new Map<string, number>()
  for (const form of forms) columnsOfForm.set(form, (columnsOfForm.get(form) ?? 0) + 1)
  return (header: string, form: string): { known: string | undefined; isKnownForm: boolean } => {
    const isKnownForm = knownForms.has(form)
    if (spellings.has(header)) return { known: header, isKnownForm }
    const known = columnsOfForm.get(form) === 1 ? byName(header, form) : undefined
    return { known: known !== undefined && taken.has(known) ? undefined : known, isKnownForm }
  }
}

function override(columns: ColumnOptions['columns'], header: string, index: number): ColumnTarget | undefined {
  if (columns === undefined) return undefined
  if (Array.isArray(columns)) return toTarget(columns[index])
  const byHeader = columns as Readonly<Record<string, ColumnTarget | undefined>>
  const key = spellingsOf(header).find((spelling) => Object.hasOwn(byHeader, spelling))
  return key === undefined ? undefined : toTarget(byHeader[key])
}

/** What a header may be called in `columns`: its clean name, or what the file has. */
function spellingsOf(header: string): string[] {
  return [cleanHeader(header), trim(header)]
}

function chosenAttributes(
  attributes: 'all' | 'none' | readonly string[],
  names: readonly string[],
): (header: string, form: string) => boolean {
  if (attributes === 'all') return () => true
  if (attributes === 'none') return () => false
  const headers = new Set(names)
  const exact = new Set(attributes)
  const forms = new Set(attributes.filter((name) => !headers.has(name)).map(nameForm))
  return (header, form) => exact.has(header) || forms.has(form)
}

function toMapping(columns: MappedColumn[]): ColumnMapping {
  return {
    standard: columns.flatMap(({ target }) => (target && 'field' in target ? [target.field] : [])),
    custom: columns.flatMap(({ target }) => (target && 'attribute' in target ? [target.attribute] : [])),
    ignored: columns.flatMap(({ header, position, target, reason }) =>
      target === null ? [{ header, position, reason: reason as IgnoredReason }] : [],
    ),
    columns,
    warnings: columns.flatMap(takenAs),
  }
}

function takenAs({ header, position, target, reason }: MappedColumn): ColumnWarning[] {
  if (reason !== 'known_attribute' || target === null || !('attribute' in target)) return []
  const { attribute } = target
  if (isSpeltAlike(header, attribute)) return []
  const message =
    `Column ${position}, ${quoted(header)}, is taken as the attribute ${quoted(attribute)} that the account has. ` +
    'If it is another one, say so with columns.'
  return [{ code: 'HEADER_TAKEN_AS', message }]
}

function suggestionsFor(
  { standard, columns }: ColumnMapping,
  fields: ResolvedColumnOptions['fields'],
): ColumnSuggestion[] {
  const isFree = (field: StandardColumn) =>
    !standard.includes(field) && (fields === 'all' || field === 'email' || fields.includes(field))
  return columns.flatMap(({ header, position, reason }) => {
    if (reason !== 'attribute' && reason !== 'known_attribute' && reason !== 'attribute_not_chosen') return []
    const likely = suggestFields(header, isFree)
    return likely.length > 0 ? [{ header, position, fields: likely }] : []
  })
}

/** A header in a message: whatever its length and the characters in it. */
function quoted(header: string): string {
  const characters = [...header]
  const most = 60
  return JSON.stringify(characters.length > most ? `${characters.slice(0, most).join('')}…` : header)
}

function unknownColumns(headers: readonly string[], { columns }: ResolvedColumnOptions): Problem | undefined {
  if (columns === undefined) return undefined
  const names = new Set(headers.map(cleanHeader))
  const spellings = new Set(headers.flatMap(spellingsOf))
  const unknown = Array.isArray(columns)
    ? columns.slice(headers.length).map((_, index) => `position ${headers.length + index + 1}`)
    : Object.keys(columns).filter((header) => !spellings.has(header))
  if (unknown.length === 0) return undefined
  return {
    code: 'UNKNOWN_COLUMN',
    message: `columns names what the file does not have: ${unknown.join(', ')}. Use the headers as the file spells them.`,
    details: { columns: unknown, headers: [...names] },
  }
}

function missingEmail(mapping: ColumnMapping, headers: readonly string[]): Problem | undefined {
  if (mapping.standard.includes('email')) return undefined
  const taken = mapping.columns.find(
    ({ header, reason }) => reason === 'known_attribute' && fieldOfAlias(nameForm(header)) === 'email',
  )
  return {
    code: 'EMAIL_COLUMN_MISSING',
    message:
      'email is required: no column is named "email" (or "Email Address"). ' +
      'Name the column "email" in the first row, or say with columns which one holds it.' +
      (taken ? ` Column ${taken.position}, ${quoted(taken.header)}, is an attribute of the account.` : ''),
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
    const name = target && 'attribute' in target ? target.attribute : undefined
    const reason = name === undefined ? undefined : attributeNameFault(name)
    return reason === undefined ? [] : [{ position, reason, name: name! }]
  })
  if (invalid.length === 0) return undefined
  const proposals = new Map(proposeNames(columns).map(({ position, name }) => [position, name]))
  return {
    code: 'INVALID_ATTRIBUTE_NAME',
    message: `Not usable as the name of a custom attribute: ${invalid
      .map(
        ({ position, reason, name }) =>
          `column ${position} (${reason}: ${quoted(name)}; usable is ${quoted(proposals.get(position)!)})`,
      )
      .join(', ')}. Rename the header, or give another name with columns.`,
    details: {
      columns: invalid.map(({ position, reason }) => ({ position, reason, proposal: proposals.get(position) })),
    },
  }
}

/**
 * For each column whose attribute cannot have its name, one that works: like it, and of another form than every field and
 * than every other column.
 */
export function proposeNames(columns: readonly MappedColumn[]): { position: number; name: string }[] {
  const attributes = columns.flatMap(({ target, position }) =>
    target && 'attribute' in target ? [{ position, name: target.attribute }] : [],
  )
  const isUsable = ({ name }: { name: string }) => attributeNameFault(name) === undefined
  const taken = new Set(attributes.filter(isUsable).map(({ name }) => nameForm(name)))
  return attributes
    .filter((attribute) => !isUsable(attribute))
    .map(({ position, name }) => {
      const base = usableName(name) ?? `column ${position}`
      let proposal = base
      for (let count = 2; taken.has(nameForm(proposal)) || isFieldName(proposal); count++) {
        const ending = ` ${count}`
        proposal = [...base].slice(0, LIMITS.maxAttributeNameLength - ending.length).join('') + ending
      }
      taken.add(nameForm(proposal))
      return { position, name: proposal }
    })
}

function isFieldName(name: string): boolean {
  const form = nameForm(name)
  return fieldOfForm(form) !== undefined || fieldOfAlias(form) !== undefined || whyLeftOut(name) !== undefined
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

import { CustomAttributesError } from './errors.js'
import { type FieldCatalogue, isCatalogue, STANDARD_FIELDS } from './fields.js'
import { cleanHeader, whyLeftOut } from './headers.js'
import { isSpeltAlike, nameForm, nameIndex } from './names.js'
import { anyOf, isObject, isTextList, LIMITS, oneOf, type Resolved, wholeNumber, withDefault } from './options.js'
import { trim } from './trim.js'

/** Where a column goes: to a standard field, to a custom attribute, or nowhere (`null`). */
export type ColumnTarget = { field: string } | { attribute: string } | null

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
  /** not among `fillable` */
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

/** What every column of a file means; made once by {@link mapColumns} and read for each row. */
export interface ColumnMapping {
  /** the standard fields, in header order */
  readonly standard: readonly string[]
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
  /** The fields of the customers, made by `defineFields`. Default `STANDARD_FIELDS`. */
  fields?: FieldCatalogue
  /** Which fields the file may fill, also by `columns`; `email` always may. Default `'all'`. */
  fillable?: 'all' | readonly string[]
  /**
   * Attribute names that the account uses already. A header goes to the one of its spelling, else to the only one of its
   * form, before it is taken for an alias of a field. Default none.
   */
  knownAttributes?: readonly string[]
  /** Most custom attributes. Default 10. */
  maxCustomAttributes?: number
}

export const COLUMN_OPTIONS = {
  columns: anyOf(isObject, (value: unknown) => (Array.isArray(value) ? undefined : 'an array')),
  attributes: withDefault(anyOf(oneOf('all', 'none'), isTextList), 'all'),
  fields: withDefault(isCatalogue, STANDARD_FIELDS),
  fillable: withDefault(anyOf(oneOf('all'), isTextList), 'all'),
  knownAttributes: isTextList,
  maxCustomAttributes: withDefault(wholeNumber(0, 10_000), LIMITS.maxCustomAttributes),
}

export type ResolvedColumnOptions = Resolved<ColumnOptions, typeof COLUMN_OPTIONS>

/**
 * How an email column is recognised by its header alone, before anything is mapped: by form, by alias, or by the option
 * `columns`.
 */
export function isEmailHeader(
  columns?: ColumnOptions['columns'],
  fields: FieldCatalogue = STANDARD_FIELDS,
): (header: string, index: number) => boolean {
  // Where a position says that it is the email, no other cell that says so makes a header.
  const isPlaced =
    Array.isArray(columns) &&
    columns.some((_, index) => {
      const target = override(columns, '', index)
      return target && 'field' in target && target.field === 'email'
    })
  return (cell, index) => {
    const header = cleanHeader(cell)
    const entry: unknown = Array.isArray(columns) ? columns[index] : undefined
    const named = (entry as Partial<MappedColumn> | null | undefined)?.header
    const target = override(columns, cell, index)
    // By position a target alone says nothing of the header's text; an entry of a preview has it.
    if (Array.isArray(columns) && target !== undefined && header !== named) return false
    if (target !== undefined) return target !== null && 'field' in target && target.field === 'email'
    if (isPlaced) return false
    const form = nameForm(header)
    return fields.ofForm(form) === 'email' || fields.ofAlias(form) === 'email'
  }
}

/** @throws CustomAttributesError `INVALID_OPTION` for a name that is none of the catalogue's */
export function checkFillable(fillable: 'all' | readonly string[], fields: FieldCatalogue): void {
  const unknown = fillable === 'all' ? undefined : fillable.find((name) => !fields.has(name))
  if (unknown === undefined) return
  throw new CustomAttributesError(
    'INVALID_OPTION',
    `fillable names ${JSON.stringify(unknown)}, which is no field. Known ones: ${fields.names.join(', ')}.`,
    { option: 'fillable', name: unknown },
  )
}

export function checkTargets(columns: ColumnOptions['columns'], fields: FieldCatalogue): void {
  for (const [key, entry] of Object.entries(columns ?? {})) {
    const target = toTarget(entry)
    if (target === undefined || target === null) continue
    const { field, attribute } = target as { field?: unknown; attribute?: unknown }
    if (attribute === undefined ? fields.has(field) : typeof attribute === 'string' && field === undefined) continue
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

export function assignTargets(headers: readonly string[], options: ResolvedColumnOptions): MappedColumn[] {
  const names = headers.map(cleanHeader)
  const forms = names.map(nameForm)
  const overrides = headers.map((header, index) => override(options.columns, header, index))
  const { fields } = options
  const claimed = new Set<string>()
  for (const [index, form] of forms.entries()) {
    const target = overrides[index]
    if (target && 'field' in target) claimed.add(target.field)
    const field = fields.ofForm(form)
    if (target === undefined && field) claimed.add(field)
  }
  const claim = claimFinder({
    fields,
    forms,
    claimed,
    taken: overrides.flatMap((target) => (target && 'attribute' in target ? [trim(target.attribute)] : [])),
    knownAttributes: options.knownAttributes ?? [],
  })
  const chosen = chosenAttributes(options.attributes, names)
  const allowed = options.fillable === 'all' ? undefined : new Set(['email', ...options.fillable])

  return names.map((header, index): MappedColumn => {
    const column = (target: ColumnTarget, reason: ColumnReason): MappedColumn => ({
      header,
      position: index + 1,
      target,
      reason,
    })
    const toField = (field: string, reason: ColumnReason) =>
      allowed && !allowed.has(field) ? column(null, 'field_not_allowed') : column({ field }, reason)
    const mapped = overrides[index]
    if (mapped === null) return column(null, 'skipped')
    if (mapped !== undefined) {
      // `fillable` is the host's word, `columns` may be its user's.
      if ('field' in mapped) return toField(mapped.field, 'mapped')
      return column({ attribute: trim(mapped.attribute) }, 'mapped')
    }
    const form = forms[index]!
    const leftOut = whyLeftOut(header, form)
    if (leftOut) return column(null, leftOut)
    const { field, known, reason } = claim(header, form)
    if (field) return toField(field, reason)
    if (!chosen(header, form)) return column(null, 'attribute_not_chosen')
    return column({ attribute: known ?? header }, reason)
  })
}

/** What a name means by itself: a field, an attribute that the account has, or a new one of its own spelling. */
interface Claim {
  field?: string
  known?: string
  reason: 'field' | 'known_attribute' | 'alias' | 'attribute'
}

/**
 * Finds what a name claims: the field of its form; the known attribute of its spelling, or the only one of its form where no
 * other name is of that form or meant for it; the field that it is an alias of. A name of the form of known attributes is never taken
 * for an alias, even if it claims none of them.
 *
 * @param names - `forms` of all names, the fields `claimed` by their own name or by `columns`, the attributes `taken` by it
 */
function claimFinder(names: {
  fields: FieldCatalogue
  forms: readonly string[]
  claimed: ReadonlySet<string>
  taken: readonly string[]
  knownAttributes: readonly string[]
}): (name: string, form: string) => Claim {
  const { fields, forms, claimed, knownAttributes } = names
  const byName = nameIndex(knownAttributes)
  const spellings = new Set(knownAttributes)
  const knownForms = new Set(knownAttributes.map(nameForm))
  const taken = new Set(names.taken)
  const countOfForm = new Map<string, number>()
  for (const form of forms) countOfForm.set(form, (countOfForm.get(form) ?? 0) + 1)
  return (name, form) => {
    const field = fields.ofForm(form)
    if (field) return { field, reason: 'field' }
    if (spellings.has(name)) return { known: name, reason: 'known_attribute' }
    const known = countOfForm.get(form) === 1 ? byName(name, form) : undefined
    if (known !== undefined && !taken.has(known)) return { known, reason: 'known_attribute' }
    const alias = knownForms.has(form) ? undefined : fields.ofAlias(form)
    return alias && !claimed.has(alias) ? { field: alias, reason: 'alias' } : { reason: 'attribute' }
  }
}

/** What a constant fills, and what its owner should know of it. */
export type ConstantTarget = ({ field: string } | { attribute: string }) & { warnings: ColumnWarning[] }

/**
 * What each constant fills: by the claims of a header that stands beside the file's columns. One of an alias or a form that a
 * column has too means the same as that column.
 */
export function assignConstants(
  names: readonly string[],
  { columns }: ColumnMapping,
  knownAttributes: readonly string[],
  fields: FieldCatalogue,
): ConstantTarget[] {
  const filled = columns.filter(({ target }) => target !== null)
  const forms = names.map(nameForm)
  const claimed = new Set(forms.flatMap((form) => fields.ofForm(form) ?? []))
  for (const { target, reason } of filled)
    if (target && 'field' in target && reason !== 'alias') claimed.add(target.field)
  const claim = claimFinder({
    fields,
    forms: [...filled.map(({ header }) => nameForm(header)), ...forms],
    claimed,
    taken: filled.flatMap(({ target, reason }) =>
      target && 'attribute' in target && reason === 'mapped' ? [target.attribute] : [],
    ),
    knownAttributes,
  })
  return names.map((name, at) => {
    const { field, known } = claim(name, forms[at]!)
    if (field) return { field, warnings: [] }
    return {
      attribute: known ?? name,
      warnings:
        known === undefined
          ? []
          : takenAs(`The constant ${quoted(name)}`, name, known, 'If that is meant, spell it so.'),
    }
  })
}

function override(columns: ColumnOptions['columns'], header: string, index: number): ColumnTarget | undefined {
  if (columns === undefined) return undefined
  if (Array.isArray(columns)) return toTarget(columns[index])
  const byHeader = columns as Readonly<Record<string, ColumnTarget | undefined>>
  const key = spellingsOf(header).find((spelling) => Object.hasOwn(byHeader, spelling))
  return key === undefined ? undefined : toTarget(byHeader[key])
}

/** What a header may be called in `columns`: its clean name, or what the file has. */
export function spellingsOf(header: string): string[] {
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

export function toMapping(columns: MappedColumn[]): ColumnMapping {
  return {
    standard: columns.flatMap(({ target }) => (target && 'field' in target ? [target.field] : [])),
    custom: columns.flatMap(({ target }) => (target && 'attribute' in target ? [target.attribute] : [])),
    ignored: columns.flatMap(({ header, position, target, reason }) =>
      target === null ? [{ header, position, reason: reason as IgnoredReason }] : [],
    ),
    columns,
    warnings: columns.flatMap(({ header, position, target, reason }) =>
      reason === 'known_attribute' && target && 'attribute' in target
        ? takenAs(
            `Column ${position}, ${quoted(header)},`,
            header,
            target.attribute,
            'If it is another one, say so with columns.',
          )
        : [],
    ),
  }
}

function takenAs(what: string, name: string, attribute: string, remedy: string): ColumnWarning[] {
  if (isSpeltAlike(name, attribute)) return []
  const message = `${what} is taken as the attribute ${quoted(attribute)} that the account has. ${remedy}`
  return [{ code: 'HEADER_TAKEN_AS', message }]
}

/** A header in a message: whatever its length and the characters in it. */
export function quoted(header: string): string {
  const characters = [...header]
  const most = 60
  return JSON.stringify(characters.length > most ? `${characters.slice(0, most).join('')}…` : header)
}

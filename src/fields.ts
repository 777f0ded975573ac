import { CustomAttributesError } from './errors.js'
import { aliasesOfField } from './field-names.js'
import { isStandardColumn, nameForm, STANDARD_COLUMNS } from './names.js'
import { isObject, isTextList, kindOf, type OptionRule } from './options.js'

/** What is said of one field. */
export interface FieldDefinition {
  /** The column of the customer table, as the database spells it, without quotes. Default: the field's name. */
  column?: string
  /**
   * Headers that mean the field beside its own name, compared by their form. A field with the name of a standard field has
   * that one's aliases, too. Default none.
   */
  aliases?: readonly string[]
  /**
   * Whether files and `upsertCustomer` may fill it: `true` (default), `false` (it is read only: a merge tag and an audience
   * name like others), or `'new'`: only when the customer is created.
   */
  fillable?: boolean | 'new'
}

/** A field of customers: its name is the merge tag, the audience name and the target of a CSV column. */
export interface Field {
  readonly name: string
  readonly column: string
  readonly aliases: readonly string[]
  readonly fillable: boolean | 'new'
}

const BRAND = Symbol.for('postgres-custom-attributes.fields')

/** The fields of a host's customers, made by {@link defineFields}. */
export class FieldCatalogue {
  /** Known by it, and not by its class: ESM and CommonJS copies of the package may meet. */
  readonly [BRAND] = true
  /** the names, in the order in which they were defined; `email` is always one, and the first */
  readonly names: readonly string[]
  readonly #byName: ReadonlyMap<string, Field>
  readonly #byForm: ReadonlyMap<string, Field>
  readonly #byAlias: ReadonlyMap<string, Field>

  /** @internal */
  constructor(fields: readonly Field[]) {
    this.names = Object.freeze(fields.map(({ name }) => name))
    this.#byName = new Map(fields.map((field) => [field.name, field]))
    this.#byForm = new Map(fields.map((field) => [nameForm(field.name), field]))
    const aliases = fields.flatMap((field) => field.aliases.map((alias) => [nameForm(alias), field] as const))
    // The first field that has it: a host's order is the host's word.
    this.#byAlias = new Map(aliases.reverse())
  }

  get(name: unknown): Field | undefined {
    return this.#byName.get(name as string)
  }

  has(name: unknown): name is string {
    return this.#byName.has(name as string)
  }

  /** The field whose name has a form. */
  ofForm(form: string): string | undefined {
    return this.#byForm.get(form)?.name
  }

  /** The field that has an alias of a form. */
  ofAlias(form: string): string | undefined {
    return this.#byAlias.get(form)?.name
  }
}

/** Names that a row of customers has beside its fields. */
const OWN_NAMES = new Set(['id', 'account_id', 'custom_attributes', 'created_at', 'updated_at', 'standard'])
const KNOWN_KEYS = ['column', 'aliases', 'fillable']

/**
 * Says which fields a customer table has beside what every customer has. One catalogue is given to the store, to
 * `mapColumns`, `parseRow` and `renderTemplate`. `email` is always a field and need not be said.
 *
 * @param definitions - by the field's name, which consists of letters, digits and `_` and begins with no digit:
 *   `{ first_name: { column: 'fname', aliases: ['Vorname'] }, job_title: {}, plan: { fillable: false } }`
 * @throws CustomAttributesError `INVALID_OPTION`, naming the field
 */
export function defineFields(definitions: Readonly<Record<string, FieldDefinition>>): FieldCatalogue {
  if (isObject(definitions) !== undefined) {
    throw invalid('', `the definitions must be an object, got ${kindOf(definitions)}`)
  }
  const given = new Map(Object.entries(definitions))
  const fields = [...new Set(['email', ...given.keys()])].map((name) => toField(name, given.get(name) ?? {}))
  for (const what of ['name', 'column'] as const) {
    const seen = new Map<string, string>()
    for (const field of fields) {
      const key = what === 'name' ? nameForm(field.name) : field.column
      const other = seen.get(key)
      if (other !== undefined)
        throw invalid(field.name, `it has the ${what === 'name' ? 'form' : 'column'} of ${other}`)
      seen.set(key, field.name)
    }
  }
  return new FieldCatalogue(fields)
}

function toField(name: string, definition: FieldDefinition): Field {
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw invalid(name, 'a name consists of letters, digits and _')
  if (OWN_NAMES.has(name)) throw invalid(name, 'every customer has that beside its fields')
  if (isObject(definition) !== undefined) throw invalid(name, `it must be an object, got ${kindOf(definition)}`)
  const unknown = Object.keys(definition).find((key) => !KNOWN_KEYS.includes(key))
  if (unknown !== undefined) throw invalid(name, `it has no ${unknown}; known are ${KNOWN_KEYS.join(', ')}`)
  const { column = name, aliases = [], fillable = true } = definition
  if (typeof column !== 'string' || column === '') throw invalid(name, 'its column must be a non-empty string')
  if (isTextList(aliases) !== undefined) throw invalid(name, 'its aliases must be an array of strings')
  if (fillable !== true && fillable !== false && fillable !== 'new') {
    throw invalid(name, "its fillable must be true, false or 'new'")
  }
  if (name === 'email' && fillable !== true) throw invalid(name, 'it identifies the customer and is always fillable')
  const own = isStandardColumn(name) ? aliasesOfField(name) : []
  return Object.freeze({ name, column, aliases: Object.freeze([...aliases, ...own]), fillable })
}

function invalid(field: string, what: string): CustomAttributesError {
  const where = field === '' ? 'defineFields' : `defineFields: ${JSON.stringify(field)}`
  return new CustomAttributesError('INVALID_OPTION', `${where}: ${what}.`, { function: 'defineFields', option: field })
}

/** The 27 fields of the reference table; of these, those that a table has. */
export const STANDARD_FIELDS: FieldCatalogue = defineFields(
  Object.fromEntries(STANDARD_COLUMNS.map((name) => [name, {}])),
)

/** The rule of options that take a catalogue. */
export const isCatalogue: OptionRule = (value) =>
  (value as { [BRAND]?: unknown } | null)?.[BRAND] === true ? undefined : 'what defineFields returns'

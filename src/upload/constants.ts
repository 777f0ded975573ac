import { assignConstants, type ColumnMapping, type ColumnWarning, quoted } from '../column-targets.js'
import { checkAttributeNames } from '../db/definitions.js'
import { type DateFormat, type NumberFormat, valueCheck } from '../db/field-values.js'
import { type TableShape, whyReadOnly } from '../db/table-shape.js'
import { CustomAttributesError } from '../errors.js'
import { cleanHeader, whyLeftOut } from '../headers.js'
import { attributeNameFault, nameForm, usableName } from '../names.js'
import { emptyMarkerTest, isUnstorable, type RowTarget } from '../rows.js'
import { trim } from '../trim.js'

/** A value that every row of an upload gets, as if the file had a column of it. */
export interface Constant extends RowTarget {
  value: string
  /** what the file's owner should know of it */
  warnings: ColumnWarning[]
}

/** What the constants of an upload stand among. */
interface Surroundings {
  mapping: ColumnMapping
  shape: TableShape
  known: readonly string[]
  maxCustomAttributes: number
  maxValueLength: number
  dateFormat: DateFormat
  numberFormat: NumberFormat | undefined
  emptyMarkers: readonly string[]
}

/**
 * Resolves the option `constants` against the file's columns: a name means what a header of that name would.
 *
 * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_ATTRIBUTE_NAME`, `DUPLICATE_COLUMN` when the file fills the same
 *   name, `FIELD_NOT_IN_TABLE`, `TOO_MANY_ATTRIBUTES`
 */
export function resolveConstants(
  given: Readonly<Record<string, string>> | undefined,
  surroundings: Surroundings,
): Constant[] {
  const { mapping, shape, known, maxCustomAttributes, maxValueLength } = surroundings
  const { dateFormat, numberFormat, emptyMarkers } = surroundings
  const isEmptyMarker = emptyMarkerTest(emptyMarkers)
  const entries = Object.entries(given ?? {})
  const targets = assignConstants(
    entries.map(([name]) => cleanHeader(name)),
    mapping,
    known,
    shape.catalogue,
  )
  const constants = entries.map(([name, text], at): Constant => {
    const { warnings, ...target } = targets[at]!
    const field = 'field' in target ? target.field : undefined
    const attribute = 'attribute' in target ? target.attribute : ''
    const trimmed = trim(text)
    const value = isEmptyMarker?.(trimmed) ? '' : trimmed
    const wrong = (what: string) =>
      new CustomAttributesError('INVALID_OPTION', `constants.${name}: ${what}`, { option: 'constants', name })
    const leftOut = whyLeftOut(cleanHeader(name))
    if (leftOut && leftOut !== 'blank') throw wrong('columns of this name are left out of files; give it another.')
    // A column that is the email by an alias too is told as what it is, a duplicate.
    if (field === 'email' && shape.catalogue.ofForm(nameForm(name)))
      throw wrong('the email tells customers apart, so it must be a column of the file.')
    if (isUnstorable(value)) throw wrong('it holds a character that PostgreSQL cannot store.')
    if ([...value].length > maxValueLength) throw wrong(`it is over ${maxValueLength} characters.`)
    const { standard, custom, columns } = mapping
    if (field ? standard.includes(field) : custom.includes(attribute)) {
      const column = columns.find(({ target }) =>
        target === null ? false : 'field' in target ? target.field === field : target.attribute === attribute,
      )
      throw new CustomAttributesError(
        'DUPLICATE_COLUMN',
        `${field ?? attribute} is filled by column ${column?.position} of the file and by constants. ` +
          'Leave it out of constants, or map the column to null with columns.',
        { name: field ?? attribute, positions: [column?.position] },
      )
    }
    if (!field) {
      const fault = attributeNameFault(attribute)
      if (fault !== undefined) throw unusable(attribute, fault)
      checkAttributeNames([attribute], shape)
      return { index: -1, header: name, attribute, value, warnings }
    }
    if (!shape.fillable.has(field)) {
      const isThere = shape.standardFields.includes(field)
      throw new CustomAttributesError(
        isThere ? 'FIELD_NOT_FILLABLE' : 'FIELD_NOT_IN_TABLE',
        isThere
          ? `constants fills ${field}, which can be read and not written: ${whyReadOnly(shape, [field])}. Leave it out.`
          : `constants fills ${field}, which ${shape.customerTable} does not have. Add the column, or leave it out.`,
        { fields: [field] },
      )
    }
    const checked =
      value === '' ? value : (valueCheck(shape.columns.get(field)!, dateFormat, numberFormat)?.(value) ?? value)
    if (typeof checked !== 'string') throw wrong(checked.message)
    return { index: -1, header: name, field, value: checked, warnings }
  })
  const names = constants.map(({ field, attribute }) => field ?? attribute!)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) {
    throw new CustomAttributesError('INVALID_OPTION', `constants names ${twice} twice, in two spellings.`, {
      option: 'constants',
      name: twice,
    })
  }
  const attributes = [...mapping.custom, ...constants.flatMap(({ attribute }) => attribute ?? [])]
  if (attributes.length > maxCustomAttributes) {
    throw new CustomAttributesError(
      'TOO_MANY_ATTRIBUTES',
      `Maximum ${maxCustomAttributes} custom attributes allowed. Found ${attributes.length}: ${attributes.join(', ')}.`,
      { max: maxCustomAttributes, found: attributes.length, names: attributes },
    )
  }
  return constants
}

function unusable(name: string, reason: string): CustomAttributesError {
  const proposal = usableName(name)
  return new CustomAttributesError(
    'INVALID_ATTRIBUTE_NAME',
    `constants names ${quoted(name)}, which is not usable as the name of a custom attribute (${reason}` +
      `${proposal === undefined ? '' : `; usable is ${quoted(proposal)}`}).`,
    { reason, ...(proposal === undefined ? {} : { proposal }) },
  )
}

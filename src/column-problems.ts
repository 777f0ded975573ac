import {
  type ColumnMapping,
  type MappedColumn,
  quoted,
  type ResolvedColumnOptions,
  spellingsOf,
} from './column-targets.js'
import type { Problem } from './errors.js'
import type { FieldCatalogue } from './fields.js'
import { cleanHeader, whyLeftOut } from './headers.js'
import { attributeNameFault, nameForm, usableName } from './names.js'
import { LIMITS } from './options.js'

export function unknownColumns(headers: readonly string[], { columns }: ResolvedColumnOptions): Problem | undefined {
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

export function missingEmail(
  mapping: ColumnMapping,
  headers: readonly string[],
  fields: FieldCatalogue,
): Problem | undefined {
  if (mapping.standard.includes('email')) return undefined
  const taken = mapping.columns.find(
    ({ header, reason }) => reason === 'known_attribute' && fields.ofAlias(nameForm(header)) === 'email',
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

export function duplicateColumns(columns: readonly MappedColumn[]): Problem | undefined {
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

export function invalidNames(columns: readonly MappedColumn[], fields: FieldCatalogue): Problem | undefined {
  const invalid = columns.flatMap(({ target, position }) => {
    const name = target && 'attribute' in target ? target.attribute : undefined
    const reason = name === undefined ? undefined : attributeNameFault(name)
    return reason === undefined ? [] : [{ position, reason, name: name! }]
  })
  if (invalid.length === 0) return undefined
  const proposals = new Map(proposeNames(columns, fields).map(({ position, name }) => [position, name]))
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

/** How long the count behind a proposed name may be, with its blank. */
const LONGEST_COUNT = 8

/**
 * For each column whose attribute cannot have its name, one that works: like it, and of another form than every field and
 * than every other column.
 */
export function proposeNames(
  columns: readonly MappedColumn[],
  fields: FieldCatalogue,
): { position: number; name: string }[] {
  const attributes = columns.flatMap(({ target, position }) =>
    target && 'attribute' in target ? [{ position, name: target.attribute }] : [],
  )
  const isUsable = ({ name }: { name: string }) => attributeNameFault(name) === undefined
  const taken = new Set(attributes.filter(isUsable).map(({ name }) => nameForm(name)))
  const take = (name: string): boolean => {
    const form = nameForm(name)
    if (taken.has(form) || fields.ofForm(form) || fields.ofAlias(form) || whyLeftOut(name, form)) return false
    taken.add(form)
    return true
  }
  // Names that would be numbered alike go on counting where the one before stopped: a file can have thousands of them.
  const counts = new Map<string, number>()
  return attributes
    .filter((attribute) => !isUsable(attribute))
    .map(({ position, name }) => {
      const base = usableName(name) ?? `column ${position}`
      if (take(base)) return { position, name: base }
      const characters = [...base]
      const stem = nameForm(characters.slice(0, LIMITS.maxAttributeNameLength - LONGEST_COUNT).join(''))
      let count = counts.get(stem) ?? 1
      let proposal: string
      do {
        count++
        const ending = ` ${count}`
        proposal = characters.slice(0, LIMITS.maxAttributeNameLength - ending.length).join('') + ending
      } while (!take(proposal))
      counts.set(stem, count)
      return { position, name: proposal }
    })
}

export function tooManyAttributes(mapping: ColumnMapping, max: number): Problem | undefined {
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

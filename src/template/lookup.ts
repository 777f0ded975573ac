import type { FieldCatalogue } from '../fields.js'
import { nameForm, nameIndex } from '../names.js'
import type { Values } from './customer.js'

/** A name that a template uses, with what can be known of it before there is a customer. */
export interface TagName {
  readonly name: string
  readonly form: string
  /** whether the name is exactly that of a standard field */
  readonly isField: boolean
  /** the standard field of the same form */
  readonly fieldOfForm: string | undefined
  /** whether every object inherits something of this name */
  readonly isInherited: boolean
  /** the name of the account that it stands for, itself or another spelling; null when that could be any of several */
  readonly known: string | null | undefined
  /** the field that it stands for, by any of these */
  readonly field: string | undefined
}

/** Where the names of one rendering are looked up. */
export interface Scope {
  readonly fields: Values
  readonly attributes: Values
  readonly extra: Values | undefined
  readonly formOf: (name: string) => string
  /** see {@link hasOnlyOwn} */
  readonly hasOnlyOwn: boolean
}

/** So many forms are remembered; an account has a few dozen names. */
const MOST_FORMS = 1000

/**
 * Makes the reader of tags' names.
 *
 * @param fields - the fields of the customers
 * @param names - those that the account knows; without them, and for a name of no known form, each customer's decide
 */
export function tagNames(fields: FieldCatalogue, names: Iterable<string> | undefined): (name: string) => TagName {
  const spellings = [...(names ?? [])]
  const find = nameIndex(spellings)
  const forms = new Set(spellings.map(nameForm))
  return (name) => {
    const form = nameForm(name)
    const known = find(name, form) ?? (forms.has(form) ? null : undefined)
    const fieldOfForm = fields.ofForm(form)
    return {
      name,
      form,
      isField: fields.has(name),
      fieldOfForm,
      isInherited: name in Object.prototype,
      known,
      field: fields.has(known ?? name) ? (known ?? name) : fieldOfForm,
    }
  }
}

/**
 * Whether reading any name but the inherited ones finds own properties only: plain objects, and nothing added to what
 * they inherit. Then a read needs no check of its own, which halves its cost.
 */
export function hasOnlyOwn(fields: Values, attributes: Values, extra: Values | undefined): boolean {
  for (const _added in {}) return false
  return isPlain(fields) && isPlain(attributes) && (extra === undefined || isPlain(extra))
}

function isPlain(values: Values): boolean {
  const prototype = Object.getPrototypeOf(values)
  return prototype === Object.prototype || prototype === null
}

/** Remembers the forms of the names that customers have; most have the same. */
export function createFormMemo(): (name: string) => string {
  const forms = new Map<string, string>()
  return (name) => {
    let form = forms.get(name)
    if (form === undefined) {
      form = nameForm(name)
      if (forms.size >= MOST_FORMS) forms.clear()
      forms.set(name, form)
    }
    return form
  }
}

/**
 * Finds the value of a name. The exact spelling comes first: an extra tag, a standard field, a custom attribute, in this
 * order, so that no uploaded column stands in for what the host says. Else the single name of the same form; when two
 * spellings share the form, there is none. A name whose value is `undefined` counts as not there. Where the account's names
 * are known, they decide what a tag stands for, and a customer without that name has no value.
 *
 * Only own properties count: nothing of a prototype, and of the row nothing but the standard fields.
 */
export function findValue(tag: TagName, scope: Scope): unknown {
  const { name } = tag
  if (scope.hasOnlyOwn && !tag.isInherited) {
    let value = scope.extra?.[name]
    if (value === undefined && tag.isField) value = scope.fields[name]
    if (value === undefined) value = scope.attributes[name]
    if (value !== undefined) return value
  } else {
    if (has(scope.extra, name)) return scope.extra[name]
    if (tag.isField && has(scope.fields, name)) return scope.fields[name]
    if (has(scope.attributes, name)) return scope.attributes[name]
  }
  return tag.known === undefined ? findByForm(tag, scope) : findKnown(tag, tag.known, scope)
}

/** Finds the value of a name of the account; extra tags of the same form are seen as beside the customer's names. */
function findKnown(
  { name, form, field }: TagName,
  known: string | null,
  { fields, attributes, extra, formOf }: Scope,
): unknown {
  if (known === name) return undefined
  let extraName: string | undefined
  for (const candidate in extra) {
    if (formOf(candidate) !== form || !has(extra, candidate)) continue
    if (extraName !== undefined) return undefined
    extraName = candidate
  }
  if (extraName !== undefined) return known === extraName ? extra![extraName] : undefined
  if (known === null) return undefined
  if (field === known && has(fields, known)) return fields[known]
  return has(attributes, known) ? attributes[known] : undefined
}

function findByForm({ form, fieldOfForm }: TagName, { fields, attributes, extra, formOf }: Scope): unknown {
  let foundName: string | undefined
  let found: Values | undefined
  for (const name in extra) {
    if (formOf(name) !== form || !has(extra, name)) continue
    if (foundName !== undefined) return undefined
    foundName = name
    found = extra
  }
  if (fieldOfForm !== undefined && has(fields, fieldOfForm)) {
    if (foundName !== undefined && foundName !== fieldOfForm) return undefined
    foundName = fieldOfForm
    found ??= fields
  }
  for (const name in attributes) {
    if (formOf(name) !== form || !has(attributes, name)) continue
    if (foundName !== undefined && foundName !== name) return undefined
    foundName = name
    found ??= attributes
  }
  return foundName === undefined ? undefined : found![foundName]
}

function has(values: Values | undefined, name: string): values is Values {
  return values !== undefined && Object.hasOwn(values, name) && values[name] !== undefined
}

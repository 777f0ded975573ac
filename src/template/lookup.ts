import { fieldOfForm, isStandardColumn, nameForm, type StandardColumn } from '../names.js'
import type { Values } from './customer.js'

/** A name that a template uses, with what can be known of it before there is a customer. */
export interface TagName {
  readonly name: string
  readonly form: string
  /** whether the name is exactly that of a standard field */
  readonly isField: boolean
  /** the standard field of the same form */
  readonly fieldOfForm: StandardColumn | undefined
  /** whether every object inherits something of this name */
  readonly isInherited: boolean
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

export function toTagName(name: string): TagName {
  const form = nameForm(name)
  return {
    name,
    form,
    isField: isStandardColumn(name),
    fieldOfForm: fieldOfForm(form),
    isInherited: name in Object.prototype,
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
 * spellings share the form, there is none. A name whose value is `undefined` counts as not there.
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
  return findByForm(tag, scope)
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

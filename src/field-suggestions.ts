import { editDistance } from './edit-distance.js'
import { namesOfField } from './field-names.js'
import type { FieldCatalogue } from './fields.js'
import { isStandardColumn, nameForm } from './names.js'

/** A standard field that a header may mean. */
export interface FieldSuggestion {
  field: string
  /** from 0 to 1; 0.9 where the header is one of the field's names, less where it only resembles or holds one */
  confidence: number
}

/** What a header is worth that is a name of the field, that is one but for its spelling, that holds one among its words. */
const NAMED = 0.9
const MISSPELT = 0.8
const HOLDS = 0.5

const MOST_SUGGESTIONS = 3
/** Headers and words of other lengths resemble a name by chance, or are sentences. */
const FEWEST_LETTERS = 4
const MOST_LETTERS = 60
const MOST_WORDS = 8
const LONGEST_NAME = 4

const namesOfCatalogues = new WeakMap<FieldCatalogue, Map<string, string>>()

/** The names of all fields, without accents, which a keyboard of another country leaves out. */
function allNames(fields: FieldCatalogue): Map<string, string> {
  const made = namesOfCatalogues.get(fields)
  if (made) return made
  const names = new Map(fields.names.map((field) => [plainForm(field), field]))
  for (const field of fields.names) {
    const others = [...fields.get(field)!.aliases, ...(isStandardColumn(field) ? namesOfField(field) : [])]
    for (const name of others) if (!names.has(plainForm(name))) names.set(plainForm(name), field)
  }
  namesOfCatalogues.set(fields, names)
  return names
}

function plainForm(name: string): string {
  return nameForm(name).normalize('NFD').replace(/\p{M}/gu, '').normalize('NFC')
}

/** The standard fields that a header most likely means, the likeliest first. Only for offering: it is a guess. */
export function suggestFields(
  header: string,
  fields: FieldCatalogue,
  isFree: (field: string) => boolean,
): FieldSuggestion[] {
  const form = plainForm(header)
  if (form.length > MOST_LETTERS) return []
  const names = allNames(fields)
  const best = new Map<string, number>()
  const offer = (field: string, confidence: number) => {
    if (isFree(field) && confidence > (best.get(field) ?? 0)) best.set(field, Math.round(confidence * 100) / 100)
  }
  const named = names.get(form)
  if (named) offer(named, NAMED)
  for (const [name, field] of names) {
    const letters = Math.max(form.length, name.length)
    const most = Math.floor(letters / 4)
    if (Math.min(form.length, name.length) < FEWEST_LETTERS || Math.abs(form.length - name.length) > most) continue
    const distance = editDistance(form, name)
    if (distance <= most) offer(field, MISSPELT * (1 - distance / letters))
  }
  const words = wordsOf(header)
  for (let start = 0; start < words.length; start++) {
    for (let end = start + 1; end <= Math.min(words.length, start + LONGEST_NAME); end++) {
      const held = words.slice(start, end).join('')
      const field = held.length < FEWEST_LETTERS ? undefined : names.get(held)
      if (field) offer(field, HOLDS * (held.length / form.length) + 0.1)
    }
  }
  return [...best]
    .map(([field, confidence]) => ({ field, confidence }))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, MOST_SUGGESTIONS)
}

function wordsOf(header: string): string[] {
  const words = header.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2').split(/[^\p{L}\p{N}\p{M}]+/u)
  return words
    .map(plainForm)
    .filter((word) => word !== '')
    .slice(0, MOST_WORDS)
}

import { editDistance } from '../edit-distance.js'
import type { FieldCatalogue } from '../fields.js'
import { nameForm, nameIndex } from '../names.js'

/** The names that an account knows. */
export interface KnownNames {
  /** The known name that a tag finds: the exact spelling, else the single one of the same form. */
  find(name: string): string | undefined
  /** The known name that the writer of an unknown one most likely meant. */
  suggest(name: string): string | undefined
}

/** Pairs of letters that are compared for the suggestions of one check: some twenty milliseconds. */
const MOST_COMPARISONS = 2_000_000

/** Indexes the names that an account knows. */
export function createKnownNames(names: Iterable<string>, fields: FieldCatalogue): KnownNames {
  const spellings = [...new Set(names)]
  const nearest = createNearest(new Map(spellings.map((name) => [name, nameForm(name)])))
  const find = nameIndex(spellings)
  return {
    find,
    suggest: (name) => {
      const clean = cleanName(name)
      const lastPart = clean
        .replace(/\[\s*["']?(.*?)["']?\s*\]$/, '.$1')
        .split('.')
        .at(-1)!
      return find(clean) ?? find(aliasedField(clean, fields) ?? lastPart) ?? nearest(clean)
    },
  }
}

/** Removes what an HTML editor leaves in a tag. */
function cleanName(name: string): string {
  return name
    .replace(/<[^>]*>|[\u00ad\u200b-\u200d\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The standard field that a column of this name would fill, such as `first_name` for `fname`. */
function aliasedField(name: string, fields: FieldCatalogue): string | undefined {
  const form = nameForm(name)
  return fields.ofForm(form) ?? fields.ofAlias(form)
}

/**
 * Makes the search for the name whose form differs by the fewest letters, at most by one in three; among these, for the
 * nearest spelling. Hundreds of unknown tags and thousands of names are more than anybody waits for: after
 * `MOST_COMPARISONS` it finds nothing more.
 */
function createNearest(forms: ReadonlyMap<string, string>): (name: string) => string | undefined {
  let comparisons = 0
  return (name) => {
    const form = nameForm(name)
    let best: { name: string; letters: number; spelling: number } | undefined
    for (const [candidate, candidateForm] of forms) {
      const most = best?.letters ?? Math.floor(Math.max(form.length, candidateForm.length) / 3)
      if (Math.abs(form.length - candidateForm.length) > most) continue
      comparisons += form.length * candidateForm.length
      if (comparisons > MOST_COMPARISONS) break
      const letters = editDistance(form, candidateForm)
      if (letters > most) continue
      const spelling = editDistance(name, candidate)
      if (best === undefined || letters < best.letters || spelling < best.spelling) {
        best = { name: candidate, letters, spelling }
      }
    }
    return best?.name
  }
}

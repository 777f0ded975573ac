import { inspectColumns } from '../columns.js'
import { nameForm, nameIndex } from '../names.js'
import { decodeEntities } from './fallback.js'

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
export function createKnownNames(names: Iterable<string>): KnownNames {
  const spellings = [...new Set(names)]
  const nearest = createNearest(new Map(spellings.map((name) => [name, nameForm(name)])))
  const find = nameIndex(spellings)
  return {
    find,
    suggest: (name) => {
      const clean = cleanName(name)
      const lastPart = clean.slice(clean.lastIndexOf('.') + 1)
      return find(clean) ?? find(aliasedField(clean) ?? lastPart) ?? nearest(clean)
    },
  }
}

/** Removes what an HTML editor leaves in a tag. */
function cleanName(name: string): string {
  // `{{&nbsp;name}}` is an unescaped tag of the name `nbsp;name`.
  return decodeEntities(name.replace(/^nbsp;/, ''))
    .replace(/<[^>]*>|[\u00ad\u200b-\u200d\u2060\ufeff]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The standard field that a column of this name would fill, such as `first_name` for `fname`. */
function aliasedField(name: string): string | undefined {
  const target = inspectColumns([name]).mapping.columns[0]?.target
  return target && 'field' in target ? target.field : undefined
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
      const letters = distance(form, candidateForm)
      if (letters > most) continue
      const spelling = distance(name, candidate)
      if (best === undefined || letters < best.letters || spelling < best.spelling) {
        best = { name: candidate, letters, spelling }
      }
    }
    return best?.name
  }
}

/** How many letters must be changed, added, dropped or swapped with their neighbour to make one text of the other. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1))
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]) {
        least = Math.min(least, beforeLast[column - 2]! + 1)
      }
      current.push(least)
    }
    beforeLast = last
    last = current
  }
  return last[to.length]!
}

import type { RawTag } from './scanner.js'
import { joinUrls, type UrlState } from './url-escaping.js'

// The states of htmlparser2's tokenizer, which does not export them. What is none of these is part of a declaration, a
// processing instruction or a comment.
export const TEXT = 1
export const IN_TAG_NAME = 3
export const IN_SELF_CLOSING_TAG = 4
export const CLOSING_TAG = [5, 6, 7]
export const BEFORE_ATTRIBUTE_NAME = 8
export const IN_ATTRIBUTE_NAME = 9
export const AFTER_ATTRIBUTE_NAME = 10
export const BEFORE_ATTRIBUTE_VALUE = 11
export const IN_DOUBLE_QUOTES = 12
export const IN_SINGLE_QUOTES = 13
export const IN_UNQUOTED_VALUE = 14
export const TAG_NAME = [2, IN_TAG_NAME, 22, 23, 24]
export const IN_SPECIAL_ELEMENT = 25
/** Where a name is being read. */
export const NAMES = [IN_TAG_NAME, 22, 23, 24, IN_ATTRIBUTE_NAME]
/** Stands in a name for a value. */
export const VALUE_IN_NAME = '{'
export const VALUES = [IN_DOUBLE_QUOTES, IN_SINGLE_QUOTES, IN_UNQUOTED_VALUE]
/** Before a blank, `/` or `>` these are all one: behind a tag's name or an attribute. */
export const BETWEEN_ATTRIBUTES = [IN_TAG_NAME, BEFORE_ATTRIBUTE_NAME, IN_ATTRIBUTE_NAME, AFTER_ATTRIBUTE_NAME]

/** What the tokenizer keeps, as far as it is read or set here. */
export interface TokenizerState {
  state: number
  buffer: string
  sectionStart: number
  index: number
  offset: number
  isSpecial: boolean
  currentSequence: unknown
  sequenceIndex: number
  running: boolean
}

/** The place between two characters of a template. */
export interface Place extends TokenizerState {
  /** the beginning of the name that is being read */
  name: string
  element: string
  attribute: string
  url: UrlState
  /** the end of the text of the URL's attribute value, for references that a value could complete */
  tail: string
  isConditional: boolean
  foreignDepth: number
  foreignSpecial: number
  isLost: boolean
  /** the tag that begins the URL */
  urlTag: RawTag | undefined
}

/** The one place that different ways lead to; undefined when there is none. */
export function joinPlaces(places: readonly Place[], behind: string): Place | undefined {
  return places.reduce<Place | undefined>((joined, place) => joined && joinTwo(joined, place, behind), places[0])
}

function joinTwo(a: Place, b: Place, behind: string): Place | undefined {
  if (a.isConditional !== b.isConditional || a.foreignDepth !== b.foreignDepth) return undefined
  const areBetween = BETWEEN_ATTRIBUTES.includes(a.state) && BETWEEN_ATTRIBUTES.includes(b.state)
  if (areBetween && (a.state !== b.state || a.name !== b.name)) return joinAttributes(a, b, behind)
  if (a.state !== b.state) return undefined
  if (a.state === TEXT) return a
  const isSame =
    a.isSpecial === b.isSpecial &&
    (!a.isSpecial || a.currentSequence === b.currentSequence) &&
    a.sequenceIndex === b.sequenceIndex &&
    a.element === b.element &&
    a.name === b.name
  if (!isSame) return undefined
  if (!VALUES.includes(a.state) && a.state !== BEFORE_ATTRIBUTE_VALUE) return a
  if (a.attribute !== b.attribute) return undefined
  return { ...a, url: joinUrls(a.url, b.url), urlTag: a.urlTag ?? b.urlTag, tail: a.tail.length > 0 ? a.tail : b.tail }
}

/** The place behind an attribute that one of two ways writes: one, when what follows ends names and is no value. */
function joinAttributes(a: Place, b: Place, behind: string): Place | undefined {
  const isInName = NAMES.includes(a.state) || NAMES.includes(b.state)
  if ((isInName && !/^[\s/>]/.test(behind)) || /^\s*=/.test(behind)) return undefined
  const elementOf = ({ state, name, element }: Place) => (state === IN_TAG_NAME ? name.toLowerCase() : element)
  if (elementOf(a) !== elementOf(b) || a.isSpecial !== b.isSpecial) return undefined
  return a.state === IN_TAG_NAME ? b : a
}

import { LIMITS } from '../options.js'
import { type TemplatePlace, type TemplateProblem, tagProblem } from './problems.js'
import { REFERENCE, readReferences } from './references.js'

/** A tag as it stands in the template: `template.slice(start, end)` is `source`. */
export interface RawTag extends TemplatePlace {
  /** the character that says what the tag does, `''` for a plain value */
  sigil: '' | '#' | '^' | '/' | '>' | '{' | '&' | '=' | '!'
  /** what stands between the sigil and the closing braces, without the blanks around it; of html its references are read */
  content: string
  source: string
  start: number
  end: number
}

/** Blanks, with the invisible characters that editors leave between them. */
export const BLANK = '[\\s\\u00ad\\u200b-\\u200d\\u2060]'
const OUTER_BLANKS = new RegExp(`^${BLANK}+|${BLANK}+$`, 'g')

/** Takes the blanks off the ends, and what shows no character there. */
export function trimBlanks(text: string): string {
  return text.replace(OUTER_BLANKS, '')
}

const LF = 10
const CR = 13

/**
 * Finds the tags of a template exactly where mustache.js finds them, and within the limits. The time grows no faster than
 * the template.
 *
 * @param isHtml - then an editor may have written `{{R&amp;D}}` for `{{R&D}}`
 */
export function scanTags(template: string, isHtml: boolean): { rawTags: RawTag[]; problems: TemplateProblem[] } {
  const rawTags: RawTag[] = []
  const problems: TemplateProblem[] = []
  const placeOf = placeFinder(template)
  const nextDouble = finder(template, '}}')
  const nextTriple = finder(template, '}}}')
  const opening = /\s*([#^/>{&=!]?)\s*/y
  let start = template.indexOf('{{')
  for (let count = 1; start !== -1; count++) {
    const place = placeOf(start)
    if (count > LIMITS.maxTemplateTags) {
      problems.push(tooManyTags(place))
      break
    }
    opening.lastIndex = start + 2
    const sigil = opening.exec(template)![1] as RawTag['sigil']
    const contentStart = opening.lastIndex
    const close = sigil === '{' ? nextTriple(contentStart) : nextDouble(contentStart)
    const nested = template.indexOf('{{', contentStart)
    if (close === -1 || (nested !== -1 && nested < close)) {
      problems.push(unclosedTag(place, template.slice(start, nested === -1 ? undefined : nested).trimEnd()))
      start = template.indexOf('{{', start + 2)
      continue
    }
    const end = close + (sigil === '{' ? 3 : 2)
    const source = template.slice(start, end)
    if (close - start - 2 > LIMITS.maxTagLength) problems.push(tagTooLong(place, source))
    else {
      const typed = template.slice(contentStart, close)
      const read = isHtml ? readTyped(sigil, typed) : { sigil, content: trimBlanks(typed) }
      rawTags.push({ ...read, source, start, end, ...place })
    }
    start = template.indexOf('{{', end)
  }
  return { rawTags, problems }
}

/** Reads what an HTML editor wrote: `&` before a character reference is no sigil, and `&gt;` is one as `>` is. */
function readTyped(sigil: RawTag['sigil'], typed: string): Pick<RawTag, 'sigil' | 'content'> {
  REFERENCE.lastIndex = 0
  const isReference = sigil === '&' && REFERENCE.test(`&${typed}`)
  const content = trimBlanks(readReferences(isReference ? `&${typed}` : typed))
  const isWritten = sigil === '' || isReference
  if (isWritten && /^[#^/&>]/.test(content)) {
    return { sigil: content.charAt(0) as RawTag['sigil'], content: trimBlanks(content.slice(1)) }
  }
  return { sigil: isReference ? '' : sigil, content }
}

/** Whether a tag is `{{else}}`, which parts a section in two. */
export function isElse({ sigil, content }: Pick<RawTag, 'sigil' | 'content'>): boolean {
  return sigil === '' && content === 'else'
}

/** The problem of a template that is over the limit, measured in UTF-8. */
export function sizeProblem(template: string): TemplateProblem | undefined {
  const max = LIMITS.maxTemplateBytes
  // One UTF-16 code unit takes one to three bytes.
  if (template.length * 3 <= max) return undefined
  if (template.length <= max && new TextEncoder().encode(template).length <= max) return undefined
  return {
    code: 'TEMPLATE_TOO_LARGE',
    severity: 'error',
    message: `The template is over ${max / 1024} KiB (${max} bytes in UTF-8). Shorten it; link large images instead of embedding them.`,
    details: { line: 1, column: 1, tag: '', maxBytes: max },
  }
}

/** Finds the next `needle` from a position that only grows; searches each part of the text once. */
function finder(text: string, needle: string): (from: number) => number {
  let found = text.indexOf(needle)
  return (from) => {
    if (found !== -1 && found < from) found = text.indexOf(needle, from)
    return found
  }
}

/** Turns a position that only grows into line and column. */
export function placeFinder(text: string): (position: number) => TemplatePlace {
  let line = 1
  let lineStart = 0
  let read = 0
  return (position) => {
    for (; read < position; read++) {
      const code = text.charCodeAt(read)
      if (code === LF || (code === CR && text.charCodeAt(read + 1) !== LF)) {
        line += 1
        lineStart = read + 1
      }
    }
    return { line, column: position - lineStart + 1 }
  }
}

function tooManyTags(place: TemplatePlace): TemplateProblem {
  const max = LIMITS.maxTemplateTags
  return tagProblem('TOO_MANY_TAGS', place, '{{', `opens tag ${max + 1} of at most ${max}`, 'Use fewer tags.', { max })
}

function tagTooLong(place: TemplatePlace, source: string): TemplateProblem {
  const max = LIMITS.maxTagLength
  return tagProblem(
    'TAG_TOO_LONG',
    place,
    source,
    `has more than ${max} characters between its braces`,
    'Shorten it, or close it with }} where it should end.',
    { max },
  )
}

function unclosedTag(place: TemplatePlace, source: string): TemplateProblem {
  const closing = /^\{\{\s*\{/.test(source) ? '}}}' : '}}'
  return tagProblem('TEMPLATE_SYNTAX', place, source, 'is a tag that is not closed', `Close it with ${closing}.`)
}

import {
  AFTER_ATTRIBUTE_NAME,
  BEFORE_ATTRIBUTE_NAME,
  BEFORE_ATTRIBUTE_VALUE,
  CLOSING_TAG,
  IN_ATTRIBUTE_NAME,
  IN_DOUBLE_QUOTES,
  IN_SELF_CLOSING_TAG,
  IN_SINGLE_QUOTES,
  IN_SPECIAL_ELEMENT,
  IN_UNQUOTED_VALUE,
  type Place,
  TAG_NAME,
  TEXT,
} from './html-places.js'
import type { Fault } from './problems.js'
import type { UrlState } from './url-escaping.js'

const URL_ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'action archive background cite classid codebase data dynsrc formaction href icon longdesc lowsrc manifest poster ' +
    'profile src usemap xmlns'
  ).split(' '),
)
const URL_LISTS: ReadonlySet<string> = new Set(['srcset', 'imagesrcset', 'ping'])
/** Elements that run or apply what their URL leads to, or that other URLs are relative to. */
const RESOURCES: ReadonlySet<string> = new Set(['script', 'link', 'base', 'embed', 'object'])
const ANIMATIONS: ReadonlySet<string> = new Set(['animate', 'set', 'animatetransform', 'animatemotion'])

/** Whether an attribute's value is a URL. */
export function isUrl(element: string, attribute: string): boolean {
  const name = attribute.slice(attribute.lastIndexOf(':') + 1)
  // A script puts the value of data-src into src.
  if (name.startsWith('data-')) return /src$|ur[il]$|href$/.test(name)
  return URL_ATTRIBUTES.has(name) && (name !== 'data' || element === 'object')
}

const OUT = 'Write the text itself, or move the tag into the text or into a quoted attribute.'
export const COMMENT_FAULT: Fault = ['stands in a comment', 'Take it out, or take it out of the comment.']
export const SCHEME_FAULT: Fault = [
  'stands before the colon of a URL, where it would choose what kind of URL it is',
  'Write the beginning of the URL itself, as in "https://example.com/", or put all of it into one value.',
]

/** What is wrong with a value at a place, if anything. */
export function placeFault(place: Place): Fault | undefined {
  const { state, element, sequenceIndex } = place
  if (state === TEXT) return undefined
  if (state === IN_DOUBLE_QUOTES || state === IN_SINGLE_QUOTES) return valueFault(place)
  if (state === IN_UNQUOTED_VALUE || state === BEFORE_ATTRIBUTE_VALUE) {
    const name = place.attribute.length > 30 || place.attribute.includes('{') ? 'title' : place.attribute
    return ['stands in an attribute without quotes', `Put the value into quotes, as in ${name}="{{name}}".`]
  }
  if (state === IN_SPECIAL_ELEMENT) {
    if (element === 'script' || element === 'style') {
      return [`stands in a ${element} element, where no escaping makes it safe`, OUT]
    }
    if (place.foreignDepth > 0) return [`stands in the ${element} of an svg or math element`, OUT]
    return sequenceIndex > 0 ? ['stands in the name of an element', OUT] : undefined
  }
  if (TAG_NAME.includes(state)) {
    return ['stands in the name of an element', 'Write &lt; for a < that is text; otherwise write the name itself.']
  }
  if (CLOSING_TAG.includes(state)) return ['stands in a closing tag', OUT]
  if (state === IN_ATTRIBUTE_NAME) return ['stands in the name of an attribute', OUT]
  if (state === BEFORE_ATTRIBUTE_NAME || state === AFTER_ATTRIBUTE_NAME || state === IN_SELF_CLOSING_TAG) {
    return [
      'stands between attributes, where it would be one',
      'Write the attribute itself, in a section when not everybody gets it, as in {{#name}}hidden{{/name}}.',
    ]
  }
  return [
    'stands in a comment or a declaration',
    'Take it out; a note to yourself is written as {{! note }} and not sent.',
  ]
}

function valueFault({ element, attribute, url, tail }: Place): Fault | undefined {
  const name = attribute.slice(attribute.lastIndexOf(':') + 1)
  const stands = (what: string, remedy = OUT): Fault => [`stands in ${what}`, remedy]
  if (attribute.includes('{') || element.includes('{')) {
    return ['stands behind a name with a tag in it', 'Write the name without the tag.']
  }
  if (name === 'style') return stands('a style attribute, where no escaping makes it safe')
  if (name.startsWith('on')) return stands(`the script of ${name}`)
  if (name === 'srcdoc') return stands('a document of its own, which srcdoc holds')
  if (URL_LISTS.has(name.replace(/^data-/, ''))) {
    return stands(`${name}, a list of URLs`, 'Use src or href, which hold one, or write the URLs themselves.')
  }
  if (element === 'meta' && /^(?:content|http-equiv|charset)$/.test(name)) return stands('a meta element')
  if (RESOURCES.has(element) && /^(?:type|language|rel|as|is)$/.test(name)) {
    return stands(`the ${name} of a ${element} element, which decides what is done with it`)
  }
  if (ANIMATIONS.has(element) && ['to', 'from', 'by', 'values', 'attributename'].includes(name)) {
    return stands('an animation, which can set any attribute')
  }
  return isUrl(element, attribute) ? urlFault(element, url, tail) : undefined
}

function urlFault(element: string, { part }: UrlState, tail: string): Fault | undefined {
  const isOpen = part === 'head' || part === 'root' || part === 'mail'
  if (isOpen ? /&#?\w*$/.test(tail) : /&#\w*$/.test(tail)) {
    return ['stands behind a & that it could make another character of', 'Write &amp; for the &.']
  }
  switch (part) {
    case 'start':
      return RESOURCES.has(element)
        ? [`stands at the start of the URL of a ${element} element, which runs or applies what it leads to`, SERVER]
        : undefined
    case 'after start':
      return ['stands directly behind a tag that begins the URL', 'Write / or ? between them, or use one value.']
    case 'authority':
      return [
        "stands in the server's name of a URL",
        'Write the name and a / before the tag, or put the whole URL into one value.',
      ]
    case 'code':
      return ['stands in a URL that is code', 'Write a URL of https before it.']
    case 'unknown':
      return [
        'stands in a URL that begins in different ways',
        'Write the whole URL into each part of the section, with {{else}} between them.',
      ]
    default:
      return undefined
  }
}

const SERVER = 'Write the beginning of the URL itself, as in "https://example.com/".'

export function sectionFault(inside: Place, outside: Place): Fault {
  const isQuoted = [inside, outside].some(
    ({ state }) => state === BEFORE_ATTRIBUTE_VALUE || state === IN_UNQUOTED_VALUE,
  )
  const what = 'has parts that end in different places of the HTML, so that what follows means different things'
  if (isQuoted) return [what, 'Put quotes around the section, within which its parts stand.']
  return [what, 'Let every part close what it opens: elements, quotes and comments.']
}

export const REFERENCE_FAULT: Fault = [
  'stands in a character reference of a link',
  'Write the reference in one piece, or & as &amp;.',
]

export const LOST_FAULT: Fault = [
  'stands behind HTML that parsers read in different ways',
  'Take the svg, select, script or other element before it apart, or pass the part as an extra tag.',
]

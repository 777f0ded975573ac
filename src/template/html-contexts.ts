import { Tokenizer } from 'htmlparser2'
import { type Fault, type TemplateProblem, tagProblem } from './problems.js'
import { readUrlReferences } from './references.js'
import { isElse, type RawTag } from './scanner.js'
import {
  afterLiteral,
  afterTag,
  escapeBehindRoot,
  escapeEncoded,
  escapeEncodedBehindRoot,
  escapeEncodedInPath,
  escapeInPath,
  escapeInUrl,
  escapeMailbox,
  escapeUrl,
  joinUrls,
  URL_START,
  type UrlState,
} from './url-escaping.js'

/** Makes of what a tag prints what may stand in its place; undefined when nothing does, and `#` is printed. */
export type ContextEscape = (text: string) => string | undefined

/** What is to know of a merge tag here. */
interface MergeTag {
  start: number
  kind: string
  calls: readonly { name: string }[]
}

/** What the places of a template's tags ask for. */
export interface HtmlContexts {
  /** by the start of the tag; a tag that is not among them is escaped as text is */
  escapes: Map<number, ContextEscape>
  problems: TemplateProblem[]
}

// The states of htmlparser2's tokenizer, which does not export them. What is none of these is part of a declaration, a
// processing instruction or a comment.
const TEXT = 1
const IN_TAG_NAME = 3
const IN_SELF_CLOSING_TAG = 4
const CLOSING_TAG = [5, 6, 7]
const BEFORE_ATTRIBUTE_NAME = 8
const IN_ATTRIBUTE_NAME = 9
const AFTER_ATTRIBUTE_NAME = 10
const BEFORE_ATTRIBUTE_VALUE = 11
const IN_DOUBLE_QUOTES = 12
const IN_SINGLE_QUOTES = 13
const IN_UNQUOTED_VALUE = 14
const TAG_NAME = [2, IN_TAG_NAME, 22, 23, 24]
const IN_SPECIAL_ELEMENT = 25
/** Where a name is being read. */
const NAMES = [IN_TAG_NAME, 22, 23, 24, IN_ATTRIBUTE_NAME]
/** Stands in a name for a value. */
const VALUE_IN_NAME = '{'
const VALUES = [IN_DOUBLE_QUOTES, IN_SINGLE_QUOTES, IN_UNQUOTED_VALUE]
/** Before a blank, `/` or `>` these are all one: behind a tag's name or an attribute. */
const BETWEEN_ATTRIBUTES = [IN_TAG_NAME, BEFORE_ATTRIBUTE_NAME, IN_ATTRIBUTE_NAME, AFTER_ATTRIBUTE_NAME]

/** What the tokenizer keeps, as far as it is read or set here. */
interface TokenizerState {
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
interface Place extends TokenizerState {
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

const URL_ATTRIBUTES: ReadonlySet<string> = new Set(
  (
    'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src ' +
    'usemap xmlns'
  ).split(' '),
)
const URL_LISTS: ReadonlySet<string> = new Set(['srcset', 'imagesrcset', 'ping'])
/** Where elements of the same names hold other things. */
const FOREIGN: ReadonlySet<string> = new Set(['svg', 'math', 'select'])
/** Elements that hold text, not elements. */
const SPECIAL: ReadonlySet<string> = new Set(['title', 'textarea', 'style', 'script', 'xmp'])
/** Elements that hold text to the standard, and elements to the tokenizer: at their end both must be between elements. */
const RAW_TEXT: ReadonlySet<string> = new Set(['iframe', 'noembed', 'noframes', 'noscript'])
/** Elements that run or apply what their URL leads to, or that other URLs are relative to. */
const RESOURCES: ReadonlySet<string> = new Set(['script', 'link', 'base', 'embed', 'object'])
const ANIMATIONS: ReadonlySet<string> = new Set(['animate', 'set', 'animatetransform', 'animatemotion'])

/**
 * Finds where in the HTML each tag of a template stands, and what that asks of its values. Each part of the template is
 * read once, whatever its sections: they must end where they would when they are left out.
 *
 * @param rawTags - all tags; their sections are paired
 * @param tags - the merge tags among them
 */
export function findContexts(template: string, rawTags: readonly RawTag[], tags: readonly MergeTag[]): HtmlContexts {
  const tagAt = new Map(tags.map((tag) => [tag.start, tag]))
  const escapes: HtmlContexts['escapes'] = new Map()
  const faults = new Map<RawTag, Fault>()
  const reader = new HtmlReader(template, (tag, fault) => faults.set(tag, fault))
  const behind = textsBehind(template, rawTags)
  const open: { raw: RawTag; entry: Place; ends: Place[] }[] = []
  let position = 0
  for (const [at, raw] of rawTags.entries()) {
    reader.read(position, raw.start)
    position = raw.end
    const tag = tagAt.get(raw.start)
    if (reader.isWithinReference()) faults.set(raw, REFERENCE_FAULT)
    if (raw.sigil === '#' || raw.sigil === '^') open.push({ raw, entry: reader.place(), ends: [] })
    else if (isElse(raw)) {
      const section = open.at(-1)!
      section.ends.push(reader.place())
      reader.moveTo(section.entry)
    } else if (raw.sigil === '/') {
      const { raw: opening, entry, ends } = open.pop()!
      const others = ends.length > 0 ? ends : [entry]
      const joined = joinPlaces([reader.place(), ...others], behind[at]!)
      if (joined) reader.moveTo(joined)
      else faults.set(opening, sectionFault(reader.place(), others[0]!))
    } else if (tag) {
      const contextEscape = tag.kind === 'value' ? reader.escapeFor(raw, tag) : undefined
      if (contextEscape) escapes.set(raw.start, contextEscape)
      reader.readTag(raw)
    }
  }
  reader.read(position, template.length)
  reader.finish()
  const problems = [...faults].map(([raw, fault]) => tagProblem('UNSAFE_TAG_POSITION', raw, raw.source, ...fault))
  return { escapes, problems }
}

/** Reads HTML with the tokenizer of htmlparser2, in pieces, and can go back to a place. */
class HtmlReader {
  private readonly tokenizer: Tokenizer
  private name = ''
  private element = ''
  private attribute = ''
  private url = URL_START
  private tail = ''
  private urlTag: RawTag | undefined
  private isConditional = false
  private foreignDepth = 0
  /** where a special element began in foreign content, and whether the place is no longer sure */
  private foreignSpecial = -1
  private isLost = false
  /** the element of raw text that is open */
  private rawText = ''
  /** where such elements may end */
  private readonly rawTextEnds: readonly { at: number; name: string }[]
  private isTag = false
  /** the tags since a conditional comment began */
  private conditionalTags: RawTag[] = []
  private readonly hasConditionals: boolean
  private readonly lowerCase: string

  constructor(
    private readonly template: string,
    private readonly fail: (tag: RawTag, fault: Fault) => void,
  ) {
    this.hasConditionals = template.includes('<!--[if')
    this.lowerCase = template.toLowerCase()
    this.isLost = isBeyondReading(this.lowerCase)
    this.rawTextEnds = [...this.lowerCase.matchAll(/<\/(iframe|noembed|noframes|noscript)/g)].map(
      ({ index, 1: name }) => ({
        at: index,
        name: name!,
      }),
    )
    const ignore = () => {}
    this.tokenizer = new Tokenizer(
      // References change no state, and need no table then.
      { decodeEntities: false },
      {
        onopentagname: (start, end) => {
          this.element = this.nameOf(start, end)
          if (FOREIGN.has(this.element)) this.foreignDepth++
          if (this.foreignDepth > 0 && SPECIAL.has(this.element)) this.foreignSpecial = end
          if (RAW_TEXT.has(this.element)) this.rawText ||= this.element
        },
        onattribname: (start, end) => {
          this.attribute = this.nameOf(start, end)
          this.url = URL_START
          this.tail = ''
          this.urlTag = undefined
        },
        onattribdata: (start, end) => {
          if (!this.isTag && end > start) this.readValue(template.slice(start, end))
        },
        // In HTML `<script/>` opens the element.
        onselfclosingtag: () => {
          if (FOREIGN.has(this.element)) this.foreignDepth = Math.max(0, this.foreignDepth - 1)
          if (this.state.isSpecial && !this.isForeign) this.tokenizer.pause()
        },
        ondeclaration: (start, end) => {
          if (template.startsWith('--[if', start)) {
            this.isConditional = true
            this.conditionalTags = []
          } else if (/^\[endif\](?:--)?$/i.test(template.slice(start, Math.min(end, start + 10)))) {
            this.isConditional = false
          }
        },
        onattribentity: ignore,
        onattribend: ignore,
        oncdata: ignore,
        onclosetag: (start, end) => {
          const name = template.slice(start, end).toLowerCase()
          if (FOREIGN.has(name)) this.foreignDepth = Math.max(0, this.foreignDepth - 1)
          if (this.foreignSpecial >= 0 && SPECIAL.has(name)) {
            // In svg a title is no text: had it markup, the standard reads on otherwise.
            const inside = template.slice(this.foreignSpecial, start)
            if (/[<>]/.test(inside.replace(/^[^>]*>/, '').replace(/<\/?$/, ''))) this.isLost = true
            this.foreignSpecial = -1
          }
        },
        oncomment: ignore,
        onend: ignore,
        onopentagend: ignore,
        onprocessinginstruction: ignore,
        ontext: ignore,
        ontextentity: ignore,
      },
    )
  }

  private get isForeign(): boolean {
    return this.foreignDepth > 0
  }

  private get state(): TokenizerState {
    return this.tokenizer as unknown as TokenizerState
  }

  /** Reads a part of the template without tags. */
  read(start: number, end: number): void {
    let from = start
    for (const { at, name } of this.rawTextEnds) {
      if (at < from || at >= end) continue
      this.readComments(from, at)
      from = at
      if (this.rawText !== name) continue
      if (this.state.state !== TEXT) this.isLost = true
      this.rawText = ''
    }
    this.readComments(from, end)
  }

  private readComments(start: number, end: number): void {
    let from = start
    while (this.hasConditionals && from < end) {
      COMMENT_END.lastIndex = from
      if (!COMMENT_END.test(this.template) || COMMENT_END.lastIndex > end) break
      const closed = COMMENT_END.lastIndex
      this.write(from, this.template.slice(from, closed))
      from = closed
      this.checkConditional()
    }
    if (from < end) this.write(from, this.template.slice(from, end))
  }

  /** Reads a tag: whatever it prints, it is text that leaves the place as it is. */
  readTag(raw: RawTag): void {
    this.isTag = true
    this.write(raw.start, 'x')
    this.isTag = false
    if (!isUrl(this.element, this.attribute) || !VALUES.includes(this.state.state)) return
    if (this.url.part === 'start' || this.url.part === 'head') this.urlTag = raw
    this.url = afterTag(this.url)
    this.tail = ''
  }

  /** Whether a character reference of a URL may go on behind here. */
  isWithinReference(): boolean {
    return (
      VALUES.includes(this.state.state) && isUrl(this.element, this.attribute) && /&(?:#?[\da-z]*)$/i.test(this.tail)
    )
  }

  finish(): void {
    if (this.isConditional) this.checkConditional()
  }

  place(): Place {
    const { state, buffer, sectionStart, index, offset, isSpecial, currentSequence, sequenceIndex, running } =
      this.state
    const { name, element, attribute, url, tail, isConditional, foreignDepth, foreignSpecial, isLost, urlTag } = this
    return {
      ...{ state, buffer, sectionStart, index, offset, isSpecial, currentSequence, sequenceIndex, running },
      ...{ name, element, attribute, url, tail, isConditional, foreignDepth, foreignSpecial, isLost, urlTag },
    }
  }

  moveTo(place: Place): void {
    const {
      name,
      element,
      attribute,
      url,
      tail,
      isConditional,
      foreignDepth,
      foreignSpecial,
      isLost,
      urlTag,
      ...state
    } = place
    Object.assign(this.state, state)
    Object.assign(this, {
      ...{ name, element, attribute, url, tail, isConditional, foreignDepth, foreignSpecial, urlTag },
      isLost: this.isLost || isLost,
    })
  }

  /** How a tag that stands here is escaped; undefined when as everywhere. Tells a place where it may not stand. */
  escapeFor(raw: RawTag, tag: MergeTag): ContextEscape | undefined {
    if (this.isConditional) this.conditionalTags.push(raw)
    const fault = this.isLost ? LOST_FAULT : placeFault(this.place())
    if (fault) {
      this.fail(raw, fault)
      return undefined
    }
    if (!VALUES.includes(this.state.state) || !isUrl(this.element, this.attribute)) return undefined
    const { part } = this.url
    if (part === 'start') return escapeUrl
    const isEncoded = tag.calls.findLast(({ name }) => name !== 'default')?.name === 'url'
    if (part === 'root') return isEncoded ? escapeEncodedBehindRoot : escapeBehindRoot
    if (part === 'path') return isEncoded ? escapeEncodedInPath : escapeInPath
    if (isEncoded) return escapeEncoded
    if (part === 'mail') return escapeMailbox
    return part === 'settled' ? escapeInUrl : escapeInPath
  }

  private write(start: number, text: string): void {
    const { state } = this
    state.buffer = ''
    state.offset = start
    state.index = start
    if (VALUES.includes(state.state) || NAMES.includes(state.state)) state.sectionStart = start
    this.tokenizer.write(asHtml(text))
    while (!state.running) {
      Object.assign(state, { state: IN_SPECIAL_ELEMENT, isSpecial: true, sequenceIndex: 0 })
      this.tokenizer.resume()
    }
    if (NAMES.includes(state.state)) {
      this.name += this.isTag ? VALUE_IN_NAME : this.template.slice(state.sectionStart, start + text.length)
    }
  }

  /** The name that ends here, and may have begun before a tag. */
  private nameOf(start: number, end: number): string {
    const name = this.isTag ? VALUE_IN_NAME : this.name + this.template.slice(start, end)
    this.name = ''
    return name.toLowerCase()
  }

  private readValue(text: string): void {
    if (!isUrl(this.element, this.attribute)) return
    const next = afterLiteral(this.url, readUrlReferences(text))
    this.tail = (this.tail + text).slice(-20)
    if (next) this.url = next
    else {
      this.url = { part: 'unknown', head: '' }
      if (this.urlTag) this.fail(this.urlTag, SCHEME_FAULT)
    }
  }

  /** For all but Outlook a conditional comment ends at the first `-->`; so what is open there must be nothing. */
  private checkConditional(): void {
    if (!this.isConditional) return
    this.isConditional = false
    if (this.state.state === TEXT) return
    for (const tag of this.conditionalTags) this.fail(tag, COMMENT_FAULT)
    Object.assign(this.state, { state: TEXT, isSpecial: false })
  }
}

/**
 * The text as the tokenizer must get it to read it as the HTML standard does, and the inside of a conditional comment
 * as Outlook does; of the same length.
 */
function asHtml(text: string): string {
  const read =
    text.includes('<!') || text.includes('--!>')
      ? text.replaceAll('--!>', 'x-->').replace(HIDDEN_CONDITIONAL, '<!==[if').replaceAll('<![CDATA[', '<![cdata[')
      : text
  // The standard ends an element at `</title/`, too.
  return read.includes('/') ? read.replace(/(<\/(?:title|textarea|style|script|xmp))\//gi, '$1 ') : read
}

/** Where a comment ends, in one of two ways. */
const COMMENT_END = /--!?>/g

/** What hides its inside from all but Outlook; `<!--[if !mso]><!-->` is a comment that ends there. */
const HIDDEN_CONDITIONAL = /<!--\[if(?![^\]<>]{0,200}\]>\s{0,20}(?:<!)?-->)/g

/**
 * What stands behind each tag, the tags of sections left out: a blank, if there is one, and the first other character,
 * which is `x` of a value.
 */
function textsBehind(template: string, rawTags: readonly RawTag[]): string[] {
  const texts: string[] = []
  const closings: number[] = []
  for (let at = rawTags.length - 1; at >= 0; at--) {
    const raw = rawTags[at]!
    const next = rawTags[at + 1]
    const piece = template.slice(raw.end, next?.start)
    const [first = ''] = piece
    const other = /\S/.exec(piece)?.[0]
    const rest = () => {
      if (next === undefined) return ''
      if (isElse(next)) return texts[closings.at(-1)!]!
      return '#^/!'.includes(next.sigil || 'x') ? texts[at + 1]! : 'x'
    }
    const blank = first.trim() === '' ? first : ''
    texts[at] = blank + (other ?? (blank === '' ? rest() : rest().trimStart()))
    if (raw.sigil === '/') closings.push(at)
    if (raw.sigil === '#' || raw.sigil === '^') closings.pop()
  }
  return texts
}

/** The one place that different ways lead to; undefined when there is none. */
function joinPlaces(places: readonly Place[], behind: string): Place | undefined {
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

function isUrl(element: string, attribute: string): boolean {
  const name = attribute.slice(attribute.indexOf(':') + 1)
  return URL_ATTRIBUTES.has(name) && (name !== 'data' || element === 'object')
}

const OUT = 'Write the text itself, or move the tag into the text or into a quoted attribute.'
const COMMENT_FAULT: Fault = ['stands in a comment', 'Take it out, or take it out of the comment.']
const SCHEME_FAULT: Fault = [
  'stands before the colon of a URL, where it would choose what kind of URL it is',
  'Write the beginning of the URL itself, as in "https://example.com/", or put all of it into one value.',
]

/** What is wrong with a value at a place, if anything. */
function placeFault(place: Place): Fault | undefined {
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
  const name = attribute.slice(attribute.indexOf(':') + 1)
  const stands = (what: string, remedy = OUT): Fault => [`stands in ${what}`, remedy]
  if (attribute.includes('{') || element.includes('{')) {
    return ['stands behind a name with a tag in it', 'Write the name without the tag.']
  }
  if (name === 'style') return stands('a style attribute, where no escaping makes it safe')
  if (name.startsWith('on')) return stands(`the script of ${name}`)
  if (name === 'srcdoc') return stands('a document of its own, which srcdoc holds')
  if (URL_LISTS.has(name)) {
    return stands(`${name}, a list of URLs`, 'Use src or href, which hold one, or write the URLs themselves.')
  }
  if (element === 'meta' && (name === 'content' || name === 'http-equiv')) return stands('a meta element')
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

function sectionFault(inside: Place, outside: Place): Fault {
  const isQuoted = [inside, outside].some(
    ({ state }) => state === BEFORE_ATTRIBUTE_VALUE || state === IN_UNQUOTED_VALUE,
  )
  const what = 'has parts that end in different places of the HTML, so that what follows means different things'
  if (isQuoted) return [what, 'Put quotes around the section, within which its parts stand.']
  return [what, 'Let every part close what it opens: elements, quotes and comments.']
}

const REFERENCE_FAULT: Fault = [
  'stands in a character reference of a link',
  'Write the reference in one piece, or & as &amp;.',
]

const LOST_FAULT: Fault = [
  'stands behind HTML that parsers read in different ways',
  'Take the svg, select, script or other element before it apart, or pass the part as an extra tag.',
]

/**
 * Whether a template has what this reader does not follow: a script within a comment within a script, and text sections of
 * svg and math. Neither has a place in a message.
 */
function isBeyondReading(template: string): boolean {
  for (let at = template.indexOf('<script'); at !== -1; ) {
    const close = template.indexOf('</script', at)
    const end = close === -1 ? template.length : close
    const comment = template.indexOf('<!--', at)
    const inner = comment === -1 || comment > end ? -1 : template.indexOf('<script', comment)
    if (inner !== -1 && inner < end) return true
    at = template.indexOf('<script', end)
  }
  return /<(?:svg|math)\b/.test(template) && template.replace(/\{\{![^}]*\}\}/g, '').includes('<![cdata[')
}

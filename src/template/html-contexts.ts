import { Tokenizer } from 'htmlparser2'
import {
  COMMENT_FAULT,
  isUrl,
  LOST_FAULT,
  placeFault,
  REFERENCE_FAULT,
  SCHEME_FAULT,
  sectionFault,
} from './html-faults.js'
import {
  IN_SPECIAL_ELEMENT,
  joinPlaces,
  NAMES,
  type Place,
  TEXT,
  type TokenizerState,
  VALUE_IN_NAME,
  VALUES,
} from './html-places.js'
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
  URL_START,
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

/** Where elements of the same names hold other things. */
const FOREIGN: ReadonlySet<string> = new Set(['svg', 'math', 'select'])
/** Elements that hold text, not elements. */
const SPECIAL: ReadonlySet<string> = new Set(['title', 'textarea', 'style', 'script', 'xmp'])
/** Elements that hold text to the standard, and elements to the tokenizer: at their end both must be between elements. */
const RAW_TEXT: ReadonlySet<string> = new Set(['iframe', 'noembed', 'noframes', 'noscript'])

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

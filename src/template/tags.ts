import type { ErrorDetails } from '../errors.js'
import { type Comparison, type Expression, type FilterCall, readCondition, readExpression } from './expression.js'
import { type AppliedFilter, FILTER_NAMES, type FilterSettings, isFault, makeFilter } from './filters.js'
import { closesForeign, findForeignText, foreignTag } from './foreign-syntax.js'
import { type ContextEscape, findContexts } from './html-contexts.js'
import {
  inTemplateOrder,
  type TemplatePlace,
  type TemplateProblem,
  type TemplateProblemCode,
  tagProblem,
} from './problems.js'
import { isElse, placeFinder, type RawTag, scanTags, sizeProblem } from './scanner.js'
import { findSuspects, standsBeforeTable } from './suspects.js'
import type { ResolvedTemplateOptions } from './template-options.js'

/** What a tag does: prints a value, escaped or not, or shows its section when there is a value, or when there is none. */
export type TemplateTagKind = 'value' | 'unescaped' | 'section' | 'inverted'

/** A merge tag of a template. */
export interface TemplateTag extends TemplatePlace {
  /** as typed, without the blanks around it */
  name: string
  kind: TemplateTagKind
  /** what is printed when the value is missing; absent when the tag has no fallback */
  fallback?: string
  /** the filters, in order, the fallback not among them; absent when there are none */
  filters?: FilterCall[]
  /** what a section compares the value with; absent when it asks only whether there is one */
  comparison?: Comparison
}

/** A merge tag as the renderer needs it: with its place among the template's characters, and its filters ready. */
export interface PlacedTag extends TemplateTag {
  start: number
  source: string
  /** all filters in order, the fallback as `default` among them; and each made ready */
  calls: readonly FilterCall[]
  applied: readonly AppliedFilter[]
}

/** A merge tag without what only the renderer needs. */
export function toTemplateTag(placed: PlacedTag): TemplateTag {
  const { start: _start, source: _source, calls: _calls, applied: _applied, ...tag } = placed
  return tag
}

/** What {@link readTags} finds. */
export interface TemplateReading {
  rawTags: RawTag[]
  tags: PlacedTag[]
  problems: TemplateProblem[]
  /** by the start of the tag: what is made of its value where that is not the same as in text */
  escapes: ReadonlyMap<number, ContextEscape>
}

type Settings = Pick<ResolvedTemplateOptions, 'format' | 'allowUnescaped'> & FilterSettings

const KINDS: Readonly<Partial<Record<RawTag['sigil'], TemplateTagKind>>> = {
  '': 'value',
  '&': 'unescaped',
  '{': 'unescaped',
  '#': 'section',
  '^': 'inverted',
}

/** What an editor may leave in a tag that shows no character. */
const INVISIBLE = /[\s\u00ad\u200b-\u200d\u2060]/g

/** Reads the merge tags of a template, in its order, and finds everything that is wrong with it, in its order. */
export function readTags(template: string, settings: Settings): TemplateReading {
  const tooLarge = sizeProblem(template)
  if (tooLarge) return { rawTags: [], tags: [], problems: [tooLarge], escapes: new Map() }
  const isHtml = settings.format === 'html'
  const { rawTags, problems } = scanTags(template, isHtml)
  const tags: PlacedTag[] = []
  const readTag = tagReader(settings)
  for (const rawTag of rawTags) {
    const { tag, problem } = readTag(rawTag)
    if (tag) tags.push(tag)
    if (problem) problems.push(problem)
  }
  // Beyond the last tag that was read, no section can be told to be unclosed.
  const isCut = problems.some(({ code }) => code === 'TOO_MANY_TAGS')
  const unpaired = isCut ? [] : sectionProblems(rawTags)
  problems.push(...unpaired)
  if (!isCut) problems.push(...textProblems(template, rawTags, isHtml))
  // The places are those of the template's parts as its sections lead from one to the next.
  const contexts = isHtml && !isCut && unpaired.length === 0 ? findContexts(template, rawTags, tags) : undefined
  if (contexts && !settings.allowUnescaped) problems.push(...contexts.problems)
  return { rawTags, tags, problems: problems.sort(inTemplateOrder), escapes: contexts?.escapes ?? new Map() }
}

/** Makes the reader of a template's tags; the same filter is made ready once. */
function tagReader(settings: Settings) {
  const names = new Set([...FILTER_NAMES, ...Object.keys(settings.filters ?? {})])
  const made = new Map<string, ReturnType<typeof makeFilter>>()
  const make = (call: FilterCall) => {
    const key = JSON.stringify(call)
    if (!made.has(key)) made.set(key, makeFilter(call, settings))
    return made.get(key)!
  }
  return (raw: RawTag): { tag?: PlacedTag; problem?: TemplateProblem } => {
    if (raw.sigil === '!' || isElse(raw)) return {}
    const fail = (code: TemplateProblemCode, what: string, remedy: string) => ({
      problem: tagProblem(code, raw, raw.source, what, remedy),
    })
    if (raw.sigil === '>') {
      return fail(
        'UNSUPPORTED_TAG',
        'asks for a partial, which does not exist here',
        'Write its text into the template.',
      )
    }
    if (raw.sigil === '=') {
      return fail('UNSUPPORTED_TAG', 'changes the delimiters, which is not supported', 'Remove it and write {{name}}.')
    }
    const kind = KINDS[raw.sigil]
    const isSection = kind === 'section' || kind === 'inverted'
    const expression = isSection ? readCondition(raw.content) : readExpression(raw.content, names)
    const name = settings.format === 'html' ? expression.name.replaceAll('\u00a0', ' ') : expression.name
    if (name.replace(INVISIBLE, '') === '') return fail('EMPTY_TAG', 'has no name', 'Write a name between the braces.')
    // A closing tag has nothing of its own; whether it closes a section is seen when the sections are paired.
    if (kind === undefined) return {}
    if (name === '.')
      return fail('UNSUPPORTED_TAG', 'is a list item, and values are no lists', 'Write the name of a tag.')
    const foreign = foreignTag(raw.sigil, raw.content)
    if (foreign) return fail('TEMPLATE_SYNTAX', ...foreign)
    const { line, column, start, source } = raw
    const tag: PlacedTag = { name, kind, line, column, start, source, calls: [], applied: [] }
    if (kind === 'unescaped' && settings.format === 'html' && !settings.allowUnescaped) {
      const remedy = `Write {{${name}}}, or set allowUnescaped if every value of it is safe HTML.`
      return { tag, ...fail('UNESCAPED_TAG', 'would put a value into the HTML unescaped', remedy) }
    }
    if (expression.fault) return { tag, ...fail('TEMPLATE_SYNTAX', ...expression.fault) }
    const applied = expression.filters.map(make)
    const fault = applied.find(isFault)
    if (fault) return { tag, ...fail('TEMPLATE_SYNTAX', ...fault) }
    return { tag: { ...tag, ...toActions(expression, applied as AppliedFilter[]) } }
  }
}

/** What a tag does beside printing the value of its name. */
function toActions(
  { filters, comparison }: Expression,
  applied: AppliedFilter[],
): Pick<PlacedTag, 'filters' | 'fallback' | 'comparison' | 'calls' | 'applied'> {
  if (comparison) return { comparison, calls: [], applied }
  const fallback = filters.findLast(({ name }) => name === 'default')
  const others = filters.filter((filter) => filter !== fallback)
  return {
    ...(fallback ? { fallback: fallback.arguments[0] ?? '' } : {}),
    ...(others.length > 0 ? { filters: others } : {}),
    calls: filters,
    applied,
  }
}

/** What stands between the tags and is no text: tags of other languages, and what editors made of tags. */
function textProblems(template: string, rawTags: readonly RawTag[], isHtml: boolean): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const placeOf = placeFinder(template)
  const look = (from: number, to: number | undefined) => {
    const text = template.slice(from, to)
    const found = [
      ...findForeignText(text).map((tag) => ({ ...tag, code: 'TEMPLATE_SYNTAX' as const })),
      ...findSuspects(text, isHtml).map((tag) => ({ ...tag, code: 'SUSPECT_TEXT' as const })),
    ]
    for (const { code, start, source, fault } of found.sort((a, b) => a.start - b.start)) {
      problems.push(tagProblem(code, placeOf(from + start), source, ...fault))
    }
  }
  let from = 0
  for (const [at, raw] of rawTags.entries()) {
    look(from, raw.start)
    from = raw.end
    if (isHtml && isEmptyBeforeTable(template, rawTags, at)) {
      const what = 'has nothing in it, and stands before a table out of which an editor moved it'
      problems.push(tagProblem('SUSPECT_TEXT', raw, raw.source, what, 'Put its tags into cells, or around the table.'))
    }
  }
  look(from, undefined)
  return problems
}

/** Whether a section has nothing in it, nor in its else, and a table comes behind it. */
function isEmptyBeforeTable(template: string, rawTags: readonly RawTag[], at: number): boolean {
  const raw = rawTags[at]!
  if (raw.sigil !== '#' && raw.sigil !== '^') return false
  const closing = rawTags[at + 1] && isElse(rawTags[at + 1]!) ? at + 2 : at + 1
  const last = rawTags[closing]
  if (last?.sigil !== '/' || !closes(last, raw)) return false
  const inside = rawTags.slice(at + 1, closing + 1)
  const isEmpty = inside.every((tag, index) => template.slice(rawTags[at + index]!.end, tag.start).trim() === '')
  return isEmpty && standsBeforeTable(template.slice(last.end, rawTags[closing + 1]?.start))
}

/** Pairs the opening and closing tags of sections. One wrong tag gives one problem where that can be told. */
function sectionProblems(rawTags: readonly RawTag[]): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const open: { raw: RawTag; hasElse: boolean }[] = []
  const fail = (code: TemplateProblemCode, raw: RawTag, what: string, remedy: string, facts?: ErrorDetails) =>
    problems.push(tagProblem(code, raw, raw.source, what, remedy, facts))
  for (const [at, raw] of rawTags.entries()) {
    if (raw.sigil === '#' || raw.sigil === '^') open.push({ raw, hasElse: false })
    if (isElse(raw)) {
      const section = open.at(-1)
      if (section === undefined) {
        fail('TEMPLATE_SYNTAX', raw, 'stands in no section', 'Open one before, as in {{#name}}, or take it out.')
      } else if (section.hasElse) {
        fail('TEMPLATE_SYNTAX', raw, `is the second in ${section.raw.source}`, 'Take one of them out.')
      } else section.hasElse = true
    }
    if (raw.sigil !== '/') continue
    const section = open.pop()
    if (section && closes(raw, section.raw)) continue
    // When it closes a section further out, those within it end with it.
    const outer = open.findLastIndex((candidate) => closes(raw, candidate.raw))
    const isClosedLater = (later: RawTag) => later.sigil === '/' && section !== undefined && closes(later, section.raw)
    const isStray = outer === -1 && rawTags.slice(at + 1).some(isClosedLater)
    if (section === undefined || isStray) {
      if (section) open.push(section)
      fail(
        'SECTION_MISMATCH',
        raw,
        'closes a section that is not open',
        `Remove it, or open {{#${raw.content}}} before.`,
      )
      continue
    }
    fail(
      'SECTION_MISMATCH',
      raw,
      `stands where ${section.raw.source} of line ${section.raw.line} must be closed`,
      `Write {{/${nameOf(section.raw)}}} first.`,
      { section: section.raw.source, sectionLine: section.raw.line, sectionColumn: section.raw.column },
    )
    if (outer !== -1) open.length = outer
  }
  for (const { raw } of open) {
    fail('UNCLOSED_SECTION', raw, 'opens a section that is never closed', `Close it with {{/${nameOf(raw)}}}.`)
  }
  return problems
}

/** The name by which a section is closed. */
function nameOf(section: RawTag): string {
  return readCondition(section.content).name
}

/** Whether a tag closes a section: by its name, or by all that stands in its opening tag. */
function closes(raw: RawTag, section: RawTag): boolean {
  const [closing, opening, name] = [raw.content, section.content, nameOf(section)].map((text) =>
    text.replaceAll('\u00a0', ' '),
  )
  return closing === opening || closing === name || closesForeign(closing!, opening!)
}

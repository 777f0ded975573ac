import type { ErrorDetails } from '../errors.js'
import { parseFallback } from './fallback.js'
import {
  inTemplateOrder,
  type TemplatePlace,
  type TemplateProblem,
  type TemplateProblemCode,
  tagProblem,
} from './problems.js'
import { type RawTag, scanTags, sizeProblem } from './scanner.js'
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
}

/** A merge tag as the renderer needs it: with its place among the template's characters. */
export interface PlacedTag extends TemplateTag {
  start: number
  source: string
}

/** A merge tag without what only the renderer needs. */
export function toTemplateTag({ start: _start, source: _source, ...tag }: PlacedTag): TemplateTag {
  return tag
}

/** What {@link readTags} finds. */
export interface TemplateReading {
  rawTags: RawTag[]
  tags: PlacedTag[]
  problems: TemplateProblem[]
}

type Settings = Pick<ResolvedTemplateOptions, 'format' | 'allowUnescaped'>

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
  if (tooLarge) return { rawTags: [], tags: [], problems: [tooLarge] }
  const { rawTags, problems } = scanTags(template)
  const tags: PlacedTag[] = []
  for (const rawTag of rawTags) {
    const { tag, problem } = readTag(rawTag, settings)
    if (tag) tags.push(tag)
    if (problem) problems.push(problem)
  }
  // Beyond the last tag that was read, no section can be told to be unclosed.
  if (!problems.some(({ code }) => code === 'TOO_MANY_TAGS')) problems.push(...sectionProblems(rawTags))
  return { rawTags, tags, problems: problems.sort(inTemplateOrder) }
}

function readTag(raw: RawTag, settings: Settings): { tag?: PlacedTag; problem?: TemplateProblem } {
  if (raw.sigil === '!') return {}
  const fail = (code: TemplateProblemCode, what: string, remedy: string) => ({
    problem: tagProblem(code, raw, raw.source, what, remedy),
  })
  if (raw.sigil === '>') {
    return fail('UNSUPPORTED_TAG', 'asks for a partial, which does not exist here', 'Write its text into the template.')
  }
  if (raw.sigil === '=') {
    return fail('UNSUPPORTED_TAG', 'changes the delimiters, which is not supported', 'Remove it and write {{name}}.')
  }
  const bar = raw.content.indexOf('|')
  const name = bar === -1 ? raw.content : raw.content.slice(0, bar).trim()
  if (name.replace(INVISIBLE, '') === '') return fail('EMPTY_TAG', 'has no name', 'Write a name between the braces.')
  const kind = KINDS[raw.sigil]
  // A closing tag has nothing of its own; whether it closes a section is seen when the sections are paired.
  if (kind === undefined) return {}
  if (name === '.')
    return fail('UNSUPPORTED_TAG', 'is a list item, and values are no lists', 'Write the name of a tag.')
  const { line, column, start, source } = raw
  const tag: PlacedTag = { name, kind, line, column, start, source }
  if (kind === 'unescaped' && settings.format === 'html' && !settings.allowUnescaped) {
    const remedy = `Write {{${name}}}, or set allowUnescaped if every value of it is safe HTML.`
    return { tag, ...fail('UNESCAPED_TAG', 'would put a value into the HTML unescaped', remedy) }
  }
  if (bar === -1) return { tag }
  if (kind === 'section' || kind === 'inverted') {
    return { tag, ...fail('TEMPLATE_SYNTAX', 'is a section with a fallback', 'Give the fallback to a tag inside it.') }
  }
  const fallback = parseFallback(raw.content.slice(bar + 1), settings.format === 'html')
  if (fallback.fault !== undefined) return { tag, ...fail('TEMPLATE_SYNTAX', ...fallback.fault) }
  return { tag: { ...tag, fallback: fallback.text } }
}

/** Pairs the opening and closing tags of sections. One wrong tag gives one problem where that can be told. */
function sectionProblems(rawTags: readonly RawTag[]): TemplateProblem[] {
  const problems: TemplateProblem[] = []
  const open: RawTag[] = []
  const fail = (code: TemplateProblemCode, raw: RawTag, what: string, remedy: string, facts?: ErrorDetails) =>
    problems.push(tagProblem(code, raw, raw.source, what, remedy, facts))
  for (const [at, raw] of rawTags.entries()) {
    if (raw.sigil === '#' || raw.sigil === '^') open.push(raw)
    if (raw.sigil !== '/') continue
    const section = open.pop()
    if (section && closes(raw, section)) continue
    // When it closes a section further out, those within it end with it.
    const outer = open.findLastIndex((candidate) => closes(raw, candidate))
    const isClosedLater = (later: RawTag) => later.sigil === '/' && section !== undefined && closes(later, section)
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
      `stands where ${section.source} of line ${section.line} must be closed`,
      `Write {{/${section.content}}} first.`,
      { section: section.source, sectionLine: section.line, sectionColumn: section.column },
    )
    if (outer !== -1) open.length = outer
  }
  for (const raw of open) {
    fail('UNCLOSED_SECTION', raw, 'opens a section that is never closed', `Close it with {{/${raw.content}}}.`)
  }
  return problems
}

/** Whether a tag closes a section; one with a fallback, which is a problem of its own, also by its name alone. */
function closes(raw: RawTag, section: RawTag): boolean {
  return raw.content === section.content || raw.content === section.content.split('|')[0]!.trim()
}

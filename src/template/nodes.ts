import mustache, { type TemplateSpans } from 'mustache'
import { isElse, type RawTag } from './scanner.js'
import type { PlacedTag } from './tags.js'

/** A piece of a template: text, or a merge tag with what its section holds. */
export type TemplateNode = { text: string; tag?: undefined } | { tag: PlacedTag; nodes: TemplateNode[] }

const parser = new mustache.Writer()
// Its cache keeps every template for ever.
Object.assign(parser, { templateCache: undefined })

/**
 * Parses a template with mustache.js, which pairs the sections and drops the line of a tag that stands alone on it.
 *
 * mustache.js makes a token of every character of text, and takes quadratic time for blanks inside a tag: 256 KiB take it
 * 50 to 130 ms. So it gets an outline of the template, in which each stretch of text that it keeps or drops as a whole is
 * a single character, every tag has the same name, and `{{else}}` is the end of a section and the beginning of its
 * opposite.
 *
 * @param template - a template without problems
 * @param rawTags - all of its tags
 * @param tags - the merge tags among them
 * @returns the pieces; an `{{else}}` is a section of its own, whose tag is that of its section with the opposite kind
 */
export function parseNodes(template: string, rawTags: readonly RawTag[], tags: readonly PlacedTag[]): TemplateNode[] {
  const tagAt = new Map(tags.map((tag) => [tag.start, tag]))
  const { outline, origins } = outlineOf(template, rawTags, tagAt)
  const toNodes = (spans: TemplateSpans): TemplateNode[] =>
    spans.flatMap(([type, , start, end, children]): TemplateNode[] => {
      const from = origins[start]!
      if (type === 'text') return [{ text: template.slice(from, origins[end]) }]
      const tag = tagAt.get(from)
      return tag ? [{ tag, nodes: Array.isArray(children) ? toNodes(children) : [] }] : []
    })
  return toNodes(parser.parse(outline, ['{{', '}}']))
}

/** The outline, and for each of its characters, and its end, the position in the template. */
function outlineOf(template: string, rawTags: readonly RawTag[], tagAt: Map<number, PlacedTag>) {
  const origins: number[] = []
  let outline = ''
  const add = (from: number, to: number, characters: string) => {
    if (to === from) return
    outline += characters
    for (let index = 0; index < characters.length; index++) origins.push(from + index)
  }
  const addPiece = (from: number, to: number) => add(from, to, template.slice(from, to).trim() === '' ? ' ' : 'x')
  const addText = (from: number, to: number) => {
    const firstBreak = template.indexOf('\n', from)
    if (firstBreak === -1 || firstBreak >= to) {
      addPiece(from, to)
      return
    }
    const lastBreak = template.lastIndexOf('\n', to - 1)
    addPiece(from, firstBreak)
    add(firstBreak, firstBreak + 1, '\n')
    add(firstBreak + 1, lastBreak + 1, '\n') // whole lines without a tag
    addPiece(lastBreak + 1, to)
  }
  const open: PlacedTag[] = []
  let position = 0
  for (const raw of rawTags) {
    const { start, end, sigil } = raw
    addText(position, start)
    if (isElse(raw)) {
      const section = open.at(-1)!
      add(start, end, '{{/s}}')
      tagAt.set(start, { ...section, kind: section.kind === 'section' ? 'inverted' : 'section', start })
      add(start, end, '{{#s}}')
    } else add(start, end, sigil === '{' ? '{{{s}}}' : `{{${sigil}s}}`)
    if (sigil === '#' || sigil === '^') open.push(tagAt.get(start)!)
    if (sigil === '/') open.pop()
    position = end
  }
  addText(position, template.length)
  origins.push(template.length)
  return { outline, origins }
}

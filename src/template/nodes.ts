import { isElse, type RawTag } from './scanner.js'
import type { PlacedTag } from './tags.js'

/** A piece of a template: text, or a merge tag with what its section holds. */
export type TemplateNode = { text: string; tag?: undefined } | { tag: PlacedTag; nodes: TemplateNode[] }

/**
 * Parses a template as Mustache's specification says: pairs its sections, and leaves out a line that holds nothing but
 * blanks and tags that print nothing ("standalone lines").
 *
 * @param template - a template without problems
 * @param rawTags - all of its tags
 * @param tags - the merge tags among them
 * @returns the pieces; an `{{else}}` is a section of its own, whose tag is that of its section with the opposite kind
 */
export function parseNodes(template: string, rawTags: readonly RawTag[], tags: readonly PlacedTag[]): TemplateNode[] {
  const tagAt = new Map(tags.map((tag) => [tag.start, tag]))
  const lists: TemplateNode[][] = [[]]
  const open: PlacedTag[] = []
  const openSection = (tag: PlacedTag) => {
    const nodes: TemplateNode[] = []
    lists.at(-1)!.push({ tag, nodes })
    lists.push(nodes)
  }
  const text = textAdder((node) => lists.at(-1)!.push(node))
  let position = 0
  for (const raw of rawTags) {
    text.add(template.slice(position, raw.start))
    position = raw.end
    const tag = tagAt.get(raw.start)
    const isSection = tag?.kind === 'section' || tag?.kind === 'inverted'
    text.passTag(tag !== undefined && !isSection)
    if (isSection) {
      open.push(tag)
      openSection(tag)
    } else if (tag) lists.at(-1)!.push({ tag, nodes: [] })
    else if (isElse(raw)) {
      const section = open.at(-1)!
      lists.pop()
      openSection({ ...section, kind: section.kind === 'section' ? 'inverted' : 'section', start: raw.start })
    } else if (raw.sigil === '/') {
      open.pop()
      lists.pop()
    }
  }
  text.add(template.slice(position))
  text.endLine()
  return lists[0]!
}

/** Adds the text between tags, and takes it out of lines that print nothing and hold a tag. A line ends with LF. */
function textAdder(push: (node: { text: string }) => void) {
  let blanks: { text: string }[] = []
  let hasTag = false
  let isPrinted = false
  const addPiece = (text: string) => {
    if (text === '') return
    const node = { text }
    push(node)
    if (text.trim() === '') blanks.push(node)
    else isPrinted = true
  }
  const endLine = () => {
    if (hasTag && !isPrinted) for (const node of blanks) node.text = ''
    blanks = []
    hasTag = isPrinted = false
  }
  return {
    add(text: string) {
      const firstEnd = text.indexOf('\n') + 1
      if (firstEnd === 0) return addPiece(text)
      addPiece(text.slice(0, firstEnd))
      endLine()
      const lastStart = text.lastIndexOf('\n') + 1
      if (lastStart > firstEnd) push({ text: text.slice(firstEnd, lastStart) })
      addPiece(text.slice(lastStart))
    },
    passTag(prints: boolean) {
      hasTag = true
      isPrinted ||= prints
    },
    endLine,
  }
}

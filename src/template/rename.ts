import type { FieldCatalogue } from '../fields.js'
import { escapeHtml } from './formats.js'
import { tagNames } from './lookup.js'
import { readReferences } from './references.js'
import { type RawTag, scanTags, trimBlanks } from './scanner.js'
import { readTags } from './tags.js'
import type { ResolvedTemplateOptions } from './template-options.js'

/** Whether, and where, templates use an attribute. */
export interface NameUse {
  /** the names of the account, the attribute's among them */
  names: readonly string[]
  fields: FieldCatalogue
  /** the attribute */
  from: string
}

/** Whether a template uses an attribute. */
export function usesName(template: string, use: NameUse, options: ResolvedTemplateOptions): boolean {
  return renameInTemplate(template, use, use.from, options) !== undefined
}

/**
 * Writes a template for an attribute that has another name: in each tag that means it the name is replaced, and all else
 * stays as it is.
 *
 * @param to - the new name
 * @returns undefined when the template does not use the attribute
 */
export function renameInTemplate(
  template: string,
  { names, fields, from }: NameUse,
  to: string,
  options: ResolvedTemplateOptions,
): string | undefined {
  const isHtml = options.format === 'html'
  const toTagName = tagNames(fields, names)
  const means = (name: string) => name === from || toTagName(name).known === from
  const starts = new Map(readTags(template, options).tags.map((tag) => [tag.start, tag.name]))
  const written = isHtml ? to.replace(/[&<>]/g, escapeHtml) : to
  let text = ''
  let position = 0
  for (const raw of scanTags(template, isHtml).rawTags) {
    const name = starts.get(raw.start) ?? closedName(raw, starts.values())
    if (name === undefined || !means(name)) continue
    const span = nameSpan(raw, name, isHtml)
    if (span === undefined) continue
    text += template.slice(position, raw.start + span.start) + written
    position = raw.start + span.end
  }
  return position === 0 ? undefined : text + template.slice(position)
}

/** The name of the section that a closing tag closes. */
function closedName({ sigil, content }: RawTag, names: Iterable<string>): string | undefined {
  if (sigil !== '/') return undefined
  const closed = content.replaceAll('\u00a0', ' ')
  return [...new Set(names)].find((name) => closed === name || closed.startsWith(`${name} `))
}

/** Where the name stands within a tag's source, as its writer or an editor spelt it. */
function nameSpan({ source }: RawTag, name: string, isHtml: boolean): { start: number; end: number } | undefined {
  const read = (text: string) => trimBlanks(isHtml ? readReferences(text) : text).replaceAll('\u00a0', ' ')
  let found: { start: number; end: number } | undefined
  // The name begins where all that stands before it is braces, a sigil and blanks, of which some may be references.
  for (let start = 2; start < (found?.end ?? source.length); start++) {
    if (/^\s/.test(source.slice(start)) || !/^\{\{[\s{#^/&]*$/.test(read(source.slice(0, start)))) continue
    for (let end = start + 1; end <= source.length; end++) {
      if (read(source.slice(start, end)) !== name) continue
      found = { start, end }
      break
    }
  }
  return found
}

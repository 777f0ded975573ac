import { page } from './readme.js'

/** What a page links to, without the code in it. */
export function linksOf(path: string): string[] {
  const text = page(path)
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/`[^`\n]*`(?!\])/g, '')
  const links = text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)
  return [...links].map(([, link, attribute]) => (link ?? attribute)!)
}

/** The anchors of a page: those that are written, and those of its headings, as GitHub makes them. */
export function anchorsOf(path: string): Set<string> {
  const text = page(path)
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!))
  const seen = new Map<string, number>()
  for (const [, heading] of text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const slug = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    anchors.add(times === 0 ? slug : `${slug}-${times}`)
  }
  return anchors
}

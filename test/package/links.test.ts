import { execFile } from 'node:child_process'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { page } from '../support/readme.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
let shipped: string[]
let pages: string[]

beforeAll(async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    maxBuffer: 2 ** 24,
  })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  shipped = files.map(({ path }) => path)
  pages = shipped.filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
})

/** What a page links to, without the code in it. */
function linksOf(path: string): string[] {
  const text = page(path)
    .replace(/^( *)```[\s\S]*?^\1```$/gm, '')
    .replace(/`[^`\n]*`(?!\])/g, '')
  const links = text.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)
  return [...links].map(([, link, attribute]) => (link ?? attribute)!)
}

/** The anchors of a page: those that are written, and those of its headings, as GitHub makes them. */
function anchorsOf(path: string): Set<string> {
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

it('what a shipped page links to is shipped or on the web, anchors too', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/api/index.md']))
  const broken: string[] = []
  for (const from of pages) {
    for (const link of linksOf(from)) {
      if (/^https:\/\//.test(link)) continue
      const [file, anchor] = link.split('#') as [string, string?]
      const target = file === '' ? from : posix.join(posix.dirname(from), decodeURI(file))
      const isThere = shipped.includes(target) && (!anchor || !target.endsWith('.md') || anchorsOf(target).has(anchor))
      if (!isThere) broken.push(`${from}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

it('the index names every page of docs', () => {
  const listed = linksOf('docs/README.md').map((link) => posix.join('docs', link))
  const own = pages.filter((path) => posix.dirname(path) === 'docs' && path !== 'docs/README.md')
  expect(own.filter((path) => !listed.includes(path))).toEqual([])
})

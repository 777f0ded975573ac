// Writes docs/performance.md and docs/upload-speed.svg from the results of this machine.
// node --import tsx test/bench/page.ts
import { readFile, writeFile } from 'node:fs/promises'
import { drawSpeeds } from './picture.js'
import { type Result, readResults } from './results.js'

const docs = new URL('../../docs/', import.meta.url)
const page = new URL('performance.md', docs)

/** What stands between `<!-- name -->` and `<!-- end of name -->` is replaced; the rest of the page is written by hand. */
const SECTIONS: Record<string, RegExp> = {
  upload: /^upload \d+ (fresh|again)$/,
  steps: /^upload \d+ steps$/,
  memory: /^upload memory$/,
  refused: /^upload refused$/,
  'event loop': /^event loop$/,
  templates: /^templates /,
  'mail merge': /^mail-merge /,
  export: /^export /,
  attributes: /^attributes /,
  audiences: /^audiences /,
}

const results = await readResults()
let text = await readFile(page, 'utf8')
for (const [name, pattern] of Object.entries(SECTIONS)) {
  const found = results.filter((result) => pattern.test(result.name)).sort(bySize)
  if (found.length === 0) continue
  const [start, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const [before, after] = [text.indexOf(start), text.indexOf(end)]
  if (before === -1 || after < before) throw new Error(`docs/performance.md has no ${start} … ${end}`)
  text = `${text.slice(0, before + start.length)}\n\n${found.map(toMarkdown).join('\n')}\n${text.slice(after)}`
}
await writeFile(page, text)

const speeds = speedsOf(results.filter(({ name }) => name.endsWith(' fresh')).sort(bySize))
if (speeds.length > 0) await writeFile(new URL('upload-speed.svg', docs), drawSpeeds(speeds))

function toMarkdown({ title, setting, head, rows, date }: Result): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  const rule = line(head.map((_, at) => (at === 0 ? '---' : '---:')))
  return `**${title}**\n\n${line(head)}${rule}${rows.map(line).join('')}\n<sub>${date}; ${setting}</sub>\n`
}

/** By the number in the name, fresh before again. */
function bySize(a: Result, b: Result): number {
  const size = ({ name }: Result) => Number(/\d+/.exec(name)?.[0] ?? 0)
  return size(a) - size(b) || b.name.localeCompare(a.name)
}

/** The speed of each contender with the largest file that it was run with. */
function speedsOf(comparisons: readonly Result[]): { title: string; rows: number; speed: number }[] {
  const speeds = new Map<string, { title: string; rows: number; speed: number }>()
  for (const { name, speeds: measured } of comparisons) {
    const rows = Number(name.split(' ')[1])
    for (const [title, speed] of Object.entries(measured ?? {})) speeds.set(title, { title, rows, speed })
  }
  return [...speeds.values()].sort((a, b) => b.speed - a.speed)
}

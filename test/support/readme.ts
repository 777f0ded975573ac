import { readFileSync } from 'node:fs'

/** A page as it is, for tests that hold it to its word: `README.md`, `docs/errors.md`. */
export const page = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The text under a heading of a page, up to the next of the same level or above. */
export function section(heading: string, path = 'README.md'): string {
  const whole = page(path)
  const start = whole.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`${path} has no "${heading}".`)
  const text = whole.slice(start + heading.length + 2)
  const level = heading.indexOf(' ')
  const end = text.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end === -1 ? text : text.slice(0, end)
}

/** The code blocks of a language in a text. */
export function codeBlocks(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^\\1\`\`\`$`, 'gm'))
  return [...blocks].map(([, , code]) => code!)
}

/** The cells of the only table in a text, without its heading. */
export function tableRows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'))
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  )
}

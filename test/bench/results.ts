import { mkdir, readFile, writeFile } from 'node:fs/promises'

/** A table of a benchmark. Those of one name replace each other, so that a long benchmark can be run in pieces. */
export interface Result {
  /** the benchmark and what it was run with, such as `upload 10000` */
  name: string
  title: string
  /** the machine, the versions, and how often */
  setting: string
  head: string[]
  rows: string[][]
  /** rows per second by contender, for the picture */
  speeds?: Record<string, number>
  date?: string
}

const folder = new URL('../../.bench/', import.meta.url)
const file = new URL('results.json', folder)

/** All results of this machine, the newest of each name. */
export async function readResults(): Promise<Result[]> {
  return JSON.parse(await readFile(file, 'utf8').catch(() => '[]'))
}

/** Prints a result and keeps it for the page. */
export async function record(result: Result): Promise<void> {
  const widths = result.head.map((cell, at) => Math.max(cell.length, ...result.rows.map((row) => row[at]!.length)))
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('   ')}`
  console.log([`\n${result.title}`, line(result.head), ...result.rows.map(line)].join('\n'))
  const others = (await readResults()).filter(({ name }) => name !== result.name)
  await mkdir(folder, { recursive: true })
  const all = [...others, { ...result, date: new Date().toISOString().slice(0, 10) }]
  await writeFile(file, `${JSON.stringify(all, null, 2)}\n`)
}

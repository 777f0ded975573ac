import { readFile, writeFile } from 'node:fs/promises'
import type { Cell } from './cells.js'

/** What came of a cell; only of one in which every test passed. */
export interface CellResult {
  postgresql: string
  node: string
  /** how long its run took; of a result from before it was kept, unknown */
  seconds?: number
  date: string
  commit: string
  pooler?: string | undefined
  citus?: string | undefined
  /** Its groups, where a cell is of several. */
  groups?: readonly string[] | undefined
}

const [START, END] = ['<!-- compatibility -->', '<!-- end of compatibility -->']

/** Writes the table of all cells between the marks in a page; what stands around it is written by hand. */
export async function writeTable(
  page: string,
  cells: readonly Cell[],
  results: Readonly<Record<string, CellResult>>,
): Promise<void> {
  const text = await readFile(page, 'utf8')
  const [from, to] = [text.indexOf(START), text.indexOf(END)]
  if (from === -1 || to < from) throw new Error(`${page} has no ${START} … ${END}`)
  const rows = cells.flatMap((cell) => rowsOf(cell, results[cell.name]))
  const table = [['what', 'run with', 'date and commit'], ['---', '---', '---'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n')
  await writeFile(page, `${text.slice(0, from + START.length)}\n\n${table}\n\n${text.slice(to)}`)
}

function rowsOf(cell: Cell, result: CellResult | undefined): string[][] {
  if (!result) return [[cell.client ? `\`${cell.client}\`` : cell.name, 'not run since the table is kept so', '']]
  const { postgresql, node, date, commit, pooler, citus, groups } = result
  const versions = [`PostgreSQL ${postgresql}`, `Node ${node}`, ...[pooler, citus].flatMap((name) => name ?? [])].join(
    ', ',
  )
  const at = `${date}, ${commit}`
  if (groups) {
    return groups.map((group) => [group, `the packed package, PostgreSQL ${postgresql}`, at])
  }
  const name = cell.client && !pooler ? `\`${cell.client}\`` : (cell.client ?? cell.name)
  return [[name, versions, at]]
}

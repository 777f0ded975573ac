import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { useDatabase } from '../support/database.js'
import type { HostileFile, HostileOutcome } from '../support/hostile-upload.js'
import { isFull, samples } from '../support/law.js'

const db = useDatabase()

/** In calibrations, of which each takes about 10 ms. */
const MOST_COST = 500
const MOST_BYTES = 200e6

/** How many lines are masses. */
const MASSES = samples(1_000_000, 50_000)
const root = fileURLToPath(new URL('../../', import.meta.url))

const REFUSED: readonly [HostileFile, HostileOutcome['code'], Record<string, unknown>][] = [
  ['50,000 columns', 'TOO_MANY_COLUMNS', { line: 1, maxColumns: 500 }],
  ['50,000 columns, allowed', 'TOO_MANY_ATTRIBUTES', {}],
  ['50,000 cells in a row', 'TOO_MANY_COLUMNS', { line: 2, maxColumns: 500 }],
  ['a 10 MB cell', 'RECORD_TOO_LARGE', { line: 2, maxRecordBytes: 262_144 }],
  ['a quoted 10 MB cell', 'RECORD_TOO_LARGE', { line: 2, maxRecordBytes: 262_144 }],
  ['a 10 MB header', 'RECORD_TOO_LARGE', { line: 1, maxRecordBytes: 262_144 }],
  ['nothing but masses of empty lines', 'EMPTY_FILE', {}],
  ['NUL in a header', 'INVALID_ATTRIBUTE_NAME', {}],
  ['10 MB of NUL', 'INVALID_ENCODING', {}],
  ['rows and 10 MB of NUL', 'RECORD_TOO_LARGE', { line: 11 }],
  ['a lone surrogate in a header', 'INVALID_ATTRIBUTE_NAME', {}],
  ['lone surrogates in UTF-16', 'INVALID_ENCODING', { encoding: 'utf-16le' }],
  ['surrogates in bytes that claim UTF-8', 'INVALID_ENCODING', { encoding: 'utf-8', byte: 28 }],
  ['a header __proto__', 'INVALID_ATTRIBUTE_NAME', {}],
  ['a header constructor', 'INVALID_ATTRIBUTE_NAME', {}],
  ['a zip named .csv', 'UNSUPPORTED_FILE', {}],
  ['an unclosed quote on row 2 of masses', 'UNCLOSED_QUOTE', { line: 2, column: 2 }],
  ['an unclosed quote on row 2 of masses quoted', 'UNCLOSED_QUOTE', { line: 2, column: 2 }],
]

const TAKEN: readonly [HostileFile, HostileOutcome['result']][] = [
  ['a 4 MB cell, allowed', { rowsTotal: 2, customersCreated: 1, rowsRejected: 1, codes: ['VALUE_TOO_LONG'] }],
  // Blank cells beyond the header cost nothing.
  ['50,000 columns of nothing', { rowsTotal: 0, customersCreated: 0, rowsRejected: 0, codes: [] }],
  ['masses of empty lines', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  ['masses of lines of blank cells', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  ['masses of empty lines before the header', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  [
    'NUL in every row',
    { rowsTotal: MASSES / 20 + 1, customersCreated: 1, rowsRejected: MASSES / 20, codes: ['INVALID_CHARACTER'] },
  ],
  [
    'lone surrogates in text',
    { rowsTotal: MASSES / 20 + 1, customersCreated: 1, rowsRejected: MASSES / 20, codes: ['INVALID_CHARACTER'] },
  ],
]

/** Files of which the test itself holds much. */
const HEAVY: readonly HostileFile[] = ['a zip named .csv', 'a 4 MB cell, allowed']
const outcomes = new Map<HostileFile, HostileOutcome>()

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [`${root}test/support/hostile-upload.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    // The package as it was built, and nothing of the compiler in the process that is measured.
    packages: 'external',
  })
  const files = [...REFUSED, ...TAKEN].map(([file]) => file)
  // Each has a process of its own; without the long laws one serves all but the heavy ones, and its peak is that of all.
  const light = files.filter((file) => !HEAVY.includes(file))
  for (const some of [...HEAVY.map((file) => [file]), ...(isFull ? light.map((file) => [file]) : [light])]) {
    const args = ['--input-type=module', '--eval', outputFiles[0]!.text, '--', db.url, String(MASSES), ...some]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env: {} })
    for (const line of stdout.trim().split('\n')) {
      const { name, ...outcome } = JSON.parse(line) as HostileOutcome & { name: HostileFile }
      outcomes.set(name, outcome)
    }
  }
})

function outcomeOf(file: HostileFile): HostileOutcome {
  const outcome = outcomes.get(file)!
  const { cost, peak, code } = outcome
  console.log(
    `${file}: ${code ?? 'stored'} at the cost of ${cost.toFixed(0)} calibrations, peak ${(peak / 1e6).toFixed(0)} MB`,
  )
  expect(cost).toBeLessThan(MOST_COST)
  expect(peak).toBeLessThan(MOST_BYTES)
  expect(outcome.next, 'the next upload works').toBe(1)
  return outcome
}

test.each(REFUSED)('%s: %s', (file, code, details) => {
  const outcome = outcomeOf(file)
  expect(outcome).toMatchObject({ code, details, stored: 0 })
  expect(outcome.taken, 'the rest of the file is not read').toBeLessThan(1.5e6)
})

test.each(TAKEN)('%s: costs only its rows', (file, result) => {
  expect(outcomeOf(file)).toMatchObject({ result })
})

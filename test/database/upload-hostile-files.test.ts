import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { beforeAll, expect, test } from 'vitest'
import { useDatabase } from '../support/database.js'
import type { HostileFile, HostileOutcome } from '../support/hostile-upload.js'

const db = useDatabase()

/** In calibrations, of which each takes about 10 ms. */
const MOST_COST = 500
const MOST_BYTES = 200e6

const root = fileURLToPath(new URL('../../', import.meta.url))
let script: string

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
  script = outputFiles[0]!.text
})

async function upload(file: HostileFile): Promise<HostileOutcome> {
  const args = ['--input-type=module', '--eval', script, file, db.url]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env: {} })
  const outcome = JSON.parse(stdout) as HostileOutcome
  const { cost, peak, code } = outcome
  console.log(
    `${file}: ${code ?? 'stored'} at the cost of ${cost.toFixed(0)} calibrations, peak ${(peak / 1e6).toFixed(0)} MB`,
  )
  expect(outcome.cost).toBeLessThan(MOST_COST)
  expect(outcome.peak).toBeLessThan(MOST_BYTES)
  expect(outcome.next, 'the next upload works').toBe(1)
  return outcome
}

test.each<[HostileFile, HostileOutcome['code'], Record<string, unknown>]>([
  ['50,000 columns', 'TOO_MANY_COLUMNS', { line: 1, maxColumns: 500 }],
  ['50,000 columns, allowed', 'TOO_MANY_ATTRIBUTES', {}],
  ['50,000 cells in a row', 'TOO_MANY_COLUMNS', { line: 2, maxColumns: 500 }],
  ['a 10 MB cell', 'RECORD_TOO_LARGE', { line: 2, maxRecordBytes: 262_144 }],
  ['a quoted 10 MB cell', 'RECORD_TOO_LARGE', { line: 2, maxRecordBytes: 262_144 }],
  ['a 10 MB header', 'RECORD_TOO_LARGE', { line: 1, maxRecordBytes: 262_144 }],
  ['nothing but a million empty lines', 'EMPTY_FILE', {}],
  ['NUL in a header', 'INVALID_ATTRIBUTE_NAME', {}],
  ['10 MB of NUL', 'INVALID_ENCODING', {}],
  ['rows and 10 MB of NUL', 'RECORD_TOO_LARGE', { line: 11 }],
  ['a lone surrogate in a header', 'INVALID_ATTRIBUTE_NAME', {}],
  ['lone surrogates in UTF-16', 'INVALID_ENCODING', { encoding: 'utf-16le' }],
  ['surrogates in bytes that claim UTF-8', 'INVALID_ENCODING', { encoding: 'utf-8', byte: 28 }],
  ['a header __proto__', 'INVALID_ATTRIBUTE_NAME', {}],
  ['a header constructor', 'INVALID_ATTRIBUTE_NAME', {}],
  ['a zip named .csv', 'UNSUPPORTED_FILE', {}],
  ['an unclosed quote on row 2 of a million', 'UNCLOSED_QUOTE', { line: 2, column: 2 }],
  ['an unclosed quote on row 2 of a million quoted', 'UNCLOSED_QUOTE', { line: 2, column: 2 }],
])('%s: %s', async (file, code, details) => {
  const outcome = await upload(file)
  expect(outcome).toMatchObject({ code, details })
  expect(outcome.taken, 'the rest of the file is not read').toBeLessThan(1.5e6)
  const stored = await db.sql`select distinct email from customer.customer`
  expect(stored.map(({ email }) => email)).toEqual(['next@example.com'])
})

test.each<[HostileFile, HostileOutcome['result']]>([
  ['a 4 MB cell, allowed', { rowsTotal: 2, customersCreated: 1, rowsRejected: 1, codes: ['VALUE_TOO_LONG'] }],
  // Blank cells beyond the header cost nothing.
  ['50,000 columns of nothing', { rowsTotal: 0, customersCreated: 0, rowsRejected: 0, codes: [] }],
  ['a million empty lines', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  ['a million lines of blank cells', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  ['a million empty lines before the header', { rowsTotal: 1, customersCreated: 1, rowsRejected: 0, codes: [] }],
  ['NUL in every row', { rowsTotal: 50_001, customersCreated: 1, rowsRejected: 50_000, codes: ['INVALID_CHARACTER'] }],
  [
    'lone surrogates in text',
    { rowsTotal: 50_001, customersCreated: 1, rowsRejected: 50_000, codes: ['INVALID_CHARACTER'] },
  ],
])('%s: costs only its rows', async (file, result) => {
  expect(await upload(file)).toMatchObject({ result })
})

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { childEnvironment } from '../support/child-environment.js'
import { anchorsOf, linksOf } from '../support/links.js'
import { codeBlocks, section } from '../support/readme.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const upFile = '0001_add_custom_attributes.up.sql'

const USES = `
  const url = 'postgres://nobody@127.0.0.1:1/none'
  const store = createCustomAttributesStore(postgres(url))
  const mapping = mapColumns(['email', 'Tier'])
  const failure = await store.getCustomer(7, 'john@example.com').catch((error) => error)
  process.stdout.write(JSON.stringify({
    custom: mapping.custom,
    methods: typeof store.uploadCsv,
    code: failure.code,
    isOurs: isCustomAttributesError(failure, 'CONNECTION_LOST') && isFromPure(failure),
    migration: readMigrations()[0].up,
    file: readFileSync(sqlFile, 'utf8'),
  }))`

const ESM = `
  import { readFileSync } from 'node:fs'
  import { fileURLToPath } from 'node:url'
  import postgres from 'postgres'
  import { createCustomAttributesStore, isCustomAttributesError, readMigrations } from 'postgres-custom-attributes'
  import { isCustomAttributesError as isFromPure, mapColumns } from 'postgres-custom-attributes/pure'
  const sqlFile = fileURLToPath(import.meta.resolve('postgres-custom-attributes/sql/${upFile}'))
  ${USES}`

const COMMON_JS = `
  const { readFileSync } = require('node:fs')
  const postgres = require('postgres')
  const { createCustomAttributesStore, isCustomAttributesError, readMigrations } = require('postgres-custom-attributes')
  const { isCustomAttributesError: isFromPure, mapColumns } = require('postgres-custom-attributes/pure')
  const sqlFile = require.resolve('postgres-custom-attributes/sql/${upFile}')
  async function main() { ${USES} }
  main()`

const TYPED = `
  import postgres from 'postgres'
  import { createCustomAttributesStore, type UploadResult, type Customer } from 'postgres-custom-attributes'
  import { mapColumns } from 'postgres-custom-attributes/pure'
  export async function use(file: File): Promise<[UploadResult, Customer | null, readonly string[]]> {
    const sql = postgres('')
    const store = createCustomAttributesStore(sql)
    const result = await store.uploadCsv(1n, file.stream(), { existing: 'merge', onRejected: (row) => row.line })
    await sql.begin((tx) => store.with(tx).upsertCustomer('a', { email: 'a@example.com', orders_count: 3 }))
    // @ts-expect-error: there is no such choice
    await store.uploadCsv(1, '', { existing: 'overwrite' })
    return [result, await store.getCustomer('a', 'a@example.com'), mapColumns(['email']).standard]
  }`

const run = promisify(execFile)
let project: string
/** The paths of the package as installed. */
let shipped: string[]

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'tarball-test-'))
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true }))
  const versions = await Promise.all(
    ['postgres', '@types/node'].map(async (name) => `${name}@${await installed(name)}`),
  )
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund']
  // By `--install-links` npm packs the folder and installs what it packed, in one start. The build is there already: packing
  // must not make it anew under the feet of other tests.
  await run('npm', ['install', ...quiet, '--install-links', '--ignore-scripts', root, ...versions], { cwd: project })
  const folder = join(project, 'node_modules/postgres-custom-attributes')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  shipped = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll('\\', '/'))
})

afterAll(() => rm(project, { recursive: true, force: true }))

async function installed(name: string): Promise<string> {
  return JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')).version
}

const shippedPages = () => shipped.filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))

/** Writes a file into the project and runs it with Node. */
async function runFile(name: string, text: string): Promise<string> {
  await writeFile(join(project, name), text)
  return (await run(process.execPath, [name], { cwd: project, env: childEnvironment() })).stdout
}

/** What the compiler has to say to files of the project, and to the declarations of the package that they import. */
function typecheck(files: readonly string[]): string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: ['node'],
  }
  const host = { ...ts.createCompilerHost(options), getCurrentDirectory: () => project }
  const program = ts.createProgram(
    files.map((file) => join(project, file)),
    options,
    host,
  )
  // The declarations of others are read but not checked: that took twice as long as all else.
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => !/\/node_modules\/(?!postgres-custom-attributes\/)/.test(fileName))
  const problems = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ]
  const names = ours.map(({ fileName }) => fileName.split('/').at(-1))
  expect(names).toEqual(expect.arrayContaining(['index.d.ts', 'index.d.cts', 'pure.d.ts', 'pure.d.cts', ...files]))
  return problems.map((problem) => ts.formatDiagnostic(problem, host))
}

describe('the packed tarball, installed in an empty project', () => {
  it.each([
    ['ESM', 'use.mjs', ESM],
    ['CommonJS', 'use.cjs', COMMON_JS],
  ])('works from %s and finds its SQL files', async (_kind, file, text) => {
    const migration = await readFile(join(root, 'sql', upFile), 'utf8')
    expect(JSON.parse(await runFile(file, text))).toEqual({
      custom: ['Tier'],
      methods: 'function',
      code: 'CONNECTION_LOST',
      isOurs: true,
      migration,
      file: migration,
    })
  })

  it("typechecks under strict as ESM and as CommonJS, the README's quick start too", async () => {
    const [quickStart] = codeBlocks(section('## Quick start'), 'ts')
    const files = { 'use.mts': TYPED, 'use.cts': TYPED, 'quick-start.mts': quickStart! }
    for (const [file, text] of Object.entries(files)) await writeFile(join(project, file), text)
    expect(typecheck(Object.keys(files))).toEqual([])
  })

  it('has the command in its bin, which needs no more than was installed', async () => {
    const out = ['--style', 'plain', '--out', 'command']
    // What npx starts: npx itself would take longer than all that it starts.
    const command = join(project, 'node_modules/.bin/postgres-custom-attributes')
    const { stdout } = await run(command, ['migrations', ...out], { cwd: project, env: childEnvironment() })
    const texts = await Promise.all(
      stdout
        .trim()
        .split('\n')
        .map((path) => readFile(join(project, path), 'utf8')),
    )
    expect(texts).toContain(await readFile(join(root, 'sql', upFile), 'utf8'))
  })

  it('holds what is used and nothing of the workshop', () => {
    expect(shipped).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'CHANGELOG.md', 'sql/reference/customer_table.sql']),
    )
    expect(
      shipped.filter((file) => !/^(dist|sql|docs)\/|^[A-Z]+(\.md)?$|^(package|openapi)\.json$/.test(file)),
    ).toEqual([])
  })

  it('has pages that link to what is shipped or on the web, anchors too', () => {
    const pages = shippedPages()
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'docs/api/index.md']))
    const broken: string[] = []
    const anchors = new Map(pages.map((page) => [page, anchorsOf(page)]))
    for (const from of pages) {
      for (const link of linksOf(from)) {
        if (/^https:\/\//.test(link)) continue
        const [file, anchor] = link.split('#') as [string, string?]
        const target = file === '' ? from : posix.join(posix.dirname(from), decodeURI(file))
        const isThere =
          shipped.includes(target) && (!anchor || !target.endsWith('.md') || anchors.get(target)?.has(anchor))
        if (!isThere) broken.push(`${from}: ${link}`)
      }
    }
    expect(broken).toEqual([])
  })

  it('has an index that names every page of docs', () => {
    const listed = linksOf('docs/README.md').map((link) => posix.join('docs', link))
    const own = shippedPages().filter((path) => posix.dirname(path) === 'docs' && path !== 'docs/README.md')
    expect(own.filter((path) => !listed.includes(path))).toEqual([])
  })
})

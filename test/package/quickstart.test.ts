import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { childEnvironment } from '../support/child-environment.js'
import { someOf } from '../support/law.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const customers = join(root, 'examples/data/customers.csv')

// Beside the example, so that it finds what the example finds.
const bundle = join(root, `examples/quickstart-${process.pid}.mjs`)
const makeCustomers = join(root, `examples/quickstart-customers-${process.pid}.mjs`)
let folder: string

// As JavaScript once: the loader of `npm run quickstart` would do it at each start.
beforeAll(() =>
  build({
    entryPoints: {
      [basename(bundle, '.mjs')]: join(root, 'examples/quickstart.ts'),
      [basename(makeCustomers, '.mjs')]: join(root, 'examples/data/make-customers.ts'),
    },
    outdir: join(root, 'examples'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  }),
)
afterAll(() => {
  for (const file of [bundle, makeCustomers]) rmSync(file, { force: true })
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quickstart-test-'))
  // The server of a quickstart run by root is another user's.
  chmodSync(folder, 0o755)
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Quickstart {
  child: ChildProcess
  output(): string
}

/** Starts what `npm run quickstart` starts after the build, by its loader. */
const startWithLoader = () => start('--import', 'tsx', 'examples/quickstart.ts')

/** Starts the same without its loader. */
const startQuickstart = (...args: string[]) => start(bundle, ...args)

function start(...args: string[]): Quickstart {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: childEnvironment({ TMPDIR: folder, TSX_DISABLE_CACHE: '1' }),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
  }
  return { child, output: () => text }
}

/** What is left of it: files in its temporary folder, and processes that work there. */
function remains(): string[] {
  const processes = execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' }).split('\n')
  return [
    ...readdirSync(folder).filter((name) => name.startsWith('embedded-postgres-')),
    ...processes.filter((args) => args.includes(join(folder, 'embedded-postgres-'))),
  ]
}

describe('npm run quickstart', () => {
  it('uploads the example file and prints counts, rejected rows, merge tags and messages', async () => {
    const { child, output } = startWithLoader()
    const [code] = await once(child, 'close')
    expect(output()).toContain('2391 customers created, 1 updated, 2 unchanged, 9 rows rejected')
    expect(output()).toContain('line 104, Email: Not a valid email address')
    expect(output()).toContain('Favourite Colour, Loyalty Points, Newsletter Topics, Referral Code, Store Nº')
    expect(output()).toMatch(
      /@example\.(com|net|org): Hi .+, your (bronze|silver|gold|platinum|diamond) status expires/,
    )
    expect(code).toBe(0)
    expect(remains()).toEqual([])
  })

  it('takes a file and a template, and says what is wrong with them', async () => {
    const file = join(folder, 'no-email.csv')
    writeFileSync(file, 'name\nJoe\n')
    const { child, output } = startQuickstart(file, 'Hi {{first_name}}')
    expect((await once(child, 'close'))[0]).toBe(1)
    expect(output()).toContain('email is required')
    const second = startQuickstart(customers, 'Hi {{first_name')
    expect((await once(second.child, 'close'))[0]).toBe(1)
    expect(second.output()).toContain('{{first_name is a tag that is not closed')
    expect(remains()).toEqual([])
  })

  it('names a misspelt tag, says how many rejected rows it does not list, and sends no control character', async () => {
    const file = join(folder, 'many.csv')
    const bad = Array.from({ length: 120 }, () => 'not an address,x')
    writeFileSync(file, `email,loyalty_tier\n${bad.join('\n')}\na@example.com,gold\u001b]0;owned\u0007\n`)
    const { child, output } = startQuickstart(file, '{{loyalty_teir}} {{loyalty_tier}}')
    expect((await once(child, 'close'))[0]).toBe(0)
    expect(output()).toContain('… and 20 more')
    expect(output()).toMatch(/warning: \{\{loyalty_teir}} .*loyalty_tier/)
    expect(output()).toContain('gold\ufffd]0;owned\ufffd')
  })

  const INTERRUPTS = [
    ['while PostgreSQL is made', 'Starting PostgreSQL', 'SIGTERM'],
    ['while the file is uploaded', 'Uploading', 'SIGINT'],
    ['while PostgreSQL is made, by Ctrl-C', 'Starting PostgreSQL', 'SIGINT'],
    ['while the file is uploaded, by another signal', 'Uploading', 'SIGTERM'],
  ] as const
  it.each(someOf(INTERRUPTS, 1))('leaves nothing behind when interrupted %s', async (_when, line, signal) => {
    const { child, output } = startQuickstart()
    while (!output().includes(line)) await once(child.stdout!, 'data')
    // npm passes on the Ctrl-C that the terminal has sent already.
    child.kill(signal)
    child.kill(signal)
    const [code, killedBy] = await once(child, 'close')
    expect(killedBy ?? code).toBe(signal)
    if (signal === 'SIGINT') expect(output()).not.toContain('Error')
    expect(remains()).toEqual([])
  })
})

describe('examples/data/customers.csv', () => {
  it('is what its script writes', () => {
    const file = join(folder, 'customers.csv')
    execFileSync(process.execPath, [makeCustomers, file], { env: childEnvironment() })
    expect(readFileSync(file, 'utf8')).toBe(readFileSync(customers, 'utf8'))
  })
})

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach } from 'vitest'
import { childEnvironment } from './child-environment.js'

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

export interface CommandResult {
  code: number | null
  stdout: string
  stderr: string
}

export interface CommandSetting {
  env?: Record<string, string>
  input?: string
}

/** A folder for each test in which the built command is run, as a shell would run it. */
export function useCommand() {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'command-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  function start(args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [cli, ...args], { cwd: folder, env: childEnvironment(env) })
    const ended = outcomeOf(child)
    return { child, ended }
  }

  return {
    /** The path of a file in the folder. */
    path: (name: string) => join(folder, name),
    write: (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text),
    start,
    async run(args: readonly string[], { env, input = '' }: CommandSetting = {}): Promise<CommandResult> {
      const { child, ended } = start(args, env)
      // A command that does not read its input closes it.
      child.stdin.on('error', () => {})
      child.stdin.end(input)
      return ended
    },
  }
}

/** Where a package of the project is, for a folder that is to have it, too. */
export const packageFolder = (name: string): string => join(dirname(dirname(cli)), 'node_modules', name)

/** The package itself, as it is built. */
export const ownFolder = dirname(dirname(cli))

async function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<CommandResult> {
  const texts = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

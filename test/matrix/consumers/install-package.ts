import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder in which the packed package and postgres are installed, as in a host's project. */
    host: string
  }
}

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Installs the packed package as a host would: what is tested is what is published. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const host = await mkdtemp(join(tmpdir(), 'host-'))
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', host]
  const [{ filename }] = JSON.parse((await run('npm', pack, { cwd: root })).stdout) as [{ filename: string }]
  await writeFile(join(host, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  await run('npm', ['install', '--no-audit', '--no-fund', `./${filename}`, 'postgres@^3.4.9'], { cwd: host })
  await symlink(join(root, 'node_modules/@types'), join(host, 'node_modules/@types'), 'dir')
  await symlink(join(root, 'node_modules/undici-types'), join(host, 'node_modules/undici-types'), 'dir')
  project.provide('host', host)
  return () => rm(host, { recursive: true })
}

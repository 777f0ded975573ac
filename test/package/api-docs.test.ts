import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

async function pagesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder)).sort()
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')])),
  )
}

it('docs/api is what the docstrings say: `npm run docs:api` writes it anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'api-docs-'))
  try {
    const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
    await promisify(execFile)(process.execPath, [typedoc, '--out', folder, '--treatWarningsAsErrors'], { cwd: root })
    expect(await pagesOf(join(root, 'docs/api'))).toEqual(await pagesOf(folder))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

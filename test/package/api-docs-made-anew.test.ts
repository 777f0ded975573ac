import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { apiFolder, filesOf } from '../support/api-docs.js'
import { childEnvironment } from '../support/child-environment.js'

const root = fileURLToPath(new URL('../../', import.meta.url))

it('docs/api is what the docstrings say: `npm run docs:api` writes it anew', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'api-docs-'))
  try {
    const typedoc = join(root, 'node_modules/typedoc/bin/typedoc')
    await promisify(execFile)(process.execPath, [typedoc, '--out', folder, '--treatWarningsAsErrors'], {
      cwd: root,
      env: childEnvironment(),
    })
    expect(filesOf(apiFolder, '.md')).toEqual(filesOf(folder, '.md'))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

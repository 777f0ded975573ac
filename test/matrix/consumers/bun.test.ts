import { execFile } from 'node:child_process'
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, test } from 'vitest'
import { renderTemplate } from '../../../src/pure.js'
import { printAll } from '../../support/prints.js'
import { copyScript, expectUploads, programOf, versionOf } from './uploads.js'

describe(`Bun ${versionOf('bun')}`, () => {
  test('uploads, mail merge, abort and the HTTP handler', async () => {
    await expectUploads(programOf('bun'), ['run', await copyScript()])
  })

  test('filters and comparisons print what they print in Node, in every language of a fixed set', async () => {
    const host = inject('host')
    await copyFile(new URL('../../support/prints.ts', import.meta.url), join(host, 'prints.ts'))
    await writeFile(
      join(host, 'print.ts'),
      `import { renderTemplate } from 'postgres-custom-attributes/pure'
      import { printAll } from './prints.ts'
      process.stdout.write(JSON.stringify(printAll(renderTemplate)))`,
    )
    const { stdout } = await promisify(execFile)(programOf('bun'), ['run', join(host, 'print.ts')], {
      cwd: host,
      maxBuffer: 2 ** 24,
    })
    expect(JSON.parse(stdout)).toEqual(printAll(renderTemplate))
  })
})

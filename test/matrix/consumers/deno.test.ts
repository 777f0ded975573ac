import { describe, test } from 'vitest'
import { copyScript, expectUploads, programOf, versionOf } from './uploads.js'

describe(`Deno ${versionOf('deno')}`, () => {
  test('uploads, mail merge, abort and the HTTP handler', async () => {
    const flags = ['--no-remote', '--cached-only', '--node-modules-dir=manual', '--allow-net', '--allow-read']
    await expectUploads(programOf('deno'), ['run', ...flags, '--allow-env', '--allow-sys', await copyScript()])
  })
})

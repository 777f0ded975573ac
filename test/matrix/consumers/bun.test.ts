import { describe, test } from 'vitest'
import { copyScript, expectUploads, programOf, versionOf } from './uploads.js'

describe(`Bun ${versionOf('bun')}`, () => {
  test('uploads, mail merge, abort and the HTTP handler', async () => {
    await expectUploads(programOf('bun'), ['run', await copyScript()])
  })
})

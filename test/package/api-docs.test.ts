import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { apiFingerprint, fingerprintFile } from '../support/api-docs.js'

it('docs/api was made from these declarations, and no page of it was changed by hand', () => {
  const stale = 'docs/api is stale: run `npm run docs:api`, which writes it anew, and keep what it changed'
  expect(apiFingerprint(), stale).toBe(readFileSync(fingerprintFile, 'utf8').trim())
})

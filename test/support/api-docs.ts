import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
export const apiFolder = join(root, 'docs/api')

/** Kept beside the pages, and not shipped. */
export const fingerprintFile = join(apiFolder, '.fingerprint')

/** The files of a folder that end so, by name. */
export function filesOf(folder: string, ending: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(ending))
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}

/** Of what the API reference is made from (declarations as built, entry points, options), and of its pages. */
export function apiFingerprint(): string {
  const options = readFileSync(join(root, 'typedoc.json'), 'utf8')
  const { entryPoints } = JSON.parse(options) as { entryPoints: string[] }
  const entries = entryPoints.map((path) => readFileSync(join(root, path), 'utf8'))
  const all = [filesOf(join(root, 'dist'), '.d.ts'), entries, options, filesOf(apiFolder, '.md')]
  return createHash('sha256').update(JSON.stringify(all)).digest('hex')
}

// `npm run docs:api` ends with this.
if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(fingerprintFile, `${apiFingerprint()}\n`)

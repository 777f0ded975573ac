import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../../src', import.meta.url))

/** Which files of `src` are in which layer. A file imports from its own layer and those below, types included. */
const LAYERS: readonly RegExp[] = [
  /^(abort|errors|options|pace)\.ts$/,
  /^(names|edit-distance|field-names|fields|field-suggestions|headers|columns|column-problems|column-targets|rows|rejected-rows|email|text-mark|trim)\.ts$|^(template|csv|audience)\//,
  /^db\//,
  /^(upload|mail-merge|attributes|export|history|suppression)\//,
  /^store(-options|-methods)?\.ts$|^http\//,
  /^(index|pure|http)\.ts$/,
  /^cli\//,
]

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !file.endsWith('.d.ts'),
)
const layerOf = (file: string): number => LAYERS.findIndex((pattern) => pattern.test(file))

/** The files of `src` that a file imports, as values or as types. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(src, file), 'utf8'), true, true)
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.') && fileName.endsWith('.js'))
    .map(({ fileName }) => relative(src, join(src, dirname(file), fileName)).replace(/\.js$/, '.ts'))
}

describe('src', () => {
  it.each(files)('%s imports only from its layer and those below', (file) => {
    expect(layerOf(file), 'the file is in no layer').not.toBe(-1)
    const imports = importsOf(file)
    expect(imports.filter((target) => !existsSync(join(src, target)))).toEqual([])
    expect(imports.filter((target) => layerOf(target) > layerOf(file))).toEqual([])
  })

  it('has no import cycle', () => {
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]): void => {
      expect(path, `a cycle: ${[...path, file].join(' → ')}`).not.toContain(file)
      if (done.has(file)) return
      for (const target of importsOf(file)) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
  })
})

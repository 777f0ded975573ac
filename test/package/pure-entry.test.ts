import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { characterEntities } from 'character-entities'
import { build } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The entry point bundled for a browser, where importing a module of Node is an error. */
function bundle(entry: string) {
  return build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'api',
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
}

describe('postgres-custom-attributes/pure', () => {
  let code: string
  let packages: string[]

  beforeAll(async () => {
    const { outputFiles, metafile } = await bundle('dist/pure.js')
    code = outputFiles[0]!.text
    packages = Object.keys(metafile.inputs).flatMap((input) => /^node_modules\/([^/]+)/.exec(input)?.[1] ?? [])
  })

  it('imports nothing of Node, no database, and no other package', () => {
    expect([...new Set(packages)]).toEqual([])
  })

  it('works without the globals of Node', () => {
    // What is left in the context is the language itself, and what every browser has to read texts.
    const run = (expression: string): unknown =>
      JSON.parse(runInNewContext(`${code}; JSON.stringify(${expression})`, { TextEncoder, atob }))
    expect(
      run("api.mapColumns(['E-Mail Address', 'LOYALTY_TIER', 'password']).columns.map(({ target }) => target)"),
    ).toEqual([{ field: 'email' }, { attribute: 'LOYALTY_TIER' }, null])
    expect(run("api.parseRow(['email', 'tier'], ['John@Example.com', 'gold'])")).toEqual({
      standard: { email: 'john@example.com' },
      custom_attributes: { tier: 'gold' },
    })
    expect(run("api.renderTemplate('Hi {{first_name|there}}', { email: 'john@example.com' })")).toBe('Hi there')
    expect(run("api.rejectedRowsCsv(['email'], [{ record: ['x'], code: 'INVALID_EMAIL', message: 'No.' }])")).toBe(
      'email,error_code,error_message\r\nx,INVALID_EMAIL,No.\r\n',
    )
  })

  it('has every character reference of HTML, packed as they are', () => {
    const templates = Object.keys(characterEntities).map((name) => `{{x | default: "z&${name};z"}}`)
    const printed = runInNewContext(
      `${code}; ${JSON.stringify(templates)}.map((text) => api.inspectTemplate(text).tags[0].fallback).join('\\0')`,
      { TextEncoder },
    )
    expect(printed.split('\0')).toEqual(Object.values(characterEntities).map((character) => `z${character}z`))
  })

  it('would be found out: the main entry does not bundle for a browser', async () => {
    await expect(bundle('dist/index.js')).rejects.toThrow(/Could not resolve "node:/)
  })
})

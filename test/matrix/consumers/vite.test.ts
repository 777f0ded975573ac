import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, inject, test } from 'vitest'
import { programOf, versionOf } from './uploads.js'

const PAGE = `
  import { inspectColumns, renderTemplate } from 'postgres-custom-attributes/pure'
  const { mapping } = inspectColumns(['E-Mail', 'First Name', 'Tier'])
  globalThis.found = {
    standard: mapping.standard,
    custom: mapping.custom,
    text: renderTemplate('Hi {{first_name|there}} & {{Tier}}', { email: 'a@example.com', custom_attributes: { Tier: '<b>' } }),
  }`

describe(`Vite ${versionOf('vite')}, ./pure in a browser's bundle`, () => {
  test('holds nothing of Node and gives the same answers', async () => {
    const root = join(inject('host'), 'page')
    await mkdir(root, { recursive: true })
    await writeFile(join(root, 'page.js'), PAGE)
    await writeFile(join(root, 'index.html'), '<!doctype html><script type="module" src="./page.js"></script>')
    await promisify(execFile)(programOf('vite'), ['build', '--logLevel', 'warn', root])
    const assets = join(root, 'dist/assets')
    const [name] = (await readdir(assets)).filter((file) => file.endsWith('.js'))
    const bundle = await readFile(join(assets, name!), 'utf8')
    expect(bundle).not.toMatch(/node:|__vite-browser-external|require\(/)
    // What every page has, and nothing else: no process, no Buffer, no require.
    const page = createContext({
      TextEncoder,
      document: { createElement: () => ({ relList: { supports: () => true } }) },
    })
    runInContext(bundle, page)
    expect(JSON.parse(JSON.stringify(page.found))).toEqual({
      standard: ['email', 'first_name'],
      custom: ['Tier'],
      text: 'Hi there & &lt;b&gt;',
    })
  })
})

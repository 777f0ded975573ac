import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkTemplate } from '../../src/template/inspect.js'
import { expectRendered, NAMES, TYPED } from '../support/newsletter.js'
import { launchBrowser } from './page.js'

const root = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const TYPES: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html' }

let server: Server
let url: string
let browser: Browser

beforeAll(async () => {
  // The editors' own files: each loads its skin and language by itself.
  server = createServer(async (request, response) => {
    const path = new URL(request.url!, 'http://x').pathname
    if (path === '/') {
      response.setHeader('content-type', 'text/html; charset=utf-8')
      response.end('<!doctype html><title>x</title><div id="editor"></div>')
      return
    }
    const content = await readFile(root + path.slice(1)).catch(() => undefined)
    response.statusCode = content ? 200 : 404
    response.setHeader('content-type', `${TYPES[extname(path)] ?? 'application/octet-stream'}; charset=utf-8`)
    response.end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser.close()
  server.close()
})

/** The page as its writer makes it: texts are typed, links are set by the editor's own command for links. */
const asHtml = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const PAGE = [
  ...[TYPED.greeting, TYPED.money, TYPED.vip, TYPED.orders].map((text) => `<p>${asHtml(text)}</p>`),
  `<p><a href="${asHtml(TYPED.link)}">Me</a> and <a href="${TYPED.page}">page</a></p>`,
].join('\n')

/** What an editor gives back of the page. */
async function edit(run: (page: Page) => Promise<string>): Promise<string> {
  const page = await browser.newPage()
  try {
    await page.goto(url)
    return await run(page)
  } finally {
    await page.close()
  }
}

test('what TinyMCE makes of a newsletter renders as its writer meant', async () => {
  const html = await edit(async (page) => {
    await page.addScriptTag({ url: '/tinymce/tinymce.min.js' })
    return page.evaluate(async (content) => {
      const { tinymce } = globalThis as unknown as { tinymce: { init(options: object): Promise<Editor[]> } }
      type Editor = { setContent(html: string): void; getContent(): string }
      const [editor] = await tinymce.init({
        selector: '#editor',
        license_key: 'gpl',
        plugins: 'link',
        entity_encoding: 'named',
        convert_urls: false,
      })
      editor!.setContent(content)
      return editor!.getContent()
    }, PAGE)
  })
  expect(html).toContain('&eacute;')
  expectRendered(html)
})

test('what CKEditor 4 makes of a newsletter renders as its writer meant', async () => {
  const html = await edit(async (page) => {
    await page.addScriptTag({ url: '/ckeditor4/ckeditor.js' })
    return page.evaluate(
      (content) =>
        new Promise<string>((resolve) => {
          type Editor = { setData(html: string, done: () => void): void; getData(): string }
          const { CKEDITOR } = globalThis as unknown as {
            CKEDITOR: { replace(id: string, options: object): Editor & { on(event: string, act: () => void): void } }
          }
          const editor = CKEDITOR.replace('editor', { entities: true, versionCheck: false })
          editor.on('instanceReady', () => editor.setData(content, () => resolve(editor.getData())))
        }),
      PAGE,
    )
  })
  expect(html).toContain('&eacute;')
  expectRendered(html)
})

test('what TipTap makes of a newsletter, and innerHTML of it, renders as its writer meant', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { Editor } from '@tiptap/core'; import StarterKit from '@tiptap/starter-kit'
        export const edit = (content) => {
          const element = document.querySelector('#editor')
          const editor = new Editor({ element, extensions: [StarterKit], content })
          return [editor.getHTML(), element.querySelector('.ProseMirror').innerHTML]
        }`,
      resolveDir: root,
    },
    bundle: true,
    format: 'iife',
    globalName: 'tiptap',
    write: false,
    logLevel: 'silent',
  })
  const page = await browser.newPage()
  await page.goto(url)
  await page.addScriptTag({ content: outputFiles[0]!.text })
  const outputs = await page.evaluate(
    (content) => (globalThis as unknown as { tiptap: { edit(html: string): string[] } }).tiptap.edit(content),
    PAGE,
  )
  await page.close()
  for (const html of outputs) {
    // A link whose address is a tag alone is none to TipTap, which takes it out.
    expect(checkTemplate(html, NAMES)).toEqual([])
    expectRendered(html.includes(TYPED.page) ? html : `${html}<a href="${TYPED.page}">page</a>`)
  }
})

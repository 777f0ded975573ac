import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { renderTemplate } from '../../src/pure.js'
import { printAll } from '../support/prints.js'
import { launchBrowser } from './page.js'

test('filters and comparisons print in a browser what they print in Node, in every language of a fixed set', async () => {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { printAll } from './test/support/prints.js'
        import { renderTemplate } from './dist/pure.js'
        globalThis.printed = printAll(renderTemplate)`,
      resolveDir: new URL('../../', import.meta.url).pathname,
    },
    bundle: true,
    format: 'iife',
    write: false,
  })
  const browser = await launchBrowser()
  try {
    const page = await browser.newPage()
    await page.addScriptTag({ content: outputFiles[0]!.text })
    const printed = await page.evaluate(() => (globalThis as unknown as { printed: string[] }).printed)
    expect(printed.length).toBeGreaterThan(4_000)
    expect(printed).toEqual(printAll(renderTemplate))
  } finally {
    await browser.close()
  }
})

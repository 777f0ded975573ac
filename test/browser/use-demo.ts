import type { Browser, BrowserContextOptions } from 'playwright-core'
import { afterAll, beforeAll, inject } from 'vitest'
import { launchBrowser, type Visit, visit } from './page.js'

/** A browser for the tests of a file. Returns how to open the demo, each time for an account of its own. */
export function useDemo(): (options?: BrowserContextOptions) => Promise<Visit> {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchBrowser()
  })
  afterAll(() => browser.close())
  return async (options) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
    return visit(await context.newPage(), inject('demoUrl'))
  }
}

import { randomUUID } from 'node:crypto'
import { type Browser, chromium, type Page } from 'playwright-core'

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Launches the Chromium of the system, or the one that CHROMIUM_PATH names. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', args: FLAGS })
}

/** What a test does with the demo. */
export interface Visit {
  page: Page
  /** everything the page did wrong so far: errors of scripts, and what the console was told */
  mistakes: string[]
}

/** Opens the demo for a new account. */
export async function visit(page: Page, url: string): Promise<Visit> {
  page.setDefaultTimeout(20_000)
  const mistakes: string[] = []
  page.on('pageerror', (error) => mistakes.push(String(error)))
  page.on('console', (message) => {
    // Refused requests are what some tests are about; the browser reports each as an error.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      mistakes.push(message.text())
  })
  await page.goto(`${url}/?account=${randomUUID()}`)
  return { page, mistakes }
}

export interface TestFile {
  name: string
  content: string | Buffer
  type?: string
}

/** Drops a file on the page, as the mouse would. */
export async function dropFile(page: Page, { name, content, type = 'text/csv' }: TestFile): Promise<void> {
  const base64 = Buffer.from(content).toString('base64')
  const transfer = await page.evaluateHandle(
    ([data, fileName, mimeType]) => {
      const bytes = Uint8Array.from(atob(data!), (character) => character.charCodeAt(0))
      const dataTransfer = new DataTransfer()
      dataTransfer.items.add(new File([bytes], fileName!, { type: mimeType }))
      return dataTransfer
    },
    [base64, name, type],
  )
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('#drop', event, { dataTransfer: transfer })
  }
}

/** Waits for the heading with which a screen starts. */
export async function expectScreen(page: Page, heading: string | RegExp): Promise<void> {
  await page.getByRole('heading', { level: 3, name: heading }).waitFor()
}

/** The numbers of a result, by their labels. */
export async function readCounts(page: Page): Promise<Record<string, number>> {
  const pairs = await page
    .locator('.counts > div')
    .evaluateAll((divs) =>
      divs.map((div) => [div.querySelector('dt')!.textContent, div.querySelector('dd')!.textContent] as const),
    )
  return Object.fromEntries(pairs.map(([label, text]) => [label, Number(text!.replaceAll(',', ''))]))
}

/** Uploads a file by mouse, whatever stands in it, up to its result. */
export async function uploadFile(page: Page, file: TestFile): Promise<Record<string, number>> {
  await dropFile(page, file)
  await page.getByRole('button', { name: 'Check the whole file' }).click()
  await page.getByRole('button', { name: /^Upload [\d,]+ rows?$/ }).click()
  await expectScreen(page, /is uploaded$/)
  return readCounts(page)
}

/** Writes into a part of the message. */
export async function write(page: Page, part: 'Subject' | 'HTML' | 'Plain text', template: string): Promise<void> {
  await page.getByLabel(part, { exact: true }).fill(template)
}

/** The body of the previewed HTML message. */
export function previewBody(page: Page) {
  return page.frameLocator('iframe').locator('body')
}

/** Takes the pictures of the README: `node --import tsx test/browser/screenshots.ts [folder]`. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { removeFolder, startDemo } from './demo-process.js'
import { expectScreen, launchBrowser, previewBody, visit, write } from './page.js'

const folder = process.argv[2] ?? fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))

const LOOKS: readonly { look: string; shots: readonly string[]; options: BrowserContextOptions }[] = [
  {
    look: 'wide-light',
    shots: ['message', 'attributes', 'customers', 'uploads'],
    options: { viewport: { width: 1180, height: 860 }, colorScheme: 'light' },
  },
  {
    look: 'narrow-dark',
    shots: ['result', 'preview'],
    options: { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
  },
]

const HTML = `<h2>Hi {{first_name | default: "there"}}!</h2>
<p>Your <b>{{loyalty_teir | default: "bronze"}}</b> status brings you
{{Loyalty Points}} points{{#city}} to spend in {{city}}{{/city}}.</p>
<p>All the best!</p>`

await mkdir(folder, { recursive: true })
const demo = await startDemo()
const browser = await launchBrowser()
try {
  for (const { look, shots, options } of LOOKS) {
    const context = await browser.newContext(options)
    const { page } = await visit(await context.newPage(), demo.url)
    const shoot = async (name: string) => {
      // What was out of sight is painted a little later.
      await page.waitForTimeout(300)
      if (shots.includes(name)) await page.screenshot({ path: join(folder, `${name}-${look}.png`) })
    }
    const show = (selector: string) =>
      page
        .locator(selector)
        .first()
        .evaluate((node) => {
          scrollTo(0, node.getBoundingClientRect().top + scrollY - 24)
        })

    await page.getByRole('button', { name: 'Take the sample file' }).click()
    await expectScreen(page, 'Where each column goes')
    await show('#upload')
    await shoot('mapping')
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await expectScreen(page, 'This is what would happen')
    await page.getByRole('button', { name: /^Upload / }).click()
    await expectScreen(page, /is uploaded$/)
    await show('#upload')
    await shoot('result')
    // A name that is taken, and what is asked then.
    const names = page.locator('.attributes th[scope=row]')
    const [taken = '', other = ''] = await names.allInnerTexts()
    await page.getByRole('button', { name: `Rename ${other}`, exact: true }).click()
    await page.getByLabel(`New name of ${other}`).fill(taken)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('group', { name: /is an attribute already/ }).waitFor()
    await show('#attributes-heading')
    await shoot('attributes')
    await page.getByRole('button', { name: 'Cancel' }).last().click()
    await page
      .getByRole('button', { name: /^Undo / })
      .first()
      .click()
    await page.getByRole('group', { name: /^Undo / }).waitFor()
    await show('#uploads')
    await shoot('uploads')
    await page.getByRole('button', { name: 'Leave it' }).click()
    const condition = async (at: number, name: string, word: string, value: string) => {
      await page.getByRole('button', { name: 'Add a condition' }).click()
      await page.getByLabel(`Name of condition ${at}`).selectOption(name)
      await page.getByLabel(`Word of condition ${at}`).selectOption(word)
      await page.getByLabel(`Value of condition ${at}`).fill(value)
    }
    await condition(1, 'loyalty_tier', 'is one of', 'gold, platinum')
    await condition(2, 'Loyalty Points', 'above', '1000')
    await page.getByText('–', { exact: true }).first().waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Last name' }).click()
    await page.locator('.customers tbody tr').first().waitFor()
    await show('#audience-heading')
    await shoot('customers')
    for (const at of [2, 1]) await page.getByRole('button', { name: `Remove condition ${at}` }).click()
    await write(page, 'Subject', '{{first_name|there}}, your {{loyalty_tier|bronze}} status')
    await write(page, 'HTML', HTML)
    // Somebody whose name most readers can read, and who has points.
    const who = () => page.locator('.who strong').innerText()
    const points = () => previewBody(page).innerText()
    while (!/^[\p{Script=Latin} ]+$/u.test(await who()) || !/\d points/.test(await points())) {
      await page.getByRole('button', { name: 'Next customer' }).click()
      await page.waitForTimeout(100)
    }
    await page.getByRole('button', { name: 'Check all recipients' }).click()
    await page.locator('.coverage li').first().waitFor()
    await show('#message-heading')
    await shoot('message')
    await show('#preview')
    await shoot('preview')
    await context.close()
  }
} finally {
  await browser.close()
  await demo.interrupt()
  await removeFolder(demo.folder)
}

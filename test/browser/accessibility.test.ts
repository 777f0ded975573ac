import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { dropFile, expectScreen, write } from './page.js'
import { useDemo } from './use-demo.js'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds serious or critical, a line each. */
async function findViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  // The frame has no scripts, and what stands in it is the message's own.
  const { violations } = (await page.evaluate(
    (options) => (globalThis as unknown as { axe: { run(o: unknown): Promise<AxeResults> } }).axe.run(options),
    { iframes: false } satisfies RunOptions,
  )) as AxeResults
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`))
}

describe.each(['light', 'dark'] as const)('every screen in %s', (colorScheme) => {
  const openDemo = useDemo()

  it.each([
    ['wide', 1280],
    ['narrow', 380],
  ])('has nothing that axe-core calls serious, %s', async (_name, width) => {
    const { page } = await openDemo({ colorScheme, viewport: { width, height: 900 } })
    const expectAccessible = async (screen: string) => {
      expect({ screen, violations: await findViolations(page) }).toEqual({ screen, violations: [] })
      // Nothing may stick out at the side either.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width)
    }
    await expectAccessible('start')
    await dropFile(page, { name: 'customers.xlsx', content: 'PK' })
    await page.getByRole('alert').waitFor()
    await expectAccessible('error')
    const extra = Array.from({ length: 11 }, (_, at) => `extra ${at}`)
    await dropFile(page, {
      name: 'customers.csv',
      content: `email,${extra.join(',')},password\nann@example.com,${extra.join(',')},x\nnobody,${extra.join(',')},x\n`,
    })
    await expectScreen(page, 'Where each column goes')
    await expectAccessible('mapping')
    await page.getByRole('button', { name: /^Keep the first/ }).click()
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await expectScreen(page, 'This is what would happen')
    await expectAccessible('trial')
    await page.getByRole('button', { name: 'Upload 1 row' }).click()
    await expectScreen(page, 'customers.csv is uploaded')
    await write(page, 'Subject', '{{extra 0}} {{extr 1}}')
    await page.getByRole('button', { name: 'Check all recipients' }).click()
    await page.locator('.coverage li').first().waitFor()
    await expectAccessible('message')
    await page.getByRole('button', { name: 'Add a condition' }).click()
    await page.getByRole('button', { name: 'Add a condition' }).click()
    await page.getByLabel('Word of condition 2').selectOption('above')
    await page.getByLabel('Value of condition 2').fill('many')
    await page.locator('.faults p').waitFor()
    await expectAccessible('conditions')
    await page.getByRole('button', { name: 'Remove condition 2' }).click()
    await page.getByRole('button', { name: 'Remove condition 1' }).click()
    await page.locator('.customers tbody tr').waitFor()
    await expectAccessible('customers')
    await page.getByRole('button', { name: 'Undo customers.csv' }).click()
    await page.getByRole('group', { name: /^Undo customers.csv/ }).waitFor()
    await expectAccessible('uploads')
    await page.getByRole('button', { name: 'Leave it' }).click()
    await page.getByRole('button', { name: 'Rename extra 1' }).click()
    await page.getByLabel('New name of extra 1').fill('extra 2')
    await page.getByRole('button', { name: 'Remove extra 3' }).click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1 customer has both').waitFor()
    await expectAccessible('attributes')
    await page.getByRole('button', { name: 'That of extra 2' }).click()
    await page.getByText('extra 1 is extra 2 now').waitFor()
    await page.getByRole('button', { name: 'Rename extra 2' }).click()
    await page.getByLabel('New name of extra 2').fill('email')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.locator('.attributes').getByRole('alert').waitFor()
    await expectAccessible('refused name')
  })
})

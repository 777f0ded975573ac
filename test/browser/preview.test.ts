import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectScreen, uploadFile } from './page.js'
import { useDemo } from './use-demo.js'

describe('more than one page of something', () => {
  const openDemo = useDemo()

  it('shows every customer once, the last one too', async () => {
    const { page, mistakes } = await openDemo()
    const emails = Array.from({ length: 60 }, (_, at) => `customer.${at}@example.com`)
    await uploadFile(page, { name: 'customers.csv', content: `email\n${emails.join('\n')}\n` })
    const seen = [await page.locator('.who span').innerText()]
    const next = page.getByRole('button', { name: 'Next customer' })
    // The end shows only when there is nothing after it.
    while (await next.isEnabled()) {
      const last = seen.at(-1)!
      await next.click()
      await expect
        .poll(async () => (await page.locator('.who span').innerText()) !== last || (await next.isDisabled()))
        .toBe(true)
      const email = await page.locator('.who span').innerText()
      if (email !== last) seen.push(email)
    }
    expect(seen.toSorted()).toEqual(emails.toSorted())
    expect(mistakes).toEqual([])
  })

  it('gives all rejected rows to mend, not only the hundred of the table', async () => {
    const { page } = await openDemo()
    const bad = Array.from({ length: 150 }, (_, at) => `nobody ${at}`)
    await uploadFile(page, { name: 'customers.csv', content: `email\nann@example.com\n${bad.join('\n')}\n` })
    await expectScreen(page, 'customers.csv is uploaded')
    expect(await page.getByRole('region', { name: 'Rejected rows' }).locator('tbody tr').count()).toBe(100)
    await page.getByText('50 more are in the download.').waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download rejected rows' }).click(),
    ])
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n')
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(bad)
  })
})

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { dropFile, expectScreen, previewBody, readCounts, uploadFile, write } from './page.js'
import { useDemo } from './use-demo.js'

const CUSTOMERS = `email,First Name,City,loyalty_tier,orders_count
ann@example.com,Ann,Leeds,gold,3
bob@example.com,Bob,,silver,1
eve@example.com,,York,,2
not an address,Carl,Bath,gold,1
dora@example.com,Dora,Bath,gold,many
`

describe('from a file to a message', () => {
  const openDemo = useDemo()

  it('goes all the way by mouse', async () => {
    const { page, mistakes } = await openDemo()
    await page.getByText('As soon as there are customers').waitFor()

    await dropFile(page, { name: 'customers.csv', content: CUSTOMERS })
    await expectScreen(page, 'Where each column goes')
    expect(await page.getByLabel('Where First Name goes').inputValue()).toBe('first_name')
    expect(await page.getByLabel('Where loyalty_tier goes').inputValue()).toBe('attribute')
    await page.getByLabel('Name of the attribute for loyalty_tier').fill('Tier')
    await page.getByText('1 of 10 attributes, 4 standard fields, 0 skipped').waitFor()

    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await expectScreen(page, 'This is what would happen')
    expect(await readCounts(page)).toEqual({ new: 3, 'to update': 0, unchanged: 0, rejected: 2, rows: 5 })
    expect(await page.locator('#message').isVisible()).toBe(false)

    await page.getByRole('button', { name: 'Upload 3 rows' }).click()
    await expectScreen(page, 'customers.csv is uploaded')
    expect(await readCounts(page)).toEqual({ created: 3, updated: 0, unchanged: 0, rejected: 2, rows: 5 })
    const rejected = page.getByRole('region', { name: 'Rejected rows' })
    expect(await rejected.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^5\temail\tnot an address\tNot a valid email address/),
      expect.stringMatching(/^6\torders_count\tmany\tThe value must be a whole number/),
    ])

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download rejected rows' }).click(),
    ])
    const csv = await readFile(await download.path(), 'utf8')
    expect(csv).toContain('error_code,error_message')
    const mended = csv.replace('not an address', 'carl@example.com').replace('many', '4')
    const again = await uploadFile(page, { name: download.suggestedFilename(), content: mended })
    expect(again).toEqual({ created: 2, updated: 0, unchanged: 0, rejected: 0, rows: 2 })

    await write(page, 'HTML', '<p>Your tier: </p>')
    await page
      .getByLabel('HTML', { exact: true })
      .evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(14, 14))
    await page.getByRole('button', { name: 'Tier', exact: true }).click()
    expect(await page.getByLabel('HTML', { exact: true }).inputValue()).toBe('<p>Your tier: {{Tier}}</p>')

    await write(page, 'Subject', 'To {{first_nam | default: "you"}}')
    const problem = page.locator('#subject-problems')
    await problem.getByText('Did you mean {{first_name}}?').waitFor()
    expect(await page.locator('.subject mark').innerText()).toBe('{{first_nam | default: "you"}}')
    await problem.getByRole('button', { name: 'Use {{first_name}}' }).click()
    expect(await page.getByLabel('Subject').inputValue()).toBe('To {{first_name | default: "you"}}')
    expect(await problem.locator('li').count()).toBe(0)
    await write(page, 'Plain text', 'From {{city|somewhere}}')

    const seen = new Map<string, string[]>()
    for (let at = 0; at < 5; at++) {
      if (at > 0) await page.getByRole('button', { name: 'Next customer' }).click()
      const email = await page.locator('.who span').innerText()
      const subject = await page.locator('.mail-subject').innerText()
      const text = await page.getByRole('region', { name: 'The plain text message' }).innerText()
      seen.set(email, [subject, await previewBody(page).innerText(), text])
    }
    expect(Object.fromEntries(seen)).toEqual({
      'ann@example.com': ['To Ann', 'Your tier: gold', 'From Leeds'],
      'bob@example.com': ['To Bob', 'Your tier: silver', 'From somewhere'],
      'eve@example.com': ['To you', 'Your tier:', 'From York'],
      'carl@example.com': ['To Carl', 'Your tier: gold', 'From Bath'],
      'dora@example.com': ['To Dora', 'Your tier: gold', 'From Bath'],
    })
    await page.getByRole('button', { name: 'Previous customer' }).click()
    expect(await page.locator('.who span').innerText()).toBe([...seen.keys()][3])

    await page.getByRole('button', { name: 'Check all recipients' }).click()
    await page.locator('.coverage').getByText('5 recipients, 4 of them get a message without a gap.').waitFor()
    expect(await page.locator('.coverage li').allInnerTexts()).toEqual([
      expect.stringMatching(/^first_name\s+nothing missing$/),
      expect.stringMatching(/^Tier\s+1 would see a gap$/),
      expect.stringMatching(/^city\s+nothing missing$/),
    ])
    expect(mistakes).toEqual([])
  })

  it('goes all the way by keyboard alone', async () => {
    const { page, mistakes } = await openDemo()
    const { keyboard } = page
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '')
    /** Tabs on until the element that has the focus is named so. */
    const tabTo = async (name: string) => {
      const target = page
        .getByRole('main')
        .getByLabel(name, { exact: true })
        .or(page.getByRole('button', { name, exact: true }))
      for (let at = 0; at < 120; at++) {
        await keyboard.press('Tab')
        if (await target.first().evaluate((node) => node === document.activeElement)) return
      }
      throw new Error(`Tab does not lead to ${name}; the last stop was: ${await focused()}`)
    }

    const chooser = page.waitForEvent('filechooser')
    await tabTo('Choose a file')
    await keyboard.press('Enter')
    await (await chooser).setFiles({ name: 'customers.csv', mimeType: 'text/csv', buffer: Buffer.from(CUSTOMERS) })

    await expectScreen(page, 'Where each column goes')
    expect(await focused()).toBe('Where each column goes')
    await tabTo('Where City goes')
    await keyboard.type('Skip')
    await page.getByText('1 of 10 attributes, 3 standard fields, 1 skipped').waitFor()
    await tabTo('Check the whole file')
    await keyboard.press('Space')

    await expectScreen(page, 'This is what would happen')
    expect(await focused()).toBe('This is what would happen')
    await tabTo('Upload 3 rows')
    await keyboard.press('Enter')
    await expectScreen(page, 'customers.csv is uploaded')
    expect(await focused()).toBe('customers.csv is uploaded')
    await page
      .getByRole('status')
      .getByText('5 rows: 3 created, 0 updated, 0 unchanged, 2 rejected.')
      .waitFor({ state: 'attached' })

    await tabTo('Subject')
    await keyboard.press('ControlOrMeta+a')
    await keyboard.type('Your {{loyalty_teir}}')
    await tabTo('Use {{loyalty_tier}}')
    await keyboard.press('Enter')
    expect(await page.getByLabel('Subject').inputValue()).toBe('Your {{loyalty_tier}}')
    expect(await page.getByLabel('Subject').evaluate((node) => node === document.activeElement)).toBe(true)

    const first = await page.locator('.who span').innerText()
    await tabTo('Next customer')
    await keyboard.press('Enter')
    await expect.poll(() => page.locator('.who span').innerText()).not.toBe(first)
    await tabTo('Check all recipients')
    await keyboard.press('Enter')
    await page.locator('.coverage').getByText('3 recipients, 2 of them get a message without a gap.').waitFor()
    expect(
      await page
        .getByRole('button', { name: 'Check all recipients' })
        .evaluate((node) => node === document.activeElement),
    ).toBe(true)
    expect(mistakes).toEqual([])
  })
})

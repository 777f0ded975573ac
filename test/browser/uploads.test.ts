import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { uploadFile, write } from './page.js'
import { useDemo } from './use-demo.js'

const CUSTOMERS = {
  name: 'customers.csv',
  content: 'email,first_name,tier\nann@example.com,Ann,gold\nbob@example.com,Bob,silver\n',
}
const WRONG = {
  name: 'wrong.csv',
  content: 'email,first_name,tier,junk\nann@example.com,Nobody,bronze,x\ncat@example.com,Cat,gold,y\nno address,,,\n',
}

/** File, counts and status of each upload; the newest first. */
async function readUploads(page: Page): Promise<string[]> {
  const rows = await page
    .locator('.uploads tbody tr:not(.asked)')
    .evaluateAll((trs) => trs.map((tr) => [...tr.children].map((cell) => (cell as HTMLElement).innerText.trim())))
  return rows.map(([file, _when, ...cells]) => [file, ...cells].join(' | '))
}

/** What an undo must give back: the attributes, and the message as each customer gets it. */
async function readAll(page: Page): Promise<unknown> {
  const attributes = await page
    .locator('.attributes tbody tr:not(.asked)')
    .evaluateAll((trs) => trs.map((tr) => [...tr.children].slice(0, 5).map((cell) => (cell as HTMLElement).innerText)))
  const messages: Record<string, string> = {}
  const [previous, next] = ['Previous', 'Next'].map((name) => page.getByRole('button', { name: `${name} customer` }))
  while (await previous!.isEnabled()) await previous!.click()
  const who = page.locator('.who span')
  for (;;) {
    const email = await who.innerText()
    messages[email] = await page.locator('.mail-subject').innerText()
    if (await next!.isDisabled()) return { attributes, messages }
    await next!.click()
    // Behind the last one known the page asks first whether there are more.
    await expect.poll(async () => (await next!.isDisabled()) || (await who.innerText()) !== email).toBe(true)
  }
}

const told = (page: Page, text: string) => page.locator('.outcome').getByText(text, { exact: true }).waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent)

describe('the uploads', () => {
  const openDemo = useDemo()

  it('are listed, and a wrong one is undone: all is as before', async () => {
    const { page, mistakes } = await openDemo()
    expect(await page.locator('#uploads').isVisible()).toBe(false)
    await uploadFile(page, CUSTOMERS)
    expect(await readUploads(page)).toEqual(['customers.csv | 2 | 2 | 0 | 0 | done | Undo'])
    await write(page, 'Subject', 'Hi {{first_name}}, {{tier}}')
    const before = await readAll(page)
    expect(before).toMatchObject({
      attributes: [['tier', '100% · 2', 'text', '2', 'gold · silver']],
      messages: { 'ann@example.com': 'Hi Ann, gold', 'bob@example.com': 'Hi Bob, silver' },
    })

    await uploadFile(page, WRONG)
    expect(await readUploads(page)).toEqual([
      'wrong.csv | 3 | 1 | 1 | 1 | done | Undo',
      'customers.csv | 2 | 2 | 0 | 0 | done | Undo',
    ])
    const after = await readAll(page)
    expect(after).toMatchObject({
      attributes: [
        ['junk', '66% · 2', 'text', '2', 'x · y'],
        ['tier', '100% · 3', 'text', '3', 'bronze · gold · silver'],
      ],
      messages: { 'ann@example.com': 'Hi Nobody, bronze', 'cat@example.com': 'Hi Cat, gold' },
    })

    // First it says what it would do, and nothing has changed when that is not wanted.
    await press(page, 'Undo wrong.csv')
    const question = page.getByRole('group', {
      name: 'Undo wrong.csv? 1 customer gets back what it had; 1 new customer goes; the attribute junk goes.',
    })
    await question.waitFor()
    expect(await focused(page)).toBe('Leave it')
    await press(page, 'Leave it')
    expect(await question.count()).toBe(0)
    expect(await focused(page)).toBe('Undo wrong.csv')
    await page.reload()
    await page.locator('.attributes tbody tr').first().waitFor()
    await write(page, 'Subject', 'Hi {{first_name}}, {{tier}}')
    expect(await readAll(page)).toEqual(after)

    await press(page, 'Undo wrong.csv')
    await question.getByRole('button', { name: 'Undo it' }).click()
    const outcome =
      'wrong.csv is undone: 1 customer got back what it had; 1 new customer went; the attribute junk went.'
    await told(page, outcome)
    expect(await focused(page)).toBe(outcome)
    expect(await readUploads(page)).toEqual([
      'wrong.csv | 3 | 1 | 1 | 1 | undone | ',
      'customers.csv | 2 | 2 | 0 | 0 | done | Undo',
    ])
    expect(await readAll(page)).toEqual(before)
    // It can be uploaded again, mended.
    const mended = { name: 'mended.csv', content: 'email,tier\nann@example.com,bronze\n' }
    expect(await uploadFile(page, mended)).toMatchObject({ updated: 1 })
    expect(mistakes).toEqual([])
  })

  it('keep what somebody changed since, and say so', async () => {
    const { page, mistakes } = await openDemo()
    await uploadFile(page, CUSTOMERS)
    await uploadFile(page, WRONG)
    await uploadFile(page, {
      name: 'later.csv',
      content: 'email,tier\nann@example.com,platinum\ncat@example.com,platinum\n',
    })
    await press(page, 'Undo wrong.csv')
    await page
      .getByText(
        'Undo wrong.csv? 1 customer gets back what it had; 1 new customer stays, changed or in use since; 1 value stays, changed since.',
      )
      .waitFor()
    await press(page, 'Undo it')
    await told(
      page,
      'wrong.csv is undone: 1 customer got back what it had; 1 new customer stayed, changed or in use since; 1 value stayed, changed since.',
    )
    expect(mistakes).toEqual([])
  })

  it('are undone by keyboard alone, one after the other, back to nothing', async () => {
    const { page, mistakes } = await openDemo()
    await uploadFile(page, CUSTOMERS)
    const { keyboard } = page
    await page.getByRole('button', { name: 'Undo customers.csv' }).focus()
    await keyboard.press('Enter')
    await page.getByRole('group', { name: /^Undo customers.csv/ }).waitFor()
    await keyboard.press('Escape')
    expect(await focused(page)).toBe('Undo customers.csv')
    await keyboard.press('Enter')
    await page.getByRole('group', { name: /^Undo customers.csv/ }).waitFor()
    await keyboard.press('Shift+Tab')
    expect(await focused(page)).toBe('Undo it')
    await keyboard.press('Enter')
    await told(page, 'customers.csv is undone: 2 new customers went; the attribute tier went.')
    await page.getByText('As soon as there are customers').waitFor()
    expect(await readUploads(page)).toEqual(['customers.csv | 2 | 2 | 0 | 0 | undone | '])
    expect(mistakes).toEqual([])
  })

  it('are listed ten at a time, and one that is gone meanwhile is told', async () => {
    const { page } = await openDemo()
    const api = `/api/accounts/${new URL(page.url()).searchParams.get('account')}`
    const post = (path: string, body: string, type: string) =>
      page.evaluate(
        async ([url, text, contentType]) =>
          (await fetch(url!, { method: 'POST', body: text!, headers: { 'content-type': contentType! } })).status,
        [`${api}/${path}`, body, type],
      )
    for (let at = 0; at < 12; at++) {
      expect(await post('customers/upload', `email,n\nann@example.com,${at}\n`, 'text/csv')).toBe(200)
    }
    await page.reload()
    await page.locator('.uploads tbody tr:not(.asked)').nth(9).waitFor()
    expect(await readUploads(page)).toHaveLength(10)
    await press(page, 'Show older')
    await page.locator('.uploads tbody tr:not(.asked)').nth(11).waitFor()
    expect(await page.getByRole('button', { name: 'Show older' }).isVisible()).toBe(false)
    expect(await post('uploads/prune', '{"older_than":"9999-01-01"}', 'application/json')).toBe(200)
    await page.getByRole('button', { name: 'Undo Without a name' }).first().click()
    await page.locator('.uploads').getByRole('alert').filter({ hasText: 'no upload of this id' }).waitFor()
  })
})

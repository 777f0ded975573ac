import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { uploadFile, write } from './page.js'
import { useDemo } from './use-demo.js'

const CUSTOMERS = {
  name: 'customers.csv',
  content: `email,first_name,loyalty_tier,loyalty_teir,Punkte
ann@example.com,Ann,gold,,120
bob@example.com,Bob,,silver,80
cat@example.com,Cat,gold,bronze,80
dee@example.com,Dee,,,
`,
}

/** The rows of the table as texts, without the buttons. */
async function readTable(page: Page): Promise<string[][]> {
  const rows = await page
    .locator('.attributes tbody tr:not(.asked)')
    .evaluateAll((trs) => trs.map((tr) => [...tr.children].slice(0, 5).map((cell) => (cell as HTMLElement).innerText)))
  return rows.map((cells) => cells.map((text) => text.trim()))
}

const told = (page: Page, text: string) => page.locator('.outcome').getByText(text, { exact: true }).waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent)

async function rename(page: Page, from: string, to: string): Promise<void> {
  await press(page, `Rename ${from}`)
  await page.getByLabel(`New name of ${from}`).fill(to)
  await press(page, 'Save')
}

/** The file behind the button, without its byte order mark. */
async function download(page: Page): Promise<{ name: string; content: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Export CSV' }).click(),
  ])
  const content = await readFile(await file.path(), 'utf8')
  expect(content.startsWith('\ufeff')).toBe(true)
  return { name: file.suggestedFilename(), content: content.slice(1) }
}

/** Some columns of a CSV without quotes, as lines. */
function columnsOf(csv: string, names: readonly string[]): string[] {
  const [head, ...lines] = csv.trimEnd().split('\r\n')
  const positions = names.map((name) => head!.split(',').indexOf(name))
  expect(positions).not.toContain(-1)
  return lines.map((line) => positions.map((at) => line.split(',')[at]).join(',')).sort()
}

describe('the attributes', () => {
  const openDemo = useDemo()

  it('are seen, renamed, merged, removed, and downloaded', async () => {
    const { page, mistakes } = await openDemo()
    await page.getByText('What the columns of a file have become').waitFor()
    await uploadFile(page, CUSTOMERS)
    expect(await readTable(page)).toEqual([
      ['Punkte', '75% · 3', 'integer', '2', '80 · 120'],
      ['loyalty_teir', '50% · 2', 'text', '2', 'bronze · silver'],
      ['loyalty_tier', '50% · 2', 'text', '1', 'gold'],
    ])
    const widths = await page
      .locator('.attributes .bar')
      .evaluateAll((bars) => bars.map((bar) => bar.firstElementChild!.clientWidth / bar.clientWidth))
    expect(widths.map((width) => Math.round(width * 100))).toEqual([75, 50, 50])
    expect(await page.getByRole('button', { name: /unused/ }).isVisible()).toBe(false)

    // A new name: the message follows.
    await write(page, 'HTML', '<p>{{Punkte | default: "no"}} points, {{loyalty_tier}}</p>')
    await write(page, 'Subject', '{{ Punkte }} points')
    await rename(page, 'Punkte', ' points ')
    await told(page, 'Punkte is points now, for 3 customers. The message says so, too.')
    expect(await focused(page)).toMatch(/^Punkte is points now/)
    expect(await page.getByLabel('Subject', { exact: true }).inputValue()).toBe('{{ points }} points')
    expect(await page.getByLabel('HTML', { exact: true }).inputValue()).toBe(
      '<p>{{points | default: "no"}} points, {{loyalty_tier}}</p>',
    )
    expect(await page.locator('.template-problems li').count()).toBe(0)

    // A name that is there already: two become one, once it is said which value stays.
    await rename(page, 'loyalty_teir', 'loyalty_tier')
    const question = page.getByRole('group', { name: /^loyalty_tier is an attribute already, and 1 customer has both/ })
    await question.waitFor()
    await question.getByRole('button', { name: 'Cancel' }).click()
    expect((await readTable(page)).map(([name]) => name)).toEqual(['loyalty_teir', 'loyalty_tier', 'points'])
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Rename loyalty_teir')
    await rename(page, 'loyalty_teir', 'loyalty_tier')
    await question.getByRole('button', { name: 'That of loyalty_teir' }).click()
    await told(page, 'loyalty_teir is loyalty_tier now, for 2 customers.')
    expect(await readTable(page)).toEqual([
      ['loyalty_tier', '75% · 3', 'text', '3', 'bronze · gold · silver'],
      ['points', '75% · 3', 'integer', '2', '80 · 120'],
    ])
    const merged = await download(page)
    expect(merged.name).toBe('customers.csv')
    expect(columnsOf(merged.content, ['email', 'first_name', 'loyalty_tier', 'points'])).toEqual([
      'ann@example.com,Ann,gold,120',
      'bob@example.com,Bob,silver,80',
      'cat@example.com,Cat,bronze,80',
      'dee@example.com,Dee,,',
    ])

    // Removed only when that is confirmed; the tag is unknown from then on.
    await press(page, 'Remove loyalty_tier')
    await page.getByText('Remove loyalty_tier? 3 customers lose the value, for good.').waitFor()
    expect(await focused(page)).toBe('Keep it')
    await press(page, 'Keep it')
    expect(await page.getByText('Remove loyalty_tier?').count()).toBe(0)
    await press(page, 'Remove loyalty_tier')
    await press(page, 'Remove it')
    await told(page, 'loyalty_tier is gone from 3 customers.')
    expect((await readTable(page)).map(([name]) => name)).toEqual(['points'])
    await page.locator('#html-problems').getByText('{{loyalty_tier}} is no').waitFor()

    // What is downloaded is what is stored: it changes nothing when it is dropped again.
    const file = await download(page)
    expect(columnsOf(file.content, ['email', 'points'])).toEqual([
      'ann@example.com,120',
      'bob@example.com,80',
      'cat@example.com,80',
      'dee@example.com,',
    ])
    expect(file.content).not.toContain('loyalty')
    const again = await uploadFile(page, file)
    expect(again).toEqual({ created: 0, updated: 0, unchanged: 4, rejected: 0, rows: 4 })
    expect(mistakes).toEqual([])
  })

  it('that nobody has are removed at once, and those that are merged without a question about values', async () => {
    const { page, mistakes } = await openDemo()
    await uploadFile(page, {
      name: 'a.csv',
      content: 'email,Tier,tier\nann@example.com,gold,\nbob@example.com,,gold\n',
    })
    await rename(page, 'tier', 'Tier')
    await page.getByText('Tier is an attribute already. No customer has both.').waitFor()
    await press(page, 'Make them one')
    await told(page, 'tier is Tier now, for 1 customer.')
    expect(await readTable(page)).toEqual([['Tier', '100% · 2', 'text', '1', 'gold']])

    await uploadFile(page, { name: 'b.csv', content: 'email,fax\nann@example.com,1\n' })
    expect((await readTable(page)).map(([name]) => name)).toEqual(['Tier', 'fax'])
    // An empty cell keeps a value unless the upload says otherwise, as the page does not.
    const path = `/api/accounts/${new URL(page.url()).searchParams.get('account')}/customers/upload?empty_values=clear`
    const status = await page.evaluate(async (url) => {
      const init = { method: 'POST', body: 'email,fax\nann@example.com,\n', headers: { 'content-type': 'text/csv' } }
      return (await fetch(url, init)).status
    }, path)
    expect(status).toBe(200)
    await page.reload()
    await press(page, 'Remove 1 unused attribute')
    await told(page, 'Removed: fax.')
    expect(await readTable(page)).toEqual([['Tier', '100% · 2', 'text', '1', 'gold']])
    expect(mistakes).toEqual([])
  })

  it('tell what is wrong with a new name, and one that is gone meanwhile', async () => {
    const { page } = await openDemo()
    await uploadFile(page, CUSTOMERS)
    await rename(page, 'Punkte', 'first_name')
    await page
      .locator('.attributes')
      .getByRole('alert')
      .filter({ hasText: 'cannot be the name of a custom attribute' })
      .waitFor()
    expect(await page.getByLabel('New name of Punkte').inputValue()).toBe('first_name')
    await page.getByLabel('New name of Punkte').press('Escape')
    expect(await page.locator('.attributes').getByRole('alert').count()).toBe(0)

    const path = `/api/accounts/${new URL(page.url()).searchParams.get('account')}/attributes/remove`
    await page.evaluate(async (url) => {
      const headers = { 'content-type': 'application/json' }
      await fetch(url, { method: 'POST', body: '{"name":"Punkte"}', headers })
    }, path)
    await press(page, 'Remove Punkte')
    await press(page, 'Remove it')
    await page.getByRole('alert').filter({ hasText: 'The account has no attribute "Punkte"' }).waitFor()
  })

  it('are put in order by keyboard alone', async () => {
    const { page, mistakes } = await openDemo()
    await uploadFile(page, CUSTOMERS)
    const { keyboard } = page
    await page.getByRole('button', { name: 'Rename loyalty_teir' }).focus()
    await keyboard.press('Enter')
    await keyboard.type('loyalty_tier')
    await keyboard.press('Enter')
    await page.getByRole('group', { name: /have both|has both/ }).waitFor()
    expect(await focused(page)).toBe('Cancel')
    await keyboard.press('Shift+Tab')
    await keyboard.press('Shift+Tab')
    expect(await focused(page)).toBe('That of loyalty_tier')
    await keyboard.press('Enter')
    await told(page, 'loyalty_teir is loyalty_tier now, for 2 customers.')
    await page.getByRole('button', { name: 'Remove Punkte' }).focus()
    await keyboard.press('Space')
    expect(await focused(page)).toBe('Keep it')
    await keyboard.press('Escape')
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Remove Punkte')
    expect((await readTable(page)).map(([name]) => name)).toEqual(['Punkte', 'loyalty_tier'])
    expect(mistakes).toEqual([])
  })
})

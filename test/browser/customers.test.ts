import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { uploadFile, write } from './page.js'
import { useDemo } from './use-demo.js'

const CUSTOMERS = {
  name: 'customers.csv',
  content: `email,first_name,city,orders_count,accepts_marketing,tier,points
ann@example.com,Ann,Berlin,3,yes,gold,120
bob@example.com,Bob,Bonn,1,yes,gold,80
cat@example.com,Cat,Berlin,7,yes,silver,many
dee@example.com,Dee,Leeds,,no,gold,200
eve@example.com,Eve,Bath,2,yes,gold,300
`,
}

/** The counts beside the conditions, by their labels. */
async function readFigures(page: Page): Promise<Record<string, string>> {
  const pairs = await page
    .locator('.figures > div')
    .evaluateAll((divs) =>
      divs.map((div) => [div.querySelector('dt')!.textContent, div.querySelector('dd')!.textContent]),
    )
  return Object.fromEntries(pairs)
}

const readEmails = (page: Page) => page.locator('.customers tbody th').allInnerTexts()
const readAudience = async (page: Page) =>
  JSON.parse(await page.getByRole('region', { name: 'The audience as JSON' }).innerText())
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const control = (page: Page, what: 'Name' | 'Word' | 'Value', at: number) =>
  page.getByLabel(`${what} of condition ${at}`, { exact: true })

async function addCondition(page: Page, at: number, [name, word, value]: [string, string, string]): Promise<void> {
  await press(page, 'Add a condition')
  await control(page, 'Name', at).selectOption(name)
  await control(page, 'Word', at).selectOption(word)
  await control(page, 'Value', at).fill(value)
}

describe('the customers', () => {
  const openDemo = useDemo()

  it('are chosen by conditions, which are counted and checked as they are typed', async () => {
    const { page, mistakes } = await openDemo()
    await page.getByText('Customers are found, counted and chosen here').waitFor()
    await uploadFile(page, CUSTOMERS)
    await page.evaluate(async () => {
      const account = new URLSearchParams(location.search).get('account')
      await fetch(`/api/accounts/${account}/suppressions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ emails: ['eve@example.com'], reason: 'complaint' }),
      })
    })

    await addCondition(page, 1, ['tier', 'is', 'gold'])
    const none = { 'without e-mail': '0', incomparable: '0', suppressed: '0', 'opted out': '0' }
    await expect.poll(() => readFigures(page)).toEqual({ ...none, customers: '2', suppressed: '1', 'opted out': '1' })
    await expect.poll(() => readEmails(page)).toEqual(['ann@example.com', 'bob@example.com'])
    await addCondition(page, 2, ['points', 'above', '100'])
    await expect.poll(() => readFigures(page)).toMatchObject({ customers: '1', suppressed: '1', 'opted out': '1' })
    expect(await readAudience(page)).toEqual({ where: { all: [{ tier: 'gold' }, { points: { above: '100' } }] } })
    await page.getByLabel('Customers meet').selectOption('any of these')
    await expect.poll(() => readFigures(page)).toMatchObject({ customers: '2', incomparable: '1' })
    await page.getByLabel('Customers meet').selectOption('all of these')

    // The message and the file are for the same customers.
    await expect.poll(() => readEmails(page)).toEqual(['ann@example.com'])
    await write(page, 'Subject', 'Hi {{first_name}}')
    await press(page, 'Check all recipients')
    await page.locator('.coverage').getByText('1 recipient, 1 of them get a message without a gap.').waitFor()
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Export these customers' }).click(),
    ])
    const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\r\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('ann@example.com')

    // A mistake that is seen at once, and one that the column's type makes, which the server tells.
    const faults = (at: number) =>
      page
        .locator('.conditions > li')
        .nth(at - 1)
        .locator('.faults')
    await control(page, 'Value', 2).fill('lots')
    await faults(2).getByText('audience.where.all[1].points.above must be a number').waitFor()
    expect(await faults(1).innerText()).toBe('')
    expect(await control(page, 'Value', 2).getAttribute('aria-invalid')).toBe('true')
    expect(await readFigures(page)).toMatchObject({ customers: '–' })
    await page.getByText('The conditions above need a change first.').waitFor()
    expect(await readEmails(page)).toEqual([])
    await control(page, 'Value', 2).fill('100')
    await expect.poll(() => readFigures(page)).toMatchObject({ customers: '1' })
    expect(await faults(2).innerText()).toBe('')
    await control(page, 'Name', 1).selectOption('orders_count')
    await faults(1).getByText('audience.where.all[0].orders_count').waitFor()
    expect(await faults(2).innerText()).toBe('')

    await press(page, 'Remove condition 1')
    await expect.poll(() => readAudience(page)).toEqual({ where: { all: [{ points: { above: '100' } }] } })
    await expect.poll(() => readFigures(page)).toMatchObject({ customers: '1', incomparable: '1' })
    // An attribute that goes away leaves no condition on another one.
    await press(page, 'Remove points')
    await press(page, 'Remove it')
    await faults(1).getByText('no custom attribute of the account').waitFor()
    expect(await control(page, 'Name', 1).inputValue()).toBe('points')
    await press(page, 'Remove condition 1')
    await expect.poll(() => readFigures(page)).toMatchObject({ customers: '3' })
    expect(await readAudience(page)).toBe('all')
    expect(mistakes).toEqual([])
  })

  it('are asked for with every word', async () => {
    const { page, mistakes } = await openDemo()
    await uploadFile(page, { name: 'customers.csv', content: 'email,tier\nann@example.com,gold\n' })
    await press(page, 'Add a condition')
    const words: [word: string, value: string | undefined, condition: unknown][] = [
      ['is', 'gold', 'gold'],
      ['is one of', 'gold, silver', ['gold', 'silver']],
      ['is not', 'gold', { not: 'gold' }],
      ['is missing', undefined, { missing: true }],
      ['contains', 'ol', { contains: 'ol' }],
      ['starts with', 'go', { startsWith: 'go' }],
      ['above', '7', { above: '7' }],
      ['below', '7', { below: '7' }],
      ['on', '2026-05-17', { on: '2026-05-17' }],
      ['before', '2026-05-17', { before: '2026-05-17' }],
      ['after', '2026-05-17', { after: '2026-05-17' }],
      ['last', '30 days', { last: '30 days' }],
      ['anniversary', 'today', { anniversary: 'today' }],
      ['anniversary', '7 days', { anniversary: { within: '7 days' } }],
    ]
    for (const [word, value, condition] of words) {
      await control(page, 'Word', 1).selectOption(word)
      if (value === undefined) expect(await control(page, 'Value', 1).isVisible()).toBe(false)
      else await control(page, 'Value', 1).fill(value)
      expect(await readAudience(page)).toEqual({ where: { all: [{ tier: condition }] } })
      const isMet = ['gold', 'ol', 'go', 'gold, silver'].includes(value ?? '') && word !== 'is not'
      await expect.poll(async () => (await readFigures(page)).customers).toBe(isMet ? '1' : '0')
    }
    expect(await page.getByLabel('Word of condition 1').locator('option').allInnerTexts()).toEqual([
      ...new Set(words.map(([word]) => word)),
    ])
    expect(mistakes).toEqual([])
  })

  it('are searched, sorted, and paged forward and back', async () => {
    const { page, mistakes } = await openDemo()
    const numbers = Array.from({ length: 60 }, (_, at) => String(at).padStart(2, '0'))
    const emailOf = (number: string) => `customer.${number}@example.com`
    // By last name the order is the other way round.
    const lines = numbers.map((number, at) => `${emailOf(number)},${at === 7 ? 'Zoë' : 'Al'},Name ${99 - at}`)
    await uploadFile(page, { name: 'customers.csv', content: `email,first_name,last_name\n${lines.join('\n')}\n` })
    const [previous, next] = ['Previous page', 'Next page'].map((name) => page.getByRole('button', { name }))
    const emails = numbers.map(emailOf)
    const expectEmails = (expected: string[]) => expect.poll(() => readEmails(page)).toEqual(expected)
    const sortOf = (name: string) => page.getByRole('columnheader', { name }).getAttribute('aria-sort')

    await expectEmails(emails.slice(0, 25))
    expect(await previous!.isDisabled()).toBe(true)
    await next!.click()
    await expectEmails(emails.slice(25, 50))
    await next!.click()
    await expectEmails(emails.slice(50))
    expect(await next!.isDisabled()).toBe(true)
    await previous!.click()
    await expectEmails(emails.slice(25, 50))
    await previous!.click()
    await expectEmails(emails.slice(0, 25))
    expect(await previous!.isDisabled()).toBe(true)

    await press(page, 'Last name')
    await expectEmails(emails.toReversed().slice(0, 25))
    expect([await sortOf('Last name'), await sortOf('Email')]).toEqual(['ascending', 'none'])
    await next!.click()
    await expectEmails(emails.toReversed().slice(25, 50))
    await press(page, 'Last name')
    await expectEmails(emails.slice(0, 25))
    expect(await sortOf('Last name')).toBe('descending')

    await page.getByLabel('Search customers').fill('zoë')
    await expectEmails([emails[7]!])
    expect([await previous!.isDisabled(), await next!.isDisabled()]).toEqual([true, true])
    await page.getByLabel('Search customers').fill('nobody at all')
    await page.getByText('No customer is found.').waitFor()
    await page.getByLabel('Search customers').fill('')
    await expectEmails(emails.slice(0, 25))
    expect(mistakes).toEqual([])
  })
})

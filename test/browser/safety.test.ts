import { describe, expect, it } from 'vitest'
import { previewBody, uploadFile, write } from './page.js'
import { useDemo } from './use-demo.js'

const SCRIPT = "<script>window.top.ran = 'script'</script><img src=x onerror=\"window.top.ran = 'image'\">"
const FILE = {
  name: 'customers.csv',
  content: `email,first_name,bio,"<b id=header>bold</b>"\nann@example.com,Ann,"${SCRIPT.replaceAll('"', '""')}",x\n"${SCRIPT.replaceAll('"', '""')}",Bob,,\n`,
}

describe('what customers and messages bring', () => {
  const openDemo = useDemo()

  it('is shown as text, in the preview, the tables and the tags, and never runs', async () => {
    const { page } = await openDemo()
    await uploadFile(page, FILE)
    expect(await page.locator('#upload .value').innerText()).toBe(SCRIPT)
    await write(page, 'Subject', '{{bio}}')
    await write(page, 'Plain text', '{{bio}}')
    await write(page, 'HTML', '<p>Bio: {{bio}}</p>')

    await expect.poll(() => previewBody(page).innerText()).toBe(`Bio: ${SCRIPT}`)
    expect(await page.locator('.mail-subject').innerText()).toBe(SCRIPT)
    expect(await page.getByRole('region', { name: 'The plain text message' }).innerText()).toBe(SCRIPT)
    await page.locator('.customers tbody').getByText(SCRIPT).waitFor()
    await page.getByRole('button', { name: 'Add a condition' }).click()
    await page.getByLabel('Value of condition 1').fill(SCRIPT)
    await page.getByRole('region', { name: 'The audience as JSON' }).getByText('ran =').waitFor()
    expect(await page.locator('#header').count()).toBe(0)
    expect(await page.evaluate(() => 'ran' in window)).toBe(false)
  })

  it('does not run either when the message itself holds a script', async () => {
    const { page } = await openDemo()
    await uploadFile(page, FILE)
    await write(page, 'HTML', `${SCRIPT}<p onclick="window.top.ran = 'click'">the end</p>`)
    await expect.poll(() => previewBody(page).innerText()).toContain('the end')
    await page.frameLocator('iframe').getByText('the end').click()
    expect(await page.evaluate(() => 'ran' in window)).toBe(false)
    expect(await page.locator('iframe').getAttribute('sandbox')).toBe('')
  })

  it("is for the page alone: another site's request is refused", async () => {
    const { page } = await openDemo()
    const account = new URL(page.url()).searchParams.get('account')
    const paths = [`/api/accounts/${account}/merge-tags`, `/demo/customers?account=${account}`]
    for (const path of paths) {
      const url = new URL(path, page.url()).href
      expect((await fetch(url, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
      expect((await fetch(url)).status).toBe(403)
      expect(await page.evaluate(async (own) => (await fetch(own)).status, url)).toBe(200)
    }
  })
})

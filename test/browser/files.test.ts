import { describe, expect, it } from 'vitest'
import writeExcelFile from 'write-excel-file/node'
import { dropFile, expectScreen, readCounts, uploadFile } from './page.js'
import { useDemo } from './use-demo.js'

/** A file of so many rows, wide enough to be on its way for a while. */
function manyRows(count: number): string {
  const names = Array.from({ length: 10 }, (_, at) => `attribute_${at}`)
  const values = names.map((name) => `the value of ${name}`).join(',')
  const lines = Array.from({ length: count }, (_, at) => `customer.${at}@example.com,First ${at},${values}`)
  return `email,first_name,${names.join(',')}\n${lines.join('\n')}\n`
}

const share = (node: Element): number => (node as HTMLProgressElement).position

describe('files that people have', () => {
  const openDemo = useDemo()

  it('solves eleven attributes by mapping: one column more is skipped', async () => {
    const { page, mistakes } = await openDemo()
    const names = Array.from({ length: 11 }, (_, at) => `extra ${at + 1}`)
    const content = `email,${names.join(',')}\nann@example.com,${names.map((_, at) => at).join(',')}\n`
    await dropFile(page, { name: 'eleven.csv', content })
    await page.getByRole('alert').getByText('Maximum 10 custom attributes allowed. Found 11:').waitFor()
    const next = page.getByRole('button', { name: 'Check the whole file' })
    expect(await next.isDisabled()).toBe(true)

    await page.getByLabel('Where extra 4 goes').selectOption('Skip')
    await page.getByText('10 of 10 attributes, 1 standard field, 1 skipped').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    await next.click()
    await page.getByRole('button', { name: 'Upload 1 row' }).click()
    await expectScreen(page, 'eleven.csv is uploaded')
    expect(await page.locator('#upload .tag').allInnerTexts()).toEqual(names.filter((name) => name !== 'extra 4'))
    expect(mistakes).toEqual([])
  })

  it('cuts thirty columns to ten attributes with one button', async () => {
    const { page } = await openDemo()
    const names = Array.from({ length: 30 }, (_, at) => `extra ${at + 1}`)
    await dropFile(page, {
      name: 'thirty.csv',
      content: `email,${names.join(',')}\nann@example.com,${names.join(',')}\n`,
    })
    await page.getByRole('button', { name: 'Keep the first 10, skip the rest' }).click()
    await page.getByText('10 of 10 attributes, 1 standard field, 20 skipped').waitFor()
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await expectScreen(page, 'This is what would happen')
    expect(await page.locator('#upload .tag').allInnerTexts()).toEqual(names.slice(0, 10))
  })

  it('marks columns that are meant for one name, until they are not', async () => {
    const { page } = await openDemo()
    await dropFile(page, { name: 'twice.csv', content: 'email,Phone,Mobile\nann@example.com,1,2\n' })
    await page.getByLabel('Where Mobile goes').selectOption('phone')
    await page.getByRole('alert').getByText('Two columns are meant for one name').waitFor()
    expect(
      await page.locator('[aria-invalid=true]').evaluateAll((marked) => marked.map((one) => one.ariaLabel)),
    ).toEqual(['Where Phone goes', 'Where Mobile goes'])
    await page.getByLabel('Where Phone goes').selectOption('Skip')
    expect(await page.locator('[aria-invalid=true]').count()).toBe(0)
  })

  it('takes a file with warnings, two columns of one header, and choices that come again', async () => {
    const { page, mistakes } = await openDemo()
    const content = 'Connections of June\n\nemail,note,note,Mobile\nann@example.com,first,second,1\n'
    const open = () => dropFile(page, { name: 'export.csv', content })
    await open()
    await page.getByRole('alert').getByText('"note" (columns 2 and 3)').waitFor()
    await page.getByText(/before the header/).waitFor()
    await page.getByLabel('Where note goes').nth(1).selectOption('Skip')
    await page.getByLabel('Where Mobile goes').selectOption('Skip')
    await page.getByText('1 of 10 attributes, 1 standard field, 2 skipped').waitFor()
    await open()
    await page.getByText('as you chose before').waitFor()
    await page.getByText('2 of 10 attributes, 1 standard field, 1 skipped').waitFor()
    expect(mistakes).toEqual([])
  })

  it('takes a spreadsheet, asks which sheet, and offers fields for headers that it does not know', async () => {
    const { page, mistakes } = await openDemo()
    const content = await writeExcelFile([
      { sheet: 'Notes', data: [['nothing', 'here']] },
      {
        sheet: 'People',
        data: [
          ['Emial', 'email', 'Straße und Nummer', 'Age', 'Joined', 'Note'],
          [
            'x',
            'ann@example.com',
            'Main 1',
            41,
            { value: new Date(Date.UTC(2024, 2, 1)), type: Date, format: 'yyyy-mm-dd' },
            'a "b", c',
          ],
        ],
      },
    ]).toBuffer()
    await dropFile(page, { name: 'people.xlsx', content })
    await page.getByRole('button', { name: 'People (1 rows)' }).click()
    await expectScreen(page, 'Where each column goes')
    await page.getByRole('button', { name: 'Straße und Nummer goes to address1' }).click()
    expect(await page.getByLabel('Where Straße und Nummer goes').inputValue()).toBe('address1')
    expect(await page.getByLabel('Where Emial goes').inputValue()).toBe('attribute')
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await page.getByRole('button', { name: 'Upload 1 row' }).click()
    await expectScreen(page, 'people People.csv is uploaded')
    expect(mistakes).toEqual([])
  })

  it.each(['customers.xlsx', 'customers.csv'])('says what to do with a spreadsheet named %s', async (name) => {
    const { page, mistakes } = await openDemo()
    const zip = Buffer.concat([
      Buffer.from([0x50, 0x4b, 0x03, 0x04, 0x14, 0x00]),
      Buffer.alloc(200),
      Buffer.from('xl/workbook.xml'),
    ])
    const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
    await dropFile(page, { name, content: zip, type })
    const alert = page.getByRole('alert')
    await alert.getByText('take the type “CSV UTF-8”').waitFor()
    expect(await uploadFile(page, { name: 'saved.csv', content: 'email\nann@example.com\n' })).toMatchObject({
      created: 1,
    })
    expect(mistakes).toEqual([])
  })

  it('uploads a hundred thousand rows, shows how far it is, and stops when it is told to', async () => {
    const { page, mistakes } = await openDemo()
    const rows = 100_000
    const file = { name: 'many.csv', content: manyRows(rows) }
    await dropFile(page, file)
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    const bar = page.getByRole('progressbar')
    await bar.waitFor()
    await expect.poll(() => bar.evaluate(share)).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expectScreen(page, 'Cancelled')
    await page.getByText('Nothing was stored.').waitFor()

    await page.getByRole('button', { name: 'Back to the columns' }).click()
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await expectScreen(page, 'This is what would happen')
    expect(await readCounts(page)).toEqual({ new: rows, 'to update': 0, unchanged: 0, rejected: 0, rows })

    await page.getByRole('button', { name: 'Upload 100,000 rows' }).click()
    await bar.waitFor()
    await expect.poll(() => bar.evaluate(share)).toBeGreaterThan(0.4)
    await page.getByRole('button', { name: 'Cancel' }).click()
    await expectScreen(page, 'Cancelled')

    // Back from there, the rest is uploaded: what was stored before is unchanged.
    await page.getByRole('button', { name: 'Back to the columns' }).click()
    await page.getByRole('button', { name: 'Check the whole file' }).click()
    await page.getByRole('button', { name: 'Upload 100,000 rows' }).click()
    await expectScreen(page, 'many.csv is uploaded')
    const { created, unchanged, ...others } = await readCounts(page)
    expect(others).toEqual({ updated: 0, rejected: 0, rows })
    expect(created! + unchanged!).toBe(rows)
    expect(unchanged).toBeGreaterThan(0)
    expect(unchanged).toBeLessThan(rows)
    expect(mistakes).toEqual([])
  })
})

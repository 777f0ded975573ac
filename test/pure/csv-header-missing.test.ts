import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { outcomeOf, readCsv, readEverySplit, recordsOf, writeCsv } from '../support/csv.js'
import { checkLaw } from '../support/law.js'

describe('a row with an e-mail address is no header', () => {
  test.each([
    ['a cell that says Email', 'Requester email,Via\na@x.com,Email\nb@x.com,Web\n', ['Requester email', 'Via'], 0],
    [
      'labels and values above',
      'Email,owner@x.com,\nEmail,Name,Tier\na@x.com,Ann,gold\n',
      ['Email', 'Name', 'Tier'],
      1,
    ],
    ['a bad row that says Email', 'Asker,Via\na@x.com,Web\nb@,Email\nc@x.com,Web\n', ['Asker', 'Via'], 0],
    ['a row of its width that says email', 'Asker,Via\nAnn,email\nBob,phone\n', ['Asker', 'Via'], 0],
    ['a preamble of its width', 'Account,Acme\nEmail,Name\na@x.com,Ann\n', ['Email', 'Name'], 1],
    ['a preamble of its width, no rows', 'Account,Acme\nEmail,Name\n', ['Email', 'Name'], 1],
    ['a preamble of another width, bad rows', 'Report\nEmail,Name\nbad,Ann\n', ['Email', 'Name'], 1],
    ['an address with blanks', 'Via,Asker\nEmail, a@x.com \n', ['Via', 'Asker'], 0],
    ['an address behind a text mark', "Via,Asker\nEmail,'=a@x.com\n", ['Via', 'Asker'], 0],
  ])('%s', async (_what, csv, headers, above) => {
    const read = await readEverySplit(csv)
    expect(read.headers).toEqual(headers)
    expect(read.warnings.map(({ code }) => code)).toEqual(above ? ['PREAMBLE_SKIPPED'] : [])
  })

  test.each([
    ['two columns', 'a@x.com,Ann\nb@x.com,Bob\n'],
    ['a bad row below', 'a@x.com,Ann\nb@,Bob\n'],
    ['a row below that says Email', 'a@x.com,Web\nb@x.com,Email\n'],
    ['one column', 'a@x.com\n'],
    ['an export without rows', 'Exported by,ann@x.com\nEmail,Name\n'],
    ['a header below the tenth row', `Exported by,ann@x.com\n${'x,y\n'.repeat(9)}Email,Name\nb@x.com,Bob\n`],
    ['blank lines above', '\n;;\nAnn;a@x.com\n'],
    ['quotes', '"a@x.com"\t"Ann"\n'],
  ])('HEADER_MISSING: %s', async (_what, csv) => {
    expect(await outcomeOf(csv)).toBe(
      'HEADER_MISSING: No row names the columns: a cell of the first row is an e-mail address, so it is data, and no row ' +
        'below it names the email column above an e-mail address. Write the column names into the first row, without ' +
        'anything above them, or, where all rows are data, name the columns with headers, ' +
        "such as headers: ['email', 'first_name'].",
    )
  })
})

test('with headers every filled row is data, counted from the first line', async () => {
  const read = await readCsv('\na@x.com,Ann\n"b@x.com","5" pipe"\n', { headers: ['email', 'first_name'] })
  expect(read.headers).toEqual(['email', 'first_name'])
  expect(read.rows.map(({ row, line, fault }) => [row, line, fault?.code])).toEqual([
    [1, 1, undefined],
    [2, 2, undefined],
    [3, 3, 'INVALID_QUOTE'],
  ])
})

test('law: whatever stands above the header, all rows are read', async () => {
  const cell = fc.constantFrom('', 'Account', 'Email', 'owner@x.com', 'e-mail', 'May 2024', '12')
  const above = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 8 })
  const rows = fc.array(fc.constantFrom(['a@x.com', 'Email'], ['b@', 'email'], ['', 'x'], ['c@x.com', 'd@x.com']), {
    maxLength: 15,
  })
  await checkLaw(
    'rows below the header',
    fc.asyncProperty(above, rows, async (preamble, data) => {
      // Above the header no row may be a header itself: it would be the first.
      const lines = preamble.filter((line) => line.some((each) => each.includes('@')) || !line.some(isEmailName))
      const body = [['z@x.com', 'Name'], ...data]
      const read = await readCsv(writeCsv([...lines, ['Email', 'Name'], ...body]))
      expect(read.headers).toEqual(['Email', 'Name'])
      expect(recordsOf(read)).toEqual(body)
    }),
    500,
  )
})

const isEmailName = (text: string) => /^e-?mail$/i.test(text)

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCsv, readEverySplit, recordsOf, writeCsv } from '../support/csv.js'
import { checkLaw } from '../support/law.js'

const DELIMITERS = [',', ';', '\t', '|'] as const

describe.each(DELIMITERS)('delimiter %j', (delimiter) => {
  const header = ['name', 'E-Mail', 'note']

  test('is found from the header', async () => {
    const read = await readEverySplit(writeCsv([header, ['John', 'john@example.com', '']], { delimiter }))
    expect(read).toMatchObject({ delimiter, headers: header })
  })

  test('is found although the cells are full of the others', async () => {
    const others = DELIMITERS.filter((other) => other !== delimiter)
      .join('')
      .repeat(20)
    const rows = [['John', 'john@example.com', others]]
    const read = await readCsv(writeCsv([header, ...rows], { delimiter }))
    expect(read.delimiter).toBe(delimiter)
    expect(recordsOf(read)).toEqual(rows)
  })

  test('is found although quoted headers hold the others, and line breaks', async () => {
    const odd = ['a,b;c', 'email', 'x|y\tz', 'two\nlines, and; more|\t']
    const read = await readCsv(writeCsv([odd, ['1', 'john@example.com', '2', '3']], { delimiter }))
    expect(read).toMatchObject({ delimiter, headers: odd })
  })

  test('is found without an email header: the one that cuts the header most often', async () => {
    const read = await readCsv(
      writeCsv(
        [
          ['a', 'b', 'c'],
          ['1', '2', '3'],
        ],
        { delimiter },
      ),
    )
    expect(read).toMatchObject({ delimiter, headers: ['a', 'b', 'c'] })
  })

  test('can be forced', async () => {
    const read = await readCsv('email,a;b|c\td\n1,2;3|4\t5\n', { delimiter })
    expect(read.headers).toEqual('email,a;b|c\td'.split(delimiter))
    expect(recordsOf(read)).toEqual(['1,2;3|4\t5'.split(delimiter)])
  })

  test.each(['\n', '\r\n', '\r'])('is said by a sep= line that ends with %j', async (lineEnd) => {
    const read = await readEverySplit(`sep=${delimiter}${lineEnd}email${delimiter}"a,b;c"${lineEnd}x,;|\t${lineEnd}`)
    expect(read).toMatchObject({ delimiter, headers: ['email', 'a,b;c'] })
    expect(recordsOf(read)).toEqual(['x,;|\t'.split(delimiter)])
  })
})

test.each(['SEP=;\n', '"sep=;"\n', '\ufeffsep=;\n'])('%j says it too', async (line) => {
  expect(await readCsv(new TextEncoder().encode(`${line}email;a\n`))).toMatchObject({
    delimiter: ';',
    headers: ['email', 'a'],
  })
})

test('a forced delimiter wins over the sep= line, which is no row', async () => {
  expect(await readCsv('sep=;\nemail,a;b\n', { delimiter: ',' })).toMatchObject({ headers: ['email', 'a;b'] })
})

test('sep= with anything else is a header like any other', async () => {
  expect((await readCsv('sep=:,email\n1,a@example.com\n')).headers).toEqual(['sep=:', 'email'])
})

test('one column needs no delimiter', async () => {
  expect(await readCsv('email\na@example.com\n')).toMatchObject({ delimiter: ',', headers: ['email'] })
})

test('law: whatever a file holds, its own delimiter is found and every cell comes back', async () => {
  const cell = fc.oneof(
    fc.constantFrom('', ' ', 'a', '"', '""', ',', ';', '\t', '|', 'a,b', 'a;b;c', '\n', '\r\n', '\r', 'sep=;', 'ä😀'),
    fc.string({ unit: fc.constantFrom(',', ';', '\t', '|', '"', '\n', '\r', ' ', 'x', 'é'), maxLength: 8 }),
  )
  await checkLaw(
    'any CSV comes back',
    fc.asyncProperty(
      fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 8 }),
      fc.array(cell, { minLength: 2, maxLength: 2 }),
      fc.constantFrom(...DELIMITERS),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.infiniteStream(fc.boolean()),
      fc.boolean(),
      async (rows, [first, last], delimiter, lineEnd, coins, endsWithLineEnd) => {
        const headers = [`h${first}`, 'email', `h${last}`]
        const records = [headers, ...rows]
        const quotes = () => coins.next().value
        // Two blanks only: a last record of one empty cell and no line end would be no record.
        const read = await readCsv(writeCsv(records, { delimiter, lineEnd, quotes, endsWithLineEnd }))
        expect(read.delimiter).toBe(delimiter)
        expect(read.headers).toEqual(headers)
        expect(recordsOf(read)).toEqual(rows)
      },
    ),
    1_000,
  )
})

test.each([
  ['commas in the header alone', 'E-Mail (privat, Pflicht);Name (Vor, Nach, Titel);Ort\na@x.com;Ann;Rom\n', ';', 3],
  ['an email header between the commas of one', 'Name;Kontakt,Email,Post;Ort\nAnn;a@x.com;Rom\n', ';', 3],
  ['more bars than tabs', 'Adresse (a|b|c|d)\tOrt\na@x.com\tRom\n', '\t', 2],
  ['commas in every row too', 'Adresse;Notiz, lang\na@x.com;eins, zwei\nb@x.com;drei\n', ';', 2],
])('the delimiter is judged by the first records together: %s', async (_what, csv, delimiter, columns) => {
  const read = await readEverySplit(csv)
  expect(read.delimiter).toBe(delimiter)
  expect(read.headers).toHaveLength(columns)
})

import { expect, test } from 'vitest'
import { readCsv, readEverySplit, recordsOf } from '../support/csv.js'

test('lines before the header are skipped with a warning', async () => {
  const read = await readEverySplit('Export of contacts\nMay 2024\n\nname,email\nJohn,john@example.com\n')
  expect(read.headers).toEqual(['name', 'email'])
  expect(recordsOf(read)).toEqual([['John', 'john@example.com']])
  expect(read.warnings).toEqual([{ code: 'PREAMBLE_SKIPPED', message: '2 rows before the header were skipped.' }])
})

test('one line is said as one', async () => {
  expect((await readCsv('Contacts\nemail\na@example.com\n')).warnings[0]!.message).toBe(
    '1 row before the header was skipped.',
  )
})

test('blank lines before the header are no preamble', async () => {
  const read = await readCsv('\n\n,,\nemail,x\na@example.com,1\n')
  expect(read.warnings).toEqual([])
  expect(read.rows).toEqual([{ row: 5, line: 5, record: ['a@example.com', '1'] }])
})

test('the preamble may be cut by another delimiter than the file', async () => {
  const read = await readCsv('a,b,c,d,e,f\nname;E-Mail\nJohn;john@example.com\n')
  expect(read).toMatchObject({ delimiter: ';', headers: ['name', 'E-Mail'] })
})

test('the header is looked for among the first ten filled records', async () => {
  const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index}\n\n`).join('')
  expect((await readCsv(`${lines(9)}email,x\n`)).headers).toEqual(['email', 'x'])
  expect((await readCsv(`${lines(10)}email,x\n`)).headers).toEqual(['line 0'])
})

test('the first header with an email column is taken', async () => {
  const read = await readCsv('Email Address,a\nemail,b\n')
  expect(read.headers).toEqual(['Email Address', 'a'])
  expect(recordsOf(read)).toEqual([['email', 'b']])
})

test('without an email header anywhere the first filled record is the header', async () => {
  const read = await readCsv('\nname,city\nJohn,Rome\n')
  expect(read.headers).toEqual(['name', 'city'])
  expect(read.warnings).toEqual([])
})

test('an address in a cell is no email header', async () => {
  expect((await readCsv('name,contact\nJohn,email@example.com\n')).headers).toEqual(['name', 'contact'])
})

import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { useCommand } from '../support/command.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()
const command = useCommand()

const preview = (...args: string[]) =>
  command.run(['preview', ...args, '--account', randomUUID()], { env: { DATABASE_URL: db.url } })

test('says what every column becomes, and shows the first rows', async () => {
  command.write(
    'list.csv',
    'Customers 2026;;;;\nEmail;First Name;Password;Tier;\na@example.com;Ann;x;\u001b[31mgold;\nno address;Bob;y;silver;\n',
  )
  const { code, stdout, stderr } = await preview('list.csv')
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
  expect(stdout).toMatch(/^list\.csv: utf-8, delimiter ;\n1 row above the header: skipped\n/)
  expect(stdout).toMatch(/ 1 {2}Email +field email {2}\(a@example\.com, no address\)\n/)
  expect(stdout).toMatch(/ 2 {2}First Name +field first_name {2}\(Ann, Bob\)\n/)
  expect(stdout).toMatch(/ 3 {2}Password +left out: a password, a token or a key/)
  expect(stdout).toMatch(/ 5 .* left out: its header is blank/)
  expect(stdout).toMatch(/\n {2}line 3: .*"first_name":"Ann"/)
  expect(stdout).toMatch(/\n {2}line 4: rejected: INVALID_EMAIL: /)
  expect(stdout).toMatch(/ 4 {2}Tier +attribute "Tier" {2}\(\ufffd\[31mgold, silver\)\n/)
  // A file does not speak to the terminal.
  expect(stdout).not.toContain('\u001b')
  expect(await db.sql`select from customer.customer`).toHaveLength(0)
})

test('what keeps a file from being uploaded is a problem, and exit code 1', async () => {
  command.write('names.csv', 'name,tier\nAnn,gold\n')
  const { code, stdout } = await preview('names.csv')
  expect(code).toBe(1)
  expect(stdout).toContain('  error: EMAIL_COLUMN_MISSING: ')
  expect(stdout).toMatch(/ 2 {2}tier +attribute "tier" {2}\(gold\)/)
})

test('its columns, as JSON, are those of an upload', async () => {
  command.write('list.csv', 'Email,Tier\na@example.com,gold\n')
  const { code, stdout } = await preview('list.csv', '--json')
  expect(code).toBe(0)
  const { columns, rows } = JSON.parse(stdout)
  expect(rows).toMatchObject([{ standard: { email: 'a@example.com' }, custom_attributes: { Tier: 'gold' } }])
  columns[1].target = { attribute: 'loyalty_tier' }
  command.write('columns.json', JSON.stringify(columns))
  const account = randomUUID()
  const { code: uploaded } = await command.run([
    'upload',
    'list.csv',
    '--account',
    account,
    '--columns',
    'columns.json',
    '--database-url',
    db.url,
  ])
  expect(uploaded).toBe(0)
  expect(await db.sql`select custom_attributes from customer.customer where account_id = ${account}`).toEqual([
    { custom_attributes: { loyalty_tier: 'gold' } },
  ])
})

test('is read as an upload with the same flags would read it', async () => {
  command.write('list.tsv', Buffer.from('a@example.com\t1.234,5\t31.12.1990\tN/A\tK\u00f6ln\n', 'latin1'))
  const { code, stdout, stderr } = await preview(
    'list.tsv',
    ...[
      '--delimiter',
      'tab',
      '--encoding',
      'latin1',
      '--headers',
      '["email","total_spent","birthday","w","City, State","x"]',
    ],
    ...[
      '--columns',
      '{"birthday":{"attribute":"born"}}',
      '--attributes',
      '["City, State"]',
      '--fillable',
      'total_spent',
    ],
    ...['--constant', 'Campaign=Spring', '--number-format', 'comma', '--date-format', 'dmy', '--empty-markers', 'N/A'],
    ...['--short-rows', 'fill', '--max-bytes', '1000', '--max-columns', '9', '--max-record-bytes', '900', '--json'],
  )
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(JSON.parse(stdout).rows).toEqual([
    {
      row: 1,
      line: 1,
      standard: { email: 'a@example.com', total_spent: '1234.5' },
      custom_attributes: { born: '31.12.1990', 'City, State': 'K\u00f6ln', Campaign: 'Spring' },
    },
  ])
})

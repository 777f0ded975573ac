import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addReadingFlags, addStoringFlags } from '../../src/cli/upload-flags.js'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { useCommand } from '../support/command.js'
import { useDatabase } from '../support/database.js'
import { someOf } from '../support/law.js'
import { until } from '../support/waiting.js'

const db = useDatabase()
const command = useCommand()

const upload = (account: string, ...args: string[]) =>
  command.run(['upload', ...args, '--account', account], { env: { DATABASE_URL: db.url } })
const storedOf = (account: string) =>
  db.sql`select email, first_name, custom_attributes from customer.customer where account_id = ${account} order by email`

test('stores a file and tells its counts', async () => {
  const account = randomUUID()
  command.write('customers.csv', 'Email,First Name,Tier,id\na@example.com,Ann,gold,1\nb@example.com,Bob,,2\n')
  const { code, stdout, stderr } = await upload(account, 'customers.csv')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^customers\.csv: 2 rows in /)
  expect(stdout).toContain('customers created    2\n')
  expect(stdout).toContain('custom attributes: Tier\n')
  expect(stdout).toContain('column 4 "id" was left out (reserved)\n')
  expect(await storedOf(account)).toEqual([
    { email: 'a@example.com', first_name: 'Ann', custom_attributes: { Tier: 'gold' } },
    { email: 'b@example.com', first_name: 'Bob', custom_attributes: {} },
  ])
  expect(existsSync(command.path('customers.rejected.csv'))).toBe(false)
})

test('keeps opt-outs as the config names them, unless it is told to overwrite them', async () => {
  const account = randomUUID()
  command.write('custom-attributes.config.mjs', "export default { optOut: { status: 'unsubscribed' } }")
  command.write('back.csv', 'Email,Status\na@example.com,active\n')
  await createCustomAttributesStore(db.client).uploadCsv(account, 'Email,Status\na@example.com,unsubscribed\n')
  const kept = await upload(account, 'back.csv')
  expect(kept.stdout).toContain('customers unchanged  1\n')
  expect(kept.stdout).toContain('warning: OPT_OUTS_KEPT: 1 customer has opted out (status)')
  const overwritten = await upload(account, 'back.csv', '--opt-outs', 'overwrite', '--json')
  expect(JSON.parse(overwritten.stdout)).toMatchObject({ customersUpdated: 1, optOutsKept: 0 })
})

test('keeps a history under the name of the file, where it is asked for', async () => {
  const account = randomUUID()
  const history = readMigrations({ history: true })[2]!
  await db.sql.unsafe(history.up).simple()
  command.write('kept.csv', 'Email,Tier\na@example.com,gold\n')
  const { code, stdout } = await upload(account, 'kept.csv', '--history', '--json')
  expect(code).toBe(0)
  const store = createCustomAttributesStore(db.client)
  const [kept] = await store.listUploads(account)
  expect(kept).toMatchObject({ id: JSON.parse(stdout).uploadId, fileName: 'kept.csv' })
  expect(await store.undoUpload(account, kept!.id)).toMatchObject({ customersRemoved: 1 })
  await db.sql.unsafe(history.down).simple()
})

test('every rejected row comes back in a file, which is mended and uploaded', async () => {
  const account = randomUUID()
  const rows = Array.from(
    { length: 450 },
    (_, at) => `user${at}${at % 3 === 0 ? ' at ' : '@'}example.com;J\u00f6rg;a\u00fc`,
  )
  command.write('Kunden.csv', Buffer.from(`email;first_name;Ort\n${rows.join('\n')}\n`, 'latin1'))
  const flags = ['--delimiter', ';', '--encoding', 'windows-1252']
  const first = await upload(account, 'Kunden.csv', ...flags)
  expect(first).toMatchObject({ code: 2, stderr: '' })
  expect(first.stdout).toContain('rows rejected        150\n')
  expect(first.stdout).toContain('… and 145 more\n')
  expect(first.stdout).toContain('All rejected rows are in Kunden.rejected.csv')
  expect(readdirSync(command.path('.')).sort()).toEqual(['Kunden.csv', 'Kunden.rejected.csv'])
  const file = command.path('Kunden.rejected.csv')
  const text = readFileSync(file, 'utf8')
  expect(text.trimEnd().split('\r\n')).toHaveLength(151)

  // What is there already is never overwritten, and nothing is stored before that is said.
  const again = await upload(account, 'Kunden.csv', ...flags)
  expect(again).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('--force') })
  expect(readFileSync(file, 'utf8')).toBe(text)
  command.write('other.csv', 'mine')
  expect((await upload(account, 'Kunden.csv', ...flags, '--rejected', 'other.csv', '--force')).code).toBe(2)
  expect(readFileSync(file, 'utf8')).toBe(text)
  expect(readFileSync(command.path('other.csv'), 'utf8').split('\r\n').sort()).toEqual(text.split('\r\n').sort())

  writeFileSync(file, text.replaceAll(' at ', '@'))
  const mended = await upload(account, 'Kunden.rejected.csv', ...flags, '--json')
  expect(mended.code).toBe(0)
  expect(JSON.parse(mended.stdout)).toMatchObject({ rowsTotal: 150, customersCreated: 150, rejectedFile: null })
  const stored = await storedOf(account)
  expect(stored).toHaveLength(450)
  expect(stored[0]).toMatchObject({ first_name: 'J\u00f6rg', custom_attributes: { Ort: 'a\u00fc' } })
})

test('standard input is a file, too, and a dry run keeps nothing', async () => {
  const account = randomUUID()
  const args = ['upload', '-', '--account', account]
  const setting = { env: { DATABASE_URL: db.url }, input: 'email,tier\na@example.com,gold\nno address,silver\n' }
  const dry = await command.run([...args, '--dry-run', '--rejected', 'dry.csv'], setting)
  expect(dry).toMatchObject({ code: 2, stdout: expect.stringMatching(/^standard input: .*dry run: nothing is stored/) })
  expect(await storedOf(account)).toEqual([])
  expect((await command.run(args, setting)).code).toBe(2)
  expect(await storedOf(account)).toHaveLength(1)
  expect(readFileSync(command.path('stdin.rejected.csv'), 'utf8')).toContain('no address,silver,INVALID_EMAIL,')
})

test("the upload's options are flags", async () => {
  const account = randomUUID()
  const headerless = 'a@example.com|1.234,5|31.12.1990|N/A\n'
  command.write('a.txt', headerless)
  command.write('columns.json', JSON.stringify({ w: null }))
  const flags = ['--delimiter', '|', '--headers', 'email,total_spent,birthday,w', '--columns', 'columns.json']
  const options = [
    '--number-format',
    'comma',
    '--date-format',
    'dmy',
    '--empty-markers',
    'N/A',
    '--constant',
    'Campaign=a=b',
  ]
  const created = await upload(account, 'a.txt', ...flags, ...options, '--constant', 'first_name=Ann', '--json')
  expect(created).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(created.stdout)).toMatchObject({
    customersCreated: 1,
    ignored: [{ header: 'w', reason: 'skipped' }],
  })
  const [row] = await storedOf(account)
  expect(row).toMatchObject({ first_name: 'Ann', custom_attributes: { Campaign: 'a=b' } })

  command.write('b.csv', 'email,first_name,Tier\na@example.com,Bea,gold\nb@example.com,Bob,gold\n')
  const merged = ['--existing', 'replace', '--unknown', 'reject', '--fillable', 'email', '--attributes', 'Tier']
  const limits = ['--concurrency', '1', '--batch-size', '1', '--max-rows', '2', '--atomic']
  const replaced = await upload(account, 'b.csv', ...merged, ...limits, '--json')
  expect(JSON.parse(replaced.stdout)).toMatchObject({ customersUpdated: 1, rowsRejected: 1 })
  expect(await storedOf(account)).toEqual([
    { email: 'a@example.com', first_name: 'Ann', custom_attributes: { Tier: 'gold' } },
  ])

  const silent = { writeErr: () => {} }
  const flagsAlone = () => addStoringFlags(addReadingFlags(new Command())).exitOverride().configureOutput(silent)
  for (const [flag, value] of [
    ['--existing', 'overwrite'],
    ['--delimiter', ':'],
    ['--max-rows', 'many'],
    ['--columns', '{'],
    ['--constant', 'x'],
  ]) {
    expect(() => flagsAlone().parse([flag!, value!], { from: 'user' })).toThrow(flag)
  }
})

test('what is wrong with the file, the account or the path is an error with its code and no stack', async () => {
  const account = randomUUID()
  command.write('no-email.csv', 'name,tier\nAnn,gold\n')
  command.write('bad.csv', 'email\nno address\n')
  const wrongs: [string[], RegExp][] = [
    [[account, 'no-email.csv'], /^error: EMAIL_COLUMN_MISSING: /],
    [['7', 'bad.csv'], /^error: INVALID_ACCOUNT_ID: /],
    [[account, 'missing.csv'], /^error: missing\.csv cannot be read: ENOENT/],
    [[account, '.'], /^error: \. is a directory\./],
    [[account, 'bad.csv', '--on-invalid-row', 'abort'], /error: INVALID_ROW: /],
    [[account, 'bad.csv', '--rejected', 'none/x.csv'], /^error: Rejected rows cannot be written to none\/x\.csv/],
  ]
  for (const [[id, ...args], expected] of someOf(wrongs, 3)) {
    const { code, stdout, stderr } = await upload(id!, ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(expected)
    expect(stderr).not.toMatch(/\n {4}at /)
  }
  expect((await upload(account, 'no-email.csv', '--verbose')).stderr).toMatch(/\n {4}at /)
  expect(readdirSync(command.path('.')).sort()).toEqual(['bad.csv', 'no-email.csv'])
})

/** More than is read before the first rows are written, of rows that are few and long. */
const ROWS = 4_500
const blanks = ' '.repeat(150)

test('Ctrl-C stops an upload, which says what is stored; the same file completes it', async () => {
  const account = randomUUID()
  const lines = Array.from(
    { length: ROWS },
    (_, at) => `${at % 100 === 0 ? 'no address' : `user${at}@example.com`},gold${blanks}\n`,
  )
  const text = `email,tier\n${lines.join('')}`
  const { child, ended } = command.start(['upload', '-', '--account', account, '--batch-size', '100'], {
    DATABASE_URL: db.url,
  })
  // The input stays open: whatever the machine, the upload is not over when the signal comes.
  child.stdin.on('error', () => {})
  child.stdin.write(text)
  const store = createCustomAttributesStore(db.client)
  await until('nothing is stored', async () => (await storedOf(account)).length > 0)
  child.kill('SIGINT')
  const { code, stdout, stderr } = await ended
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^error: ABORTED: |\nerror: ABORTED: /)
  const told = Number(/Until then (\d+) customers were created/.exec(stderr)![1])
  expect(told).toBe((await storedOf(account)).length)
  expect(readdirSync(command.path('.'))).toEqual([])

  expect(await store.uploadCsv(account, text)).toMatchObject({ rowsRejected: ROWS / 100 })
  expect(await storedOf(account)).toHaveLength(ROWS - ROWS / 100)
  expect(await store.getAttributeDefinitions(account)).toEqual(['tier'])
})

test('a file that comes into the way of the rejected rows meanwhile stays as it is', async () => {
  const account = randomUUID()
  const args = ['upload', '-', '--account', account, '--batch-size', '100']
  const { child, ended } = command.start(args, { DATABASE_URL: db.url })
  child.stdin.write(
    `email,tier\nno address,gold\n${Array.from({ length: ROWS }, (_, at) => `user${at}@example.com,gold${blanks}\n`).join('')}`,
  )
  await until('nothing is stored', async () => (await storedOf(account)).length > 0)
  command.write('stdin.rejected.csv', 'mine')
  child.stdin.end()
  const { code, stderr } = await ended
  expect(code).toBe(1)
  expect(stderr).toMatch(
    /^error: The upload is done, but its rejected rows could not be written to stdin\.rejected\.csv: /,
  )
  expect(readFileSync(command.path('stdin.rejected.csv'), 'utf8')).toBe('mine')
  expect(readdirSync(command.path('.'))).toEqual(['stdin.rejected.csv'])
})

test('a terminal gets a bar, and the output is the same', async () => {
  const account = randomUUID()
  command.write('customers.csv', 'email,tier\na@example.com,gold\n')
  const terminal = { DATABASE_URL: db.url, NODE_OPTIONS: '--import data:text/javascript,process.stderr.isTTY=true' }
  const { code, stdout, stderr } = await command.run(['upload', 'customers.csv', '--account', account], {
    env: terminal,
  })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^customers\.csv: 1 row in /)
  expect(stderr).toMatch(/ 0 %, 0 rows read/)
})

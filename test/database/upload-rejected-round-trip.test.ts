import { parse } from 'csv-parse/sync'
import { expect, test } from 'vitest'
import { type RejectedRow, rejectedRowsCsv } from '../../src/rejected-rows.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { writeCsv } from '../support/csv.js'
import { contentsOf, newAccount, versionsOf } from '../support/customers.js'
import { useDatabase } from '../support/database.js'

const db = useDatabase()
const open = () => ({ store: createCustomAttributesStore(db.client), account: newAccount() })

/** Uploads a file and returns its rejected rows as a CSV. */
async function upload(account: string, csv: string): Promise<string> {
  const rejected: RejectedRow[] = []
  const store = createCustomAttributesStore(db.client)
  const { headers } = await store.uploadCsv(account, csv, { onRejected: (row) => rejected.push(row) })
  return rejectedRowsCsv(
    headers,
    rejected.sort((a, b) => a.row - b.row),
  )
}

test('upload, take the CSV, mend some rows, upload it: exactly the mended rows change', async () => {
  const { account } = open()
  const cells = ['=1+1', '+45 12', '-5', '@x', "'t Hooft", "'=1", '\t=x', 'a,"b"\nc', ' spaced ', '007', "'", '"']
  const rows = cells.flatMap((cell, at) => [
    [`bad ${at}`, cell, ''],
    [`good${at}@example.com`, cell, '5'],
  ])
  const rejected = await upload(account, writeCsv([['email', 'note', 'orders_count'], ...rows]))
  const before = await versionsOf(db.sql, account)
  expect(before.size).toBe(cells.length)

  // Every second row is mended as in a spreadsheet: its email, and nothing else.
  const [headers, ...records] = parse(rejected, { relax_column_count: true }) as string[][]
  expect(records).toHaveLength(cells.length)
  const mended = records.map((record, at) => (at % 2 ? record : [`mended${at}@example.com`, ...record.slice(1)]))
  const again = await upload(account, writeCsv([headers!, ...mended], { lineEnd: '\r\n' }))

  const after = await versionsOf(db.sql, account)
  expect([...after.keys()].filter((email) => !before.has(email)).sort()).toEqual(
    cells.flatMap((_, at) => (at % 2 ? [] : [`mended${at}@example.com`])).sort(),
  )
  for (const [email, version] of before) expect(after.get(email)).toBe(version)
  const { customers } = await contentsOf(db.sql, account)
  const noteOf = (email: string) => customers.find((customer) => customer.email === email)!.custom_attributes
  for (const [at] of cells.entries()) {
    if (at % 2 === 0) expect(noteOf(`mended${at}@example.com`)).toEqual(noteOf(`good${at}@example.com`))
  }

  // What was not mended is rejected again, and its CSV is what it was.
  const unmended = records.filter((_, at) => at % 2)
  expect(parse(again, { relax_column_count: true })).toEqual([headers, ...unmended])
})

test.each([
  ['a row with too few cells', 'short@example.com,Rome'],
  ['a row with too many', 'long@example.com,Rome,gold,more'],
  ['a row of an email alone', 'alone@example.com'],
  ['a quote in the middle', 'pipe@example.com,5" pipe,gold'],
  ['text behind a quote', 'pipe@example.com,"a"b,gold'],
  ['a quote in too many cells', 'pipe@example.com,Rome,gold,5" pipe'],
  ['a quote in the email', 'pipe@example.com",Rome,gold'],
])('%s, uploaded again as it is, changes nothing', async (_what, row) => {
  const { account } = open()
  const rejected = await upload(account, `email,city,tier\n${row}\nok@example.com,Oslo,silver\n`)
  const before = await contentsOf(db.sql, account)
  const [, cells] = parse(rejected, { relax_column_count: true }) as string[][]
  const [, again] = parse(await upload(account, rejected), { relax_column_count: true }) as string[][]
  expect(await contentsOf(db.sql, account)).toEqual(before)
  expect(again?.slice(0, 4), 'and is rejected as before').toEqual(cells!.slice(0, 4))
})

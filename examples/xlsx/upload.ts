/**
 * A spreadsheet's rows, without a CSV in between: the first sheet, or the one that is named.
 * `DATABASE_URL=… ACCOUNT_ID=… node --import tsx examples/xlsx/upload.ts customers.xlsx [sheet]`
 */
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { readSheet } from 'read-excel-file/node'

const { DATABASE_URL, ACCOUNT_ID } = process.env
const [file, sheet = 1] = process.argv.slice(2)
if (!DATABASE_URL || !ACCOUNT_ID || !file) throw new Error('Set DATABASE_URL and ACCOUNT_ID, and name a file.')

/** A cell as text: a spreadsheet's dates are midnight in UTC, its numbers and booleans as they print. */
function toText(cell: unknown): string | null {
  if (cell instanceof Date) return cell.toISOString().replace('T00:00:00.000Z', '')
  return cell === null ? null : String(cell)
}

const sql = postgres(DATABASE_URL)
try {
  const rows = await readSheet(file, sheet)
  const store = createCustomAttributesStore(sql)
  const result = await store.uploadRows(
    ACCOUNT_ID,
    rows.map((row) => row.map(toText)),
  )
  const { customersCreated, customersUpdated, customersUnchanged, rowsRejected } = result
  console.log({ customersCreated, customersUpdated, customersUnchanged, rowsRejected })
  for (const { row, column, message } of result.rejected) console.log(`row ${row}, ${column ?? 'the row'}: ${message}`)
} finally {
  await sql.end()
}

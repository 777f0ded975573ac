// One contender of the upload benchmark in a process of its own, so that its memory is its own.
// Arguments: contender, url, file. Prints one line of JSON.
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parse } from 'csv-parse'
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { measure } from './measure.js'
import { ACCOUNT, ATTRIBUTES, FIELDS } from './upload-data.js'

const [, , contender, url, file] = process.argv
const sql = postgres(url!, { max: 2, onnotice: () => {} })
await sql`select 1`

const COLUMNS = [...FIELDS, ...ATTRIBUTES]
const INSERT = `insert into customer.customer (account_id, ${FIELDS.join(', ')}, status, custom_attributes)`
const ON_CONFLICT = `on conflict (account_id, email) do update set
  ${FIELDS.slice(1)
    .map((field) => `${field} = excluded.${field}`)
    .join(', ')},
  custom_attributes = customer.custom_attributes || excluded.custom_attributes, updated_at = now()`
const UPSERT_ROW = `${INSERT} values ('${ACCOUNT}', ${FIELDS.map((_, at) => `$${at + 1}`).join(', ')}, 'active',
  $${FIELDS.length + 1}::text::jsonb) ${ON_CONFLICT}`

/** What each contender is, for the table. */
const CONTENDERS: Record<string, () => Promise<void>> = {
  async library() {
    const result = await createCustomAttributesStore(sql).uploadCsv(ACCOUNT, createReadStream(file!), {
      maxBytes: 2 ** 40,
      maxRows: 1e9,
    })
    if (result.rowsRejected > 0) throw new Error('rejected rows')
  },
  async copy() {
    await sql.begin(async (tx) => {
      await tx.unsafe(
        `create temporary table incoming (${COLUMNS.map((name) => `"${name}" text`).join(', ')}) on commit drop`,
      )
      await pipeline(
        createReadStream(file!),
        await tx.unsafe('copy incoming from stdin (format csv, header true)').writable(),
      )
      await tx.unsafe(`${INSERT} select '${ACCOUNT}', ${FIELDS.join(', ')}, 'active',
        jsonb_build_object(${ATTRIBUTES.map((name) => `'${name}', "${name}"`).join(', ')}) from incoming ${ON_CONFLICT}`)
    })
  },
  async rowByRow() {
    for await (const rows of chunks(10_000)) {
      await sql.begin(async (tx) => {
        for (const row of rows) await tx.unsafe(UPSERT_ROW, row, { prepare: true })
      })
    }
  },
  async multiValues() {
    for await (const rows of chunks(500)) {
      const width = FIELDS.length + 1
      const values = rows.map(
        (_, at) =>
          `('${ACCOUNT}', ${FIELDS.map((_field, field) => `$${at * width + field + 1}`).join(', ')}, 'active',
          $${(at + 1) * width}::text::jsonb)`,
      )
      await sql.unsafe(`${INSERT} values ${values.join(', ')} ${ON_CONFLICT}`, rows.flat(), { prepare: true })
    }
  },
  async autocommit() {
    for await (const rows of chunks(1)) await sql.unsafe(UPSERT_ROW, rows[0]!, { prepare: true })
  },
}

async function* chunks(size: number): AsyncGenerator<string[][]> {
  let rows: string[][] = []
  for await (const record of createReadStream(file!).pipe(parse({ from_line: 2 })) as AsyncIterable<string[]>) {
    const attributes = Object.fromEntries(ATTRIBUTES.map((name, at) => [name, record[FIELDS.length + at]]))
    rows.push([...record.slice(0, FIELDS.length), JSON.stringify(attributes)])
    if (rows.length < size) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}

await measure(CONTENDERS[contender!]!)
await sql.end()

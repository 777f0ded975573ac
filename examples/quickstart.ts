/**
 * A CSV with columns nobody declared becomes customers, custom attributes, merge tags and messages, in a real PostgreSQL
 * that is started for this and gone afterwards: `npm run quickstart [file.csv] [template]`.
 */
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import {
  checkTemplate,
  compileTemplate,
  createCustomAttributesStore,
  readMigrations,
  type UploadProgress,
} from 'postgres-custom-attributes'
import { startEmbeddedPostgres } from '../test/support/embedded-postgres.js'

const [
  file = fileURLToPath(new URL('data/customers.csv', import.meta.url)),
  template = 'Hi {{first_name | default: "there"}}, your {{loyalty_tier | default: "bronze"}} status expires soon!',
] = process.argv.slice(2)

const accountId = '00000000-0000-4000-8000-000000000001'

// The server's starter sees to it that Ctrl-C leaves nothing behind; this only stops the upload.
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())

async function main(): Promise<void> {
  const { size } = await stat(file)
  const render = compileTemplate(template, { format: 'text' })
  console.log('Starting PostgreSQL in a temporary folder …')
  const server = await startEmbeddedPostgres({})
  const sql = postgres(server.url, { fetch_types: false, onnotice: () => {} })
  try {
    // A host has its customer table already; this is one to start from.
    const table = import.meta.resolve('postgres-custom-attributes/sql/reference/customer_table.sql')
    await sql.unsafe(await readFile(new URL(table), 'utf8'))
    for (const { up } of readMigrations()) await sql.begin((tx) => tx.unsafe(up))
    const store = createCustomAttributesStore(sql)

    console.log(`Uploading ${file} …`)
    const result = await store.uploadCsv(accountId, createReadStream(file), {
      onProgress: process.stdout.isTTY ? drawProgress(size) : undefined,
      signal: interrupt.signal,
    })

    console.log(`
${result.rowsTotal} rows in ${result.durationMs} ms: ${result.customersCreated} customers created, \
${result.customersUpdated} updated, ${result.customersUnchanged} unchanged, ${result.rowsRejected} rows rejected`)
    for (const { message } of result.warnings) console.log(`warning: ${message}`)
    for (const { header, reason } of result.ignored) console.log(`column ${printable(header)} was left out (${reason})`)

    console.log('\nRejected rows')
    for (const { line, column, message } of result.rejected) {
      console.log(`  line ${line}${column ? `, ${printable(column)}` : ''}: ${message}`)
    }
    const more = result.rowsRejected - result.rejected.length
    if (more > 0) console.log(`  … and ${more} more: onRejected gets every one`)

    const tags = await store.getMergeTags(accountId)
    console.log('\nMerge tags')
    console.log(`  of the table: ${tags.standardFields.join(', ')}`)
    console.log(`  of the file:  ${printable(tags.customAttributes.join(', '))}`)
    const names = [...tags.standardFields, ...tags.customAttributes]
    for (const { message } of checkTemplate(template, names, { format: 'text' })) console.log(`warning: ${message}`)

    console.log(`\nFirst messages of: ${template}`)
    for await (const customers of store.pageCustomers(accountId, { audience: 'all', pageSize: 8 })) {
      for (const customer of customers) console.log(`  ${customer.email}: ${printable(render(customer))}`)
      break
    }
  } finally {
    await sql.end({ timeout: 1 })
    await server.stop()
  }
}

/** A text of the file as a terminal may have it: a control character could move its cursor or change its title. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd')
}

/** Draws a bar, each time over the last one. */
function drawProgress(size: number): (progress: UploadProgress) => void {
  return ({ bytesRead, rowsRead }) => {
    const share = bytesRead / size
    const bar = '█'.repeat(Math.round(share * 30)).padEnd(30, '░')
    process.stdout.write(`\r${bar} ${Math.round(share * 100)} %, ${rowsRead} rows read`)
  }
}

await main().catch((error) => {
  if (interrupt.signal.aborted) return
  console.error(String(error))
  process.exitCode = 1
})

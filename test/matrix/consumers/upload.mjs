// What a host's server does, run as it is by each runtime: <runtime> upload.mjs <database url> <csv file>
import { createReadStream } from 'node:fs'
import process from 'node:process'
import postgres from 'postgres'
import { createCustomAttributesStore, isCustomAttributesError, readMigrations } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'
import { isCustomAttributesError as isFromPure, mapColumns } from 'postgres-custom-attributes/pure'

const [url, file] = process.argv.slice(2)
const account = '00000000-0000-4000-8000-000000000001'
const sql = postgres(url, { onnotice: () => {} })
const store = createCustomAttributesStore(sql)
const found = { custom: mapColumns(['email', 'Tier']).custom, migrations: readMigrations().length }

const csv = 'email,first_name,tier\nada@example.com,Ada,gold\nnot an address,x,y\n'
const counts = ({ rowsTotal, customersCreated, customersUnchanged, rowsRejected }) =>
  [rowsTotal, customersCreated, customersUnchanged, rowsRejected].join(' ')
found.string = counts(await store.uploadCsv(account, csv))
found.webStream = counts(await store.uploadCsv(account, new Blob([csv]).stream()))
found.fileStream = counts(await store.uploadCsv(account, createReadStream(file)))
found.blob = counts(await store.uploadCsv(account, new File([csv], 'customers.csv'), { atomic: true }))
found.tags = (await store.getMergeTags(account)).customAttributes

found.messages = []
const audience = { where: { tier: 'gold' } }
for await (const { content } of store.mailMerge(account, { subject: 'Hi {{first_name|there}}' }, { audience })) {
  found.messages.push(content.subject)
}

const stop = new AbortController()
async function* endless() {
  yield 'email\n'
  for (let at = 0; ; at++) {
    if (at === 50) stop.abort()
    yield `c${at}@example.com\n`
  }
}
found.aborted = await store.uploadCsv(account, endless(), { atomic: true, signal: stop.signal }).then(
  () => 'not at all',
  (error) => error.code,
)
const failure = await store.uploadCsv(account, 'name\nx\n').catch((error) => error)
found.error = [failure.code, isCustomAttributesError(failure), isFromPure(failure)].join(' ')

const handler = createHttpHandler(store, { authorize: () => true })
const form = new FormData()
form.set('file', new File([csv], 'customers.csv', { type: 'text/csv' }))
const target = `http://host/api/accounts/${account}/customers/upload`
const response = await handler(new Request(target, { method: 'POST', body: form }))
found.http = [response.status, (await response.json()).customers_unchanged].join(' ')

await sql.end()
process.stdout.write(JSON.stringify(found))

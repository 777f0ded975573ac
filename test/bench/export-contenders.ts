// One contender of the export benchmark in a process of its own. Arguments: contender, url, customers.
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { measure } from './measure.js'
import { ACCOUNT, ATTRIBUTES, FIELDS } from './upload-data.js'

const [contender, url, customers] = process.argv.slice(2)
const sql = postgres(url!, { max: 2, onnotice: () => {} })
await sql`select 1`
const store = createCustomAttributesStore(sql)
await store.getMergeTags(ACCOUNT)

/** The lines that came, the header among them. */
let lines = 0

function count(bytes: Uint8Array): void {
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++
}

const CONTENDERS: Record<string, () => Promise<void>> = {
  /** The same columns, as the server writes them; without guards, and in one statement from beginning to end. */
  async copy() {
    const columns = [...FIELDS, ...ATTRIBUTES.map((name) => `custom_attributes->>'${name}' as ${name}`)].join(', ')
    const query = `copy (select ${columns} from customer.customer where account_id = '${ACCOUNT}' order by id)
      to stdout (format csv, header)`
    for await (const bytes of await sql.unsafe(query).readable()) count(bytes)
  },
  async exportCsv() {
    const columns = [...FIELDS, ...ATTRIBUTES]
    for await (const bytes of store.exportCsv(ACCOUNT, { audience: 'all', columns })) count(bytes)
  },
}

await measure(CONTENDERS[contender!]!)
if (lines !== Number(customers) + 1) throw new Error(`${contender} wrote ${lines} lines for ${customers} customers`)
await sql.end()

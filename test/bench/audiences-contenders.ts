// One contender of the audiences' benchmark in a process of its own. Arguments: contender, url, percentage.
import postgres from 'postgres'
import { type AudienceWhere, createCustomAttributesStore, STANDARD_COLUMNS } from 'postgres-custom-attributes'
import { measure } from './measure.js'
import { ACCOUNT, ATTRIBUTES } from './upload-data.js'

const [contender, url, share] = process.argv.slice(2)
const sql = postgres(url!, { max: 2, onnotice: () => {} })
await sql`select 1`
const store = createCustomAttributesStore(sql)
await store.getMergeTags(ACCOUNT)

const [name] = ATTRIBUTES
/** Each value has a thousandth of the customers. */
const one = (values: number) => Array.from({ length: values }, (_, at) => `${name} ${at}`)
const contained = (values: string[]): [string, string] => [
  'custom_attributes @> any ($2::jsonb[])',
  `{${values.map((value) => JSON.stringify(JSON.stringify({ [name!]: value }))).join()}}`,
]
/** By the percentage: the audience, and the same in SQL. */
const AUDIENCES: Record<string, [where: AudienceWhere, sql: string, parameter: string]> = {
  '0.1': [{ [name!]: one(1) }, ...contained(one(1))],
  '3': [{ [name!]: one(30) }, ...contained(one(30))],
  '50': [{ email: { contains: '7' } }, 'strpos(lower(email), $2) > 0', '7'],
}
let audience: { where: AudienceWhere }
let condition: string
let parameters: string[]
function choose(percentage: string): void {
  const [where, sqlOfWhere, parameter] = AUDIENCES[percentage]!
  audience = { where }
  condition = `account_id = $1 and ${sqlOfWhere}`
  parameters = [ACCOUNT, parameter]
}

/** What was read, which keeps V8 from dropping the reading. */
let read = 0

const CONTENDERS: Record<string, () => Promise<void>> = {
  /** The rows that `mailMerge` reads, with the same columns, by one statement, and nothing done with them. */
  async bareQuery() {
    const columns = ['id', 'account_id', ...STANDARD_COLUMNS, 'created_at', 'updated_at', 'custom_attributes'].join()
    const rows = sql.unsafe(`select ${columns} from customer.customer where ${condition} order by id`, parameters)
    for await (const page of rows.cursor(250)) read += page.length
  },
  /** The same in pages, each by a statement of its own: no connection is held between two pages, as by `mailMerge`. */
  async barePages() {
    const columns = ['id', 'account_id', ...STANDARD_COLUMNS, 'created_at', 'updated_at', 'custom_attributes'].join()
    for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
      const page = await sql.unsafe(
        `select ${columns} from customer.customer where ${condition} and id > $3 order by id limit 250`,
        [...parameters, last],
      )
      read += page.length
      if (page.length < 250) return
      last = page.at(-1)!.id
    }
  },
  async mailMerge() {
    for await (const result of store.mailMerge(ACCOUNT, 'Hi {{first_name}}', { audience, format: 'text' })) {
      if (result.ok && result.content.charCodeAt(result.content.length >> 1) > 0) read++
    }
  },
  async bareCount() {
    const [row] = await sql.unsafe(`select count(*)::int as n from customer.customer where ${condition}`, parameters)
    read = row!.n
  },
  async countCustomers() {
    read = (await store.countCustomers(ACCOUNT, { audience })).customers
  },
}

const run = CONTENDERS[contender!]!
// A process that serves requests has run its code before.
choose('0.1')
for (let times = 0; times < 20; times++) await run()
choose(share!)
await measure(run)
if (read === 0) throw new Error(`${contender} read nobody`)
await sql.end()

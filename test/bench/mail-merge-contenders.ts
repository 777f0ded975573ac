// One contender of the mail merge benchmark in a process of its own. Arguments: contender, url, customers.
import postgres from 'postgres'
import { createCustomAttributesStore, STANDARD_COLUMNS } from 'postgres-custom-attributes'
import { measure } from './measure.js'
import { ACCOUNT } from './upload-data.js'

const [contender, url, customers] = process.argv.slice(2)
const sql = postgres(url!, { max: 2, onnotice: () => {} })
await sql`select 1`
const store = createCustomAttributesStore(sql)
await store.getMergeTags(ACCOUNT)

const PAGE = 250
const MESSAGE = {
  subject: 'Hi {{first_name | default: "there"}}, your {{loyalty_tier}} status is waiting for you',
  text:
    'Hello {{first_name}} {{last_name}},\n\nyou are {{loyalty_tier}} on {{plan}}, and you came by {{signup_source}}.\n' +
    '{{#favorite_color}}We have it in {{favorite_color}}.{{/favorite_color}}\n\nThis mail went to {{email}}.\n',
}

/** What was read, which keeps V8 from dropping the reading. */
let read = 0

const CONTENDERS: Record<string, () => Promise<void>> = {
  /** The rows that `mailMerge` reads, with the same columns, and nothing done with them. */
  async bareRead() {
    const columns = ['id', 'account_id', ...STANDARD_COLUMNS, 'created_at', 'updated_at', 'custom_attributes'].join(
      ', ',
    )
    for (let last = '00000000-0000-0000-0000-000000000000'; ; ) {
      const page = await sql.unsafe(
        `select ${columns} from customer.customer where account_id = $1 and id > $2 order by id limit ${PAGE}`,
        [ACCOUNT, last],
        { prepare: true },
      )
      read += page.length
      if (page.length < PAGE) return
      last = page.at(-1)!.id
    }
  },
  async mailMerge() {
    for await (const result of store.mailMerge(ACCOUNT, MESSAGE, { audience: 'all', pageSize: PAGE })) {
      if (!result.ok) throw new Error('a message misses a value')
      const { subject, text } = result.content
      if (subject.charCodeAt(subject.length >> 1) + text.charCodeAt(text.length >> 1) > 0) read++
    }
  },
  async preflight() {
    read = (await store.preflight(ACCOUNT, MESSAGE, { audience: 'all', pageSize: PAGE })).recipients
  },
  /** A thousand times, so that the measure is not the clock's. */
  async getMergeTags() {
    for (let call = 0; call < 1_000; call++) {
      const { customAttributes } = await store.getMergeTags(ACCOUNT)
      if (customAttributes.length > 0) read = Number(customers)
    }
  },
}

await measure(CONTENDERS[contender!]!)
if (read !== Number(customers)) throw new Error(`${contender} read ${read} of ${customers} customers`)
await sql.end()

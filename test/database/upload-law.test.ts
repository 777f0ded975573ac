import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type ColumnMapping, mapColumns } from '../../src/columns.js'
import { isCustomAttributesError, readMigrations } from '../../src/index.js'
import { type ParsedRow, parseRow } from '../../src/rows.js'
import { type CustomAttributesStore, createCustomAttributesStore } from '../../src/store.js'
import { chunks, writeCsv } from '../support/csv.js'
import { contentsOf, DEFAULT_TABLES, newAccount } from '../support/customers.js'
import { readSql, useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()

const MAX_VALUE_LENGTH = 30

/** A host with the shipped schema, and one with triggers, other names and another cap; both refuse some rows. */
const HOSTS = [
  { ...DEFAULT_TABLES, maxCustomAttributes: 10 },
  { customerTable: 'triggered.customer', definitionTable: 'triggered.definition', maxCustomAttributes: 4 },
]

beforeAll(async () => {
  const reference = await readSql('reference/customer_table.sql')
  await db.sql
    .unsafe(
      reference.replaceAll('customer.customer', 'triggered.customer').replace('exists customer;', 'exists triggered;'),
    )
    .simple()
  for (const { up } of readMigrations(HOSTS[1])) await db.sql.unsafe(up).simple()
  await db.sql
    .unsafe(`
    create function triggered.judge() returns trigger language plpgsql as $$
    begin
      if new.city = 'raise' then raise exception 'not this city'; end if;
      return new;
    end $$;
    create trigger judge before insert or update on triggered.customer for each row execute function triggered.judge()`)
    .simple()
  for (const { customerTable } of HOSTS) {
    await db.sql
      .unsafe(`
      alter table ${customerTable} add constraint no_refused_phone check (phone <> 'refused');
      alter table ${customerTable} add constraint vip_buys check (status <> 'vip' or orders_count > 0)`)
      .simple()
  }
})

/** Fields with values that are fine, that are empty, that the library refuses, and that the database refuses. */
const FIELDS: Record<string, string[]> = {
  first_name: ['', ' ', 'John', 'Jöhn 😀', '\u00a0John\u00a0', "'t Hooft", 'x'.repeat(31), 'a\0b'],
  phone: ['', '+45 12', "'+45 12", '5', 'refused'],
  city: ['', 'Rome', 'a\u001fb\u001ec', 'Oslo', 'raise'],
  birthday: ['', '1990-05-01', '1990-05-01T00:00:00Z', '1990-05-02', '2024-02-30', '01/05/1990'],
  accepts_marketing: ['', 'yes', 'TRUE', '0', 'maybe'],
  status: ['', 'active', 'vip', 'active', 'vip'],
  orders_count: ['', '0', '5', '007', '99999999999', 'many'],
  total_spent: ['', '10', '10.00', '10.005', '1e3', '9999999999.999', '12345678901', '1,5'],
  last_order_date: ['', '2024-05-01', '2024-05-01 12:30:00+02', '2024-05-01T10:30:00Z', 'yesterday'],
}
const ATTRIBUTES = ['tier', 'Tier', 'VIP-Status', 'vip status', ...Array.from({ length: 9 }, (_, at) => `extra ${at}`)]
const ATTRIBUTE_VALUES = [
  ...['gold', 'GOLD', 'a,b;c\td|e', '', ' ', "'=1", "'", 'two\nlines', '"', '\u001f', '\u001e', '\\', '007', '😀'],
  ...['y'.repeat(31), '\0'],
]
const GOOD_EMAILS = ['a@x.com', 'A@X.com', ' b@x.com', 'c@x.com', "'+d@x.com", '+d@x.com']
const EMAILS = [...GOOD_EMAILS, ...GOOD_EMAILS, ...GOOD_EMAILS, '', 'bad']

const form = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '')

function cellOf(header: string): fc.Arbitrary<string> {
  if (header === 'email') return fc.constantFrom(...EMAILS)
  const values = FIELDS[header] ?? ATTRIBUTE_VALUES
  // Mostly good values, so that most rows get through.
  return fc.oneof(
    { weight: 7, arbitrary: fc.constantFrom(...values.slice(0, 4)) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  )
}

/** Rows of a file: mostly whole ones, some of another length, some blank, some that repeat an earlier one. */
function rowsOf(headers: readonly string[]): fc.Arbitrary<string[][]> {
  const whole = fc.tuple(...headers.map(cellOf)) as fc.Arbitrary<string[]>
  const row = fc.oneof(
    { weight: 20, arbitrary: whole },
    { weight: 5, arbitrary: fc.nat(5) },
    { weight: 1, arbitrary: fc.constant(headers.map(() => ' ')) },
    { weight: 1, arbitrary: whole.map((cells) => [...cells, '', ' ']) },
    { weight: 1, arbitrary: whole.map((cells) => [...cells, 'more']) },
    { weight: 1, arbitrary: whole.map((cells) => cells.slice(1)) },
  )
  return fc.array(row, { maxLength: 14 }).map((rows) => {
    const made: string[][] = []
    for (const cells of rows) {
      const repeated = typeof cells === 'number' ? made[cells % Math.max(made.length, 1)] : cells
      if (repeated) made.push(repeated)
    }
    return made
  })
}

/** A file, how it is written, in which pieces it comes, and how it is uploaded. */
const fileFor = (maxAttributes: number) =>
  fc
    .record({
      fields: fc.subarray(Object.keys(FIELDS), { maxLength: 4 }),
      attributes: fc.uniqueArray(fc.constantFrom(...ATTRIBUTES), { maxLength: maxAttributes, selector: form }),
      others: fc.subarray(['created_at', 'password']),
    })
    .map(({ fields, attributes, others }) => ['email', ...fields, ...attributes, ...others])
    .chain((names) => fc.shuffledSubarray(names, { minLength: names.length }))
    .chain((headers) =>
      fc.record({
        headers: fc.constant(headers),
        rows: rowsOf(headers),
        // From a header of one column no delimiter can be found.
        delimiter: fc.constantFrom(...(headers.length === 1 ? [','] : [',', ';', '\t', '|'])),
        lineEnd: fc.constantFrom('\n', '\r\n', '\r'),
        quotes: fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
        cuts: fc.array(fc.nat(1_000), { maxLength: 5 }),
        batchSize: fc.constantFrom(1, 2, 3, 7, 1_000),
        concurrency: fc.integer({ min: 1, max: 4 }),
        isTriedFirst: fc.nat(4).map((number) => number === 0),
        isGivenTwice: fc.nat(4).map((number) => number === 0),
        merge: fc.record({
          existing: fc.constantFrom<('merge' | 'replace' | 'reject')[]>('merge', 'merge', 'merge', 'replace', 'reject'),
          unknown: fc.constantFrom<('create' | 'reject')[]>('create', 'create', 'create', 'create', 'reject'),
          emptyValues: fc.constantFrom<('keep' | 'clear')[]>('keep', 'keep', 'clear'),
        }),
      }),
    )

type GeneratedFile = ReturnType<typeof fileFor> extends fc.Arbitrary<infer Value> ? Value : never

/** What an upload says of itself. */
interface Account {
  counts: Record<'rowsTotal' | 'customersCreated' | 'customersUpdated' | 'customersUnchanged' | 'rowsRejected', number>
  found: string[]
  /** row and code */
  rejected: string[]
}

async function uploadAtOnce(
  store: CustomAttributesStore,
  account: string,
  { headers, rows, delimiter, lineEnd, quotes, cuts, batchSize, concurrency, merge }: GeneratedFile,
  dryRun = false,
): Promise<Account> {
  let cells = 0
  const text = writeCsv([headers, ...rows], { delimiter, lineEnd, quotes: () => quotes[cells++ % quotes.length]! })
  const bytes = new TextEncoder().encode(text)
  const source = chunks(
    bytes,
    cuts.filter((cut) => cut < bytes.length),
  )
  const heard: string[] = []
  const { customAttributesFound, rejected, ...result } = await store.uploadCsv(account, source, {
    ...merge,
    batchSize,
    concurrency,
    dryRun,
    onRejected: ({ row, code }) => heard.push(`${row} ${code}`),
  })
  const told = rejected.map(({ row, code }) => `${row} ${code}`)
  expect(heard.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual(told)
  const { rowsTotal, customersCreated, customersUpdated, customersUnchanged, rowsRejected } = result
  return {
    counts: { rowsTotal, customersCreated, customersUpdated, customersUnchanged, rowsRejected },
    found: customAttributesFound,
    rejected: told,
  }
}

/** The same rows, one after the other, through the functions that know nothing of files and batches. */
async function uploadOneByOne(
  store: CustomAttributesStore,
  account: string,
  { headers, rows, merge }: GeneratedFile,
): Promise<Account> {
  const mapping = mapColumns(headers, { knownAttributes: await store.getAttributeDefinitions(account) })
  const counts = { created: 0, updated: 0, unchanged: 0 }
  const found = new Set<string>()
  const rejected: string[] = []
  for (const [at, record] of rows.entries()) {
    if (record.every((cell) => cell.trim() === '')) continue
    try {
      const parsed = parseRow(mapping, record, { maxValueLength: MAX_VALUE_LENGTH })
      const customer = merge.emptyValues === 'clear' ? withBlanks(parsed, mapping) : parsed
      const { outcome } = await store.upsertCustomer(account, customer, merge)
      counts[outcome]++
      for (const name of Object.keys(parsed.custom_attributes)) found.add(name)
    } catch (error) {
      if (!isCustomAttributesError(error)) throw error
      rejected.push(`${at + 2} ${error.code}`)
    }
  }
  return {
    counts: {
      rowsTotal: counts.created + counts.updated + counts.unchanged + rejected.length,
      customersCreated: counts.created,
      customersUpdated: counts.updated,
      customersUnchanged: counts.unchanged,
      rowsRejected: rejected.length,
    },
    found: mapping.custom.filter((name) => found.has(name)),
    rejected,
  }
}

/** `parseRow` leaves blank cells out; to be cleared they have to be said. */
function withBlanks({ standard, custom_attributes }: ParsedRow, mapping: ColumnMapping): ParsedRow {
  const blanks = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, '']))
  return {
    standard: { ...blanks(mapping.standard), ...standard },
    custom_attributes: { ...blanks(mapping.custom), ...custom_attributes },
  }
}

const scenario = fc
  .nat(HOSTS.length - 1)
  .chain((host) =>
    fc.tuple(
      fc.constant(HOSTS[host]!),
      fc.array(fileFor(HOSTS[host]!.maxCustomAttributes), { minLength: 1, maxLength: 3 }),
    ),
  )

test('law: a CSV uploaded at once is its rows given one by one, in stored rows, counts and definitions', async () => {
  const sql = db.connect({ max: 8 })
  const stores = new Map(
    HOSTS.map((host) => [host, createCustomAttributesStore(sql, { ...host, maxValueLength: MAX_VALUE_LENGTH })]),
  )
  const reached: Record<string, number> = {}
  const count = (what: string, rows = 1) => {
    reached[what] = (reached[what] ?? 0) + rows
  }

  await checkLaw(
    'at once = one by one',
    fc.asyncProperty(scenario, async ([host, files]) => {
      const store = stores.get(host)!
      const atOnce = newAccount()
      const oneByOne = newAccount()
      for (const file of files.flatMap((file) => (file.isGivenTwice ? [file, file] : [file]))) {
        const before = file.isTriedFirst ? await contentsOf(sql, atOnce, host) : undefined
        const tried = file.isTriedFirst ? await uploadAtOnce(store, atOnce, file, true) : undefined
        if (before) expect(await contentsOf(sql, atOnce, host), 'a dry run stores nothing').toEqual(before)

        const [bulk, single] = await Promise.all([
          uploadAtOnce(store, atOnce, file),
          uploadOneByOne(store, oneByOne, file),
        ])
        expect(bulk).toEqual(single)
        if (tried) expect(tried, 'a dry run counts as the real one').toEqual(bulk)
        expect(await contentsOf(sql, atOnce, host)).toEqual(await contentsOf(sql, oneByOne, host))

        count('created', bulk.counts.customersCreated)
        count('updated', bulk.counts.customersUpdated)
        count('unchanged', bulk.counts.customersUnchanged)
        for (const reason of bulk.rejected) count(reason.split(' ')[1]!)
      }
    }),
    400,
  )

  // A law that meets only easy rows says little.
  console.log(`rows reached: ${JSON.stringify(reached)}`)
  const expected = ['created', 'updated', 'unchanged', 'COLUMN_COUNT_MISMATCH', 'CUSTOMER_EXISTS', 'CUSTOMER_NOT_FOUND']
  expected.push('EMAIL_REQUIRED', 'INVALID_CHARACTER', 'INVALID_EMAIL', 'INVALID_VALUE', 'ROW_REFUSED')
  expected.push('TOO_MANY_ATTRIBUTES', 'VALUE_TOO_LONG')
  expect(Object.keys(reached).sort()).toEqual(expected.sort())
  expect(Math.min(...Object.values(reached))).toBeGreaterThan(5)
}, 600_000)

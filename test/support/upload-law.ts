import fc from 'fast-check'
import type { Sql } from 'postgres'
import type { ColumnMapping, ColumnOptions } from '../../src/column-targets.js'
import { mapColumns } from '../../src/columns.js'
import type { UpsertOptions } from '../../src/db/upsert.js'
import { isCustomAttributesError, readMigrations } from '../../src/index.js'
import { type ParsedRow, parseRow } from '../../src/rows.js'
import type { CustomAttributesStore } from '../../src/store-methods.js'
import type { UploadResult } from '../../src/upload/options.js'
import { chunks, writeCsv } from './csv.js'
import { DEFAULT_TABLES } from './customers.js'
import { readSql } from './database.js'

/** The stores' `maxValueLength`. */
export const MAX_VALUE_LENGTH = 30

/** A host with the shipped schema, and one with triggers, other names and another cap; both refuse some rows. */
export const HOSTS = [
  { ...DEFAULT_TABLES, maxCustomAttributes: 10 },
  { customerTable: 'triggered.customer', definitionTable: 'triggered.definition', maxCustomAttributes: 4 },
]

/** Makes the tables of both hosts, in a migrated database. */
export async function prepareHosts(sql: Sql): Promise<void> {
  const reference = await readSql('reference/customer_table.sql')
  await sql
    .unsafe(
      reference.replaceAll('customer.customer', 'triggered.customer').replace('exists customer;', 'exists triggered;'),
    )
    .simple()
  for (const { up } of readMigrations(HOSTS[1])) await sql.unsafe(up).simple()
  await sql
    .unsafe(`
    create function triggered.judge() returns trigger language plpgsql as $$
    begin
      if new.city = 'raise' then raise exception 'not this city'; end if;
      return new;
    end $$;
    create trigger judge before insert or update on triggered.customer for each row execute function triggered.judge()`)
    .simple()
  for (const { customerTable } of HOSTS) {
    // Each by itself, as Citus wants them.
    await sql.unsafe(`alter table ${customerTable} add constraint no_refused_phone check (phone <> 'refused')`)
    await sql.unsafe(`alter table ${customerTable} add constraint vip_buys check (status <> 'vip' or orders_count > 0)`)
  }
}

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
export const fileFor = (maxAttributes: number) =>
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

export type GeneratedFile = ReturnType<typeof fileFor> extends fc.Arbitrary<infer Value> ? Value : never

/** The file's bytes, in the pieces in which it comes. */
export function bytesOf({ headers, rows, delimiter, lineEnd, quotes, cuts }: GeneratedFile) {
  let cells = 0
  const text = writeCsv([headers, ...rows], { delimiter, lineEnd, quotes: () => quotes[cells++ % quotes.length]! })
  const bytes = new TextEncoder().encode(text)
  const inside = cuts.filter((cut) => cut < bytes.length)
  return { bytes, inPieces: () => chunks(bytes, inside) }
}

/** What an upload says of itself. */
export interface Account {
  counts: Record<'rowsTotal' | 'customersCreated' | 'customersUpdated' | 'customersUnchanged' | 'rowsRejected', number>
  found: string[]
  /** row and code */
  rejected: string[]
}

/** What an upload says of itself, without what rows given one by one cannot say. */
export function accountOf({ customAttributesFound, rejected, ...result }: UploadResult): Account {
  const { rowsTotal, customersCreated, customersUpdated, customersUnchanged, rowsRejected } = result
  return {
    counts: { rowsTotal, customersCreated, customersUpdated, customersUnchanged, rowsRejected },
    found: customAttributesFound,
    rejected: rejected.map(({ row, code }) => `${row} ${code}`),
  }
}

/** The same rows, one after the other, through the functions that know nothing of files and batches. */
export async function uploadOneByOne(
  store: CustomAttributesStore,
  account: string,
  { headers, rows }: Pick<GeneratedFile, 'headers' | 'rows'>,
  options: UpsertOptions,
  columns: ColumnOptions = {},
): Promise<Account> {
  const mapping = mapColumns(headers, { ...columns, knownAttributes: await store.getAttributeDefinitions(account) })
  const counts = { created: 0, updated: 0, unchanged: 0 }
  const found = new Set<string>()
  const rejected: string[] = []
  for (const [at, record] of rows.entries()) {
    if (record.every((cell) => cell.trim() === '')) continue
    try {
      const parsed = parseRow(mapping, record, { maxValueLength: MAX_VALUE_LENGTH })
      const customer = options.emptyValues === 'clear' ? withBlanks(parsed, mapping) : parsed
      const { outcome } = await store.upsertCustomer(account, customer, options)
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

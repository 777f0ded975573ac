import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { inspectColumns } from '../../src/columns.js'
import { hasAddress } from '../../src/csv/dialect.js'
import { STANDARD_FIELDS } from '../../src/fields.js'
import { attributeNameFault } from '../../src/names.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { trim } from '../../src/trim.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { checkLaw } from '../support/law.js'

const db = useDatabase()

beforeAll(() => db.sql`alter table customer.customer alter column total_spent type numeric`)

/** What breaks files and spreadsheets, alone and together. */
const hard = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...'=+-@\'"\t\r\n,;| a1.'.split('')) },
      fc.constantFrom(
        '\r\n',
        '""',
        '="',
        'a@b.co',
        '007',
        '\u00a0',
        '\u200b',
        '\ufeff',
        '\u001e',
        '\u001f',
        'é',
        '🙂',
        '\\N',
      ),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => trim(parts.join('')))
const value = fc.oneof(
  hard,
  fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => trim(text.replace(/\0|\p{Cs}/gu, ''))),
  fc.constantFrom("'007", "'=1", '="00720"', '\'-5" pipe', "''1", "'a@b.co", 'NULL', 'sep=;', '-5', 'true', ''),
)
const name = fc
  .oneof(
    fc.constantFrom(
      'Tier',
      'tier',
      'E-Mail Address',
      'Vorname',
      'First Name',
      'Zip',
      'password',
      'error_code',
      'error_message',
      'id',
      'Created At',
      'sep=',
      '+49',
      '-',
      "'007",
      'toString',
      'a,b;c',
      'say "x"',
      'Größe',
    ),
    hard,
  )
  .filter((name) => attributeNameFault(name) === undefined && !STANDARD_FIELDS.has(name) && !hasAddress([name]))

const email = fc
  .tuple(fc.constantFrom('', "'", '=', '+', '-', "'=", "'1"), fc.nat(999))
  .map(([start, number]) => `${start}p${number}@example.com`)

const customer = fc.record(
  {
    email,
    first_name: value,
    city: value,
    birthday: fc.constantFrom('1990-12-31', '0001-01-01', '9999-12-31'),
    accepts_marketing: fc.boolean(),
    orders_count: fc.integer({ min: -5, max: 9 }),
    total_spent: fc.constantFrom('-0.10', '1e3', '123456789012345678901234567890.5', '1.000'),
    last_order_date: fc.constantFrom('2024-02-29T10:00:00.123456Z', '0099-01-01 00:00:00Z', '2024-01-01 00:00+05:30'),
  },
  { requiredKeys: ['email'] },
)

const account = fc.uniqueArray(name, { maxLength: 5 }).chain((names) =>
  fc.array(
    fc.tuple(customer, fc.array(value, { minLength: names.length, maxLength: names.length })).map(([one, values]) => ({
      ...one,
      custom_attributes: Object.fromEntries(names.map((name, at) => [name, values[at]!])),
    })),
    { maxLength: 6 },
  ),
)

const writing = fc.record({
  delimiter: fc.constantFrom(',' as const, ';' as const, '\t' as const, '|' as const),
  bom: fc.boolean(),
  formulas: fc.constantFrom('guard' as const, 'raw' as const),
})

/** Whether each name, as a header beside all fields, means the attribute; docs/exporting.md tells which do not. */
function areTheirOwn(names: readonly string[]): boolean {
  const fields = STANDARD_FIELDS.names
  const { mapping, problems } = inspectColumns([...fields, ...names])
  return problems.length === 0 && JSON.stringify(mapping.custom) === JSON.stringify(names)
}

test('law: an export uploaded into an empty account makes the same account', async () => {
  let plain = 0
  await checkLaw(
    'export and back',
    fc.asyncProperty(account, writing, fc.boolean(), async (customers, options, saysDelimiter) => {
      const store = createCustomAttributesStore(db.client)
      const [from, to] = [newAccount(), newAccount()]
      for (const one of customers) await store.upsertCustomer(from, one)
      const names = await store.getAttributeDefinitions(from)

      const bytes = new Uint8Array(
        await new Response(store.exportCsv(from, { ...options, audience: 'all' })).arrayBuffer(),
      )
      const isPlain = areTheirOwn(names)
      if (isPlain) plain++
      const columns = isPlain
        ? {}
        : { columns: Object.fromEntries(names.map((attribute) => [attribute, { attribute }])) }
      const result = await store.uploadCsv(to, bytes, {
        ...(saysDelimiter ? { delimiter: options.delimiter } : {}),
        ...columns,
      })
      expect(result.rejected).toEqual([])
      const had = await contentsOf(db.sql, from)
      expect(await contentsOf(db.sql, to)).toEqual(had)
      // And into the account itself it changes nothing.
      const again = await store.uploadCsv(from, bytes, {
        delimiter: options.delimiter,
        ...columns,
      })
      expect(again).toMatchObject({ customersUnchanged: had.customers.length, rowsRejected: 0 })
    }),
    1_000,
    30,
  )
  expect(plain).toBeGreaterThan(0)
})

import { expect, test } from 'vitest'
import { useDatabase } from '../support/database.js'

const db = useDatabase({ distributed: false })

const ACCOUNT = '00000000-0000-4000-8000-00000000000a'
const OTHER_ACCOUNT = '00000000-0000-4000-8000-00000000000b'

const columnsOf = (table: string) => db.sql`
  select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
    pg_get_expr(d.adbin, d.adrelid) as default
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = ${table}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`

const constraintsOf = (table: string) => db.sql`
  select conname as name, pg_get_constraintdef(oid) as definition from pg_constraint
  where conrelid = ${table}::regclass and contype in ('c', 'p', 'u') and convalidated order by conname`

const indexesOf = (table: string) => db.sql`
  select c.relname as name, pg_get_indexdef(c.oid) as definition from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = ${table}::regclass and i.indisvalid order by c.relname collate "C"`

const storeAttributes = (attributes: string) => db.sql`
  insert into customer.customer (account_id, email, custom_attributes)
  values (${ACCOUNT}, gen_random_uuid() || '@example.com', ${attributes}::text::jsonb)`

const manyNames = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`name ${index}`, 'x'])))

test('custom_attributes is jsonb, required, empty by default, with its comment', async () => {
  const columns = await columnsOf('customer.customer')
  expect(columns.at(-1)).toEqual({
    name: 'custom_attributes',
    type: 'jsonb',
    required: true,
    default: "'{}'::jsonb",
  })
  const [comment] = await db.sql`
    select col_description('customer.customer'::regclass, attnum) as text from pg_attribute
    where attrelid = 'customer.customer'::regclass and attname = 'custom_attributes'`
  expect(comment?.text).toBe(
    'Flexible storage for user-defined attributes from CSV uploads. Max 10 attributes per customer.',
  )
})

test('custom_attributes has a GIN index and a CHECK, and the customer is unique by account and email', async () => {
  expect(await indexesOf('customer.customer')).toContainEqual({
    name: 'customer_custom_attributes_idx',
    definition: 'CREATE INDEX customer_custom_attributes_idx ON customer.customer USING gin (custom_attributes)',
  })
  const constraints = await constraintsOf('customer.customer')
  expect(constraints.map(({ name }) => name)).toEqual([
    'customer_account_email_un',
    'customer_custom_attributes_check',
    'customer_pkey',
  ])
  expect(constraints[0]?.definition).toBe('UNIQUE (account_id, email)')
  expect(constraints[1]?.definition).toContain(
    "(jsonb_array_length(jsonb_path_query_array(custom_attributes, '$.*'::jsonpath)) <= 10)",
  )
})

test('the definition table has the columns, constraints, indexes and comment of the specification', async () => {
  const table = 'customer.custom_attribute_definition'
  expect([...(await columnsOf(table))]).toEqual([
    { name: 'id', type: 'uuid', required: true, default: 'gen_random_uuid()' },
    { name: 'account_id', type: 'uuid', required: true, default: null },
    { name: 'attribute_name', type: 'text', required: true, default: null },
    { name: 'last_seen_at', type: 'timestamp with time zone', required: true, default: 'now()' },
    { name: 'created_at', type: 'timestamp with time zone', required: true, default: 'now()' },
  ])
  expect([...(await constraintsOf(table))]).toEqual([
    { name: 'custom_attribute_definition_pkey', definition: 'PRIMARY KEY (id)' },
    { name: 'custom_attribute_definition_un', definition: 'UNIQUE (account_id, attribute_name)' },
  ])
  expect((await indexesOf(table)).map(({ definition }) => definition)).toEqual([
    'CREATE INDEX custom_attribute_definition_account_idx ON customer.custom_attribute_definition USING btree (account_id)',
    'CREATE INDEX custom_attribute_definition_last_seen_idx ON customer.custom_attribute_definition USING btree (last_seen_at)',
    'CREATE UNIQUE INDEX custom_attribute_definition_pkey ON customer.custom_attribute_definition USING btree (id)',
    'CREATE UNIQUE INDEX custom_attribute_definition_un ON customer.custom_attribute_definition USING btree (account_id, attribute_name)',
  ])
  const [comment] = await db.sql`select obj_description(${table}::regclass, 'pg_class') as text`
  expect(comment?.text).toBe('Tracks all unique custom attribute names per account for mail merge tag discovery')
})

test('the reference customer table has every standard field', async () => {
  const columns = new Map((await columnsOf('customer.customer')).map(({ name, ...column }) => [name, column]))
  const text = { type: 'text', required: false, default: null }
  const instant = { type: 'timestamp with time zone', required: true, default: 'now()' }
  expect(Object.fromEntries(columns)).toEqual({
    id: { type: 'uuid', required: true, default: 'gen_random_uuid()' },
    account_id: { type: 'uuid', required: true, default: null },
    email: { ...text, required: true },
    ...Object.fromEntries(
      (
        'first_name last_name phone company currency country province city address1 address2 postal_code timezone source ' +
        'status_reason last_order_id last_order_name source_id action_status domain_name'
      )
        .split(' ')
        .map((name) => [name, text]),
    ),
    status: { type: 'text', required: true, default: "'active'::text" },
    birthday: { ...text, type: 'date' },
    accepts_marketing: { ...text, type: 'boolean' },
    orders_count: { ...text, type: 'integer' },
    total_spent: { ...text, type: 'numeric(12,2)' },
    last_order_price: { ...text, type: 'numeric(12,2)' },
    last_order_date: { ...text, type: 'timestamp with time zone' },
    created_at: instant,
    updated_at: instant,
    custom_attributes: { type: 'jsonb', required: true, default: "'{}'::jsonb" },
  })
})

test('an account has an attribute name once; another account may have it too', async () => {
  const define = (account: string) => db.sql`
    insert into customer.custom_attribute_definition (account_id, attribute_name) values (${account}, 'loyalty_tier')`
  await define(ACCOUNT)
  await define(OTHER_ACCOUNT)
  await expect(define(ACCOUNT)).rejects.toMatchObject({
    code: '23505',
    constraint_name: 'custom_attribute_definition_un',
  })
})

test('the CHECK takes up to 10 names and refuses an 11th', async () => {
  await storeAttributes('{}')
  await storeAttributes(manyNames(10))
  // A nested value counts as the one name that it stands under.
  await storeAttributes('{"a": {"b": 1, "c": 2}, "d": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}')
  await expect(storeAttributes(manyNames(11))).rejects.toMatchObject({
    code: '23514',
    constraint_name: 'customer_custom_attributes_check',
  })
})

test.each(['[]', '[{"a": "x"}]', '["a"]', '"a"', '1', 'true', 'null'])('the CHECK refuses %s', async (attributes) => {
  await expect(storeAttributes(attributes)).rejects.toMatchObject({
    code: '23514',
    constraint_name: 'customer_custom_attributes_check',
  })
})

test('SQL null is refused', async () => {
  await expect(
    db.sql`insert into customer.customer (account_id, email, custom_attributes) values (${ACCOUNT}, 'n@example.com', null)`,
  ).rejects.toMatchObject({ code: '23502' })
})

import type { startServer } from './setting.js'
import { ACCOUNT, ATTRIBUTES, FIELDS } from './upload-data.js'

type Server = Awaited<ReturnType<typeof startServer>>

/** Customers as an upload leaves them, made where they are kept. */
export async function fillCustomers({ sql, resetSchema }: Server, customers: number): Promise<void> {
  await resetSchema()
  const text = (name: string) => `'${name} ' || n % 1000`
  await sql.unsafe(
    `insert into customer.customer (account_id, ${FIELDS.join(', ')}, status, custom_attributes)
     select $1::uuid, 'user' || n || '@example.com', ${FIELDS.slice(1).map(text).join(', ')}, 'active',
       jsonb_build_object(${ATTRIBUTES.map((name) => `'${name}', ${text(name)}`).join(', ')})
     from generate_series(1, $2::int) n`,
    [ACCOUNT, customers],
  )
  await sql`insert into customer.custom_attribute_definition ${sql(
    ATTRIBUTES.map((attribute_name) => ({ account_id: ACCOUNT, attribute_name })),
  )}`
  await sql`vacuum analyze customer.customer`
}

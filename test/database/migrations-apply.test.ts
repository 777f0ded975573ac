import { expect, test } from 'vitest'
import { useDatabase } from '../support/database.js'

const db = useDatabase()

test('the definition table takes a name once per account', async () => {
  const rows = await db.sql`select 1 as one from customer.customer`
  expect(rows).toHaveLength(0)
})

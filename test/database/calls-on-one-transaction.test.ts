import { expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'
import { untilLocked } from '../support/waiting.js'

const db = useDatabase()
const store = () => createCustomAttributesStore(db.client)

test('two calls at once on one transaction take turns: what is refused costs the other nothing', async () => {
  await db.sql`alter table customer.customer add constraint not_refused check (city <> 'refused')`
  for (let round = 0; round < samples(150, 6); round++) {
    const account = newAccount()
    const outcomes = await db.client.begin(async (tx) => {
      const inside = store().with(tx)
      return Promise.allSettled([
        inside.uploadCsv(account, 'email,city\na@example.com,refused\nb@example.com,Rome\n'),
        inside.upsertCustomer(account, { email: 'c@example.com', city: 'refused' }),
        inside.uploadCsv(account, 'email,city,Tier\nd@example.com,Oslo,gold\n'),
        inside.upsertCustomer(account, { email: 'e@example.com' }),
        inside.getCustomer(account, 'b@example.com'),
        inside.uploadCsv(account, 'email\nf@example.com\n', { dryRun: true }),
        inside.upsertAttributeDefinitions(account, ['Plan']),
      ])
    })
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
    ])
    const { customers, definitions } = await contentsOf(db.sql, account)
    expect(customers.map(({ email }) => email)).toEqual(['b@example.com', 'd@example.com', 'e@example.com'])
    expect(definitions).toEqual(['Plan', 'Tier'])
  }
})

test('transactions that each upsert and then upload wait for each other in order, and none deadlocks', async () => {
  const account = newAccount()
  const sql = db.connect({ max: 8 })
  const root = createCustomAttributesStore(sql)
  await root.uploadCsv(account, 'email\nshared@example.com\n')
  const transactions = Array.from({ length: 6 }, (_, at) =>
    sql.begin(async (tx) => {
      const inside = root.with(tx)
      if (at % 3 === 2) await inside.upsertAttributeDefinitions(account, ['Number', `Name ${at}`])
      else await inside.upsertCustomer(account, { email: at % 2 ? `p${at}@example.com` : 'shared@example.com' })
      await inside.uploadCsv(account, `email,Number\nshared@example.com,${at}\np${(at + 1) % 6}@example.com,${at}\n`)
    }),
  )
  await Promise.all([...transactions, root.uploadCsv(account, 'email,Number\nshared@example.com,9\n')])
  expect((await contentsOf(db.sql, account)).customers.length).toBeGreaterThan(5)
})

test.each([{}, { atomic: true }, { dryRun: true }])(
  'an aborted upload, %j, stores nothing however soon the host commits, and nothing of the host’s goes with it',
  async (mode) => {
    const account = newAccount()
    await store().upsertCustomer(account, { email: 'locked@example.com' })
    const holder = await db.sql.reserve()
    await holder`begin`
    await holder`select from customer.customer where account_id = ${account} for update`
    const controller = new AbortController()
    const client = db.connect({ max: 1 })
    try {
      const hosts = client.begin(async (tx) => {
        const call = store()
          .with(tx)
          .uploadCsv(account, 'email,city\nnew@example.com,Rome\nlocked@example.com,Rome\n', {
            ...mode,
            signal: controller.signal,
          })
        const refused = expect(call).rejects.toMatchObject({ code: 'ABORTED', details: { stored: { rowsTotal: 0 } } })
        await untilLocked(db.sql)
        controller.abort()
        await refused
        // Sent while the statement of the aborted call still waits for the lock, and not waited for before the commit.
        void tx`insert into customer.customer (account_id, email) values (${account}, 'host@example.com')`.execute()
        setTimeout(() => void holder`rollback`.execute(), 200)
      })
      await hosts
    } finally {
      holder.release()
    }
    const { customers } = await contentsOf(db.sql, account)
    expect(customers.map(({ email, city }) => [email, city])).toEqual([
      ['host@example.com', null],
      ['locked@example.com', null],
    ])
    // The next transaction on the connection meets nothing of it.
    const [row] = await client.begin((tx) => tx`select 1 as one`)
    expect(row).toEqual({ one: 1 })
  },
)

test('an aborted call leaves the transaction to its host: what comes after stays', async () => {
  const account = newAccount()
  await store().upsertCustomer(account, { email: 'locked@example.com' })
  const holder = await db.sql.reserve()
  await holder`begin`
  await holder`select from customer.customer where account_id = ${account} for update`
  const controller = new AbortController()
  try {
    const inside = db.client.begin(async (tx) => {
      const call = store().with(tx).uploadCsv(account, 'email,city\nlocked@example.com,Rome\nnew@example.com,Rome\n', {
        signal: controller.signal,
      })
      const refused = expect(call).rejects.toMatchObject({ code: 'ABORTED' })
      await untilLocked(db.sql)
      controller.abort()
      await refused
      const host = tx`insert into customer.customer (account_id, email) values (${account}, 'host@example.com')`
      await Promise.all([host, holder`rollback`])
    })
    await inside
  } finally {
    holder.release()
  }
  const { customers } = await contentsOf(db.sql, account)
  expect(customers.map(({ email, city }) => [email, city])).toEqual([
    ['host@example.com', null],
    ['locked@example.com', null],
  ])
})

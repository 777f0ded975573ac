import { describe, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { rejectionOf } from '../support/errors.js'

const db = useDatabase()

async function filled(csv: string) {
  const store = createCustomAttributesStore(db.client)
  const account = newAccount()
  await store.uploadCsv(account, csv)
  return { store, account }
}

describe('describeAttributes', () => {
  test('says of each attribute who has it, its values and what they look like', async () => {
    const { store, account } = await filled(
      'email,city,tier,points,score,joined,vip,boss,site,note\n' +
        'a@x.com,Rome,gold,7,1.5,2024-01-31,true,b@x.com,https://x.com/a,hi\n' +
        'b@x.com,Oslo,gold,-8,2,2024-02-01 10:00:00Z,no,c@x.com,http://x.com,\n' +
        'c@x.com,Rome,silver,9,.5,,Yes,,,\n' +
        'd@x.com,Rome,,,,,,,,\n',
    )
    await store.upsertAttributeDefinitions(account, ['never'])
    const found = await store.describeAttributes(account)
    expect(
      found.map(({ name, customers, share, distinctValues, kind }) => [name, customers, share, distinctValues, kind]),
    ).toEqual([
      ['boss', 2, 0.5, 2, 'email'],
      ['joined', 2, 0.5, 2, 'date'],
      ['never', 0, 0, 0, null],
      ['note', 1, 0.25, 1, 'text'],
      ['points', 3, 0.75, 3, 'integer'],
      ['score', 3, 0.75, 3, 'number'],
      ['site', 2, 0.5, 2, 'URL'],
      ['tier', 3, 0.75, 2, 'text'],
      ['vip', 3, 0.75, 3, 'boolean'],
    ])
    const tier = found.find(({ name }) => name === 'tier')!
    expect(tier.examples).toEqual(['gold', 'silver'])
    for (const moment of [tier.created_at, tier.last_seen_at]) expect(moment).toMatch(/^20\d\d-\d\d-\d\dT[\d:.]+Z$/)
  })

  test('a null that the host wrote is no value', async () => {
    const { store, account } = await filled('email,tier\na@x.com,gold\nb@x.com,silver\n')
    await db.sql`update customer.customer set custom_attributes = '{"tier": null}' where account_id = ${account} and email = 'b@x.com'`
    expect(await store.describeAttributes(account)).toMatchObject([{ customers: 1, share: 0.5, examples: ['gold'] }])
  })

  test('of an audience alone, by where and by emails', async () => {
    const { store, account } = await filled('email,city,tier\na@x.com,Rome,gold\nb@x.com,Oslo,gold\nc@x.com,Rome,\n')
    const of = async (audience: Parameters<typeof store.describeAttributes>[1]) =>
      (await store.describeAttributes(account, audience)).map(({ name, customers, share }) => [name, customers, share])
    expect(await of({ audience: { where: { city: 'Rome' } } })).toEqual([['tier', 1, 0.5]])
    expect(await of({ audience: { emails: ['B@x.com', 'nobody@x.com'] } })).toEqual([['tier', 1, 1]])
    expect(await of({ audience: { emails: [] } })).toEqual([['tier', 0, 0]])
    const wrong = { audience: { city: 'Rome' } as never }
    expect(await rejectionOf(store.describeAttributes(account, wrong))).toMatchObject({ code: 'INVALID_AUDIENCE' })
  })

  test('counts a thousand different values, and of more says that they are more', async () => {
    const rows = Array.from({ length: 1_001 }, (_, at) => `c${at}@x.com,v${Math.min(at, 999)},v${at}`)
    const { store, account } = await filled(`email,some,many\n${rows.join('\n')}\n`)
    const [many, some] = await store.describeAttributes(account)
    expect([some!.distinctValues, many!.distinctValues]).toEqual([1_000, 'more'])
    expect(some!.examples[0]).toBe('v999')
    expect(many!.examples).toHaveLength(5)
  })

  test('an account without attributes has none, whoever else has', async () => {
    await filled('email,tier\na@x.com,gold\n')
    expect(await createCustomAttributesStore(db.client).describeAttributes(newAccount())).toEqual([])
  })
})

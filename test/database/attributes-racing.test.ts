import { beforeAll, expect, test } from 'vitest'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { addOptionalTables, useDatabase } from '../support/database.js'
import { isFull, samples } from '../support/law.js'

const db = useDatabase()
beforeAll(async () => {
  await addOptionalTables(db.sql)
})

const CUSTOMERS = 60
const csv = (value: string, from: number, to: number, header = 'tier') =>
  `email,${header},own ${value}\n${Array.from({ length: to - from }, (_, at) => `c${from + at}@x.com,${value},${value}\n`).join('')}`

test(
  'law: uploads, a rename, a removal and an undo at once leave every customer as some order of them would',
  async () => {
    const sql = db.connect({ max: 8 })
    const store = createCustomAttributesStore(sql)
    for (let round = 0; round < samples(60, 4); round++) {
      const account = newAccount()
      await store.uploadCsv(account, csv('base', 0, CUSTOMERS))
      await store.upsertAttributeDefinitions(account, ['junk'])
      const small = { batchSize: 5, concurrency: 2 }
      const [a, b, renamed] = await Promise.all([
        store.uploadCsv(account, csv('A', 0, 40), { ...small, history: {} }),
        store.uploadCsv(account, csv('B', 20, 80), { ...small, history: {} }),
        store.renameAttribute(account, 'tier', 'level', round % 2 ? { batchSize: 7 } : {}),
        store.uploadCsv(account, csv('C', 50, 70, 'junk'), small),
        store.removeAttribute(account, 'junk'),
      ])
      expect(renamed.customersChanged).toBeGreaterThanOrEqual(CUSTOMERS)
      // An upload that began when the rename was over brought an attribute of the old name, which is its own.
      const records = await Promise.all([a, b].map(({ uploadId }) => store.getUpload(account, uploadId!)))
      const isTierNew = records.some(({ newAttributes }) => newAttributes.includes('tier'))
      const undone = store.undoUpload(account, a.uploadId!)
      await Promise.all([
        undone,
        store.undoUpload(account, b.uploadId!),
        store.uploadCsv(account, csv('D', 10, 15, 'level'), small),
      ])

      const { customers, definitions } = await contentsOf(db.sql, account)
      const label = `round ${round}`
      for (const { email, custom_attributes } of customers) {
        const number = Number(/\d+/.exec(email as string)![0])
        const attributes = custom_attributes as Record<string, string>
        expect(
          Object.keys(attributes).filter((name) => !definitions.includes(name)),
          `${label}, ${email}`,
        ).toEqual([])
        // Nobody keeps the old name, and nothing brings the removed one back once it is gone for good.
        if (isTierNew) expect([undefined, 'A', 'B'], `${label}, ${email}`).toContain(attributes.tier)
        else expect(attributes, `${label}, ${email}`).not.toHaveProperty('tier')
        // A value that was moved by the rename was changed since, so that undoing leaves it; else only who may have it, has it.
        const may = [
          ...(number < CUSTOMERS ? ['base'] : []),
          ...(number < 40 ? ['A'] : []),
          ...(number >= 20 && number < 80 ? ['B'] : []),
          ...(number >= 10 && number < 15 ? ['D'] : []),
        ]
        if (attributes.level !== undefined) expect(may, `${label}, ${email}`).toContain(attributes.level)
        if (number < CUSTOMERS) expect(attributes, `${label}, ${email}`).toMatchObject({ 'own base': 'base' })
        if (number >= 10 && number < 15)
          expect(attributes, `${label}, ${email}`).toMatchObject({ level: 'D', 'own D': 'D' })
        // What only one upload says is gone with it.
        expect(attributes).not.toHaveProperty('own A')
      }
      if (!isTierNew) expect(definitions).not.toContain('tier')
    }
    await sql.end()
  },
  isFull ? 600_000 : 120_000,
)

test.each(['rename', 'remove', 'undo'] as const)(
  'a backend that is killed in a %s leaves all or nothing',
  async (what) => {
    const store = createCustomAttributesStore(db.client)
    const account = newAccount()
    await store.uploadCsv(account, csv('base', 0, CUSTOMERS))
    const { uploadId } = await store.uploadCsv(account, csv('A', 0, CUSTOMERS), { history: {} })
    const before = await contentsOf(db.sql, account)
    // Held by one row, so that it is killed in the middle of its work.
    await db.sql.begin(async (holder) => {
      await holder`select from customer.customer where account_id = ${account} and email = 'c30@x.com' for update`
      const name = `killed ${what}`
      const client = db.connect({ max: 1, connection: { application_name: name } })
      const killed = createCustomAttributesStore(client)
      const work = {
        rename: () => killed.renameAttribute(account, 'tier', 'level'),
        remove: () => killed.removeAttribute(account, 'tier'),
        undo: () => killed.undoUpload(account, uploadId!),
      }[what]()
      const outcome = work.then(
        () => 'done',
        ({ code }) => code,
      )
      await expect
        .poll(
          async () =>
            (await db.sql`select from pg_stat_activity where application_name = ${name} and wait_event_type = 'Lock'`)
              .length,
        )
        .toBe(1)
      await db.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`
      expect(await outcome).toBe('CONNECTION_LOST')
      await client.end({ timeout: 1 })
    })
    expect(await contentsOf(db.sql, account)).toEqual(before)
    if (what === 'rename') await store.renameAttribute(account, 'tier', 'level')
    if (what === 'remove') await store.removeAttribute(account, 'tier')
    if (what === 'undo') await store.undoUpload(account, uploadId!)
    expect(await contentsOf(db.sql, account)).not.toEqual(before)
  },
)

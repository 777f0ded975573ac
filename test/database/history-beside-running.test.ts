import { beforeAll, expect, test } from 'vitest'
import { readMigrations } from '../../src/db/migrations.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { contentsOf, newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase({ distributed: false })
beforeAll(async () => {
  await db.sql.unsafe(readMigrations({ history: true })[2]!.up).simple()
})
const store = () => createCustomAttributesStore(db.client)

/** A file of which some is stored when the other thing is done, and some is to come. */
async function* fileAround(account: string, meanwhile: () => Promise<unknown>) {
  const address = (at: number) => `c${at}@${'x'.repeat(60)}.${'y'.repeat(60)}.com`
  yield `email,tier\n${Array.from({ length: samples(3_000, 1_000) }, (_, at) => `${address(at)},gold`.padEnd(450)).join('\n')}\n`
  await expect
    .poll(async () => (await db.sql`select from customer.customer where account_id = ${account}`).length)
    .toBeGreaterThan(0)
  await meanwhile()
  yield `${address(0)},silver\nlater@x.com,gold\n`
}

test('what an upload writes after it was undone can be undone, too', async () => {
  const account = newAccount()
  const undo = async () => store().undoUpload(account, (await store().listUploads(account))[0]!.id)
  const source = fileAround(account, async () => expect((await undo()).customersRemoved).toBeGreaterThan(0))
  const { uploadId } = await store().uploadCsv(account, source, { history: {}, batchSize: 100 })
  expect(await store().getUpload(account, uploadId!)).toMatchObject({ status: 'completed', undoneAt: null })
  const { customers } = await contentsOf(db.sql, account)
  expect(await undo()).toMatchObject({ customersRemoved: customers.length, attributesRemoved: ['tier'] })
  expect(await contentsOf(db.sql, account)).toEqual({ customers: [], definitions: [] })
  expect((await store().getUpload(account, uploadId!)).status).toBe('undone')
  expect(await undo()).toMatchObject({ customersRemoved: 0, customersRestored: 0, customersGone: 0 })
})

test('what an upload writes after its history was taken away goes with the next', async () => {
  const account = newAccount()
  const prune = () => store().pruneUploads(account, { olderThan: new Date('2999-01-01') })
  const count = async () =>
    (await db.sql`select from customer.custom_attribute_upload_change where account_id = ${account}`).length
  await store().uploadCsv(account, fileAround(account, prune), { history: {}, batchSize: 100 })
  expect(await count()).toBeGreaterThan(0)
  await prune()
  expect(await count()).toBe(0)
})

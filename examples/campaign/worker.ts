/**
 * A worker of campaigns, as many as you like: `DATABASE_URL=… SMTP_URL=smtps://user:password@host UNSUBSCRIBE_URL=https://…
 * UNSUBSCRIBE_SECRET=… node --import tsx examples/campaign/worker.ts`. SIGTERM lets it finish what it has begun.
 */
import { createHmac } from 'node:crypto'
import { createTransport } from 'nodemailer'
import PgBoss from 'pg-boss'
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { createCampaigns } from './campaign.js'
import { createQueues } from './queues.js'

const { DATABASE_URL, SMTP_URL, UNSUBSCRIBE_URL, UNSUBSCRIBE_SECRET, ...env } = process.env
if (!DATABASE_URL || !SMTP_URL || !UNSUBSCRIBE_URL || !UNSUBSCRIBE_SECRET)
  throw new Error('Set DATABASE_URL, SMTP_URL, UNSUBSCRIBE_URL and UNSUBSCRIBE_SECRET.')
const lease = Number(env.LEASE_SECONDS ?? 300)
const lanes = 8

const sql = postgres(DATABASE_URL)
// What dies with a worker is found by the maintenance of another.
const boss = new PgBoss({
  connectionString: DATABASE_URL,
  maintenanceIntervalSeconds: Math.max(1, Math.round(lease / 5)),
})
boss.on('error', (error) => console.error(error))
// Three timeouts can follow one upon the other, and the lease is longer than all of them.
const timeout = (lease * 1_000) / 4
const mailer = createTransport({
  url: SMTP_URL,
  pool: true,
  maxConnections: lanes,
  connectionTimeout: timeout,
  greetingTimeout: timeout,
  socketTimeout: timeout,
})

await boss.start()
await createQueues(boss, {
  lease,
  retries: Number(env.RETRIES ?? 10),
  retryDelay: Number(env.RETRY_SECONDS ?? 30),
})
const campaigns = createCampaigns({
  sql,
  boss,
  store: createCustomAttributesStore(sql),
  mailer,
  // The token keeps others from unsubscribing customers whose ids they guess.
  unsubscribeUrl: ({ id }) => {
    const token = createHmac('sha256', UNSUBSCRIBE_SECRET).update(id).digest('base64url')
    return `${UNSUBSCRIBE_URL}?customer=${id}&token=${token}`
  },
  lease,
  perSecond: Number(env.PER_SECOND ?? 10),
  lanes,
})
await campaigns.work()
console.log('Working.')

process.once('SIGTERM', async () => {
  await boss.stop({ timeout: lease * 1_000 })
  mailer.close()
  await sql.end()
})

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createTransport, type Transporter } from 'nodemailer'
import PgBoss from 'pg-boss'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { SMTPServer } from 'smtp-server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createCampaigns } from '../../examples/campaign/campaign.js'
import { createQueues } from '../../examples/campaign/queues.js'
import { childEnvironment } from '../support/child-environment.js'
import { newAccount } from '../support/customers.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { samples } from '../support/law.js'
import { until } from '../support/waiting.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const SCHEMA = new URL('../../examples/campaign/schema.sql', import.meta.url)
const LEASE = 8

/** A message that the server has accepted. */
interface Accepted {
  to: string
  messageId: string
  /** the name with which the worker has logged in */
  worker: string
  source: string
}

type Verdict = { refuse?: number }

let db: TestDatabase
let boss: PgBoss
let server: SMTPServer
let smtpUrl: (user: string) => string
let accepted: Accepted[]
/** Asked before a message is accepted. */
let judge: (message: Accepted) => Verdict
/** Called when a message has been accepted and the worker has not been told yet. */
let onAccepted: (message: Accepted) => void
let workers: Map<string, ChildProcess>
let mailer: Transporter | undefined

beforeEach(async () => {
  db = await createDatabase()
  await db.sql.unsafe(await readFile(SCHEMA, 'utf8')).simple()
  boss = new PgBoss({ connectionString: db.url, supervise: true, maintenanceIntervalSeconds: 1 })
  boss.on('error', () => {})
  await boss.start()
  await createQueues(boss, { lease: LEASE, retries: 20, retryDelay: 1 })
  accepted = []
  workers = new Map()
  judge = () => ({})
  onAccepted = () => {}
  server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: ({ username }, _session, callback) => callback(null, { user: username }),
    onData: async (stream, session, callback) => {
      const source = await text(stream).catch(() => undefined)
      // The worker died in the middle of it.
      if (source === undefined) return
      const message: Accepted = {
        to: session.envelope.rcptTo[0]!.address,
        messageId: /^Message-ID:\s*(<[^>]*>)/im.exec(source)![1]!,
        worker: String(session.user),
        source,
      }
      const { refuse } = judge(message)
      if (refuse) return callback(Object.assign(new Error(`No to ${message.to}`), { responseCode: refuse }))
      accepted.push(message)
      onAccepted(message)
      callback()
    },
  })
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  smtpUrl = (user) => `smtp://${user}:secret@127.0.0.1:${port}`
})

afterEach(async () => {
  const ended = [...workers.values()].filter(isAlive).map((child) => once(child, 'close'))
  for (const child of workers.values()) child.kill('SIGKILL')
  await Promise.all(ended)
  await boss.stop({ timeout: 10_000 })
  mailer?.close()
  await new Promise<void>((closed) => server.close(closed))
  await db.drop()
})

const isAlive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

/** A worker process, logged in at the SMTP server by its name. */
function startWorker(name: string, perSecond: number, lease = LEASE): void {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/campaign/worker.ts'], {
    cwd: root,
    env: childEnvironment({
      DATABASE_URL: db.url,
      SMTP_URL: smtpUrl(name),
      UNSUBSCRIBE_URL: 'https://example.com/unsubscribe',
      UNSUBSCRIBE_SECRET: 'a secret',
      LEASE_SECONDS: String(lease),
      RETRIES: '20',
      RETRY_SECONDS: '1',
      PER_SECOND: String(perSecond),
    }),
    stdio: 'ignore',
  })
  workers.set(name, child)
}

/** The campaigns of this process: with `work()` a worker in it. */
function openCampaigns(lease = LEASE) {
  mailer = createTransport(smtpUrl('here'))
  return createCampaigns({
    sql: db.sql,
    boss,
    store: createCustomAttributesStore(db.client),
    mailer,
    unsubscribeUrl: ({ id }) => `https://example.com/unsubscribe?customer=${id}`,
    lease,
    perSecond: 100,
    lanes: 4,
  })
}

async function addCustomers(account: string, count: number): Promise<void> {
  await createCustomAttributesStore(db.client).uploadRows(account, [
    ['email', 'first_name', 'accepts_marketing', 'tier'],
    ...Array.from({ length: count }, (_, n) => [`c${n}@example.com`, 'Ada', 'true', n % 10 ? 'gold' : 'silver']),
  ])
}

const campaignFor = (accountId: string) => ({
  id: randomUUID(),
  accountId,
  sender: 'news@shop.example',
  message: { subject: 'Hi {{first_name}}', text: 'Your tier is {{tier}}. Leave: {{unsubscribe_url}}' },
  audience: { where: { accepts_marketing: true, tier: 'gold' } },
})

/** Numbers from 0 to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('a campaign', () => {
  test('under fire: everybody gets it, twice only by a death between acceptance and note, nobody who has left', async () => {
    const [recipients, crew, kills, leavers, perSecond] = [
      samples(20_000, 200),
      samples(4, 2),
      samples(50, 3),
      samples(200, 1),
      samples(80, 40),
    ]
    const seed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)
    const random = randomOf(seed)
    const account = newAccount()
    await addCustomers(account, Math.ceil(recipients / 0.9))
    const campaigns = openCampaigns()
    const campaign = campaignFor(account)

    const killed = new Set<string>()
    let started = 0
    const hire = () => startWorker(`w${started++}`, perSecond)
    const kill = (name: string) => {
      killed.add(name)
      workers.get(name)!.kill('SIGKILL')
      hire()
    }
    const someWorker = () => {
      const alive = [...workers].filter(([name, child]) => !killed.has(name) && isAlive(child))
      return alive[Math.floor(random() * alive.length)]![0]
    }
    const moments = (count: number) =>
      Array.from({ length: count }, () => Math.floor((0.05 + random() * samples(0.85, 0.35)) * recipients)).sort(
        (a, b) => a - b,
      )

    // Every other death comes when a message is accepted and its worker has not heard of it.
    let deathsOnAcceptance = 0
    judge = () => (random() < 0.1 ? { refuse: 451 } : {})
    onAccepted = ({ worker }) => {
      if (deathsOnAcceptance === 0 || killed.has(worker)) return
      deathsOnAcceptance--
      kill(worker)
    }

    await campaigns.start(campaign)
    await campaigns.start(campaign)
    for (let n = 0; n < crew; n++) hire()

    const leftAt = new Map<string, number>()
    const leave = async () => {
      const [left] = await db.sql`
        with left_now as (
          select customer_id, email from campaign_delivery
          where campaign_id = ${campaign.id} and state = 'queued' order by random() limit 1 for update skip locked)
        update customer.customer as c set accepts_marketing = false from left_now
        where c.account_id = ${account} and c.id = left_now.customer_id returning c.email`
      if (left) leftAt.set(left.email, accepted.length)
    }
    const events = [
      ...moments(kills).map((at, n) => ({ at, run: () => (n % 2 ? kill(someWorker()) : deathsOnAcceptance++) })),
      ...moments(leavers).map((at) => ({ at, run: leave })),
    ].sort((a, b) => a.at - b.at)
    for (const { at, run } of events) {
      await until('messages arrive', () => accepted.length >= at, 300)
      await run()
    }
    await until(
      'all have an outcome',
      async () => {
        const { read, states } = (await campaigns.progress(campaign.id))!
        return read && !states.queued && !states.sending
      },
      600,
    )

    const byAddress = new Map<string, Accepted[]>()
    for (const message of accepted) byAddress.set(message.to, [...(byAddress.get(message.to) ?? []), message])
    const audience = await db.sql`select customer_id, email, state, message_id, error from campaign_delivery
      where campaign_id = ${campaign.id}`
    const customers = await db.sql`select email from customer.customer
      where account_id = ${account} and custom_attributes ->> 'tier' = 'gold'`
    expect(audience.length).toBe(customers.length)
    for (const { customer_id, email, state, error } of audience) {
      const messages = byAddress.get(email) ?? []
      const left = leftAt.get(email)
      if (left === undefined) expect([email, state, error, messages.length > 0]).toEqual([email, 'sent', null, true])
      expect(new Set(messages.map(({ messageId }) => messageId)).size).toBeLessThanOrEqual(1)
      for (const { messageId } of messages) expect(messageId).toBe(`<${campaign.id}.${customer_id}@shop.example>`)
      for (const earlier of messages.slice(0, -1)) expect(killed).toContain(earlier.worker)
    }
    expect(leftAt.size).toBeGreaterThan(0)
    for (const [email, at] of leftAt) expect(accepted.slice(at).some(({ to }) => to === email)).toBe(false)
    expect([...byAddress.keys()].every((address) => audience.some(({ email }) => email === address))).toBe(true)
    expect(killed.size).toBe(kills)
    const duplicates = accepted.length - new Set(accepted.map(({ messageId }) => messageId)).size
    expect(duplicates).toBe(accepted.length - byAddress.size)
    console.log(
      `campaign: seed ${seed}, ${audience.length} recipients, ${killed.size} workers killed, ${leftAt.size} left, ` +
        `${accepted.length} accepted, ${duplicates} twice`,
    )
  })

  test('stops and goes on; refused for good and given up at the end are failed, without an address in the ledger', async () => {
    const account = newAccount()
    await addCustomers(account, 60)
    await createQueues(boss, { lease: LEASE, retries: 1, retryDelay: 1 })
    const campaigns = openCampaigns()
    const campaign = campaignFor(account)
    judge = ({ to }) => ({ refuse: { 'c1@example.com': 550, 'c2@example.com': 451 }[to] })
    let stopped: Promise<void> | undefined
    onAccepted = () => {
      if (accepted.length === 10) stopped = campaigns.stop(campaign.id)
    }
    await campaigns.start(campaign)
    await campaigns.work()
    await until('ten messages arrive', () => stopped !== undefined)
    await stopped
    // Deliveries after the stop leave their rows as they are: those that were on their way end, and no job is left.
    await expect.poll(async () => (await campaigns.progress(campaign.id))!.states.sending ?? 0).toBe(0)
    await expect.poll(() => boss.getQueueSize('campaign-deliver', { before: 'completed' })).toBe(0)
    expect((await campaigns.progress(campaign.id))!.states.queued).toBeGreaterThan(0)

    await campaigns.resume(campaign.id)
    await expect
      .poll(async () => (await campaigns.progress(campaign.id))!)
      .toEqual({ status: 'running', read: true, states: { sent: 52, failed: 2 } })
    const failed =
      await db.sql`select email, attempts, error from campaign_delivery where state = 'failed' order by email`
    expect([...failed]).toEqual([
      { email: 'c1@example.com', attempts: 1, error: 'EMESSAGE 550' },
      { email: 'c2@example.com', attempts: expect.any(Number), error: 'EMESSAGE 451' },
    ])
    expect(accepted).toHaveLength(52)
    expect(accepted[0]!.source).toMatch(
      /^List-Unsubscribe:\s+<https:\/\/example\.com\/unsubscribe\?customer=[\w-]{36}>\s*$/m,
    )
    expect(accepted[0]!.source).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\s*$/m)
  })

  test('a worker that is told to end finishes what it has begun', async () => {
    const account = newAccount()
    await addCustomers(account, 100)
    const campaigns = openCampaigns()
    const campaign = campaignFor(account)
    await campaigns.start(campaign)
    // It waits as long as a lease for what it has begun.
    startWorker('w0', 20, 300)
    await until('messages arrive', () => accepted.length > 0)
    const worker = workers.get('w0')!
    const ended = once(worker, 'close')
    worker.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    const { states } = (await campaigns.progress(campaign.id))!
    expect([states.sending, states.sent]).toEqual([undefined, accepted.length])
  })

  test('what is wrong with message or audience is told at the start', async () => {
    const account = newAccount()
    await addCustomers(account, 1)
    const campaigns = openCampaigns()
    const campaign = campaignFor(account)
    await expect(campaigns.start({ ...campaign, audience: { where: { teir: 'gold' } } })).rejects.toMatchObject({
      code: 'INVALID_AUDIENCE',
    })
    expect(await campaigns.progress(campaign.id)).toBeUndefined()
  })
})

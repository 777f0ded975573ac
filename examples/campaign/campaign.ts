/**
 * A campaign: everybody of an audience gets a message, by workers on pg-boss in the same PostgreSQL. Jobs may run twice, be
 * killed or come late; what was done stands in the ledger (`campaign_delivery`), and each job asks it first. docs/campaign.md
 * tells how it holds together.
 */
import type { Transporter } from 'nodemailer'
import type PgBoss from 'pg-boss'
import type { Sql, TransactionSql } from 'postgres'
import type { Audience, CustomAttributesStore, Customer, MessageParts } from 'postgres-custom-attributes'
import { DELIVER, type DeliverJob, PART, type PartJob, UNDELIVERED } from './queues.js'

export interface Campaign {
  /** a uuid that you make: to start the same campaign again changes nothing */
  id: string
  accountId: string
  /** the address that messages come from; its domain also ends their Message-IDs */
  sender: string
  message: MessageParts
  audience: Audience
  /** how many parts are read side by side; default 4 */
  parts?: number
}

export interface CampaignSettings {
  sql: Sql
  boss: PgBoss
  store: CustomAttributesStore
  mailer: Pick<Transporter, 'sendMail'>
  /** an https address of yours where a POST unsubscribes that customer (RFC 8058); the tag `{{unsubscribe_url}}` also */
  unsubscribeUrl: (customer: Customer) => string
  /** seconds after which a claim is that of a dead worker: more than the mailer's timeouts together */
  lease: number
  /** messages a second that one worker sends at most */
  perSecond: number
  /** how many messages a worker sends side by side */
  lanes: number
}

/** How many customers a part job queues before it hands over to the next one. */
const STEP = 1_000

export function createCampaigns({
  sql,
  boss,
  store,
  mailer,
  unsubscribeUrl,
  lease,
  perSecond,
  lanes,
}: CampaignSettings) {
  const mergeOptions = (audience: Audience) => ({
    audience,
    missing: 'error' as const,
    extraTags: (customer: Customer) => ({ unsubscribe_url: unsubscribeUrl(customer) }),
  })

  /** Starts a campaign; its parts read the audience from here on. */
  async function start({ id, accountId, sender, message, audience, parts = 4 }: Campaign): Promise<void> {
    // What is wrong with message or audience is the caller's error, now, and not that of a job.
    const { extraTags } = mergeOptions(audience)
    await store.preflight(accountId, message, { audience, extraTags })
    await sql.begin(async (tx) => {
      const created = await tx`
        insert into campaign (id, account_id, sender, message, audience)
        values (${id}, ${accountId}, ${sender}, ${tx.json({ ...message })}, ${tx.json(audience as never)})
        on conflict do nothing returning id`
      if (created.length === 0) return
      const jobs = Array.from({ length: parts }, (_, index): PartJob => ({ campaignId: id, index }))
      for (const { index } of jobs) {
        await tx`insert into campaign_part (campaign_id, index, parts) values (${id}, ${index}, ${parts})`
      }
      await enqueue(tx, PART, jobs)
    })
  }

  /** Workers send nothing more of it; messages that are on their way arrive. */
  async function stop(id: string): Promise<void> {
    await sql`update campaign set status = 'stopped' where id = ${id}`
  }

  /** Goes on: parts that are not done, and everybody without an outcome. Jobs that are still there find nothing to do. */
  async function resume(id: string): Promise<void> {
    await sql.begin(async (tx) => {
      await tx`update campaign set status = 'running' where id = ${id}`
      const parts = await tx`select index from campaign_part where campaign_id = ${id} and not done`
      await enqueue(
        tx,
        PART,
        parts.map(({ index }): PartJob => ({ campaignId: id, index })),
      )
      let rows: readonly { customer_id?: string }[]
      let after: string | null = null
      do {
        rows = await tx`
          select customer_id from campaign_delivery
          where campaign_id = ${id} and state in ('queued', 'sending') and (${after}::uuid is null or customer_id > ${after})
          order by customer_id limit ${STEP}`
        await enqueue(tx, DELIVER, deliveries(id, rows))
        after = rows.at(-1)?.customer_id ?? null
      } while (rows.length === STEP)
    })
  }

  /** How many customers are in which state, and whether all of the audience has been read. */
  async function progress(id: string) {
    const [row] = await sql`
      select status, (select bool_and(done) from campaign_part where campaign_id = c.id) as read,
        (select coalesce(jsonb_object_agg(state, customers), '{}') from (select state, count(*) as customers
          from campaign_delivery where campaign_id = c.id group by state) as states) as states
      from campaign as c where id = ${id}`
    return row as { status: string; read: boolean; states: Partial<Record<string, number>> } | undefined
  }

  /**
   * Queues the next customers of a part and hands over to the next job, in one transaction: a job that is killed has done all
   * of that or nothing, and one that runs twice finds that `after` has moved and does nothing.
   */
  async function queuePart({ campaignId, index }: PartJob): Promise<void> {
    const [part] = await sql`
      select c.*, p.parts, p.after from campaign_part as p join campaign as c on c.id = p.campaign_id
      where p.campaign_id = ${campaignId} and p.index = ${index} and not p.done and c.status = 'running'`
    if (!part) return
    const rows: Record<string, unknown>[] = []
    const after: string | null = part.after
    for await (const result of store.mailMerge(part.account_id, part.message as MessageParts, {
      ...mergeOptions(part.audience),
      part: { index, of: part.parts },
      recheck: true,
      after: after ?? undefined,
    })) {
      rows.push({
        campaign_id: campaignId,
        customer_id: result.customer.id,
        email: result.customer.email,
        message_id: `<${campaignId}.${result.customer.id}@${part.sender.split('@').at(-1)}>`,
        state: result.ok ? 'queued' : 'skipped',
        error: result.ok ? null : `no value for ${result.missing.join(', ')}`,
      })
      if (rows.length === STEP) break
    }
    await sql.begin(async (tx) => {
      const done = rows.length < STEP
      const moved = await tx`
        update campaign_part set done = ${done}, after = ${(rows.at(-1)?.customer_id as string) ?? after}
        where campaign_id = ${campaignId} and index = ${index} and not done and after is not distinct from ${after}
        returning index`
      if (moved.length === 0) return
      if (rows.length > 0) {
        const queued = await tx`
          insert into campaign_delivery ${tx(rows)} on conflict do nothing returning customer_id, state`
        await enqueue(
          tx,
          DELIVER,
          deliveries(
            campaignId,
            queued.filter(({ state }) => state === 'queued'),
          ),
        )
      }
      if (!done) await enqueue(tx, PART, [{ campaignId, index }])
    })
  }

  /** Sends to one customer, unless the ledger or the customer says otherwise. What it throws, the queue tries again. */
  async function deliver({ campaignId, customerId }: DeliverJob): Promise<void> {
    const [claim] = await sql`
      update campaign_delivery as d set state = 'sending', attempts = attempts + 1, claimed_at = now()
      from campaign as c
      where d.campaign_id = ${campaignId} and d.customer_id = ${customerId} and c.id = d.campaign_id and c.status = 'running'
        and (d.state = 'queued' or d.state = 'sending' and d.claimed_at < now() - make_interval(secs => ${lease}))
      returning d.email, d.message_id, d.attempts, c.*`
    if (!claim) {
      const held = await sql`
        select from campaign_delivery as d join campaign as c on c.id = d.campaign_id
        where d.campaign_id = ${campaignId} and d.customer_id = ${customerId} and d.state = 'sending' and c.status = 'running'`
      if (held.length > 0) throw new Error('Claimed by another worker: asked again when that must have ended.')
      return
    }
    // Who was so slow that another claimed the row has no say any more, except that the message is out.
    const note = (state: string, error: string | null = null) => sql`
      update campaign_delivery set state = ${state}, error = ${error}
      where campaign_id = ${campaignId} and customer_id = ${customerId} and (attempts = ${claim.attempts} or ${state === 'sent'})`
    try {
      // The merge of one customer: of the audience still, and with the values of this moment.
      const audience = only(claim.audience, claim.email)
      const merge = store.mailMerge(claim.account_id, claim.message as MessageParts, mergeOptions(audience))
      const { value: result } = await merge[Symbol.asyncIterator]().next()
      if (result?.customer.id !== customerId) return void (await note('skipped', 'no longer of the audience'))
      if (!result.ok) return void (await note('skipped', `no value for ${result.missing.join(', ')}`))
      await mailer.sendMail({
        ...result.content,
        from: claim.sender,
        to: { name: '', address: claim.email },
        messageId: claim.message_id,
        headers: {
          'List-Unsubscribe': `<${unsubscribeUrl(result.customer)}>`,
          'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
        },
      })
    } catch (error) {
      // The code alone: the text of a server's answer may hold the address.
      const { code, responseCode = 0 } = error as { code?: string; responseCode?: number }
      const refused = (code === 'EENVELOPE' || code === 'EMESSAGE') && responseCode >= 500
      await note(refused ? 'failed' : 'queued', [code ?? 'failed', responseCode || ''].join(' ').trim())
      if (refused) return
      throw error
    }
    await note('sent')
  }

  /** Jobs that failed for the last time: a delivery has failed, a part that cannot be read stops its campaign. */
  async function giveUp({ campaignId, customerId }: PartJob & Partial<DeliverJob>): Promise<void> {
    if (customerId === undefined) return stop(campaignId)
    await sql`
      update campaign_delivery set state = 'failed', error = coalesce(error, 'workers died')
      where campaign_id = ${campaignId} and customer_id = ${customerId} and state in ('queued', 'sending')`
  }

  /** Works off the queues until `boss.stop()`. A batch a second is the rate. */
  async function work(): Promise<void> {
    await boss.work<PartJob>(PART, { pollingIntervalSeconds: 1 }, ([job]) => queuePart(job!.data))
    await boss.work<DeliverJob>(DELIVER, { batchSize: perSecond, pollingIntervalSeconds: 1 }, async (jobs) => {
      const waiting = jobs.values()
      const failed: string[] = []
      const lane = async () => {
        for (const job of waiting) await deliver(job.data).catch(() => failed.push(job.id))
      }
      await Promise.all(Array.from({ length: lanes }, lane))
      // Failed one by one; pg-boss then completes those of the batch that are still active.
      if (failed.length > 0) await boss.fail(DELIVER, failed)
    })
    await boss.work<PartJob & Partial<DeliverJob>>(UNDELIVERED, { batchSize: 100 }, async (jobs) => {
      for (const job of jobs) await giveUp(job.data)
    })
  }

  /** Inserts jobs in a transaction of ours: they are there when it commits, or never. */
  async function enqueue(tx: TransactionSql, name: string, jobs: readonly object[]): Promise<void> {
    if (jobs.length === 0) return
    await boss.insert(
      jobs.map((data) => ({ name, data })),
      {
        db: {
          // The jobs come as JSON text, which postgres.js would quote once more; 114 is the type json.
          executeSql: async (text, [json, ...values]) => ({
            rows: await tx.unsafe(text, [
              tx.typed(JSON.parse(json) as never, 114),
              ...values.map((value) => value ?? null),
            ]),
          }),
        },
      },
    )
  }

  return { start, stop, resume, progress, work }
}

const deliveries = (campaignId: string, rows: readonly { customer_id?: string }[]): DeliverJob[] =>
  rows.map(({ customer_id }) => ({ campaignId, customerId: customer_id! }))

/** An audience, and of it the customer with this address. */
function only(audience: Audience, email: string): Audience {
  if (audience === 'all' || 'emails' in audience) return { emails: [email] }
  return { ...audience, where: { email, all: [audience.where] } }
}

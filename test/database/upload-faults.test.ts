import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { type CustomAttributesStore, createCustomAttributesStore, isCustomAttributesError } from '../../src/index.js'
import { useDatabase } from '../support/database.js'
import { samples } from '../support/law.js'

const db = useDatabase()
/** Every fault in every phase nine times, or every fault twice and every phase three times. */
const ROUNDS = samples(320, 15)
const ROWS = 120
const PHASES = ['reading', 'first batch', 'middle', 'last batch', 'definitions'] as const
const FAULTS = [
  'backend killed',
  'pool exhausted',
  'statement timeout',
  'lock timeout',
  'source fails',
  'abort',
  'disk full',
] as const
type Phase = (typeof PHASES)[number]

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const csv = `email,first_name,tier,plan\n${Array.from({ length: ROWS }, (_, at) => `c${at}@x.com,new${at},gold,pro`).join('\n')}\n`
const clients: postgres.Sql[] = []
afterAll(() => Promise.all(clients.map((client) => client.end({ timeout: 1 }))))

/** A store whose statements are watched: `onPhase` is called as the statement of a phase is about to be sent. */
function watchedStore(
  name: string,
  onPhase: (phase: Phase) => void,
): { store: CustomAttributesStore; client: postgres.Sql } {
  let batches = 0
  const client = db.connect({
    max: 3,
    backoff: () => 0.005,
    // The client's own query for array types has no promise: where a fault ends it, the process ends.
    fetch_types: false,
    connection: { application_name: name },
    debug: (_, text) => {
      if (text.includes('do update set last_seen_at')) onPhase('definitions')
      else if (/insert into "customer"."customer"/.test(text)) {
        batches++
        if (batches === 1) onPhase('first batch')
        if (batches === 6) onPhase('middle')
        if (batches === 12) onPhase('last batch')
      }
    },
  })
  clients.push(client)
  return { store: createCustomAttributesStore(client), client }
}

async function* source(onRead: () => void, fails: () => boolean): AsyncGenerator<string> {
  for (let at = 0; at < csv.length; at += 1000) {
    if (at === 2000) onRead()
    if (fails()) throw new Error('the disk went away')
    yield csv.slice(at, at + 1000)
    await sleep(1)
  }
}

test(`${ROUNDS} faults in every phase: no hung promise, no half customer, uploading again completes`, async () => {
  const seed = Number(process.env.FAULT_SEED ?? Date.now() % 2 ** 31)
  console.log(`fault seed ${seed}`)
  const next = random(seed)
  const hit = new Map<string, number>()
  await db.sql`create function disk_full() returns trigger language plpgsql as $$ begin
    if current_setting('application_name') = 'disk full' and random() < 0.02 then
      raise exception 'could not extend file' using errcode = '53100'; end if; return new; end $$`
  await db.sql`create trigger disk_full after insert or update on customer.customer
    for each row execute function disk_full()`

  for (let round = 0; round < ROUNDS; round++) {
    const account = `00000000-0000-4000-8000-${String(round).padStart(12, '0')}`
    const fault = FAULTS[round % FAULTS.length]!
    const wanted = PHASES[(round + Math.floor(round / FAULTS.length)) % PHASES.length]!
    const atomic = next() < 0.3
    const plain = createCustomAttributesStore(db.client)
    // Half of the customers are there, in an old state.
    const old = Array.from({ length: ROWS / 2 }, (_, at) => `c${at * 2}@x.com,old,silver,mine`).join('\n')
    await plain.uploadCsv(account, `email,first_name,tier,own\n${old}\n`)

    const stop = new AbortController()
    let failSource = false
    let isHit = false
    const name = fault === 'disk full' ? 'disk full' : `fault ${round}`
    const strike = (phase: Phase) => {
      if (phase !== wanted || isHit) return
      isHit = true
      hit.set(phase, (hit.get(phase) ?? 0) + 1)
      if (fault === 'backend killed') {
        void db.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name} and datname = current_database()`.catch(
          () => {},
        )
      } else if (fault === 'abort') setTimeout(() => stop.abort(), next() * 3)
      else if (fault === 'source fails') failSource = true
      else if (fault === 'pool exhausted')
        for (let at = 0; at < 6; at++) void client`select pg_sleep(0.05)`.catch(() => {})
      else if (fault === 'lock timeout' || fault === 'statement timeout') {
        void db.sql
          .begin(async (tx) => {
            await tx`select 1 from customer.customer where account_id = ${account} for update`
            await sleep(60)
          })
          .catch(() => {})
      }
    }
    const { store, client } = watchedStore(name, strike)
    if (fault === 'lock timeout') await setOn(client, 'lock_timeout', '20ms')
    if (fault === 'statement timeout') await setOn(client, 'statement_timeout', '20ms')
    const outcome = await Promise.race([
      store
        .uploadCsv(
          account,
          source(
            () => strike('reading'),
            () => failSource,
          ),
          {
            batchSize: 10,
            concurrency: 2,
            atomic,
            signal: stop.signal,
          },
        )
        .then(
          (result) => ({ result, error: undefined }),
          (error) => ({ result: undefined, error }),
        ),
      sleep(200_000, 'hung' as const, { ref: false }),
    ])
    const label = `round ${round}: ${fault} at ${wanted}${atomic ? ', atomic' : ''}`
    if (outcome === 'hung') throw new Error(`${label}: hung`)
    if (outcome.error && !isCustomAttributesError(outcome.error)) throw outcome.error
    await client.end({ timeout: 1 })

    const rows =
      await db.sql`select email, first_name, custom_attributes as a from customer.customer where account_id = ${account}`
    const isNew = rows.filter(({ first_name }) => first_name.startsWith('new')).length
    for (const { email, first_name, a } of rows) {
      const number = Number(/\d+/.exec(email)![0])
      const before = number % 2 === 0 ? { own: 'mine' } : {}
      if (first_name === 'old') expect(a, label).toEqual({ ...before, tier: 'silver' })
      else {
        expect(first_name, label).toBe(`new${number}`)
        expect(a, label).toEqual({ ...before, tier: 'gold', plan: 'pro' })
      }
    }
    const definitions = await plain.getAttributeDefinitions(account)
    expect(definitions, label).toEqual(isNew > 0 ? ['own', 'plan', 'tier'] : expect.arrayContaining(['own', 'tier']))
    if (atomic) expect([0, ROWS], label).toContain(isNew)
    if (outcome.result) {
      expect(outcome.result.rowsTotal, label).toBe(ROWS)
      expect(isNew, label).toBe(ROWS - outcome.result.rowsRejected)
    } else if (!atomic) {
      const { stored } = outcome.error.details as { stored?: { customersCreated: number; customersUpdated: number } }
      // What is told as stored is stored; a batch whose fate is unknown may be there besides.
      if (stored) expect(isNew, label).toBeGreaterThanOrEqual(stored.customersCreated + stored.customersUpdated)
    }

    const again = await plain.uploadCsv(account, csv)
    expect(again.rowsRejected, label).toBe(0)
    expect(again.customersUnchanged, label).toBe(isNew)
    const done = await db.sql`select count(*)::int as n from customer.customer where account_id = ${account}
      and first_name like 'new%' and custom_attributes @> '{"tier":"gold","plan":"pro"}'`
    expect(done[0], label).toEqual({ n: ROWS })
    await db.assertNoOpenTransaction()
  }
  for (const phase of PHASES) expect(hit.get(phase) ?? 0, phase).toBeGreaterThanOrEqual(samples(20, 1))
}, 300_000)

/** Sets a server setting for every connection that the client makes. */
async function setOn(client: postgres.Sql, name: string, value: string): Promise<void> {
  ;(client.options.connection as Record<string, string>)[name] = value
}

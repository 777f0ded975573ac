/**
 * Uploads what server.ts has stored, one file at a time; run as many as you like: `DATABASE_URL=… node --import tsx
 * examples/background-upload/worker.ts`. SIGTERM hands the upload on to the next worker.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import PgBoss from 'pg-boss'
import postgres from 'postgres'
import {
  type CustomAttributesError,
  createCustomAttributesStore,
  isCustomAttributesError,
} from 'postgres-custom-attributes'
import { createQueues, GIVEN_UP, queueSettings, UPLOAD, type UploadJob } from './queue.js'

const { DATABASE_URL, ...env } = process.env
if (!DATABASE_URL) throw new Error('Set DATABASE_URL.')
const settings = queueSettings(env)

const sql = postgres(DATABASE_URL)
const store = createCustomAttributesStore(sql)
// What dies with a worker is found by the maintenance of another.
const boss = new PgBoss({
  connectionString: DATABASE_URL,
  maintenanceIntervalSeconds: Math.max(1, Math.round(settings.lease / 5)),
})
boss.on('error', (error) => console.error(error))

/** An upload that this worker holds. */
interface Held {
  id: string
  account_id: string
  file_name: string | null
  attempt: number
}

interface Outcome {
  state: 'done' | 'failed' | 'cancelled'
  result?: object
  code?: string
  message?: string
}

/** One delivery of the queue. What it throws leaves the delivery as it is: its lease ends, and it comes again. */
async function run(delivery: string, { uploadId }: UploadJob): Promise<void> {
  const [job] = await sql<Held[]>`
    update upload_job set state = 'running', attempt = attempt + 1
    where id = ${uploadId} and state in ('queued', 'running') returning *`
  if (job) {
    const outcome = await upload(job, delivery)
    if (outcome === 'lost') return
    if (outcome === 'again' && !stopping.signal.aborted) return void (await boss.fail(UPLOAD, delivery))
    // An orderly end costs no try, and no wait.
    if (outcome === 'again') await boss.send(UPLOAD, { uploadId })
  }
  await boss.complete(UPLOAD, delivery)
}

async function upload(job: Held, delivery: string): Promise<'ended' | 'again' | 'lost'> {
  let progress = { bytesRead: 0, rowsRead: 0 }
  const ended = new AbortController()
  const ending = new AbortController()

  /** Each second: notes the progress, renews the lease, and hears of a cancel or of another worker that has taken over. */
  async function watch(): Promise<void> {
    for (;;) {
      const [held] = await sql`
        with held as (
          update upload_job set bytes = ${progress.bytesRead}, rows = ${progress.rowsRead}
          where id = ${job.id} and attempt = ${job.attempt} and state = 'running' returning cancel_requested),
        lease as (
          update pgboss.job set started_on = now()
          where name = ${UPLOAD} and id = ${delivery} and state = 'active' and exists (select from held))
        select cancel_requested from held`
      if (!held) return ending.abort('lost')
      if (held.cancel_requested) return ending.abort('cancelled')
      await sleep(1_000, undefined, { signal: ended.signal })
    }
  }
  const end = async ({ state, result, code, message }: Outcome) => {
    const rows = await sql`
      with ended as (
        update upload_job set state = ${state}, bytes = ${progress.bytesRead}, rows = ${progress.rowsRead}, ended_at = now(),
          result = ${result ? sql.json(result as never) : null}, error_code = ${code ?? null}, error_message = ${message ?? null}
        where id = ${job.id} and attempt = ${job.attempt} and state = 'running' returning id),
      chunks as (delete from upload_job_chunk using ended where job_id = ended.id)
      select from ended`
    return rows.length > 0 ? 'ended' : 'lost'
  }

  const watching = watch().catch((error) => ending.abort(error))
  try {
    const result = await store.uploadCsv(job.account_id, chunksOf(job.id), {
      signal: AbortSignal.any([stopping.signal, ending.signal]),
      onProgress: (now) => {
        progress = now
      },
      history: { reference: job.id, fileName: job.file_name ?? undefined, keepRejected: true },
    })
    return await end({ state: 'done', result })
  } catch (error) {
    if (ending.signal.reason === 'lost') return 'lost'
    if (ending.signal.reason === 'cancelled') return end({ state: 'cancelled' })
    if (isOfTheFile(error)) return end({ state: 'failed', code: error.code, message: error.message })
    await sql`
      update upload_job set state = 'queued', error_code = ${isCustomAttributesError(error) ? error.code : 'INTERNAL_ERROR'}
      where id = ${job.id} and attempt = ${job.attempt} and state = 'running'`
    return 'again'
  } finally {
    ended.abort()
    await watching
  }
}

/** Whether the file itself is refused, so that no other try helps. Its source is our own table: that may be well again. */
const isOfTheFile = (error: unknown): error is CustomAttributesError =>
  isCustomAttributesError(error) && error.status < 500 && !['SOURCE_FAILED', 'ABORTED'].includes(error.code)

async function* chunksOf(id: string): AsyncGenerator<Uint8Array> {
  for (let nr = 0; ; nr++) {
    const [chunk] = await sql`select bytes from upload_job_chunk where job_id = ${id} and nr = ${nr}`
    if (!chunk) return
    yield chunk.bytes
  }
}

async function giveUp({ uploadId }: UploadJob): Promise<void> {
  await sql`
    with ended as (
      update upload_job set state = 'failed', ended_at = now(), error_code = coalesce(error_code, 'WORKERS_DIED'),
        error_message = 'The upload was tried again and again. Upload the file once more; what is stored already stays.'
      where id = ${uploadId} and state in ('queued', 'running') returning id)
    delete from upload_job_chunk using ended where job_id = ended.id`
}

const stopping = new AbortController()
process.once('SIGTERM', () => stopping.abort())
await boss.start()
await createQueues(boss, settings)
console.log('Working.')

// boss.work() would end a job after its lease, however alive it is: so the jobs are fetched here.
while (!stopping.signal.aborted) {
  try {
    const [dead] = await boss.fetch<UploadJob>(GIVEN_UP)
    if (dead) await giveUp(dead.data).then(() => boss.complete(GIVEN_UP, dead.id))
    const [job] = await boss.fetch<UploadJob>(UPLOAD)
    if (job) await run(job.id, job.data)
    if (dead || job) continue
  } catch (error) {
    console.error(error)
  }
  await sleep(1_000, undefined, { signal: stopping.signal }).catch(() => {})
}
await boss.stop({ graceful: false })
await sql.end()

/**
 * Takes files and tells how far they are: `DATABASE_URL=… API_TOKEN=… node --import tsx examples/background-upload/server.ts`.
 * It stores a file and queues it; worker.ts uploads it. docs/background-upload.md tells how it holds together.
 */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import PgBoss from 'pg-boss'
import postgres from 'postgres'
import { createQueues, queueSettings, UPLOAD, type UploadJob } from './queue.js'

const { DATABASE_URL, API_TOKEN, PORT = '3000', MAX_BYTES = '104857600' } = process.env
if (!DATABASE_URL || !API_TOKEN) throw new Error('Set DATABASE_URL and API_TOKEN.')
const maxBytes = Number(MAX_BYTES)
const CHUNK = 256 * 1024

const sql = postgres(DATABASE_URL)
const boss = new PgBoss({ connectionString: DATABASE_URL, supervise: false, schedule: false })
boss.on('error', (error) => console.error(error))
await boss.start()
await createQueues(boss, queueSettings(process.env))
// What a server that died was receiving.
await sql`delete from upload_job where state = 'receiving' and created_at < now() - interval '1 day'`

const app = new Hono()
app.use(async (context, next) => {
  // Ask your own sessions here: may whoever sent the request do this in this account?
  if (context.req.header('authorization') === `Bearer ${API_TOKEN}`) return next()
  return context.json({ code: 'FORBIDDEN', message: 'You may not upload to this account.' }, 403)
})

class FileTooLarge extends Error {}

app.post('/accounts/:account{[0-9a-f-]{36}}/uploads', async (context) => {
  const { account } = context.req.param()
  const { body, headers } = context.req.raw
  // What has not been read of the body must not be taken for the next request.
  const refuse = (status: 400 | 413, code: string, message: string) =>
    context.json({ code, message }, status, { connection: 'close' })
  const tooLarge = () => refuse(413, 'FILE_TOO_LARGE', `The file is over ${maxBytes} bytes. Upload it in parts.`)
  if (!body) return refuse(400, 'NO_FILE', 'Send the file as the body of the request.')
  if (Number(headers.get('content-length')) > maxBytes) return tooLarge()

  const [job] = await sql<{ id: string }[]>`
    insert into upload_job (account_id, file_name) values (${account}, ${context.req.query('name') ?? null}) returning id`
  const { id } = job!
  try {
    let total = 0
    let nr = 0
    for await (const bytes of inChunks(body)) {
      total += bytes.length
      if (total > maxBytes) throw new FileTooLarge()
      await sql`insert into upload_job_chunk (job_id, nr, bytes) values (${id}, ${nr++}, ${bytes})`
    }
    // Both or neither: a job without its delivery would wait for ever.
    await sql.begin(async (tx) => {
      await tx`update upload_job set state = 'queued', total_bytes = ${total} where id = ${id}`
      await enqueue(tx, { uploadId: id })
    })
  } catch (error) {
    await sql`delete from upload_job where id = ${id}`
    if (error instanceof FileTooLarge) return tooLarge()
    throw error
  }
  return context.json({ id }, 202, { location: `/accounts/${account}/uploads/${id}` })
})

const ONE = '/accounts/:account{[0-9a-f-]{36}}/uploads/:id{[0-9a-f-]{36}}'

app.get(ONE, async (context) => {
  const { account, id } = context.req.param()
  const [found] = await sql`
    select to_jsonb(job) as job from (
      select id, file_name, state, cancel_requested, total_bytes, bytes, rows, result, error_code, error_message, created_at, ended_at
      from upload_job where account_id = ${account} and id = ${id}) as job`
  return found ? context.json(found.job) : context.notFound()
})

app.post(`${ONE}/cancel`, async (context) => {
  const { account, id } = context.req.param()
  // One that runs is ended by its worker, within about a second.
  const [found] = await sql`
    with job as (
      update upload_job set cancel_requested = true,
        state = case state when 'queued' then 'cancelled' else state end,
        ended_at = case state when 'queued' then now() end
      where account_id = ${account} and id = ${id} and state in ('queued', 'running') returning id, state),
    chunks as (delete from upload_job_chunk using job where job_id = job.id and job.state = 'cancelled')
    select id from job`
  return found ? context.body(null, 202) : context.json({ code: 'NOT_RUNNING', message: 'The upload has ended.' }, 409)
})

/** A client may send a few bytes at a time: rows of one size, whatever it does. */
async function* inChunks(body: AsyncIterable<Uint8Array>) {
  let parts: Uint8Array[] = []
  let size = 0
  for await (const part of body) {
    parts.push(part)
    size += part.length
    if (size < CHUNK) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(parts)
}

/** Queues in a transaction of ours: the job is there when it commits, or never. */
async function enqueue(tx: postgres.TransactionSql, data: UploadJob): Promise<void> {
  await boss.insert([{ name: UPLOAD, data }], {
    db: {
      // The jobs come as JSON text, which postgres.js would quote once more; 114 is the type json.
      executeSql: async (text, [json, ...values]) => ({
        rows: await tx.unsafe(text, [
          tx.typed(JSON.parse(json) as never, 114),
          ...values.map((value) => value ?? null),
        ]),
      }),
    },
  })
}

const server = serve(
  {
    fetch: app.fetch,
    port: Number(PORT),
    // Node cuts requests after five minutes; a large file on a slow line takes longer.
    serverOptions: { requestTimeout: 3_600_000 },
  },
  ({ port }) => console.log(`http://localhost:${port}`),
)

process.once('SIGTERM', () => {
  server.close(async () => {
    await boss.stop({ graceful: false })
    await sql.end()
  })
})

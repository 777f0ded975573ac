// What refused rows cost: a file of which every second row is refused by the host's trigger, against the same file
// without refusals. npx tsx test/bench/refused.ts [rows]
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { startEmbeddedPostgres } from '../support/embedded-postgres.js'
import { readSchemaSql } from './schema.js'
import { ACCOUNT } from './upload-data.js'

const rows = Number(process.argv[2] ?? 100_000)
const server = await startEmbeddedPostgres({ max_wal_size: '8GB', shared_buffers: '512MB' })
const sql = postgres(server.url, { max: 2, onnotice: () => {} })
const lines = Array.from({ length: rows }, (_, at) => `c${at}@example.com,${at % 2 ? 'bad' : 'good'},Rome,gold\n`)
const csv = `email,first_name,city,tier\n${lines.join('')}`
try {
  const times: number[] = []
  for (const refused of ['nobody', 'bad']) {
    await sql.unsafe('drop schema if exists customer cascade').simple()
    await sql.unsafe(await readSchemaSql()).simple()
    await sql
      .unsafe(`create or replace function refuse() returns trigger language plpgsql as $$ begin
        if new.first_name = '${refused}' then raise exception 'refused'; end if; return new; end $$;
      create trigger refuse after insert or update on customer.customer for each row execute function refuse()`)
      .simple()
    const result = await createCustomAttributesStore(sql).uploadCsv(ACCOUNT, csv)
    if (result.rowsRejected !== (refused === 'bad' ? rows / 2 : 0)) throw new Error('wrong count')
    times.push(result.durationMs)
  }
  const [plain, half] = times
  console.log(
    `${rows} rows: ${plain} ms without refusals, ${half} ms with every second refused: ${(half! / plain!).toFixed(1)} times`,
  )
} finally {
  await sql.end()
  await server.stop()
}

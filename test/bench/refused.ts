// What refused rows cost: a file of which every second row is refused by the host's trigger, against the same file
// without refusals. npm run build && node --import tsx test/bench/refused.ts [rows]
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { record } from './results.js'
import { count, seconds, startServer, times } from './setting.js'
import { ACCOUNT } from './upload-data.js'

const rows = Number(process.argv[2] ?? 100_000)
const server = await startServer()
const sql = postgres(server.url, { max: 2, onnotice: () => {} })
const lines = Array.from({ length: rows }, (_, at) => `c${at}@example.com,${at % 2 ? 'bad' : 'good'},Rome,gold\n`)
const csv = `email,first_name,city,tier\n${lines.join('')}`
try {
  const durations: number[] = []
  for (const refused of ['nobody', 'bad']) {
    await server.resetSchema()
    await sql
      .unsafe(`create or replace function refuse() returns trigger language plpgsql as $$ begin
        if new.first_name = '${refused}' then raise exception 'refused'; end if; return new; end $$;
      create trigger refuse after insert or update on customer.customer for each row execute function refuse()`)
      .simple()
    const result = await createCustomAttributesStore(sql).uploadCsv(ACCOUNT, csv)
    if (result.rowsRejected !== (refused === 'bad' ? rows / 2 : 0)) throw new Error('wrong count')
    durations.push(result.durationMs)
  }
  const [plain, half] = durations as [number, number]
  await record({
    name: 'upload refused',
    title: `${count(rows)} rows and a trigger of the host`,
    setting: server.description,
    head: ['', 'time', 'times the plain file'],
    rows: [
      ['no row refused', seconds(plain), times(plain, plain)],
      ['every second row refused', seconds(half), times(half, plain)],
    ],
  })
} finally {
  await sql.end()
  await server.stop()
}

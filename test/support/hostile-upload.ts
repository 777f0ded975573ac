// Uploads hostile files, an ordinary one after each, in a process of its own, so that its memory is its own.
// Arguments: database, how many lines are masses, files. Prints a line of JSON for each file.
import { randomFillSync, randomUUID } from 'node:crypto'
import postgres from 'postgres'
import {
  createCustomAttributesStore,
  type ErrorCode,
  isCustomAttributesError,
  type UploadOptions,
  type UploadResult,
} from 'postgres-custom-attributes'
import { calibration, leastTimes } from './cost.js'
import { peakMemory } from './peak-memory.js'

/** What one hostile file came to. */
export interface HostileOutcome {
  /** the code of the error, when there was one */
  code?: ErrorCode
  message?: string
  details?: Record<string, unknown>
  /** the result, when there was one, with the codes of the first rejected rows */
  result?: Pick<UploadResult, 'rowsTotal' | 'customersCreated' | 'rowsRejected'> & { codes: string[] }
  /** the processor time of the upload, in calibrations */
  cost: number
  /** customers that it left in its account */
  stored: number
  /** bytes that were taken from the source, where it is a stream */
  taken: number
  /** the process's peak, in bytes */
  peak: number
  /** what the ordinary upload after it, by the same store, created */
  next: number
}

const [, url, masses, ...names] = process.argv as [string, string, string, ...string[]]
const MASSES = Number(masses)
const MEGABYTE = 2 ** 20
let taken = 0

/** The pieces as bytes, made when they are asked for: a hostile file is not held here either. */
async function* stream(...parts: (string | Iterable<string>)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for (const piece of typeof part === 'string' ? [part] : part) {
      const bytes = Buffer.from(piece)
      taken += bytes.length
      yield bytes
    }
  }
}

/** A text many times over, in pieces of about 64 KB. */
function* times(count: number, text: string): Generator<string> {
  const each = Math.max(1, Math.floor(65_536 / text.length))
  for (let left = count; left > 0; left -= each) yield text.repeat(Math.min(each, left))
}

/** Masses of ordinary rows. */
function* manyRows(toRow: (number: number) => string): Generator<string> {
  for (let at = 0; at < MASSES; at += 1_000) {
    yield Array.from({ length: 1_000 }, (_, more) => toRow(at + more)).join('')
  }
}

const columns = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`).join(',')
const cell = (megabytes = 10) => times(megabytes * 16, 'x'.repeat(65_536))
/** The first bytes that every zip has, then what does not compress. */
const zip = () => {
  const bytes = randomFillSync(new Uint8Array(20 * MEGABYTE))
  bytes.set([0x50, 0x4b, 0x03, 0x04, 0x14, 0x00, 0x08, 0x08])
  return bytes
}
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')

/** The files, and the options that they are uploaded with. */
const FILES = {
  '50,000 columns': () => stream(`email,${columns(50_000)}\n`, `a@example.com,${columns(50_000)}\n`),
  '50,000 columns, allowed': () => [
    stream(`email,${columns(50_000)}\n`),
    { maxColumns: 100_000, maxRecordBytes: MEGABYTE },
  ],
  '50,000 cells in a row': () => stream('email,tier\n', `a@example.com,${columns(50_000)}\n`),
  '50,000 columns of nothing': () => stream('email,', times(50_000, ','), '\n'),
  'a 10 MB cell': () => stream('email,tier\na@example.com,', cell(), '\n'),
  'a quoted 10 MB cell': () => stream('email,tier\na@example.com,"', cell(), '"\n'),
  'a 4 MB cell, allowed': () => [
    stream('email,tier\na@example.com,"', cell(4), '"\nb@example.com,gold\n'),
    { maxRecordBytes: 5 * MEGABYTE },
  ],
  'a 10 MB header': () => stream('email,', cell(), '\na@example.com,x\n'),
  'masses of empty lines': () => stream('email,tier\n', times(MASSES, '\n'), 'a@example.com,gold\n'),
  'masses of lines of blank cells': () => stream('email,tier\n', times(MASSES, ',\n'), 'a@example.com,gold\n'),
  'masses of empty lines before the header': () => stream(times(MASSES, '\r\n'), 'email,tier\na@example.com,gold\n'),
  'nothing but masses of empty lines': () => stream(times(MASSES, '\n')),
  'NUL in a header': () => stream('email,ti\0er\na@example.com,gold\n'),
  'NUL in every row': () =>
    stream('email,tier\n', times(MASSES / 20, 'a@example.com,go\0ld\n'), 'b@example.com,gold\n'),
  '10 MB of NUL': () => stream(times(10 * MEGABYTE, '\0')),
  'rows and 10 MB of NUL': () => stream('email,tier\n', times(9, 'a@example.com,x\n'), times(10 * MEGABYTE, '\0')),
  'lone surrogates in text': () =>
    `email,tier\n${'a@example.com,go\ud800ld\n'.repeat(MASSES / 20)}b@example.com,gold\n`,
  'a lone surrogate in a header': () => 'email,ti\udc00er\na@example.com,gold\n',
  'lone surrogates in UTF-16': () => utf16(`email,tier\n${'a@example.com,go\ud800ld\n'.repeat(MASSES / 20)}`),
  'surrogates in bytes that claim UTF-8': () => [
    Buffer.from('email,tier\na@example.com,go\xed\xa0\x80ld\n', 'latin1'),
    { encoding: 'utf-8' },
  ],
  'a header __proto__': () => stream('email,__proto__\na@example.com,polluted\n'),
  'a header constructor': () => stream('email,constructor\na@example.com,polluted\n'),
  'a zip named .csv': () => new File([zip()], 'customers.csv', { type: 'text/csv' }),
  'an unclosed quote on row 2 of masses': () =>
    stream(
      'email,tier\na@example.com,"gold\n',
      manyRows((row) => `c${row}@example.com,silver\n`),
    ),
  'an unclosed quote on row 2 of masses quoted': () =>
    stream(
      'email,tier\n"a@example.com","gold\n',
      manyRows((row) => `"c${row}@example.com","silver"\n`),
    ),
} satisfies Record<string, () => Source | [Source, UploadOptions]>

type Source = string | Uint8Array | File | AsyncIterable<Uint8Array>

export type HostileFile = keyof typeof FILES

const sql = postgres(url, { max: 2, onnotice: () => {} })
const store = createCustomAttributesStore(sql)
/** What a calibration takes in this process, in milliseconds; measured after the first upload. */
let calibrated: number | undefined

async function upload(name: HostileFile): Promise<HostileOutcome> {
  const made = FILES[name]()
  const [source, options] = Array.isArray(made) ? (made as [Source, UploadOptions]) : [made as Source, {}]
  const outcome: Partial<HostileOutcome> = {}
  const account = randomUUID()
  taken = 0
  const start = process.cpuUsage()
  try {
    const { rowsTotal, customersCreated, rowsRejected, rejected } = await store.uploadCsv(account, source, options)
    outcome.result = {
      rowsTotal,
      customersCreated,
      rowsRejected,
      codes: [...new Set(rejected.map(({ code }) => code))],
    }
  } catch (error) {
    if (!isCustomAttributesError(error)) throw error
    Object.assign(outcome, { code: error.code, message: error.message, details: error.details })
  }
  const { user, system } = process.cpuUsage(start)
  calibrated ??= (await leastTimes([calibration], 5))[0]!
  const [row] = await sql`select count(*)::int as stored from customer.customer where account_id = ${account}`
  const { customersCreated } = await store.uploadCsv(randomUUID(), 'email,tier\nnext@example.com,gold\n')
  return {
    ...outcome,
    cost: (user + system) / 1_000 / calibrated,
    peak: peakMemory(),
    stored: row!.stored,
    taken,
    next: customersCreated,
  }
}

for (const name of names) {
  const outcome = await upload(name as HostileFile)
  if (Object.hasOwn(Object.prototype, 'polluted')) throw new Error('Object.prototype was written to.')
  console.log(JSON.stringify({ name, ...outcome }))
}
await sql.end()

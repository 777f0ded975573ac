// Where the client's time goes: what an upload does before it has rows for the database, step by step, each in a process
// of its own. Arguments: step, url, file.
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Parser } from 'csv-parse'
import postgres from 'postgres'
import { isEmailHeader } from '../../src/column-targets.js'
import { mapColumns } from '../../src/columns.js'
import { CSV_DEFAULTS, openCsv } from '../../src/csv/file.js'
import { loadTableShape } from '../../src/db/table-shape.js'
import { STANDARD_FIELDS } from '../../src/fields.js'
import { createEntryReader, readingOf } from '../../src/upload/entries.js'
import { UPLOAD_DEFAULTS } from '../../src/upload/options.js'
import { measure } from './measure.js'

const [step, url, file] = process.argv.slice(2)
const PIECE_BYTES = 64 * 1024
const LIMITLESS = { maxBytes: 2 ** 40 }

/** Records or rows that were made. */
let made = 0

/** csv-parse itself, without a stream around it: the least that reading these bytes by it can cost. */
class BareParser extends Parser {
  override push(record: unknown): boolean {
    if (record !== null) made++
    return true
  }
  parse(bytes: Buffer): void {
    const throwIt = (error?: Error | null) => {
      if (error) throw error
    }
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      this._transform(bytes.subarray(at, at + PIECE_BYTES), 'utf8', throwIt)
    }
    this._flush(throwIt)
  }
}

async function open() {
  return openCsv(createReadStream(file!), { ...CSV_DEFAULTS, ...LIMITLESS }, isEmailHeader())
}

const STEPS: Record<string, () => Promise<() => Promise<void>>> = {
  async parse() {
    const bytes = await readFile(file!)
    return async () => new BareParser({ record_delimiter: ['\r\n', '\n', '\r'] }).parse(bytes)
  },
  async records() {
    return async () => {
      for await (const { records } of (await open()).records()) made += records.length
    }
  },
  async rows() {
    const sql = postgres(url!, { max: 1, onnotice: () => {} })
    const shape = await loadTableShape(sql, {
      customerTable: 'customer.customer',
      definitionTable: 'customer.custom_attribute_definition',
      maxCustomAttributes: 10,
      fields: STANDARD_FIELDS,
      columns: {},
      live: {},
    })
    await sql.end()
    return async () => {
      const opened = await open()
      const rowOptions = { emailCase: 'lower', maxValueLength: 10_000, ...readingOf(UPLOAD_DEFAULTS) } as const
      const reader = createEntryReader(mapColumns(opened.headers), shape, [], rowOptions, opened.rareBytes)
      for await (const { records, lines } of opened.records()) {
        for (const [at, record] of records.entries()) {
          if ('code' in reader.read(record, at, lines[at]!)) throw new Error('a rejected row')
          made++
        }
      }
    }
  },
}

await measure(await STEPS[step!]!())
if (made === 0) throw new Error(`${step} made nothing`)

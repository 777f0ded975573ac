import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { CsvInput } from '../../src/csv/source.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { newAccount } from '../support/customers.js'
import { useDatabase } from '../support/database.js'
import { isFull, samples } from '../support/law.js'

const db = useDatabase()

/** Of every hundred rows so many are no customers. */
const fileOf = (rejected: number) =>
  `email,first_name\n${Array.from({ length: samples(40_000, 20_000) }, (_, at) =>
    at % 100 < rejected ? `not an address ${at},x\n` : `p${at}@example.com,Ann\n`,
  ).join('')}`

const INPUTS: Record<string, (csv: string) => CsvInput> = {
  string: (csv) => csv,
  bytes: (csv) => new TextEncoder().encode(csv),
  Blob: (csv) => new Blob([csv]),
  'stream of one chunk': (csv) => Readable.from([csv]),
}

const cases = Object.keys(INPUTS).flatMap((input) => [0, 50, 100].map((rejected) => [input, rejected] as const))

// Without the long laws every input and every share, but not each with each.
test.each(cases.filter(([input, rejected]) => isFull || input === 'string' || rejected === 50))(
  'a %s of which %i rows in a hundred are rejected gives the event loop back',
  async (input, rejected) => {
    const store = createCustomAttributesStore(db.client)
    const csv = INPUTS[input]!(fileOf(rejected))
    // Processor time between two turns: on a busy machine the clock alone would say nothing.
    const spent: number[] = []
    let isDone = false
    let last = process.cpuUsage()
    const turn = () => {
      const { user, system } = process.cpuUsage(last)
      spent.push((user + system) / 1_000)
      last = process.cpuUsage()
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    await store.uploadCsv(newAccount(), csv)
    isDone = true
    // Compiling and collecting garbage count, too, on threads of their own: only what stands still takes most of it.
    const total = spent.reduce((sum, milliseconds) => sum + milliseconds, 0)
    expect(spent.reduce((most, milliseconds) => Math.max(most, milliseconds))).toBeLessThan(total / 2)
    expect(spent.filter((milliseconds) => milliseconds > 1).length).toBeGreaterThan(10)
  },
)

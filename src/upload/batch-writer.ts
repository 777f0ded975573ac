import { attempt } from '../db/attempt.js'
import { type BatchOutcome, type StatementCache, writeBatch } from '../db/batch.js'
import type { BatchPlan, MergeOptions } from '../db/batch-statement.js'
import type { SqlClient } from '../db/client.js'
import { classifyFailure, describeRefusal, refusalMessage } from '../db/failures.js'
import type { TableColumn, TableShape } from '../db/table-shape.js'
import { denied, overCap } from '../db/upsert.js'
import { CustomAttributesError } from '../errors.js'
import type { RowProblem } from '../rows.js'
import type { Entry } from './entries.js'
import type { Tally } from './tally.js'

/** How often rows that met a race are sent again before a trigger is held to swallow them. */
const RACES = 10

/** What a writer needs to know of its upload. */
export interface WriterSettings {
  sql: SqlClient
  shape: TableShape
  accountId: string
  fields: readonly TableColumn[]
  attributes: readonly string[]
  merge: MergeOptions
  maxCustomAttributes: number
  /** whether the upload keeps the account to itself, so that its batches need not share it */
  isExclusive: boolean
  /** attribute names that have a definition */
  recorded: Set<string>
  tally: Tally
  /** what becomes of a rejected row */
  reject(entry: Entry, problem: RowProblem): Promise<void>
  signal: AbortSignal
}

/** Writes batches until every row of them is stored or rejected. */
export class BatchWriter {
  readonly #settings: WriterSettings
  readonly #statements: StatementCache = new Map()
  /** The statement that does not look for existing customers is cheaper as long as all are new. */
  #look: boolean

  constructor(settings: WriterSettings) {
    this.#settings = settings
    this.#look = settings.merge.unknown === 'reject'
  }

  /** Writes entries of which no two are of one customer. */
  async write(entries: readonly Entry[]): Promise<void> {
    let rows = entries
    let look = this.#look
    for (let tries = 0; rows.length > 0; tries++) {
      if (tries > RACES) {
        for (const entry of rows) await this.#reject(entry, swallowed())
        return
      }
      let outcome: BatchOutcome
      try {
        outcome = await this.#send(rows, look)
      } catch (error) {
        if (classifyFailure(error) !== 'refused') throw error
        await this.#split(rows, error)
        return
      }
      const again = await this.#settle(rows, outcome)
      if (tries === 0) this.#look = this.#settings.merge.unknown === 'reject' || outcome.created < rows.length
      rows = again
      look = true
    }
  }

  #send(rows: readonly Entry[], look: boolean): Promise<BatchOutcome> {
    const { sql, shape, accountId, fields, attributes, merge, recorded, signal } = this.#settings
    const plan: BatchPlan = {
      ...merge,
      fields,
      hasAttributes: attributes.length > 0,
      maxCustomAttributes: this.#settings.maxCustomAttributes,
      look,
      recordsDefinitions:
        attributes.some((name) => !recorded.has(name)) &&
        rows.some(({ names }) => names.some((name) => !recorded.has(name))),
      sharesAccount: !this.#settings.isExclusive,
    }
    return attempt(
      sql,
      (db) => writeBatch(db, shape, accountId, plan, rows, attributes, this.#statements, signal),
      signal,
    )
  }

  /** Counts a batch's outcome and returns the entries to send again. */
  async #settle(rows: readonly Entry[], outcome: BatchOutcome): Promise<Entry[]> {
    const { tally, merge, maxCustomAttributes, recorded, attributes } = this.#settings
    tally.created += outcome.created
    tally.updated += outcome.updated
    tally.unchanged += outcome.unchanged
    const over = new Set(outcome.over)
    const barred = new Set(outcome.denied)
    const again = new Set(outcome.again)
    const isPlain = over.size + barred.size + again.size === 0
    const left: Entry[] = []
    for (const entry of rows) {
      if (!isPlain && again.has(entry.email)) left.push(entry)
      else if (!isPlain && over.has(entry.email)) await this.#reject(entry, overCap(maxCustomAttributes))
      else if (!isPlain && barred.has(entry.email)) await this.#reject(entry, denied(merge))
      else {
        tally.unchanged += entry.twins.length
        if (tally.found.size < attributes.length) {
          for (const name of entry.names) {
            tally.found.add(name)
            recorded.add(name)
          }
        }
      }
    }
    tally.progress()
    return left
  }

  /** Halves a refused batch until the offending rows stand alone. */
  async #split(rows: readonly Entry[], error: unknown): Promise<void> {
    if (rows.length === 1) {
      const refusal = describeRefusal(error)
      await this.#reject(rows[0]!, {
        code: 'ROW_REFUSED',
        message: refusalMessage(refusal),
        ...(refusal.column ? { column: refusal.column } : {}),
        details: { ...refusal },
      })
      return
    }
    const middle = rows.length >> 1
    await this.write(rows.slice(0, middle))
    await this.write(rows.slice(middle))
  }

  async #reject(entry: Entry, { code, message, column, details }: RowProblem): Promise<void> {
    const problem: RowProblem = { code, message, details, ...(column === undefined ? {} : { column }) }
    await this.#settings.reject(entry, problem)
    for (const twin of entry.twins) await this.#settings.reject(twin, problem)
  }
}

function swallowed(): CustomAttributesError & { column?: string } {
  return new CustomAttributesError(
    'ROW_REFUSED',
    'The database did not store the row, without an error: a trigger or a rule may have swallowed it.',
  )
}

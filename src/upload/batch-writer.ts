import { stopIfAborted } from '../abort.js'
import type { AttributeWatch, SeenDefinitions } from '../db/attribute-watch.js'
import { type BatchOutcome, type BatchTarget, insertBatch, writeBatch } from '../db/batch.js'
import { isOwnTransaction, type SqlClient } from '../db/client.js'
import { readNamesOf } from '../db/customers.js'
import { classifyFailure, describeRefusal, isDatabaseError, type Refusal } from '../db/failures.js'
import { fateProblem, type RowFate, type UnstoredFate } from '../db/fates.js'
import { retry } from '../db/retry.js'
import { writeRowByRow } from '../db/row-by-row.js'
import { checkNow } from '../db/transaction.js'
import type { RowProblem } from '../rows.js'
import { type Entry, hasAttribute } from './entries.js'
import type { Tally } from './tally.js'

/** How often rows that met a race are sent again before a trigger is held to swallow them. */
const RACES = 10

/** Up to this many rows are written one at a time within the server instead of being halved further. */
const ROWS_NOT_WORTH_HALVING = 32

/** For how many batches existing customers are looked for after a plain insert met one; doubled each time. */
const LOOKS_AFTER_REFUSAL = 8

/** What a writer needs to know of its upload. */
export interface WriterSettings {
  sql: SqlClient
  target: BatchTarget
  /** whether the account has no customer yet, so that the first batch is worth a plain insert */
  isAccountEmpty: boolean
  /** the attribute names of the file */
  attributes: readonly string[]
  /** attribute names that have a definition */
  recorded: ReadonlySet<string>
  /** what the attributes are called by now */
  watch: AttributeWatch | undefined
  tally: Tally
  /** what becomes of a rejected row */
  reject(entry: Entry, problem: RowProblem): Promise<void>
  signal: AbortSignal
}

/** Writes batches until every row of them is stored or rejected. */
export class BatchWriter {
  readonly #settings: WriterSettings
  /** The names that no stored row has had a value for, and those that may lack a definition; as JSON. */
  readonly #unfound: Map<string, string>
  readonly #unrecorded: Map<string, string>
  /** A plain insert is worth trying: the last batch was all new, and no insert was refused lately. */
  #expectsNew: boolean
  #isOftenRefused = false
  #looksLeft = 0
  #looksNext = LOOKS_AFTER_REFUSAL

  constructor(settings: WriterSettings) {
    const { attributes, recorded } = settings
    this.#settings = settings
    this.#expectsNew = settings.isAccountEmpty
    this.#unfound = new Map(attributes.map((name) => [name, JSON.stringify(name)]))
    this.#unrecorded = new Map([...this.#unfound].filter(([name]) => !recorded.has(name)))
  }

  /** Writes entries of which no two are of one customer. */
  async write(entries: readonly Entry[]): Promise<void> {
    if (this.#mayInsert() && (await this.#insert(entries))) return
    let rows = entries
    for (let tries = 0; rows.length > 0; tries++) {
      if (tries > RACES) {
        await this.#finish(
          [],
          rows.map((entry) => [entry, 'again']),
        )
        return
      }
      let outcome: BatchOutcome
      try {
        outcome = await this.#send(rows, writeBatch)
      } catch (error) {
        if (classifyFailure(error) !== 'refused') throw error
        await this.#split(rows)
        return
      }
      if (outcome.isStale) {
        await this.#refresh()
        continue
      }
      this.#expectsNew = outcome.created === rows.length
      this.#isOftenRefused = false
      if (this.#looksLeft > 0) this.#looksLeft--
      rows = await this.#settle(rows, outcome)
    }
  }

  #mayInsert(): boolean {
    const { plan, shape } = this.#settings.target
    return this.#expectsNew && this.#looksLeft === 0 && plan.unknown === 'create' && !shape.hasInsertTriggers
  }

  /** Tries the plain insert; whatever it is refused for, the whole statement will tell. */
  async #insert(rows: readonly Entry[]): Promise<boolean> {
    let created: number
    try {
      created = await this.#send(rows, insertBatch)
    } catch (error) {
      // Citus tells of a refused insert as of any other failure.
      const isTold = isDatabaseError(error) && !['lost', 'unsent'].includes(classifyFailure(error))
      if (!isTold || this.#settings.signal.aborted) throw error
      this.#looksLeft = this.#looksNext
      this.#looksNext = Math.min(this.#looksNext * 2, 1024)
      return false
    }
    // A trigger that came after the table's shape was read swallows rows: the whole statement tells which.
    if (created !== rows.length) return false
    await this.#settle(rows, { created, updated: 0, unchanged: 0, unstored: new Map(), optOutsKept: new Set() })
    return true
  }

  async #send<Result>(
    rows: readonly Entry[],
    write: (
      sql: SqlClient,
      target: BatchTarget,
      rows: readonly Entry[],
      recordsDefinitions: boolean,
      signal?: AbortSignal,
    ) => Promise<Result>,
  ): Promise<Result> {
    const { sql, target, watch, signal } = this.#settings
    const { sharesAccount, hasAttributes } = target.plan
    stopIfAborted(signal)
    const unrecorded = [...this.#unrecorded.values()]
    const recordsDefinitions = unrecorded.some((name) => rows.some((row) => hasAttribute(row, name)))
    let recorded: SeenDefinitions | undefined
    const work = async (db: SqlClient) => {
      // Who keeps the account to itself has looked already; a batch looks by itself, where Citus does not split the statement.
      const looksItself = sharesAccount && write !== (writeRowByRow as unknown) && !target.shape.isDistributed
      if (sharesAccount && !looksItself) await watch?.refresh({ ...target, sql: db }, true, signal)
      const plan = { ...target.plan, expects: looksItself ? watch?.expected : undefined }
      const clearedNames = watch?.namesOf(target.clearedNames) ?? target.clearedNames
      const translated = watch ? rows.map((row) => watch.translate(row, hasAttributes)) : rows
      const result = await write(db, { ...target, plan, clearedNames }, translated, recordsDefinitions, signal)
      recorded = recordsDefinitions ? await watch?.look({ ...target, sql: db }, signal) : undefined
      // What waits for the commit could not be stopped there.
      if (target.shape.hasDeferredChecks && isOwnTransaction(db)) await checkNow(db, signal)
      return result
    }
    const result = await retry(sql, work, signal)
    // Now that it is committed.
    if (recorded) watch?.note(recorded)
    return result
  }

  /** Looks what the attributes are called by now. */
  #refresh(): Promise<void> {
    const { sql, target, watch, signal } = this.#settings
    const { sharesAccount } = target.plan
    return retry(sql, async (db) => watch?.refresh({ ...target, sql: db }, sharesAccount, signal), signal)
  }

  /** Counts a batch's outcome and returns the entries to send again. */
  async #settle(rows: readonly Entry[], outcome: BatchOutcome): Promise<Entry[]> {
    const { tally } = this.#settings
    tally.created += outcome.created
    tally.updated += outcome.updated
    tally.unchanged += outcome.unchanged
    const accepted: Entry[] = []
    const rejected: [Entry, UnstoredFate][] = []
    const left: Entry[] = []
    for (const entry of rows) {
      const fate = outcome.unstored.get(entry.email)
      if (fate === undefined) {
        accepted.push(entry)
        if (outcome.optOutsKept.has(entry.email)) tally.optOutsKept.add(entry.key)
      } else if (fate === 'again') left.push(entry)
      else rejected.push([entry, fate])
    }
    await this.#finish(accepted, rejected)
    return left
  }

  /** Counts what goes with accepted rows, and tells of the rejected ones. */
  async #finish(accepted: readonly Entry[], rejected: readonly [Entry, UnstoredFate | Refusal][]): Promise<void> {
    const { sql, tally, target } = this.#settings
    for (const entry of accepted) tally.unchanged += entry.twins?.length ?? 0
    this.#noteNames(accepted)
    const over = rejected.flatMap(([{ email }, fate]) => (fate === 'over' ? [email] : []))
    const namesOf = over.length > 0 ? await readNamesOf({ ...target, sql }, over) : () => []
    for (const [entry, fate] of rejected) {
      const problem = fateProblem(fate, target.plan.maxCustomAttributes, namesOf(entry.email))
      for (const row of [entry, ...(entry.twins ?? [])]) await this.#settings.reject(row, problem)
    }
    tally.progress()
  }

  /** Attributes of accepted rows are found, and recorded with them. */
  #noteNames(accepted: readonly Entry[]): void {
    for (const [name, key] of this.#unfound) {
      if (!accepted.some((entry) => hasAttribute(entry, key))) continue
      this.#unfound.delete(name)
      this.#unrecorded.delete(name)
      this.#settings.tally.found.add(name)
    }
  }

  /**
   * Finds the rows of a refused batch that are at fault: by halving where they are few, which costs the others little, and
   * one row at a time where they are many, or nearly found.
   */
  async #split(rows: readonly Entry[]): Promise<void> {
    if (rows.length <= ROWS_NOT_WORTH_HALVING || this.#isOftenRefused) {
      await this.writeInOrder(inEmailOrder(rows))
      return
    }
    const middle = rows.length >> 1
    await this.write(rows.slice(0, middle))
    await this.write(rows.slice(middle))
  }

  /** Writes entries one after the other; a customer may stand among them more than once. */
  async writeInOrder(rows: readonly Entry[]): Promise<void> {
    let fates: RowFate[]
    let optOutsKept: ReadonlySet<string> = new Set()
    try {
      ;({ fates, optOutsKept } = await this.#send(rows, writeRowByRow))
    } catch (error) {
      // The texts did not reach the block: the database's encoding lacks a character of one of them.
      if (classifyFailure(error) !== 'refused') throw error
      const middle = rows.length >> 1
      if (middle > 0) {
        await this.writeInOrder(rows.slice(0, middle))
        await this.writeInOrder(rows.slice(middle))
        return
      }
      fates = [describeRefusal(error)]
    }
    for (const { email, key } of rows) if (optOutsKept.has(email)) this.#settings.tally.optOutsKept.add(key)
    const accepted: Entry[] = []
    const rejected: [Entry, UnstoredFate | Refusal][] = []
    for (const [at, entry] of rows.entries()) {
      const fate = fates[at]!
      if (fate === 'created' || fate === 'updated' || fate === 'unchanged') {
        this.#settings.tally[fate]++
        accepted.push(entry)
      } else rejected.push([entry, fate])
    }
    this.#isOftenRefused = rejected.length * 16 > rows.length
    await this.#finish(accepted, rejected)
  }
}

/** The order in which all statements take their locks; the rows of one customer stay in theirs. */
export function inEmailOrder(rows: readonly Entry[]): Entry[] {
  // An email is ASCII, so this is the order of `collate "C"`.
  return [...rows].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
}

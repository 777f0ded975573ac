import type { ColumnMapping } from '../column-targets.js'
import type { Account } from '../db/accounts.js'
import { endUpload, type HistoryTables, keepRejectedRows, startUpload } from '../db/upload-history.js'
import { isFlag, isObject, isText, type OptionRule } from '../options.js'
import type { RejectedRow } from '../rejected-rows.js'

/** What the history of an upload keeps of it. */
export interface HistoryOptions {
  /** What the host knows it by: an id of a file, of a user. At most 1,000 characters. */
  reference?: string
  /** The name of the file. At most 1,000 characters. */
  fileName?: string
  /** Whether its rejected rows are kept, for `getUpload`. Default `false`. */
  keepRejected?: boolean
}

const isShort: OptionRule = (value) =>
  isText(value) ?? ((value as string).length > 1_000 ? 'a text of at most 1,000 characters' : undefined)
const RULES: Record<string, OptionRule> = { reference: isShort, fileName: isShort, keepRejected: isFlag }

/** Rule of the option `history`. */
export const isHistory: OptionRule = (value) =>
  isObject(value) === undefined &&
  Object.entries(value as object).every(
    ([name, each]) => each === undefined || (Object.hasOwn(RULES, name) && RULES[name]!(each) === undefined),
  )
    ? undefined
    : 'an object with reference, fileName (texts of at most 1,000 characters) or keepRejected (a boolean), or {}'

const ROWS_AT_ONCE = 500

/** Keeps the history of one upload. */
export class HistoryRecorder {
  readonly #account: Account
  readonly #tables: HistoryTables
  readonly #keepsRejected: boolean
  #waiting: RejectedRow[] = []

  private constructor(
    account: Account,
    tables: HistoryTables,
    readonly uploadId: string,
    keepsRejected: boolean,
  ) {
    this.#account = account
    this.#tables = tables
    this.#keepsRejected = keepsRejected
  }

  /** Notes that an upload begins. */
  static async start(
    account: Account,
    tables: HistoryTables,
    { reference, fileName, keepRejected = false }: HistoryOptions,
    options: Record<string, unknown>,
    mapping: ColumnMapping,
    signal: AbortSignal,
  ): Promise<HistoryRecorder> {
    const columns = mapping.columns.map(({ header, target }) => ({ header, target }))
    const id = await startUpload(account, tables, { reference, fileName, options: { ...options, columns } }, signal)
    return new HistoryRecorder(account, tables, id, keepRejected)
  }

  /** Where the changes go. */
  get changes(): { table: string; uploadId: string } {
    return { table: this.#tables.changes, uploadId: this.uploadId }
  }

  /** Keeps a rejected row, if it is to be kept. */
  async reject(row: RejectedRow): Promise<void> {
    if (!this.#keepsRejected) return
    this.#waiting.push(row)
    if (this.#waiting.length >= ROWS_AT_ONCE) await this.#keep()
  }

  async end(status: 'completed' | 'failed', counts: object, newAttributes: readonly string[]): Promise<void> {
    await this.#keep()
    await endUpload(this.#account, this.#tables, this.uploadId, { status, counts, newAttributes })
  }

  async #keep(): Promise<void> {
    const rows = this.#waiting
    this.#waiting = []
    if (rows.length > 0) await keepRejectedRows(this.#account, this.#tables, this.uploadId, rows)
  }
}

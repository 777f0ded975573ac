import { orAborted } from '../abort.js'
import type { RejectedRow } from '../rejected-rows.js'
import type { UploadCounts, UploadOptions, UploadProgress } from './options.js'

/** How many rejected rows a result carries; `onRejected` has them all. */
const REJECTED_IN_RESULT = 100

const PROGRESS_EVERY_MS = 100

/** Counts an upload: what became of each row, which attributes were stored, which rows were rejected. */
export class Tally {
  rowsRead = 0
  created = 0
  updated = 0
  unchanged = 0
  rowsRejected = 0
  /** attributes of which a row with a value was stored */
  readonly found = new Set<string>()
  /** the customers whose opt-out was kept, each once however many rows it has */
  readonly optOutsKept = new Set<string>()
  /** the first rejected rows, in row order */
  readonly rejected: RejectedRow[] = []
  /** of the file, once it is opened */
  bytesRead: () => number = () => 0
  /** what ended the upload, the first of it */
  failure: { cause: unknown } | undefined
  readonly #options: Callbacks
  readonly #stop: AbortController
  readonly #signal: AbortSignal
  #lastProgress = performance.now()
  #telling: Promise<unknown> | undefined

  /**
   * @param options - the host's callbacks, and its signal, which ends the waiting for them
   * @param stop - stops all of the upload when a callback fails
   */
  constructor(options: Callbacks, stop: AbortController) {
    this.#options = options
    this.#stop = stop
    this.#signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  }

  /** Ends the upload, for the first reason that there is. */
  fail(cause: unknown): void {
    this.failure ??= { cause }
    this.#stop.abort()
  }

  async reject(row: RejectedRow): Promise<void> {
    this.rowsRejected++
    const last = this.rejected.at(-1)
    if (this.rejected.length < REJECTED_IN_RESULT || (last && row.row < last.row)) {
      const at = this.rejected.findIndex((other) => other.row > row.row)
      this.rejected.splice(at === -1 ? this.rejected.length : at, 0, row)
      if (this.rejected.length > REJECTED_IN_RESULT) this.rejected.pop()
    }
    const { onRejected } = this.#options
    if (onRejected) await orAborted(call(onRejected, row), this.#signal)
  }

  /** The counts of the rows whose fate is known. */
  counts(): UploadCounts {
    return {
      rowsTotal: this.created + this.updated + this.unchanged + this.rowsRejected,
      customersCreated: this.created,
      customersUpdated: this.updated,
      customersUnchanged: this.unchanged,
      rowsRejected: this.rowsRejected,
    }
  }

  /** Everything was rolled back: nothing was stored after all. */
  forget(): void {
    this.created = 0
    this.updated = 0
    this.unchanged = 0
    this.found.clear()
    this.optOutsKept.clear()
  }

  /** Tells the progress when it is due, and the one before has been taken in. */
  progress(): void {
    const isDue = performance.now() - this.#lastProgress >= PROGRESS_EVERY_MS
    if (!isDue || this.#telling || !this.#options.onProgress) return
    // A failure of the host's callback is the upload's.
    this.#tell().catch((error) => this.fail(error))
  }

  /** Tells the last progress, however short it comes after another. */
  async lastProgress(): Promise<void> {
    await this.#telling
    await this.#tell()
  }

  #tell(): Promise<unknown> {
    const { onProgress } = this.#options
    if (!onProgress) return Promise.resolve()
    this.#lastProgress = performance.now()
    const { rowsTotal: _, ...counts } = this.counts()
    const progress: UploadProgress = { bytesRead: this.bytesRead(), rowsRead: this.rowsRead, ...counts }
    this.#telling = orAborted(call(onProgress, progress), this.#signal)
    return this.#telling.finally(() => {
      this.#telling = undefined
    })
  }
}

type Callbacks = Pick<UploadOptions, 'onProgress' | 'onRejected' | 'signal'>

/** Calls a callback of the host's; what it throws and what its promise rejects with is the same. */
async function call<Argument>(callback: (argument: Argument) => unknown, argument: Argument): Promise<unknown> {
  return callback(argument)
}

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
  /** the first rejected rows, in row order */
  readonly rejected: RejectedRow[] = []
  readonly #options: Pick<UploadOptions, 'onProgress' | 'onRejected'>
  readonly #bytesRead: () => number
  #lastProgress = performance.now()

  constructor(options: Pick<UploadOptions, 'onProgress' | 'onRejected'>, bytesRead: () => number) {
    this.#options = options
    this.#bytesRead = bytesRead
  }

  async reject(row: RejectedRow): Promise<void> {
    this.rowsRejected++
    const last = this.rejected.at(-1)
    if (this.rejected.length < REJECTED_IN_RESULT || (last && row.row < last.row)) {
      const at = this.rejected.findIndex((other) => other.row > row.row)
      this.rejected.splice(at === -1 ? this.rejected.length : at, 0, row)
      if (this.rejected.length > REJECTED_IN_RESULT) this.rejected.pop()
    }
    await this.#options.onRejected?.(row)
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
  }

  progress(isLast = false): void {
    const { onProgress } = this.#options
    if (!onProgress) return
    const now = performance.now()
    if (!isLast && now - this.#lastProgress < PROGRESS_EVERY_MS) return
    this.#lastProgress = now
    const { rowsTotal: _, ...counts } = this.counts()
    const progress: UploadProgress = { bytesRead: this.#bytesRead(), rowsRead: this.rowsRead, ...counts }
    onProgress(progress)
  }
}

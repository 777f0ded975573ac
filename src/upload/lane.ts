import { inEmailOrder } from './batch-writer.js'
import type { Entry } from './entries.js'

/** A wave is tiny when this many of its size make a batch. */
const TINY_WAVES = 32

/**
 * How many waves are written together at most: within a transaction every new version of a row makes the next one
 * dearer, as the server cannot clear the old ones away before the end.
 */
const MAX_WAVES = 64

/** Characters that may wait in a lane: rows can be long, and memory is bounded all the same. */
const MAX_WAITING_LENGTH = 4_000_000

/** What writes the batches of a lane. */
export interface LaneWriter {
  /** writes entries of which no two are of one customer */
  write(entries: readonly Entry[]): Promise<void>
  /** writes entries one after the other, a customer's in file order */
  writeInOrder(entries: readonly Entry[]): Promise<void>
}

/**
 * The rows of some of the customers, in waves: a row goes to the wave after its customer's last waiting one, so that in
 * a batch each customer stands once and a customer's rows are written in file order, while rows of other customers
 * need not wait. One batch is being written while the next is filled.
 */
export class Lane {
  readonly #writer: LaneWriter
  readonly #onFailure: (error: unknown) => void
  readonly #batchSize: number
  readonly #joinsTwins: boolean
  #waves: Entry[][] = []
  #firstWave = 0
  #waiting = 0
  #waitingLength = 0
  #last = new Map<string, Entry>()
  #writing: Promise<void> = Promise.resolve()

  /**
   * @param writer - writes the batches
   * @param batchSize - rows of a batch
   * @param onFailure - told at once when a batch fails; the failure is also met where the writing is waited for
   * @param joinsTwins - whether a row that repeats its customer's waiting one shares its fate instead of being written
   */
  constructor(writer: LaneWriter, onFailure: (error: unknown) => void, batchSize: number, joinsTwins: boolean) {
    this.#onFailure = onFailure
    this.#writer = writer
    this.#batchSize = batchSize
    this.#joinsTwins = joinsTwins
  }

  /** Takes an entry; a promise is to be waited for before the next. */
  add(entry: Entry): Promise<void> | undefined {
    const before = this.#last.get(entry.key)
    this.#waiting++
    this.#waitingLength += lengthOf(entry)
    if (before && this.#joinsTwins && before.text === entry.text) {
      before.twins ??= []
      before.twins.push(entry)
    } else {
      entry.wave = before ? before.wave + 1 : this.#firstWave
      const index = entry.wave - this.#firstWave
      const wave = this.#waves[index]
      if (wave) wave.push(entry)
      else this.#waves[index] = [entry]
      this.#last.set(entry.key, entry)
    }
    const isFull =
      this.#waves[0]!.length >= this.#batchSize ||
      this.#waiting >= 2 * this.#batchSize ||
      this.#waitingLength >= MAX_WAITING_LENGTH
    return isFull ? this.#flush() : undefined
  }

  /** Writes all that waits. */
  async drain(): Promise<void> {
    while (this.#waves.length > 0) await this.#flush()
    await this.#writing
  }

  /** Waits for the batch under way, whatever comes of it. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => {})
  }

  async #flush(): Promise<void> {
    await this.#writing
    const waves = this.#takeWaves()
    if (waves.length === 0) return
    this.#writing =
      waves.length === 1 ? this.#writer.write(waves[0]!) : this.#writer.writeInOrder(inEmailOrder(waves.flat()))
    this.#writing.catch(this.#onFailure)
  }

  /**
   * The first wave; where a few customers have many rows, as many of their tiny waves as a batch takes: these are written
   * row by row within the server, instead of a statement for each.
   */
  #takeWaves(): Entry[][] {
    const taken: Entry[][] = []
    let rows = 0
    while (this.#waves.length > 0) {
      const next = this.#waves[0]!
      const isTiny = next.length * TINY_WAVES <= this.#batchSize
      if (taken.length > 0 && (!isTiny || taken.length === MAX_WAVES || rows + next.length > this.#batchSize)) break
      taken.push(next)
      rows += next.length
      this.#waves.shift()
      this.#firstWave++
      for (const entry of next) {
        for (const gone of [entry, ...(entry.twins ?? [])]) {
          this.#waiting--
          this.#waitingLength -= lengthOf(gone)
        }
        if (this.#last.get(entry.key) === entry) this.#last.delete(entry.key)
      }
      if (!isTiny) break
    }
    return taken
  }
}

function lengthOf({ text, cells }: Entry): number {
  return text.length + cells.length
}

/** FNV-1a over the key's characters: which lane a customer belongs to. */
export function laneOf(key: string, lanes: number): number {
  if (lanes === 1) return 0
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % lanes
}

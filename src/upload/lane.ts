import type { Entry } from './entries.js'

/**
 * The rows of some of the customers, in waves: a row goes to the wave after its customer's last waiting one, so that in
 * a batch each customer stands once and a customer's rows are written in file order, while rows of other customers
 * need not wait. One batch is being written while the next is filled.
 */
export class Lane {
  readonly #write: (entries: Entry[]) => Promise<void>
  readonly #batchSize: number
  readonly #joinsTwins: boolean
  #waves: Entry[][] = []
  #firstWave = 0
  #waiting = 0
  #last = new Map<string, Entry>()
  #writing: Promise<void> = Promise.resolve()

  /**
   * @param write - writes a batch in which each customer stands once
   * @param batchSize - rows of a batch
   * @param joinsTwins - whether a row that repeats its customer's waiting one shares its fate instead of being written
   */
  constructor(write: (entries: Entry[]) => Promise<void>, batchSize: number, joinsTwins: boolean) {
    this.#write = write
    this.#batchSize = batchSize
    this.#joinsTwins = joinsTwins
  }

  /** Takes an entry; a promise is to be waited for before the next. */
  add(entry: Entry): Promise<void> | undefined {
    const before = this.#last.get(entry.key)
    this.#waiting++
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
    const isFull = this.#waves[0]!.length >= this.#batchSize || this.#waiting >= 2 * this.#batchSize
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
    const wave = this.#waves.shift()
    if (!wave) return
    for (const entry of wave) {
      this.#waiting -= 1 + (entry.twins?.length ?? 0)
      if (this.#last.get(entry.key) === entry) this.#last.delete(entry.key)
    }
    this.#firstWave++
    this.#writing = this.#write(wave)
    // The failure is met where the writing is waited for; until then it must not count as unhandled.
    this.#writing.catch(() => {})
  }
}

/** FNV-1a over the key's characters: which lane a customer belongs to. */
export function laneOf(key: string, lanes: number): number {
  if (lanes === 1) return 0
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % lanes
}

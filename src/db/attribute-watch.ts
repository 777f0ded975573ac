import { createHash, randomBytes } from 'node:crypto'
import { type Account, shareAccount } from './accounts.js'
import { type BatchRow, compareJsonbKeys } from './batch.js'
import { query } from './client.js'
import type { Definition } from './definitions.js'
import { rareSeparator } from './separators.js'

/** The id under which an upload records a name, so that it knows it again. */
function definitionId(seed: string, name: string): string {
  const hex = createHash('sha256')
    .update(seed + name)
    .digest('hex')
    .slice(0, 32)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** What a look at the definitions saw. */
export interface SeenDefinitions {
  definitions: readonly Definition[]
  /** the attributes that were known to have one when it was sent: another batch may have recorded more since */
  expected: ReadonlySet<string>
}

/**
 * The attributes of an upload under the names that the account has for them by now: while the upload runs, another call may
 * rename one, whose further values go to the new name, or remove one, whose further values are dropped.
 */
export class AttributeWatch {
  /** of the ids under which names are recorded; see `definitionsSql` */
  readonly seed = randomBytes(16).toString('hex')
  readonly #watched: { name: string; id: string; isRecorded: boolean }[]
  readonly #current = new Map<string, string | null>()

  constructor(names: readonly string[], definitions: readonly Definition[]) {
    const ids = new Map(definitions.map(({ id, name }) => [name, id!]))
    this.#watched = names.map((name) => ({
      name,
      id: ids.get(name) ?? definitionId(this.seed, name),
      isRecorded: ids.has(name),
    }))
  }

  /**
   * Looks at the definitions, within a transaction in which nobody renames: under the account's lock, which it takes unless
   * the upload has it.
   */
  async refresh(account: Account, sharesAccount: boolean, signal?: AbortSignal): Promise<void> {
    if (this.#watched.length === 0) return
    if (sharesAccount) await shareAccount(account, signal)
    this.note(await this.look(account, signal))
  }

  /** The definitions that the attributes have. */
  async look({ sql, shape, accountId }: Account, signal?: AbortSignal): Promise<SeenDefinitions> {
    const expected = new Set(this.#watched.filter(({ isRecorded }) => isRecorded).map(({ name }) => name))
    const separator = rareSeparator()
    const rows = await query(
      sql,
      `select id::text, attribute_name::text from ${shape.definitionTable}
       where account_id = $1::${shape.accountIdType}
         and (id = any (string_to_array($3::text, $2::text)::uuid[]) or attribute_name = any (string_to_array($4::text, $2::text)))`,
      [
        accountId,
        separator,
        this.#watched.map(({ id }) => id).join(separator),
        this.#watched.map(({ name }) => name).join(separator),
      ],
      { signal },
    )
    return { definitions: rows.map(([id, name]) => ({ id: id!, name: name! })), expected }
  }

  /** Takes in what {@link look} found, once it is sure. */
  note({ definitions, expected }: SeenDefinitions): void {
    const nameOf = new Map(definitions.map(({ id, name }) => [id!, name]))
    const idOf = new Map(definitions.map(({ id, name }) => [name, id!]))
    for (const watched of this.#watched) {
      const { name } = watched
      let current: string | null | undefined = nameOf.get(watched.id)
      if (current === undefined && idOf.has(name)) {
        watched.id = idOf.get(name)!
        current = name
      }
      if (current !== undefined) watched.isRecorded = true
      else if (expected.has(name)) current = null
      if (current === undefined || current === name) this.#current.delete(name)
      else this.#current.set(name, current)
    }
  }

  /** The definitions that a batch counts on: of the attributes that have one, under the names of now. */
  get expected(): { id: string; name: string }[] {
    return this.#watched.flatMap(({ id, name, isRecorded }) => {
      const current = this.nameOf(name)
      return isRecorded && current !== undefined ? [{ id, name: current }] : []
    })
  }

  /** What an attribute is called by now; undefined when it was removed. */
  nameOf(name: string): string | undefined {
    const current = this.#current.get(name)
    return current === undefined ? name : (current ?? undefined)
  }

  /** The names as they are by now, each once. */
  namesOf(names: Iterable<string>): string[] {
    return [...new Set([...names].flatMap((name) => this.nameOf(name) ?? []))]
  }

  /** A row with its attributes under the names of now; where two became one, the one that was called so counts. */
  translate<Row extends BatchRow>(row: Row, hasAttributes: boolean): Row {
    if (this.#current.size === 0 || !hasAttributes) return row
    const parts = row.text.split(row.separator)
    const given = Object.entries(JSON.parse(parts.at(-1)!) as Record<string, string>)
    if (!given.some(([name]) => this.#current.has(name))) return row
    const values = new Map<string, string>()
    for (const isSame of [false, true]) {
      for (const [name, value] of given) {
        const current = this.nameOf(name)
        if (current !== undefined && (current === name) === isSame) values.set(current, value)
      }
    }
    const sorted = [...values].sort(([a], [b]) => compareJsonbKeys(a, b))
    parts[parts.length - 1] = JSON.stringify(Object.fromEntries(sorted))
    return { ...row, text: parts.join(row.separator) }
  }
}

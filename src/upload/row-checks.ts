import { orAborted } from '../abort.js'
import { CustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import type { ParsedRow, RowProblem } from '../rows.js'
import type { Entry, EntryReader } from './entries.js'

/** Where a row stands in its file: as a spreadsheet counts rows, and the physical line on which it starts; from 1. */
export interface RowPlace {
  row: number
  line: number
}

/** A row as `checkRows` gets it. */
export type PlacedRow = ParsedRow & RowPlace

/** What a host's check says against a row: it is rejected as `ROW_NOT_ALLOWED` with this message. */
export interface RowObjection {
  /** What is wrong and what to do; it stands in the rejected row, so it should not repeat the value. */
  message: string
  /** The header of the column, when it is about one. */
  column?: string
}

/** What a host's check says of a row: nothing (it passes), the row changed, or why it is not allowed. */
export type RowVerdict = ParsedRow | RowObjection | null | undefined

/** The host's own rules for rows. */
export interface RowCheckOptions {
  /**
   * Called for every row that the file's own checks let through, in file order; a promise is waited for. Returns nothing,
   * the row changed (values of the names that the file or `constants` fills, `email` included), or an objection.
   */
  checkRow?: (row: ParsedRow, place: RowPlace) => RowVerdict | Promise<RowVerdict>
  /**
   * The same for a batch of rows (at most `batchSize`), after `checkRow`: one look-up for all of them. Returns an array with
   * one entry per row, in their order, or nothing when all pass.
   */
  checkRows?: (
    rows: readonly PlacedRow[],
  ) => readonly RowVerdict[] | null | undefined | Promise<readonly RowVerdict[] | null | undefined>
}

/** Puts the rows of an upload before the host's checks, in file order. */
export interface RowChecks {
  take(entry: Entry): Promise<void>
  /** Puts what still waits before the checks. */
  finish(): Promise<void>
}

/**
 * Makes the checks of an upload, or nothing when the host has none.
 *
 * @param entries - reads the rows, and what the host makes of them
 * @param add - takes a row that passed
 * @param reject - takes one that did not
 * @param signal - ends the waiting for the host
 */
export function createRowChecks(
  { checkRow, checkRows, batchSize }: RowCheckOptions & { batchSize: number },
  entries: EntryReader,
  add: (entry: Entry) => Promise<void>,
  reject: (entry: Entry, problem: RowProblem) => Promise<void>,
  signal: AbortSignal,
): RowChecks | undefined {
  if (!checkRow && !checkRows) return undefined
  let waiting: { entry: Entry; row: ParsedRow }[] = []

  /** Does what a verdict says; returns the row when it passed. */
  async function settle(entry: Entry, row: ParsedRow, verdict: RowVerdict) {
    if (verdict == null) return { entry, row }
    const revised = isObjection(verdict) ? notAllowed(verdict) : entries.revise(entry, verdict)
    if (!('code' in revised)) return { entry: revised, row: entries.lastRow() }
    await reject(entry, revised)
    return undefined
  }

  async function finish(): Promise<void> {
    const rows = waiting
    waiting = []
    if (rows.length === 0) return
    const ask = async () => checkRows?.(rows.map(({ entry, row }) => ({ ...row, row: entry.row, line: entry.line })))
    const verdicts = checkAnswer(
      await orAborted(ask(), signal),
      rows.map(({ entry }) => entry.row),
    )
    for (const [at, { entry, row }] of rows.entries()) {
      const passed = await settle(entry, row, verdicts[at])
      if (passed) await add(passed.entry)
    }
  }

  return {
    finish,
    async take(entry) {
      const row = entries.lastRow()
      const ask = async () => checkRow?.(row, { row: entry.row, line: entry.line })
      const verdict = checkRow ? checkVerdict('checkRow', await orAborted(ask(), signal), entry.row) : undefined
      const passed = await settle(entry, row, verdict)
      if (!passed) return
      if (!checkRows) return add(passed.entry)
      waiting.push(passed)
      if (waiting.length >= batchSize) await finish()
    },
  }
}

/** The answer for a batch: one verdict per row. */
function checkAnswer(answer: unknown, rows: readonly number[]): readonly RowVerdict[] {
  const verdicts = answer ?? rows.map(() => undefined)
  if (!Array.isArray(verdicts) || verdicts.length !== rows.length) {
    const came = Array.isArray(verdicts) ? `${verdicts.length} entries` : kindOf(verdicts)
    throw wrongAnswer('checkRows', `an array with an entry for each of ${rows.length} rows, or nothing, got ${came}`)
  }
  return verdicts.map((verdict: RowVerdict, at) => checkVerdict('checkRows', verdict, rows[at]!))
}

/** Whether a verdict is an objection. */
function isObjection(verdict: RowVerdict): verdict is RowObjection {
  return verdict != null && 'message' in verdict
}

/** The problem of a row that a host's check objects to. */
function notAllowed({ message, column }: RowObjection): RowProblem {
  return column === undefined
    ? { code: 'ROW_NOT_ALLOWED', message, details: {} }
    : { code: 'ROW_NOT_ALLOWED', message, column, details: { column } }
}

function checkVerdict(check: string, verdict: RowVerdict, row: number): RowVerdict {
  if (verdict == null) return verdict
  const { message, column, standard, custom_attributes } = verdict as Partial<RowObjection & ParsedRow>
  const isText = (value: unknown) => typeof value === 'string'
  if (isText(message) && message !== '' && (column === undefined || isText(column))) return verdict
  const isValues = (values: unknown) =>
    typeof values === 'object' && values !== null && Object.values(values).every(isText)
  if (message === undefined && isValues(standard) && isValues(custom_attributes)) return verdict
  throw wrongAnswer(
    check,
    `nothing, { standard, custom_attributes } of texts, or { message, column? }; for row ${row} it gave ${kindOf(verdict)}`,
  )
}

function wrongAnswer(check: string, expected: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_ARGUMENT', `${check} must give ${expected}.`, { argument: check })
}

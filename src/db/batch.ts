import { CustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { isUnstorable } from '../rows.js'
import { type BatchPlan, buildBatchStatement, buildInsertStatement } from './batch-statement.js'
import { execute, queryRow, type SqlClient } from './client.js'
import { classifyFailure, describeRefusal } from './failures.js'
import { UNSTORED, type UnstoredFate } from './fates.js'
import { valueCheck } from './field-values.js'
import { FIELD_SEPARATOR, ROW_SEPARATOR } from './separators.js'
import type { TableShape } from './table-shape.js'

/** A row to be written. */
export interface BatchRow {
  email: string
  /** the email, the plan's fields (`''` for empty) and, where the plan has attributes, their JSON object, joined */
  text: string
  /** what the text is joined with: {@link FIELD_SEPARATOR}, or a {@link rareSeparator} */
  separator: string
}

/** What became of a batch: how many rows each way, and the customers that need a word. */
export interface BatchOutcome {
  created: number
  updated: number
  unchanged: number
  /** the rows that were not stored, by email */
  unstored: ReadonlyMap<string, UnstoredFate>
  /** the emails of customers whose opt-out was kept */
  optOutsKept: ReadonlySet<string>
  /** the id of the customer, where the plan asks for it */
  id?: string
  /** whether nothing was written because an attribute is called otherwise by now */
  isStale?: boolean
}

/** What the batches of one upload, or one upsert, have in common. */
export interface BatchTarget {
  shape: TableShape
  accountId: string
  plan: Omit<BatchPlan, 'recordsDefinitions'>
  /** the attribute names that a blank cell clears, with `emptyValues: 'clear'` */
  clearedNames: readonly string[]
  /** makes the id of a customer to be created, where the plan's rows bring it */
  newId?: (() => string) | undefined
}

/**
 * Writes a batch in which each customer stands once, with one statement.
 *
 * @param sql - client or transaction
 * @param rows - at least one row
 * @param recordsDefinitions - whether the names of accepted attributes are recorded
 * @param signal - ends the waiting
 */
export async function writeBatch(
  sql: SqlClient,
  target: BatchTarget,
  rows: readonly BatchRow[],
  recordsDefinitions: boolean,
  signal?: AbortSignal,
): Promise<BatchOutcome> {
  const { shape, plan } = target
  const { separator, rowSeparator, text: rowsText } = joinRows(rows, target)
  const parameters = [target.accountId, separator, rowSeparator, rowsText]
  const clearedNames = joinClearedNames(target, separator)
  if (clearedNames !== undefined) parameters.push(clearedNames)
  const text = buildBatchStatement(shape, { ...plan, recordsDefinitions })
  const isOneOfMany = !plan.returnsId || !mayHaveName(text)
  const [created, updated, unchanged, ...lists] = await queryRow(sql, text, parameters, { signal, isOneOfMany }).catch(
    (error) => {
      throw (classifyFailure(error) === 'refused' && newIdFault(target, describeRefusal(error).constraint)) || error
    },
  )
  const unstored = UNSTORED.flatMap((fate, at) =>
    (lists[at]?.split(rowSeparator) ?? []).map((email) => [email, fate] as const),
  )
  return {
    created: Number(created),
    updated: Number(updated),
    unchanged: Number(unchanged),
    unstored: new Map(unstored),
    optOutsKept: new Set(lists[UNSTORED.length + 1]?.split(rowSeparator)),
    ...(plan.returnsId ? { id: lists[UNSTORED.length] ?? '' } : { isStale: lists[UNSTORED.length] === 'true' }),
  }
}

/** The statements for one customer that have a name on the server, which spares the planning: hosts send few layouts. */
const NAMED = new Set<string>()
const MAX_NAMED = 16

function mayHaveName(text: string): boolean {
  if (NAMED.size < MAX_NAMED) NAMED.add(text)
  return NAMED.has(text)
}

/**
 * Inserts a batch of customers that are probably all new; it is refused when one of them exists.
 *
 * @returns how many were created: all, unless the table has a trigger or rule that swallows rows
 */
export function insertBatch(
  sql: SqlClient,
  target: BatchTarget,
  rows: readonly BatchRow[],
  recordsDefinitions: boolean,
  signal?: AbortSignal,
): Promise<number> {
  const { separator, rowSeparator, text } = joinRows(rows, target)
  const statement = buildInsertStatement(target.shape, { ...target.plan, recordsDefinitions })
  return execute(sql, statement, [target.accountId, separator, rowSeparator, text], {
    signal,
    isOneOfMany: true,
  })
}

/** The rows as the statements take them. */
export function joinRows(
  rows: readonly BatchRow[],
  { newId, plan, shape }: BatchTarget,
): { separator: string; rowSeparator: string; text: string } {
  const separator = rows.find((row) => row.separator !== FIELD_SEPARATOR)?.separator ?? FIELD_SEPARATOR
  const rowSeparator = ROW_SEPARATOR + separator.slice(1)
  const makeId = plan.bringsId ? idMaker(newId!, shape, separator) : undefined
  const texts = rows.map((row) => {
    const text = row.separator === separator ? row.text : row.text.replaceAll(row.separator, separator)
    return makeId ? text + separator + makeId() : text
  })
  return { separator, rowSeparator, text: texts.join(rowSeparator) }
}

/** @throws CustomAttributesError `INVALID_OPTION` for what is no id of the table; what the host's function throws passes */
function idMaker(newId: () => string, shape: TableShape, separator: string): () => string {
  const column = shape.columns.get('id')!
  const check = valueCheck(column, 'iso')
  return () => {
    const id: unknown = newId()
    if (typeof id !== 'string' || id === '' || isUnstorable(id) || id.includes(separator.charAt(0))) {
      throw invalidNewId(`must return a text, got ${kindOf(id)}.`)
    }
    const checked = check?.(id) ?? id
    if (typeof checked === 'string') return checked
    throw invalidNewId(
      `returned a text that ${column.name} of ${shape.customerTable}, which is ${column.type}, cannot hold.`,
    )
  }
}

/** A refusal that is the fault of `newId`, and of no row: an id that another customer has. */
export function newIdFault({ plan, shape }: BatchTarget, constraint: string | undefined): Error | undefined {
  if (!plan.bringsId || constraint === undefined || !shape.idIndexes.includes(constraint)) return undefined
  return invalidNewId('returned an id that another customer has. It must return a new one at every call.')
}

function invalidNewId(what: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_OPTION', `newId ${what}`, {
    function: 'createCustomAttributesStore',
    option: 'newId',
  })
}

/** The names that blank cells clear, where the statement asks for them. */
export function joinClearedNames({ plan, clearedNames }: BatchTarget, separator: string): string | undefined {
  const { existing, emptyValues, hasAttributes } = plan
  return hasAttributes && emptyValues === 'clear' && existing === 'merge' ? clearedNames.join(separator) : undefined
}

/** Compares two names as jsonb orders its keys: by length in bytes, then by bytes. */
export function compareJsonbKeys(a: string, b: string): number {
  const first = Buffer.from(a)
  const second = Buffer.from(b)
  return first.length - second.length || first.compare(second)
}

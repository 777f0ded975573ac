import { type BatchPlan, buildBatchStatement } from './batch-statement.js'
import { chooseSeparator, queryRow, type SqlClient } from './client.js'
import type { TableShape } from './table-shape.js'

/** A row to be written: its customer, the values of the plan's fields in order (`''` for empty), and its attributes. */
export interface BatchRow {
  email: string
  values: readonly string[]
  /** JSON object of strings; only read where the plan has attributes */
  attributes: string
}

/** What became of a batch: how many rows each way, and the customers that need a word. */
export interface BatchOutcome {
  created: number
  updated: number
  unchanged: number
  /** emails of rows that would take their customer over the cap */
  over: readonly string[]
  /** emails of rows denied by `existing: 'reject'` or `unknown: 'reject'` */
  denied: readonly string[]
  /** emails of rows that met a race and are to be sent again, looking */
  again: readonly string[]
}

/** Statements by plan, so that each text is built once per upload and the server can keep its plan. */
export type StatementCache = Map<string, string>

/**
 * Writes a batch in which each customer stands once, with one statement.
 *
 * @param sql - client or transaction
 * @param accountId - checked account id
 * @param plan - what the rows carry and how they merge
 * @param rows - at least one row
 * @param clearedNames - the file's attribute names, for `emptyValues: 'clear'`
 */
export async function writeBatch(
  sql: SqlClient,
  shape: TableShape,
  accountId: string,
  plan: BatchPlan,
  rows: readonly BatchRow[],
  clearedNames: readonly string[],
  statements: StatementCache,
  signal?: AbortSignal,
): Promise<BatchOutcome> {
  const emails = rows.map(({ email }) => email)
  const lists = plan.fields.map((_, at) => rows.map(({ values }) => values[at]!))
  const attributes = plan.hasAttributes ? rows.map((row) => row.attributes) : []
  const separator = chooseSeparator(emails, ...lists, attributes)
  const parameters = [accountId, separator, emails.join(separator), ...lists.map((list) => list.join(separator))]
  if (plan.hasAttributes) {
    parameters.push(attributes.join(separator))
    if (plan.emptyValues === 'clear' && plan.existing === 'merge' && plan.look)
      parameters.push(clearedNames.join(separator))
  }
  const [created, updated, unchanged, over, denied, again] = await queryRow(
    sql,
    statementFor(shape, plan, statements),
    parameters,
    signal,
  )
  const split = (list: string | null | undefined) => (list ? list.split(separator) : [])
  return {
    created: Number(created),
    updated: Number(updated),
    unchanged: Number(unchanged),
    over: split(over),
    denied: split(denied),
    again: split(again),
  }
}

function statementFor(shape: TableShape, plan: BatchPlan, statements: StatementCache): string {
  const key = `${plan.look} ${plan.recordsDefinitions}`
  const known = statements.get(key)
  if (known) return known
  const text = buildBatchStatement(shape, plan)
  statements.set(key, text)
  return text
}

/** Compares two names as jsonb orders its keys: by length in bytes, then by bytes. */
export function compareJsonbKeys(a: string, b: string): number {
  const first = Buffer.from(a)
  const second = Buffer.from(b)
  return first.length - second.length || first.compare(second)
}

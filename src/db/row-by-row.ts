import { randomBytes } from 'node:crypto'
import type { Sql } from 'postgres'
import { type BatchRow, type BatchTarget, joinClearedNames, joinRows } from './batch.js'
import { buildBatchStatement, type ParameterNames } from './batch-statement.js'
import { execute, isTransaction, query, queryRow, type SqlClient } from './client.js'
import type { Refusal } from './failures.js'

/** What became of one row. */
export type RowFate = 'created' | 'updated' | 'unchanged' | 'over' | 'denied' | 'again' | Refusal

const OUTCOMES = ['created', 'updated', 'unchanged', 'over', 'denied', 'again'] as const

const VARIABLES: ParameterNames = {
  account: '_ca_account',
  fieldSeparator: '_ca_field_separator',
  rowSeparator: '_ca_row_separator',
  rows: '_ca_row',
  clearedNames: '_ca_cleared',
}

/** Where the texts wait that a `do` block cannot be given as parameters: settings that end with the transaction. */
const SETTINGS = ['account', 'field_separator', 'row_separator', 'rows', 'cleared'] as const

/**
 * Writes rows one after the other in one transaction, each in a subtransaction of its own, all within the server: the
 * rows that are refused cost no round trip. In email order, so that two of them do not deadlock.
 *
 * @returns what became of each row, in the order of `rows`
 */
export async function writeRowByRow(
  sql: SqlClient,
  target: BatchTarget,
  rows: readonly BatchRow[],
  recordsDefinitions: boolean,
  signal?: AbortSignal,
): Promise<RowFate[]> {
  const order = rows.map((_, at) => at).sort((a, b) => (rows[a]!.email < rows[b]!.email ? -1 : 1))
  const { separator, rowSeparator, text } = joinRows(order.map((at) => rows[at]!))
  const values = [target.accountId, separator, rowSeparator, text, joinClearedNames(target, separator) ?? '']
  const body = blockBody(target, recordsDefinitions)
  const tag = `$ca_${randomBytes(8).toString('hex')}$`

  const work = async (tx: SqlClient) => {
    const set = SETTINGS.map((name, at) => `set_config('custom_attributes.${name}', $${at + 1}::text, true)::text`)
    const [, , [result]] = await Promise.all([
      query(tx, `select ${set.join(', ')}`, values, signal),
      execute(tx, `do ${tag}${body}${tag}`, [], signal),
      queryRow(tx, `select current_setting('custom_attributes.result')`, [], signal),
    ])
    return result!
  }
  const result = isTransaction(sql)
    ? await work(sql)
    : await (sql as Sql).begin(async (tx) => {
        // A deferred constraint would refuse the whole transaction at its end.
        await execute(tx, 'set constraints all immediate', [], signal)
        return work(tx)
      })
  const fates = new Array<RowFate>(rows.length)
  for (const [at, fate] of result.split(rowSeparator).entries()) fates[order[at]!] = readFate(fate, separator)
  return fates
}

function readFate(text: string, separator: string): RowFate {
  const outcome = OUTCOMES.find((name) => name === text)
  if (outcome) return outcome
  const [sqlstate, constraint, column] = text.split(separator)
  return { sqlstate: sqlstate!, ...(constraint ? { constraint } : {}), ...(column ? { column } : {}) }
}

function blockBody({ shape, plan }: BatchTarget, recordsDefinitions: boolean): string {
  const statement = buildBatchStatement(shape, { ...plan, recordsDefinitions }, VARIABLES)
  const setting = (name: (typeof SETTINGS)[number]) => `current_setting('custom_attributes.${name}')`
  return `
#variable_conflict use_column
declare
  _ca_account text := ${setting('account')};
  _ca_field_separator text := ${setting('field_separator')};
  _ca_row_separator text := ${setting('row_separator')};
  _ca_cleared text := ${setting('cleared')};
  _ca_row text;
  _ca_outcome record;
  _ca_state text;
  _ca_constraint text;
  _ca_column text;
  _ca_fates text[] := '{}';
begin
  foreach _ca_row in array string_to_array(${setting('rows')}, _ca_row_separator) loop
    begin
      for _ca_outcome in
${statement}
      loop
        _ca_fates := _ca_fates || case when _ca_outcome.created = '1' then 'created'
          when _ca_outcome.updated = '1' then 'updated' when _ca_outcome.unchanged = '1' then 'unchanged'
          when _ca_outcome.over is not null then 'over' when _ca_outcome.denied is not null then 'denied'
          else 'again' end;
      end loop;
    exception when data_exception or integrity_constraint_violation or with_check_option_violation
      or raise_exception or program_limit_exceeded then
      get stacked diagnostics _ca_state = returned_sqlstate, _ca_constraint = constraint_name, _ca_column = column_name;
      _ca_fates := _ca_fates || concat_ws(_ca_field_separator, _ca_state, _ca_constraint, _ca_column);
    end;
  end loop;
  perform set_config('custom_attributes.result', array_to_string(_ca_fates, _ca_row_separator), true);
end `
}

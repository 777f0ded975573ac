import { randomBytes } from 'node:crypto'
import { type BatchRow, type BatchTarget, joinClearedNames, joinRows, newIdFault } from './batch.js'
import { buildBatchStatement, keepsOptOuts, lookUpSql, type ParameterNames, recordNamesSql } from './batch-statement.js'
import { execute, isOwnTransaction, query, queryRow, type SqlClient } from './client.js'
import { describeRefusal } from './failures.js'
import { type RowFate, STORED, UNSTORED } from './fates.js'
import { rareSeparator } from './separators.js'
import { liveConditions } from './table-names.js'
import { checkNow } from './transaction.js'

/** How often a row that meets a race is tried; each time with the newest snapshot. */
const TRIES = 10

/** What stands before the fate of a row that an opt-out was kept from. */
const KEEPING = 'keeping '

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
 * Writes rows one after the other, each in a subtransaction of its own, all within the server: neither
 * a refused row nor the next row of the same customer costs a round trip. A row that meets a race is tried again at once.
 *
 * @param tx - a transaction, which is the rows' own or the host's
 * @param rows - in the order of emails, each customer's together. As in a batch, who is missing is created first, the others are locked
 *   in that order, and names are recorded last: writers that wait for each other in one order do not deadlock
 * @returns what became of each row, `again` only where something swallows it, and the emails of customers whose opt-out was kept
 */
export async function writeRowByRow(
  tx: SqlClient,
  target: BatchTarget,
  rows: readonly BatchRow[],
  recordsDefinitions: boolean,
  signal?: AbortSignal,
): Promise<{ fates: RowFate[]; optOutsKept: ReadonlySet<string> }> {
  const { separator, rowSeparator, text } = joinRows(rows, target)
  const values = [target.accountId, separator, rowSeparator, text, joinClearedNames(target, separator) ?? '']
  const body = blockBody(target)
  const tag = `$ca_${randomBytes(8).toString('hex')}$`

  const set = SETTINGS.map((name, at) => `set_config('custom_attributes.${name}', $${at + 1}::text, true)::text`)
  // A deferred constraint would refuse the whole transaction at its end; a host's own transaction is its own.
  if (isOwnTransaction(tx)) await checkNow(tx, signal)
  await query(tx, `select ${set.join(', ')}`, values, { signal })
  await execute(tx, `do ${tag}${body}${tag}`, [], { signal, isOneOfMany: true })
  const [result] = await queryRow(tx, `select current_setting('custom_attributes.result')`, [], { signal })
  const told = result!.split(rowSeparator)
  const optOutsKept = new Set(rows.filter((_, at) => told[at]!.startsWith(KEEPING)).map(({ email }) => email))
  const fates = told.map((fate) => readFate(fate.startsWith(KEEPING) ? fate.slice(KEEPING.length) : fate, separator))
  for (const fate of fates) {
    const fault = typeof fate === 'object' && newIdFault(target, fate.constraint)
    if (fault) throw fault
  }
  if (recordsDefinitions) {
    // After all rows, as in a batch: a name is one more thing that writers wait for each other's.
    const stored = rows.filter((_, at) => STORED.some((fate) => fate === fates[at]))
    const names = new Set(stored.flatMap((row) => attributesOf(row, target)))
    const sql = recordNamesSql(target.shape, { ...target.plan, recordsDefinitions })
    const between = rareSeparator()
    if (names.size > 0) await query(tx, sql, [target.accountId, between, [...names].join(between)], { signal })
  }
  return { fates, optOutsKept }
}

/** The names of the attributes that a row has a value for. */
function attributesOf({ text, separator }: BatchRow, { plan }: BatchTarget): string[] {
  return plan.hasAttributes ? Object.keys(JSON.parse(text.split(separator)[plan.fields.length + 1]!)) : []
}

function readFate(text: string, separator: string): RowFate {
  const outcome = [...STORED, ...UNSTORED].find((name) => name === text)
  if (outcome) return outcome
  const [code, constraint_name, column_name, message] = text.split(separator)
  return describeRefusal({ code, constraint_name, column_name, message })
}

function blockBody({ shape, plan }: BatchTarget): string {
  const rowPlan = { ...plan, recordsDefinitions: false }
  const keeping = keepsOptOuts(shape, plan)
    ? `
            if _ca_outcome.kept is not null and _ca_fate in ('updated', 'unchanged') then
              _ca_fate := '${KEEPING}' || _ca_fate;
            end if;`
    : ''
  const write = `
          for _ca_outcome in
${buildBatchStatement(shape, rowPlan, VARIABLES)}
          loop
            _ca_fate := case when _ca_outcome.created = '1' then 'created'
              when _ca_outcome.updated = '1' then 'updated' when _ca_outcome.unchanged = '1' then 'unchanged'
              when _ca_outcome.over is not null then 'over' when _ca_outcome.existing is not null then 'existing'
              when _ca_outcome.absent is not null then 'absent' when _ca_outcome.deleted is not null then 'deleted'
              else 'again' end;${keeping}
          end loop;`
  const create = `
          for _ca_outcome in
${buildBatchStatement(shape, { ...rowPlan, existing: 'reject' }, VARIABLES)}
          loop
            _ca_fate := case when _ca_outcome.created = '1' then 'created' when _ca_outcome.again is not null then 'again' end;
          end loop;`
  const isThere = [
    lookUpSql(shape, `${VARIABLES.account}::${shape.accountIdType}`, 'n.email'),
    ...liveConditions(shape.identity.holds, 'c'),
  ].join(' and ')
  const setting = (name: (typeof SETTINGS)[number]) => `current_setting('custom_attributes.${name}')`
  /** A loop over the rows at these places, a range or a query, that have no fate yet. */
  const pass = (places: string, statement: string) => `
  for _ca_at in ${places} loop
    continue when _ca_fates[_ca_at] is not null;
    _ca_row := _ca_list[_ca_at];
    begin
      for _ca_try in 1 .. ${TRIES} loop${statement}
        exit when _ca_fate is distinct from 'again';
      end loop;
    exception when data_exception or integrity_constraint_violation or with_check_option_violation
      or raise_exception or program_limit_exceeded then
      get stacked diagnostics _ca_state = returned_sqlstate, _ca_constraint = constraint_name, _ca_column = column_name,
        _ca_message = message_text;
      _ca_fate := concat_ws(_ca_field_separator, _ca_state, _ca_constraint, _ca_column,
        case when _ca_state like '23%' then _ca_message end);
    end;
    _ca_fates[_ca_at] := _ca_fate;
  end loop;`
  const missing = `select n.at from (select r.at::int as at, split_part(r.row, _ca_field_separator, 1)::${shape.columns.get('email')!.castType} as email
    from unnest(_ca_list) with ordinality r(row, at)) n
    where not exists (select from ${shape.customerTable} c where ${isThere}) order by n.at`
  return `
#variable_conflict use_column
declare
  _ca_account text := ${setting('account')};
  _ca_field_separator text := ${setting('field_separator')};
  _ca_row_separator text := ${setting('row_separator')};
  -- A query on the tables takes variables only: Citus would read a setting where the rows lie, and there is none.
  _ca_list text[] := string_to_array(${setting('rows')}, _ca_row_separator);
  _ca_cleared text := ${setting('cleared')};
  _ca_row text;
  _ca_at integer;
  _ca_outcome record;
  _ca_state text;
  _ca_constraint text;
  _ca_column text;
  _ca_message text;
  _ca_fate text;
  _ca_fates text[] := array_fill(null::text, array[cardinality(_ca_list)]);
  _ca_plan_cache_mode text := current_setting('plan_cache_mode');
begin
  -- One plan for all rows: planning five times for the row at hand would cost more than the rows. Citus refuses it.
  perform set_config('plan_cache_mode', 'force_${shape.isDistributed ? 'custom' : 'generic'}_plan', true);
  -- As in a batch: who is missing is created first, and nobody who is there is waited for before that.
${plan.unknown === 'create' && plan.existing !== 'reject' ? pass(missing, create) : ''}${pass('1 .. cardinality(_ca_list)', write)}
  perform set_config('plan_cache_mode', _ca_plan_cache_mode, true);
  perform set_config('custom_attributes.result', array_to_string(_ca_fates, _ca_row_separator), true);
end `
}

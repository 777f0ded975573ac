import { quoteIdentifier, quoteLiteral } from './identifiers.js'
import type { ResolvedMergeOptions } from './merge-options.js'
import { isOptOutSql } from './opt-outs.js'
import type { TableColumn } from './table-catalogue.js'
import { liveConditions } from './table-names.js'
import type { TableShape } from './table-shape.js'

/** What one batch statement is to do. */
export interface BatchPlan extends Omit<ResolvedMergeOptions, 'dateFormat'> {
  /** the columns of the fields that the rows fill, without email */
  fields: readonly TableColumn[]
  /** those of them that are filled only when a customer is created */
  onlyNew: ReadonlySet<TableColumn>
  /** whether each row brings the id of the customer, should it be created */
  bringsId: boolean
  /** whether the rows carry attributes */
  hasAttributes: boolean
  maxCustomAttributes: number
  /** whether the names of accepted attributes are recorded as definitions */
  recordsDefinitions: boolean
  /** of the ids under which they are recorded, see `AttributeWatch`; without it the table gives them */
  definitionSeed?: string | undefined
  /** attributes that must still be called so; otherwise nothing is written, and the outcome is stale */
  expects?: readonly { id: string; name: string }[] | undefined
  /** the table, as SQL, into which goes what customers had before and have after, and the upload's id */
  history?: { table: string; uploadId: string } | undefined
  /** whether to hold off uploads that keep the account to themselves (`atomic`) */
  sharesAccount: boolean
  /** whether the id of the customer is asked for; only with batches of one row */
  returnsId: boolean
}

/** What the statements call their parameters: by number, or as variables of a `do` block. */
export interface ParameterNames {
  account: string
  fieldSeparator: string
  rowSeparator: string
  rows: string
  clearedNames: string
}

const NUMBERED: ParameterNames = {
  account: '$1',
  fieldSeparator: '$2',
  rowSeparator: '$3',
  rows: '$4',
  clearedNames: '$5',
}

/**
 * Builds the statement that writes a batch in which each customer stands once.
 *
 * Parameters, all text: `$1` account id, `$2` separator of fields, `$3` separator of rows, `$4` the rows: each the email,
 * the fields' values and (where the plan has attributes) their JSON object, and the id (where rows bring it); where blank
 * cells clear attributes, `$5` the file's attribute names, joined like fields.
 *
 * It returns one row: customers created, updated, unchanged (counts), and the emails, joined like rows, that are over the
 * cap, that exist though `existing` is `'reject'`, that do not though `unknown` is, whose customer is deleted and has the
 * only place for the email, and that met a race and are to be sent again; where it is asked for the customer's id; and
 * where opt-outs are kept, the emails whose opt-out was.
 *
 * How it works: `e` classifies every row by the statement's snapshot; `ins` inserts what is new, leaving out what somebody
 * else inserted meanwhile; `w` locks, in key order and after the inserts, what is to be updated, judging again by the
 * newest version; `upd` writes. What was meant to be written and was not is `again`.
 */
export function buildBatchStatement(shape: TableShape, plan: BatchPlan, names: ParameterNames = NUMBERED): string {
  const batch = { shape, plan, names }
  const ctes = [cutRows, checkNames, classify, insert, lock, update, collectWritten, recordDefinitions, recordChanges]
  return `with ${list(...ctes.map((cte) => cte(batch))).join(',\n')}
${selectOutcome(batch)}`
}

/** What every part of a statement is built from. */
interface Batch {
  shape: TableShape
  plan: BatchPlan
  names: ParameterNames
}

const canCreate = ({ plan }: Batch) => plan.unknown === 'create'
const canUpdate = ({ plan }: Batch) => plan.existing !== 'reject'
const canBeOver = ({ plan }: Batch) => plan.existing === 'merge' && plan.hasAttributes
/** The fields whose opt-outs a batch keeps, by their places. */
const keptOptOuts = ({ shape, plan }: Pick<Batch, 'shape' | 'plan'>): number[] =>
  plan.optOuts === 'overwrite' || plan.existing === 'reject'
    ? []
    : plan.fields.flatMap((field, at) => (shape.optOuts.has(field) && !plan.onlyNew.has(field) ? [at] : []))

/** Whether a batch's statement tells whose opt-out it kept. */
export function keepsOptOuts(shape: TableShape, plan: Omit<BatchPlan, 'recordsDefinitions'>): boolean {
  return keptOptOuts({ shape, plan: { ...plan, recordsDefinitions: false } }).length > 0
}

const accountSql = ({ shape, names }: Batch) => `${names.account}::${shape.accountIdType}`

/**
 * Whether the attributes are still called as the rows call them. Locked, the newest version of their definitions counts,
 * also where the statement waited for the account's lock while another call renamed one.
 */
function checkNames({ shape, plan, names }: Batch): string | false {
  const expects = plan.expects ?? []
  if (expects.length === 0) return false
  const values = expects.map(({ id, name }) => `(${quoteLiteral(id)}::uuid, ${quoteLiteral(name)})`)
  return `fresh as materialized (
  select count(*) = ${expects.length} as is_fresh from (select 1 from ${shape.definitionTable} d
    join (values ${values.join(', ')}) v (id, name) on d.id = v.id and d.attribute_name = v.name
    where d.account_id = ${names.account}::${shape.accountIdType} and (select count(*) from s) >= 0 for key share of d) x)`
}

const onlyFresh = ({ plan }: Batch) => (plan.expects?.length ? ' where (select is_fresh from fresh)' : '')

function classify(batch: Batch): string {
  const { shape, plan } = batch
  const key = `k.${shape.sql.account_id}`
  const id = plan.returnsId && `k.${shape.sql.id} as id`
  return `e as materialized (
  select ${list('s.email', ...columnsOf(plan, 's'), 's.a', plan.bringsId && 's.new_id', id, keepsSql(batch, 's', 'k')).join(', ')}, case${otherPlaces(batch, key)} when ${key} is null then '${canCreate(batch) ? 'create' : 'absent'}'${
    isInTheWay(shape) ? ` when (${and(...outsideIndex(shape, 'k'))}) is not true then 'deleted'` : ''
  }${
    canUpdate(batch)
      ? ` when not (${changedSql(batch, 's', 'k')}) then 'same'${canBeOver(batch) ? ` when ${overSql(batch, 's', 'k')} then 'over'` : ''} else 'update'`
      : ` else 'exists'`
  } end as todo
  from s left join lateral (select c.* from ${shape.customerTable} c
    where ${and(lookUpSql(shape, accountSql(batch), 's.email'), ...liveConditions(shape.identity.holds, 'c'))} offset 0) k on true${onlyFresh(batch)})`
}

/** Where further unique indexes hold rows that the look-up does not find: those are dead, and keep their emails' places. */
function otherPlaces(batch: Batch, key: string): string {
  const { shape } = batch
  return shape.identity.others
    .map((other) => {
      const isThere = lookUpSql({ ...shape, identity: { ...other, others: [] } }, accountSql(batch), 's.email')
      return ` when ${key} is null and exists (select from ${shape.customerTable} c where ${and(isThere, ...liveConditions(other.holds, 'c'))}) then 'deleted'`
    })
    .join('')
}

function insert(batch: Batch): string | false {
  if (!canCreate(batch)) return false
  return `ins as (
  ${insertSql(batch, 'e')} where e.todo = 'create' order by ${emailOrderSql(batch.shape, 'e.email')}
  on conflict ${batch.shape.identity.conflictTarget} do nothing returning ${returningSql(batch)})`
}

function lock(batch: Batch): string | false {
  if (!canUpdate(batch)) return false
  const { shape, plan } = batch
  const keeps = keepsSql(batch, 'r', 'c')
  const own = list(plan.history !== undefined && `${snapshotSql(batch, 'c')} as before`, keeps)
  return `w as materialized (
  select ${list('r.email', ...columnsOf(plan, 'r'), 'r.a', 'r.todo', plan.history !== undefined && 'k.before', keeps && 'k.keeps').join(', ')}
  from (select * from e where e.todo = 'update'${canCreate(batch) ? ' and (select count(*) from ins) >= 0' : ''}
    order by ${emailOrderSql(shape, 'e.email')}) r
  cross join lateral (select ${own.join(', ') || '1'} from ${shape.customerTable} c
    where ${and(lookUpSql(shape, accountSql(batch), 'r.email'), ...shape.live('c'), changedSql(batch, 'r', 'c'))}${
      canBeOver(batch) ? ` and not (${overSql(batch, 'r', 'c')})` : ''
    } for no key update) k)`
}

function update(batch: Batch): string | false {
  if (!canUpdate(batch)) return false
  const { shape, plan } = batch
  const { fields } = plan
  const filled = fields.flatMap((field, at) =>
    plan.onlyNew.has(field) ? [] : [`${field.sql} = ${mergedField(batch, at, 'w', 'c')}`],
  )
  const updates = list(
    ...filled,
    (plan.hasAttributes || plan.existing === 'replace' || filled.length === 0) &&
      `${shape.sql.custom_attributes} = ${mergedAttributes(batch, 'w', 'c')}`,
    hasTimestamp(shape, 'updated_at') && `${shape.columns.get('updated_at')!.sql} = now()`,
  )
  return `upd as (
  update ${shape.customerTable} c set ${updates.join(', ')}
  from w where ${and("w.todo = 'update'", lookUpSql(shape, accountSql(batch), 'w.email'), ...shape.live('c'))}
  returning ${list(
    'w.email',
    plan.returnsId && `c.${shape.sql.id} as id`,
    ...(plan.history
      ? [`c.${shape.sql.id}::text as customer_id`, 'w.before', `${snapshotSql(batch, 'c')} as after`]
      : []),
  ).join(', ')})`
}

/** The columns that the rows fill, of a customer, by their names. */
function snapshotSql({ shape, plan }: Batch, alias: string): string {
  const columns = [...plan.fields.map(({ sql }) => sql), shape.sql.custom_attributes]
  return `(select to_jsonb(x) from (select ${columns.map((sql) => `${alias}.${sql}`).join(', ')}) x)`
}

function recordChanges(batch: Batch): string | false {
  if (!batch.plan.history) return false
  const columns = 'customer_id, email, before, after'
  const written = list(
    canCreate(batch) && `select ${columns} from ins`,
    canUpdate(batch) && `select ${columns} from upd`,
  )
  return `his as (\n  ${historySql(batch, written.join(' union all '))})`
}

function historySql(batch: Batch, source: string): string {
  const { table, uploadId } = batch.plan.history!
  return `insert into ${table} (account_id, upload_id, customer_id, email, before, after)
  select ${accountSql(batch)}, ${quoteLiteral(uploadId)}::uuid, h.customer_id, h.email, h.before, h.after from (${source}) h`
}

function collectWritten(batch: Batch): string {
  const written = list(canCreate(batch) && 'select email from ins', canUpdate(batch) && 'select email from upd').join(
    ' union all ',
  )
  return `d as materialized (${written || 'select email from e where false'})`
}

/** A trigger may have stored another email than the row's: whether all is written is told by number first. */
const IS_SOME_UNWRITTEN = `(select count(*) from d) < (select count(*) from e x where x.todo in ('create', 'update'))`

function recordDefinitions(batch: Batch): string | false {
  return definitionsSql(
    batch,
    `select e.a from e where e.todo = 'same' union all select e.a from e where e.todo in ('create', 'update')
    and (not ${IS_SOME_UNWRITTEN} or exists (select from d where d.email = e.email))`,
  )
}

function selectOutcome(batch: Batch): string {
  const { plan, names } = batch
  const keeps = keptOptOuts(batch).length > 0
  const creates = canCreate(batch)
  const updates = canUpdate(batch)
  const emails = `(select string_agg(e.email::text, ${names.rowSeparator}::text) from e where e.todo`
  const ids = list(
    creates && '(select id::text from ins)',
    updates && '(select id::text from upd)',
    '(select id::text from e)',
  )
  return `select ${list(
    `${creates ? '(select count(*)::text from ins)' : `'0'::text`} as created`,
    `${updates ? '(select count(*)::text from upd)' : `'0'::text`} as updated`,
    `(select count(*)::text from e where e.todo = 'same') as unchanged`,
    `${updates && canBeOver(batch) ? `${emails} = 'over')` : 'null::text'} as over`,
    `${updates ? 'null::text' : `${emails} = 'exists')`} as existing`,
    `${creates ? 'null::text' : `${emails} = 'absent')`} as absent`,
    `${isInTheWay(batch.shape) || batch.shape.identity.others.length > 0 ? `${emails} = 'deleted')` : 'null::text'} as deleted`,
    `${emails} in ('create', 'update')
    and ${IS_SOME_UNWRITTEN} and not exists (select from d where d.email = e.email)) as again`,
    plan.returnsId && `coalesce(${ids.join(', ')}) as id`,
    !plan.returnsId && `${plan.expects?.length ? '(select not is_fresh from fresh)::text' : 'null::text'} as stale`,
    keeps &&
      `(select string_agg(x.email::text, ${names.rowSeparator}::text) from (
    select e.email from e where e.todo = 'same' and e.keeps union all select w.email from w where w.keeps) x) as kept`,
  ).join(',\n  ')}`
}

/**
 * Builds the statement for a batch of customers that are probably all new: a plain insert, which costs the server a
 * fifth less than the whole statement and is refused when one of them exists. Its parameters are those of
 * {@link buildBatchStatement}; it returns no row, only the number of customers created.
 */
export function buildInsertStatement(shape: TableShape, plan: BatchPlan): string {
  const batch = { shape, plan, names: NUMBERED }
  const parts = list(cutRows(batch), checkNames(batch), definitionsSql(batch, `select s.a from s${onlyFresh(batch)}`))
  const insert = `${insertSql(batch, 's')}${onlyFresh(batch)} order by ${emailOrderSql(shape, 's.email')}`
  if (!plan.history) return `with ${parts.join(',\n')}\n${insert}`
  const recorded = `ins as (\n  ${insert} returning ${returningSql(batch)})`
  return `with ${[...parts, recorded].join(',\n')}\n${historySql(batch, 'select * from ins')}`
}

/** The rows, cut and cast; first of all the lock, where the account is shared. */
function cutRows({ shape, plan: { fields, hasAttributes, sharesAccount, bringsId }, names }: Batch): string {
  const key = accountLockSql(shape, names.account)
  const lock = sharesAccount ? `(select pg_advisory_xact_lock_shared(${key}) offset 0) l, ` : ''
  return `s as materialized (
  select ${list(
    `u.x[1]::${shape.columns.get('email')!.castType} as email`,
    ...fields.map(({ castType }, at) => `u.x[${at + 2}]::${castType} as f${at}`),
    hasAttributes ? `u.x[${fields.length + 2}]::jsonb as a` : `'{}'::jsonb as a`,
    bringsId && `u.x[${fields.length + (hasAttributes ? 3 : 2)}]::${shape.idType} as new_id`,
  ).join(', ')}
  from ${lock}(select string_to_array(r, ${names.fieldSeparator}::text, '') as x
    from unnest(string_to_array((select ${names.rows}::text), ${names.rowSeparator}::text)) r offset 0) u)`
}

/**
 * The condition that finds the customer `c` by its key, so that no index pays but the unique one of account and email.
 *
 * Statistics that saw one customer per account make every other index that begins with the account look as good, and
 * that would read the whole account for each row. So where there is such an index (a plain comparison costs the server an
 * eighth less) the account is asked for twice, which lets such an index expect two
 * rows where the unique one expects one, and a row has a price: that of a branch which is never taken. Citus finds the
 * account's server by a plain comparison only.
 */
export function lookUpSql(shape: TableShape, account: string, email: string): string {
  const own = { account: `c.${shape.sql.account_id}`, email: `c.${shape.sql.email}` }
  const isSame = `${emailKeySql(shape, own.email)} = ${emailKeySql(shape, email)}`
  if (shape.isDistributed || !shape.hasRivalIndex) return `${own.account} = ${account} and ${isSame}`
  return `${own.account} = any (array[${account}, ${account}]) and ${isSame}
    and case when ${own.email} = ${own.email} then true
      else (select count(*) > 0 from generate_series(1, 80) n where n = length(${own.email}::text)) end`
}

/** What the unique index compares of an email. */
export function emailKeySql({ identity }: TableShape, email: string): string {
  return identity.isLower ? `lower(${email})` : email
}

/** What makes a row live beside the conditions of the unique index: rows of the index that lack it are dead. */
function outsideIndex({ identity, live }: TableShape, alias: string): string[] {
  const held = liveConditions(identity.holds, alias)
  return live(alias).filter((condition) => !held.includes(condition))
}

/** Whether a deleted customer can have the only place for its email: the unique index holds the dead, too. */
function isInTheWay(shape: TableShape): boolean {
  return outsideIndex(shape, 'c').length > 0
}

function and(...conditions: readonly string[]): string {
  return conditions.join(' and ')
}

function returningSql({ shape, plan }: Batch): string {
  return list(
    `c.${shape.sql.email} as email`,
    plan.returnsId && `c.${shape.sql.id} as id`,
    ...(plan.history
      ? [`c.${shape.sql.id}::text as customer_id`, 'null::jsonb as before', 'to_jsonb(c) as after']
      : []),
  ).join(', ')
}

/** Records the names in the objects that `source` selects as `a`; in name order, after all rows, so that none deadlock. */
function definitionsSql(batch: Batch, source: string): string | false {
  if (!batch.plan.recordsDefinitions) return false
  return `def as (
  ${insertDefinitionsSql(batch, `select distinct jsonb_object_keys(a.a) as name from (${source}) a`)})`
}

/** A statement that records names as a batch does: `$1` is the account, `$3` the names, joined by `$2`. */
export function recordNamesSql(shape: TableShape, plan: BatchPlan): string {
  const names = 'select distinct unnest(string_to_array($3::text, $2::text)) as name'
  return insertDefinitionsSql({ shape, plan, names: NUMBERED }, names)
}

function insertDefinitionsSql(batch: Batch, names: string): string {
  const { shape, plan } = batch
  // Two lanes of an upload record a name under the same id, which is a conflict of its own.
  const id = plan.definitionSeed && definitionIdSql(plan.definitionSeed, 'n.name')
  return `insert into ${shape.definitionTable} (${list('account_id', 'attribute_name', id !== undefined && 'id').join(', ')})
  select ${list(accountSql(batch), 'n.name', id ?? false).join(', ')}
  from (${names}) n order by n.name collate "C"
  on conflict ${id === undefined ? '(account_id, attribute_name) ' : ''}do nothing`
}

function definitionIdSql(seed: string, name: string): string {
  return `substr(encode(sha256(convert_to(${quoteLiteral(seed)} || ${name}, 'UTF8')), 'hex'), 1, 32)::uuid`
}

/** The parts that there are. */
function list(...parts: (string | false)[]): string[] {
  return parts.filter((part) => part !== false)
}

function columnsOf({ fields }: BatchPlan, alias: string): string[] {
  return fields.map((_, at) => `${alias}.f${at}`)
}

/** The order in which customers are locked: that of the emails, as the table compares them. */
export function emailOrderSql({ isEmailCaseInsensitive }: TableShape, email: string): string {
  return isEmailCaseInsensitive ? `lower(${email}::text) collate "C"` : `${email}::text collate "C"`
}

/** The key of the advisory lock that uploads of one account share, and that an `atomic` one keeps to itself. */
export function accountLockSql(shape: TableShape, account = '$1'): string {
  const table = shape.customerTable.replaceAll("'", "''")
  return `hashtextextended('postgres-custom-attributes ${table} ' || ${account}::${shape.accountIdType}::text, 0)`
}

/** SQL of the value of a field that a customer `o` has after row `n`. */
function mergedField(batch: Batch, at: number, n: string, o: string): string {
  const merged = givenField(batch.plan, at, n, o)
  if (!keptOptOuts(batch).includes(at)) return merged
  return `case when ${turnsBackSql(batch, at, n, o)} then ${o}.${batch.plan.fields[at]!.sql} else ${merged} end`
}

/** SQL of whether row `n` would turn back the opt-out that a customer `o` has in a field. */
function turnsBackSql({ shape, plan }: Batch, at: number, n: string, o: string): string {
  const field = plan.fields[at]!
  const isOptOut = (value: string) => isOptOutSql(shape.optOuts, field, value)
  return `${isOptOut(`${o}.${field.sql}`)} and not ${isOptOut(givenField(plan, at, n, o))}`
}

/** SQL of whether an opt-out of a customer `o` is kept from row `n`, where any is. */
function keepsSql(batch: Batch, n: string, o: string): string | false {
  const kept = keptOptOuts(batch).map((at) => turnsBackSql(batch, at, n, o))
  return kept.length > 0 && `(${kept.join(' or ')}) as keeps`
}

/** SQL of the value of a field as row `n` says it for a customer `o`. */
function givenField({ emptyValues, fields }: BatchPlan, at: number, n: string, o: string): string {
  const { sql, isNotNull } = fields[at]!
  return emptyValues === 'clear' && !isNotNull ? `${n}.f${at}` : `coalesce(${n}.f${at}, ${o}.${sql})`
}

/** SQL of the attributes that a customer `o` has after row `n`. */
function mergedAttributes({ shape, plan, names }: Batch, n: string, o: string): string {
  if (plan.existing === 'replace') return `${n}.a`
  const own = `${o}.${shape.sql.custom_attributes}`
  const kept =
    plan.emptyValues === 'clear' && plan.hasAttributes
      ? `(${own} - string_to_array(${names.clearedNames}::text, ${names.fieldSeparator}::text))`
      : own
  return `(${kept} || ${n}.a)`
}

function overSql(batch: Batch, n: string, o: string): string {
  return `jsonb_array_length(jsonb_path_query_array(${mergedAttributes(batch, n, o)}, '$.*')) > ${batch.plan.maxCustomAttributes}`
}

function changedSql(batch: Batch, n: string, o: string): string {
  const { shape, plan } = batch
  const own = `${o}.${shape.sql.custom_attributes}`
  // All values are strings, so that containment says exactly whether merging changes nothing, and costs a fifth less.
  const contains = plan.existing === 'merge' && plan.emptyValues === 'keep'
  // citext holds texts that differ in case to be the same; here they are not.
  const asIs = ({ type }: TableColumn, sql: string) => (type === 'citext' ? `(${sql})::text` : sql)
  const filled = plan.fields.flatMap((field, at) => (plan.onlyNew.has(field) ? [] : [[field, at] as const]))
  const before = filled.map(([field]) => asIs(field, `${o}.${field.sql}`))
  const after = filled.map(([field, at]) => asIs(field, mergedField(batch, at, n, o)))
  if (plan.hasAttributes || plan.existing === 'replace') {
    before.push(contains ? 'true' : own)
    after.push(contains ? `${own} @> ${n}.a` : mergedAttributes(batch, n, o))
  }
  return before.length === 0 ? 'false' : `row(${before.join(', ')}) is distinct from row(${after.join(', ')})`
}

/** `insert into … select … from <source>`, up to where a condition or an order follows. */
function insertSql(batch: Batch, source: string): string {
  const { shape, plan } = batch
  const { fields } = plan
  const status = shape.columns.get('status')
  const created = shape.columns.get('created_at')
  // What the library fills where a file, which may have the column as a field, does not.
  const ofLibrary = new Map<TableColumn, string>()
  if (status) ofLibrary.set(status, `'active'::${status.castType}`)
  if (created && hasTimestamp(shape, 'created_at') && !created.defaultSql) ofLibrary.set(created, 'now()')
  const columns: [name: string, value: string][] = [
    [shape.sql.account_id, accountSql(batch)],
    [shape.sql.email, `${source}.email`],
    ...fields.map((field, at): [string, string] => [field.sql, newValueSql(plan, at, source, ofLibrary.get(field))]),
    [shape.sql.custom_attributes, `${source}.a`],
  ]
  if (plan.bringsId) columns.push([shape.sql.id, `${source}.new_id`])
  const isLive = ({ name }: TableColumn) => Object.hasOwn(shape.liveValues, name)
  if (status && !status.isGenerated && !isLive(status) && !fields.includes(status)) {
    columns.push([status.sql, ofLibrary.get(status)!])
  }
  for (const name of ['created_at', 'updated_at']) {
    const column = shape.columns.get(name)
    if (hasTimestamp(shape, name) && !column!.defaultSql && !fields.includes(column!))
      columns.push([column!.sql, 'now()'])
  }
  for (const [name, value] of Object.entries(shape.liveValues)) {
    columns.push([quoteIdentifier(name), typeof value === 'string' ? quoteLiteral(value) : String(value)])
  }
  return `insert into ${shape.customerTable} as c (${columns.map(([name]) => name).join(', ')})
  select ${columns.map(([, value]) => value).join(', ')}
  from ${source}`
}

/** A new customer's value: an empty cell leaves the column its default, unless it is to clear one that can be empty. */
function newValueSql({ fields, emptyValues }: BatchPlan, at: number, source: string, ofLibrary?: string): string {
  const { castType, defaultSql, isNotNull } = fields[at]!
  if (ofLibrary !== undefined) return `coalesce(${source}.f${at}, ${ofLibrary})`
  const hasDefault = defaultSql && (emptyValues === 'keep' || isNotNull)
  return hasDefault ? `coalesce(${source}.f${at}, (${defaultSql})::${castType})` : `${source}.f${at}`
}

export function hasTimestamp(shape: TableShape, name: string): boolean {
  const column = shape.columns.get(name)
  return column !== undefined && !column.isGenerated && (column.type === 'timestamptz' || column.type === 'timestamp')
}

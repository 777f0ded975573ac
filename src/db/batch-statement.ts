import { quoteIdentifier } from './identifiers.js'
import type { TableColumn, TableShape } from './table-shape.js'

/** How a row is merged into a customer that exists, and what becomes of one that does not. */
export interface MergeOptions {
  existing: 'merge' | 'replace' | 'reject'
  unknown: 'create' | 'reject'
  emptyValues: 'keep' | 'clear'
}

/** What one batch statement is to do. */
export interface BatchPlan extends MergeOptions {
  /** the standard fields that the rows fill, without email */
  fields: readonly TableColumn[]
  /** whether the rows carry attributes */
  hasAttributes: boolean
  maxCustomAttributes: number
  /** whether to look for existing customers before inserting; without, rows that exist come back as `again` */
  look: boolean
  /** whether the names of accepted attributes are recorded as definitions */
  recordsDefinitions: boolean
  /** whether to hold off uploads that keep the account to themselves (`atomic`) */
  sharesAccount: boolean
}

/**
 * Builds the statement that writes a batch in which each customer stands once.
 *
 * Parameters, all text: `$1` account id, `$2` separator, `$3` emails, then one list per field, then (where the plan has
 * attributes) the list of JSON objects, then (where blank cells clear attributes) the list of the file's attribute names.
 *
 * It returns one row: customers created, updated, unchanged (counts), and the emails, joined by the separator, that are
 * over the cap, that were denied by `existing` or `unknown`, and that met a race and are to be sent again.
 *
 * How it works: `e` classifies every row by the statement's snapshot; `ins` inserts what is new, leaving out what somebody
 * else inserted meanwhile; `w` locks, in key order and after the inserts, what is to be updated, judging again by the
 * newest version; `upd` writes. What was meant to be written and was not is `again`.
 */
export function buildBatchStatement(shape: TableShape, plan: BatchPlan): string {
  const { fields, look } = plan
  const table = shape.customerTable
  const account = `$1::${shape.accountIdType}`
  const canCreate = plan.unknown === 'create'
  const canUpdate = look && plan.existing !== 'reject'
  const attributesAt = 4 + fields.length
  const names = fields.map(({ name }) => name)
  const columnsOf = (alias: string) => names.map((name) => `${alias}.${name}`).join(', ')
  const list = (...parts: string[]) => parts.filter((part) => part !== '').join(', ')

  const merged = mergeSql(plan, attributesAt + 1)
  const changed = (n: string, o: string) => changedSql(plan, merged, n, o)
  const over = (n: string, o: string) =>
    `jsonb_array_length(jsonb_path_query_array(${merged.attributes(n, o)}, '$.*')) > ${plan.maxCustomAttributes}`
  const canBeOver = plan.existing === 'merge' && plan.hasAttributes

  const ctes: string[] = []
  const cells = [
    'unnest(string_to_array($3::text, $2::text)) as email',
    ...fields.map(({ name }, index) => `unnest(string_to_array($${index + 4}::text, $2::text, '')) as ${name}`),
    ...(plan.hasAttributes ? [`unnest(string_to_array($${attributesAt}::text, $2::text)) as a`] : []),
  ]
  const lock = plan.sharesAccount ? `(select pg_advisory_xact_lock_shared(${accountLockSql(shape)}) offset 0) l, ` : ''
  ctes.push(
    `s as materialized (
  select ${list(
    `u.email::${columnType(shape, 'email')} as email`,
    ...fields.map(({ name, castType }) => `u.${name}::${castType} as ${name}`),
    plan.hasAttributes ? 'u.a::jsonb as a' : `'{}'::jsonb as a`,
  )}
  from ${lock}(select ${cells.join(', ')} offset 0) u)`,
  )

  const outcome = look
    ? `case when k.account_id is null then '${canCreate ? 'create' : 'denied'}'${
        canUpdate
          ? ` when not (${changed('s', 'k')}) then 'same'${canBeOver ? ` when ${over('s', 'k')} then 'over'` : ''} else 'update'`
          : ` else 'denied'`
      } end`
    : `'create'`
  ctes.push(
    `e as materialized (
  select ${list('s.email', columnsOf('s'), 's.a')}, ${outcome} as todo
  from s${
    look
      ? ` left join lateral (select c.* from ${table} c
    where c.account_id = ${account} and c.email = s.email offset 0) k on true`
      : ''
  })`,
  )

  if (canCreate) {
    const insert = insertColumns(shape, fields)
    ctes.push(
      `ins as (
  insert into ${table} (${insert.map(({ column }) => column).join(', ')})
  select ${insert.map(({ value }) => value(account)).join(', ')}
  from e where e.todo = 'create' order by e.email::text collate "C"
  on conflict (account_id, email) do nothing returning email)`,
    )
  }
  if (canUpdate) {
    const updates = fields.map((field) => `${quoteIdentifier(field.name)} = ${merged.field(field, 'w', 'c')}`)
    if (plan.hasAttributes || plan.existing === 'replace' || fields.length === 0) {
      updates.push(`custom_attributes = ${merged.attributes('w', 'c')}`)
    }
    if (hasTimestamp(shape, 'updated_at')) updates.push('updated_at = now()')
    ctes.push(
      `w as materialized (
  select ${list('r.email', columnsOf('r'), 'r.a')}, k.account_id
  from (select * from e where e.todo = 'update'${canCreate ? ' and (select count(*) from ins) >= 0' : ''}
    order by e.email::text collate "C") r
  cross join lateral (select c.account_id from ${table} c
    where c.account_id = ${account} and c.email = r.email and ${changed('r', 'c')}${
      canBeOver ? ` and not (${over('r', 'c')})` : ''
    } for no key update) k)`,
      `upd as (
  update ${table} c set ${updates.join(', ')}
  from w where c.account_id = w.account_id and c.email = w.email returning w.email)`,
    )
  }
  const written = [
    ...(canCreate ? ['select email from ins'] : []),
    ...(canUpdate ? ['select email from upd'] : []),
  ].join(' union all ')
  ctes.push(`d as materialized (${written || 'select email from e where false'})`)

  if (plan.recordsDefinitions) {
    ctes.push(
      `def as (
  insert into ${shape.definitionTable} (account_id, attribute_name)
  select ${account}, n.name
  from (select distinct jsonb_object_keys(a.a) as name from (
      select e.a from e where e.todo = 'same' union all select e.a from e join d on d.email = e.email) a) n
  order by n.name collate "C"
  on conflict (account_id, attribute_name) do nothing)`,
    )
  }

  const emailsOf = (todo: string) => `(select string_agg(e.email::text, $2::text) from e where e.todo = '${todo}')`
  return `with ${ctes.join(',\n')}
select ${[
    canCreate ? '(select count(*)::text from ins)' : `'0'::text`,
    canUpdate ? '(select count(*)::text from upd)' : `'0'::text`,
    look ? `(select count(*)::text from e where e.todo = 'same')` : `'0'::text`,
    canUpdate && canBeOver ? emailsOf('over') : 'null::text',
    look && !(canCreate && canUpdate) ? emailsOf('denied') : 'null::text',
    `(select string_agg(e.email::text, $2::text) from e where e.todo in ('create', 'update')
    and (select count(*) from d) < (select count(*) from e x where x.todo in ('create', 'update'))
    and not exists (select from d where d.email = e.email))`,
  ].join(',\n  ')}`
}

/** The key of the advisory lock that uploads of one account share, and that an `atomic` one keeps to itself. */
export function accountLockSql(shape: TableShape): string {
  const table = shape.customerTable.replaceAll("'", "''")
  return `hashtextextended('postgres-custom-attributes ${table} ' || $1::${shape.accountIdType}::text, 0)`
}

interface MergeSql {
  field(column: TableColumn, n: string, o: string): string
  attributes(n: string, o: string): string
}

/** SQL of the values a customer `o` has after row `n`. */
function mergeSql({ existing, emptyValues }: BatchPlan, clearedAt: number): MergeSql {
  const clears = emptyValues === 'clear'
  return {
    field: ({ name, isNotNull }, n, o) =>
      clears && !isNotNull ? `${n}.${name}` : `coalesce(${n}.${name}, ${o}.${name})`,
    attributes: (n, o) => {
      if (existing === 'replace') return `${n}.a`
      const kept = clears
        ? `(${o}.custom_attributes - string_to_array($${clearedAt}::text, $2::text))`
        : `${o}.custom_attributes`
      return `(${kept} || ${n}.a)`
    },
  }
}

function changedSql(plan: BatchPlan, merged: MergeSql, n: string, o: string): string {
  // All values are strings, so that containment says exactly whether merging changes nothing, and costs a fifth less.
  const contains = plan.existing === 'merge' && plan.emptyValues === 'keep'
  const before = [...plan.fields.map(({ name }) => `${o}.${name}`)]
  const after = [...plan.fields.map((field) => merged.field(field, n, o))]
  if (plan.hasAttributes || plan.existing === 'replace') {
    before.push(contains ? 'true' : `${o}.custom_attributes`)
    after.push(contains ? `${o}.custom_attributes @> ${n}.a` : merged.attributes(n, o))
  }
  return before.length === 0 ? 'false' : `row(${before.join(', ')}) is distinct from row(${after.join(', ')})`
}

interface InsertColumn {
  column: string
  value(account: string): string
}

function insertColumns(shape: TableShape, fields: readonly TableColumn[]): InsertColumn[] {
  const given = new Set(fields.map(({ name }) => name))
  const columns: InsertColumn[] = [
    { column: 'account_id', value: (account) => account },
    { column: 'email', value: () => 'e.email' },
    ...fields.map((field) => ({ column: quoteIdentifier(field.name), value: () => newValueSql(field) })),
    { column: 'custom_attributes', value: () => 'e.a' },
  ]
  const status = shape.columns.get('status')
  if (status && !status.isGenerated && !given.has('status')) {
    columns.push({ column: 'status', value: () => `'active'::${status.castType}` })
  }
  for (const name of ['created_at', 'updated_at']) {
    if (hasTimestamp(shape, name) && !shape.columns.get(name)!.defaultSql)
      columns.push({ column: name, value: () => 'now()' })
  }
  return columns
}

/** A new customer's value: an empty cell leaves the column its default. */
function newValueSql({ name, castType, defaultSql }: TableColumn): string {
  if (name === 'status') return `coalesce(e.status, 'active'::${castType})`
  return defaultSql ? `coalesce(e.${name}, (${defaultSql})::${castType})` : `e.${name}`
}

function columnType(shape: TableShape, name: string): string {
  return shape.columns.get(name)!.castType
}

function hasTimestamp(shape: TableShape, name: string): boolean {
  const column = shape.columns.get(name)
  return column !== undefined && !column.isGenerated && (column.type === 'timestamptz' || column.type === 'timestamp')
}

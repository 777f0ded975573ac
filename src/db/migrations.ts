import addAttributesDown from '../../sql/0001_add_custom_attributes.down.sql'
import addAttributesUp from '../../sql/0001_add_custom_attributes.up.sql'
import createDefinitionsDown from '../../sql/0002_create_attribute_definitions.down.sql'
import createDefinitionsUp from '../../sql/0002_create_attribute_definitions.up.sql'
import createHistoryDown from '../../sql/0003_create_upload_history.down.sql'
import createHistoryUp from '../../sql/0003_create_upload_history.up.sql'
import createPageIndexDown from '../../sql/0004_create_page_index.down.sql'
import createPageIndexUp from '../../sql/0004_create_page_index.up.sql'
import createSuppressionDown from '../../sql/0005_create_suppression.down.sql'
import createSuppressionUp from '../../sql/0005_create_suppression.up.sql'
import { CustomAttributesError } from '../errors.js'
import { defaultsOf, isFlag, isText, LIMITS, oneOf, resolveOptions, wholeNumber, withDefault } from '../options.js'
import { checkNameClashes } from './column-clashes.js'
import { deriveName, formatTableName, parseTableName, quoteIdentifier, type TableName } from './identifiers.js'
import { areSuppressions } from './suppressions.js'
import {
  areLiveValues,
  areTableNames,
  type LiveValues,
  liveConditions,
  OWN_NAMES,
  type TableNames,
} from './table-names.js'

/** One step of the schema: SQL texts of several statements each, to be run in a transaction. */
export interface Migration {
  /** Such as `0001_add_custom_attributes`: the order, and the name of the files in `sql/`. */
  name: string
  up: string
  down: string
}

/** What {@link readMigrations} can change. */
export interface MigrationOptions {
  /** The host's customer table, as SQL writes it. Default `customer.customer`. */
  customerTable?: string
  /** The table of attribute definitions, as SQL writes it; its schema must exist. Default `customer.custom_attribute_definition`. */
  definitionTable?: string
  /** Most custom attributes of one customer, 0 to 10,000; the CHECK and the column's comment say it. Default 10. */
  maxCustomAttributes?: number
  /** Type of `account_id` in the table of attribute definitions: that of the customer table's. Default `uuid`. */
  accountIdType?: 'uuid' | 'bigint' | 'integer' | 'text'
  /** What the customer table calls its columns, as for the store; of these the column of the attributes is made. */
  columns?: Partial<TableNames>
  /** Whether the tables of the uploads' history are made, too. Default `false`. */
  history?: boolean
  /**
   * The table of uploads, as SQL writes it; those of their changes and rejected rows are called after it. Default
   * `customer.custom_attribute_upload`.
   */
  uploadTable?: string
  /**
   * Whether the index of pages is made, too, by which pages of an audience never cost a read of the account; for accounts of
   * many customers. Default `false`.
   */
  pageIndex?: boolean
  /** What a living customer has, as for the store: the index of pages holds no others. Default: every row lives. */
  live?: LiveValues
  /** Whether the table of suppressed addresses is made, too; a store's option of this name says so, too. Default `false`. */
  suppressions?: boolean | { salt: string }
  /** The table of suppressed addresses, as SQL writes it. Default `customer.custom_attribute_suppression`. */
  suppressionTable?: string
}

/** The names that the migrations give to constraints and indexes, without quotes. */
export interface MigrationNames {
  attributesIndex: string
  attributesCheck: string
  definitionUnique: string
  definitionAccountIndex: string
  definitionLastSeenIndex: string
  pageIndex: string
}

export const MIGRATION_OPTIONS = {
  customerTable: withDefault(isText, 'customer.customer'),
  definitionTable: withDefault(isText, 'customer.custom_attribute_definition'),
  maxCustomAttributes: withDefault(wholeNumber(0, 10_000), LIMITS.maxCustomAttributes),
  accountIdType: withDefault(oneOf('uuid', 'bigint', 'integer', 'text'), 'uuid'),
  columns: withDefault(areTableNames, {}),
  history: withDefault(isFlag, false),
  uploadTable: withDefault(isText, 'customer.custom_attribute_upload'),
  pageIndex: withDefault(isFlag, false),
  live: withDefault(areLiveValues, {}),
  suppressions: withDefault(areSuppressions, false),
  suppressionTable: withDefault(isText, 'customer.custom_attribute_suppression'),
}
/** What the shipped files are written for. */
export const MIGRATION_DEFAULTS = defaultsOf(MIGRATION_OPTIONS)

const SHIPPED: readonly Migration[] = [
  { name: '0001_add_custom_attributes', up: addAttributesUp, down: addAttributesDown },
  { name: '0002_create_attribute_definitions', up: createDefinitionsUp, down: createDefinitionsDown },
]

const HISTORY: Migration = { name: '0003_create_upload_history', up: createHistoryUp, down: createHistoryDown }

const PAGE_INDEX: Migration = { name: '0004_create_page_index', up: createPageIndexUp, down: createPageIndexDown }

const SUPPRESSION: Migration = {
  name: '0005_create_suppression',
  up: createSuppressionUp,
  down: createSuppressionDown,
}

/**
 * The migrations as SQL text: that of the shipped files, or the same for other names, another cap, another account id.
 * Run each `up` in order, each in a transaction; to undo, each `down` in the opposite order.
 *
 * @param options - see {@link MigrationOptions}; give the store the same
 * @throws CustomAttributesError `INVALID_OPTION`
 */
export function readMigrations(options?: MigrationOptions): Migration[] {
  const given = resolveOptions('readMigrations', MIGRATION_OPTIONS, options)
  checkNameClashes('readMigrations', given.columns)
  const words = renamedWords(given)
  const shipped = [
    ...SHIPPED,
    ...(given.history ? [HISTORY] : []),
    ...(given.pageIndex ? [PAGE_INDEX] : []),
    ...(given.suppressions ? [SUPPRESSION] : []),
  ]
  if (words.size === 0) return shipped.map((migration) => ({ ...migration }))
  // One pass over the text: what was put in is not looked at again, whatever it is called.
  const word = new RegExp(
    `(?<!\\w)(?:${[...words.keys()].map((key) => key.replace(/[.()|]/g, '\\$&')).join('|')})(?!\\w)`,
    'g',
  )
  const rename = (text: string): string => text.replace(word, (found) => words.get(found) ?? found)
  return shipped.map(({ name, up, down }) => ({ name, up: rename(up), down: rename(down) }))
}

/** The names of constraints and indexes for two tables; they derive from the tables' names. */
export function migrationNames(customerTable: TableName, definitionTable: TableName): MigrationNames {
  return {
    attributesIndex: deriveName(customerTable.table, '_custom_attributes_idx'),
    attributesCheck: deriveName(customerTable.table, '_custom_attributes_check'),
    definitionUnique: deriveName(definitionTable.table, '_un'),
    definitionAccountIndex: deriveName(definitionTable.table, '_account_idx'),
    definitionLastSeenIndex: deriveName(definitionTable.table, '_last_seen_idx'),
    pageIndex: deriveName(customerTable.table, '_page_idx'),
  }
}

/** The tables of the uploads' history, as written without quotes and as SQL. */
export function historyTables(
  uploads: TableName,
): Record<'uploads' | 'changes' | 'rejected', { text: string; sql: string }> {
  const named = (suffix: string) => {
    const table = { ...uploads, table: suffix === '' ? uploads.table : deriveName(uploads.table, suffix) }
    return { text: `${table.schema}.${table.table}`, sql: formatTableName(table) }
  }
  return { uploads: named(''), changes: named('_change'), rejected: named('_rejected') }
}

/** The words of the shipped files that become others, and what they become. */
function renamedWords(options: Required<MigrationOptions>): Map<string, string> {
  const wanted = wordsFor(options)
  const words = new Map<string, string>()
  for (const [index, { text, sql }] of wordsFor(MIGRATION_DEFAULTS).entries()) {
    const becomes = wanted[index]?.sql
    if (becomes !== undefined && becomes !== sql) words.set(text, becomes)
  }
  return words
}

/** The words that options decide: as the shipped files spell them, and as SQL that holds for any name. */
function wordsFor(options: Required<MigrationOptions>): { text: string; sql: string }[] {
  const customer = tableOf(options, 'customerTable')
  const definition = tableOf(options, 'definitionTable')
  const asWritten = (text: string) => ({ text, sql: text })
  return [
    { text: options.customerTable, sql: formatTableName(customer) },
    { text: options.definitionTable, sql: formatTableName(definition) },
    ...Object.values(historyTables(tableOf(options, 'uploadTable'))).map(({ text, sql }) => ({ text, sql })),
    { text: options.suppressionTable, sql: formatTableName(tableOf(options, 'suppressionTable')) },
    pageIndexWord(customer, migrationNames(customer, definition).pageIndex),
    pageKeyWord(options),
    ...Object.values<string>({ ...migrationNames(customer, definition) }).map((text) => ({
      text,
      sql: quoteIdentifier(text),
    })),
    columnWord(options.columns.custom_attributes ?? OWN_NAMES.custom_attributes),
    asWritten(`account_id ${options.accountIdType}`),
    asWritten(String(options.maxCustomAttributes)),
  ]
}

/** An index is dropped by its own name, in the schema of its table. */
function pageIndexWord(customer: TableName, index: string): { text: string; sql: string } {
  return { text: `${customer.schema}.${index}`, sql: formatTableName({ ...customer, table: index }) }
}

/** What the index of pages is on. */
function pageKeyWord({ columns, live }: Required<MigrationOptions>): { text: string; sql: string } {
  const { account_id, id } = { ...OWN_NAMES, ...columns }
  const plain = (name: string) => (Object.hasOwn(OWN_NAMES, name) ? name : quoteIdentifier(name))
  const where = liveConditions(live).join(' and ')
  const sql = `((${plain(account_id)}::text || ''), ${plain(id)})${where === '' ? '' : ` where ${where}`}`
  return { text: "((account_id::text || ''), id)", sql }
}

/** What a block of the first file, and the names in it, are quoted with. */
const QUOTES = /\$(?:check|name)\$/

/** A column as the shipped files write it, and as SQL; a plain name stays as it is written. */
function columnWord(name: string): { text: string; sql: string } {
  if (QUOTES.test(name)) {
    throw new CustomAttributesError('INVALID_OPTION', 'readMigrations: columns must not hold $check$ or $name$.', {
      option: 'columns',
    })
  }
  return { text: name, sql: name === OWN_NAMES.custom_attributes ? name : quoteIdentifier(name) }
}

function tableOf(
  options: Required<MigrationOptions>,
  option: 'customerTable' | 'definitionTable' | 'uploadTable' | 'suppressionTable',
): TableName {
  const table = parseTableName(options[option], option)
  if (QUOTES.test(formatTableName(table))) {
    throw new CustomAttributesError('INVALID_OPTION', `readMigrations: ${option} must not hold $check$ or $name$.`, {
      option,
    })
  }
  return table
}

import { MIGRATION_OPTIONS } from './db/migrations.js'
import { areOptOuts, type OptOuts } from './db/opt-outs.js'
import { areLiveValues, areTableNames, type LiveValues, type TableNames } from './db/table-names.js'
import { type FieldCatalogue, isCatalogue, STANDARD_FIELDS } from './fields.js'
import { isFunction, type Resolved, withDefault } from './options.js'
import { ROW_OPTIONS } from './rows.js'

/** Options of `createCustomAttributesStore`. */
export interface StoreOptions {
  /** The host's customer table as SQL writes it. Default `customer.customer`. */
  customerTable?: string
  /** The table of attribute definitions. Default `customer.custom_attribute_definition`. */
  definitionTable?: string
  /** The table of uploads, where they have a history. Default `customer.custom_attribute_upload`. */
  uploadTable?: string
  /**
   * Whether addresses can be suppressed, which are then in no audience: `true` keeps them as they are in lower case, `{ salt }`
   * (at least 16 characters, a secret that never changes) keeps hashes of them. Needs the table of `sql/0005`. Default `false`:
   * they cannot be, and the table is not asked for.
   */
  suppressions?: boolean | { salt: string }
  /** The table of suppressed addresses. Default `customer.custom_attribute_suppression`. */
  suppressionTable?: string
  /** Most custom attributes of one customer; the table's CHECK holds the same number. Default 10. */
  maxCustomAttributes?: number
  /** `'lower'` (default) lower-cases email addresses before they are stored or looked up; `'preserve'` keeps them. */
  emailCase?: 'lower' | 'preserve'
  /** Most characters of one value. Default 10,000. */
  maxValueLength?: number
  /** The fields of the customers, made by `defineFields`. Default `STANDARD_FIELDS`: of these, those that the table has. */
  fields?: FieldCatalogue
  /**
   * What the table calls the columns that the library needs, as the database spells them, without quotes:
   * `{ account_id: 'org_id', created_at: null }`. The last three may be `null`: then the table has none. Default: their own
   * names, the last three where the table has them.
   */
  columns?: Partial<TableNames>
  /**
   * Columns and the values that a living customer has in them: `{ deleted_at: null }`. Others are never read, counted, merged,
   * changed or revived, and no file fills these columns. Default: every row lives.
   */
  live?: LiveValues
  /**
   * Fields and the value, or the values, by which a customer has opted out; any of them is enough: `{ accepts_marketing: false }`,
   * `{ status: ['unsubscribed', 'bounced'] }`. Who has is left out of audiences, and uploads and upserts do not turn it back, unless
   * they are told to. Whether the table has the fields and their types the values is checked at the first call. Default: nobody has.
   */
  optOut?: OptOuts
  /**
   * Makes the id of a customer to be created, as text of the column's type, where the column has no default; a new one at every
   * call. It is also called for rows that turn out to be of existing customers. What it throws passes as it is. Default: the
   * column's own.
   */
  newId?: () => string
}

export const STORE_OPTIONS = {
  ...ROW_OPTIONS,
  customerTable: MIGRATION_OPTIONS.customerTable,
  definitionTable: MIGRATION_OPTIONS.definitionTable,
  uploadTable: MIGRATION_OPTIONS.uploadTable,
  suppressions: MIGRATION_OPTIONS.suppressions,
  suppressionTable: MIGRATION_OPTIONS.suppressionTable,
  maxCustomAttributes: MIGRATION_OPTIONS.maxCustomAttributes,
  fields: withDefault(isCatalogue, STANDARD_FIELDS),
  columns: withDefault(areTableNames, {}),
  live: withDefault(areLiveValues, {}),
  optOut: withDefault(areOptOuts, {}),
  newId: isFunction,
}

/** The options with nothing left open. */
export type ResolvedStoreOptions = Resolved<StoreOptions, typeof STORE_OPTIONS>

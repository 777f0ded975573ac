import { type CsvInput, holdInput } from './csv/source.js'
import { type AccountId, checkAccountId } from './db/accounts.js'
import { attempt } from './db/attempt.js'
import type { MergeOptions } from './db/batch-statement.js'
import { checkClient, type SqlClient } from './db/client.js'
import { type Customer, readCustomers } from './db/customers.js'
import { checkAttributeNames, readDefinitions, recordDefinitions } from './db/definitions.js'
import { explainFailure } from './db/failures.js'
import type { DateFormat } from './db/field-values.js'
import { MIGRATION_DEFAULTS } from './db/migrations.js'
import { PAGE_OPTION_RULES, type PageOptions, readPages } from './db/pages.js'
import { loadTableShape, type TableShape } from './db/table-shape.js'
import { type CustomerInput, type UpsertResult, upsertCustomer } from './db/upsert.js'
import { CustomAttributesError } from './errors.js'
import { MAIL_MERGE_RULES, type MailMergeOptions, type MailMergeResult, mailMerge } from './mail-merge/mail-merge.js'
import type { Message } from './mail-merge/message.js'
import { type PreflightOptions, type PreflightReport, preflight } from './mail-merge/preflight.js'
import { renderForCustomers } from './mail-merge/render-for-customers.js'
import { describe, isText, isTextList, oneOf, type Resolved, resolveOptions, wholeNumber } from './options.js'
import { isUnstorable, type ParsedRow, ROW_DEFAULTS, ROW_OPTION_RULES } from './rows.js'
import type { TemplateOptions } from './template/template-options.js'
import { MERGE_OPTION_RULES, resolveUploadOptions, type UploadOptions, type UploadResult } from './upload/options.js'
import { type CsvPreview, type PreviewOptions, previewCsv, resolvePreviewOptions } from './upload/preview.js'
import { type UploadContext, uploadCsv } from './upload/upload.js'

/** Options of {@link createCustomAttributesStore}. */
export interface StoreOptions {
  /** The host's customer table as SQL writes it. Default `customer.customer`. */
  customerTable?: string
  /** The table of attribute definitions. Default `customer.custom_attribute_definition`. */
  definitionTable?: string
  /** Most custom attributes of one customer; the table's CHECK holds the same number. Default 10. */
  maxCustomAttributes?: number
  /** `'lower'` (default) lower-cases email addresses before they are stored or looked up; `'preserve'` keeps them. */
  emailCase?: 'lower' | 'preserve'
  /** Most characters of one value. Default 10,000. */
  maxValueLength?: number
}

/** Options of `upsertCustomer`; they mean what they mean for an upload. */
export interface UpsertOptions extends Partial<MergeOptions> {
  dateFormat?: DateFormat
}

/** The merge tags that an account's templates can use. */
export interface MergeTags {
  /** the standard fields that the table has, sorted */
  standardFields: string[]
  /** the account's custom attributes, sorted by code point */
  customAttributes: string[]
}

/** What the library does with a host's database. Every method names the account, and nothing crosses it. */
export interface CustomAttributesStore {
  /**
   * The same store inside the host's transaction: everything happens in it, and its fate is the host's.
   *
   * @param tx - what `sql.begin(tx => …)` or `tx.savepoint(…)` passes
   */
  with(tx: SqlClient): CustomAttributesStore
  /**
   * Creates a customer, or merges into the one with this email: given standard fields replace, attributes merge by name.
   * A customer with nothing to change is not written.
   *
   * @param accountId - the account, in the type of `account_id`
   * @param customer - `{ email, … , custom_attributes }` or what `parseRow` returns
   * @param options - `existing`, `unknown`, `emptyValues`, `dateFormat`, as for `uploadCsv`
   * @throws CustomAttributesError `INVALID_CUSTOMER`, `EMAIL_REQUIRED`, `INVALID_EMAIL`, `INVALID_VALUE`,
   *   `VALUE_TOO_LONG`, `INVALID_CHARACTER`, `INVALID_ATTRIBUTE_NAME`, `TOO_MANY_ATTRIBUTES`, `CUSTOMER_EXISTS`,
   *   `CUSTOMER_NOT_FOUND`, `ROW_REFUSED` and the errors that every method has: `INVALID_ACCOUNT_ID`,
   *   `SCHEMA_NOT_READY`, `CONNECTION_LOST`, `DATABASE_ERROR`
   */
  upsertCustomer(
    accountId: AccountId,
    customer: CustomerInput | ParsedRow,
    options?: UpsertOptions,
  ): Promise<UpsertResult>
  /** The customer with this email, or null. */
  getCustomer(accountId: AccountId, email: string): Promise<Customer | null>
  /** The customers with these emails, by email as given; null where there is none. */
  getCustomers(accountId: AccountId, emails: readonly string[]): Promise<Map<string, Customer | null>>
  /**
   * The customers of an audience in id order, page by page.
   *
   * @param options - `audience` (always said), `pageSize` (1,000), `after` (an id), `signal`
   * @throws CustomAttributesError `INVALID_AUDIENCE`; `CONNECTION_LOST` when the connection breaks between or in pages
   */
  pageCustomers(accountId: AccountId, options: PageOptions): AsyncIterable<Customer[]>
  /**
   * Uploads a CSV: columns that the table knows go to its columns, every other column becomes a custom attribute.
   *
   * @param csv - the file, whole or in chunks; see {@link CsvInput}
   * @param options - see {@link UploadOptions}
   * @returns counts that add up, and the rejected rows: rows are data, never thrown
   * @throws CustomAttributesError what is wrong with the whole file, before the first row is written where it shows in
   *   the header; `details.stored` counts what an upload that broke off had stored
   */
  uploadCsv(accountId: AccountId, csv: CsvInput, options?: UploadOptions): Promise<UploadResult>
  /**
   * Says what an upload would do with the head of a CSV, without writing: encoding, delimiter, the target of every column
   * and why, sample values, the first 20 rows, and every problem. Its `columns`, edited, go back in as `columns`.
   *
   * @param csv - the file, whole or in chunks; only its head is read
   * @param options - those of `uploadCsv` that decide what the file means; see {@link PreviewOptions}
   * @throws CustomAttributesError what is wrong before there is a header: `UNSUPPORTED_FILE`, `FILE_TOO_LARGE`,
   *   `INVALID_ENCODING`, `EMPTY_FILE`, `UNCLOSED_QUOTE` …; all else is told in `problems`
   */
  previewCsv(accountId: AccountId, csv: CsvInput, options?: PreviewOptions): Promise<CsvPreview>
  /** Records attribute names; of those recorded before, `last_seen_at` moves. */
  upsertAttributeDefinitions(accountId: AccountId, names: readonly string[]): Promise<void>
  /** The account's attribute names, sorted by code point. */
  getAttributeDefinitions(accountId: AccountId): Promise<string[]>
  /** The names that templates of this account can use. Never reads the customer table. */
  getMergeTags(accountId: AccountId): Promise<MergeTags>
  /**
   * Renders a template for customers by email.
   *
   * @returns the messages by email as given; null where there is no such customer
   * @throws CustomAttributesError the template's problems; under `missing: 'error'` `MISSING_VALUE`
   */
  renderForCustomers(
    accountId: AccountId,
    template: string,
    emails: readonly string[],
    options?: TemplateOptions,
  ): Promise<Map<string, string | null>>
  /**
   * Renders a message for every customer of an audience, one after the other: pages are read as they are needed, so any
   * number of customers costs the memory of two pages, and no connection is held while the caller works.
   *
   * @param message - a template (of the option `format`), or `{ subject?, html?, text? }`, each in its own format
   * @param options - `audience` (always said), `missing`, `extraTags` (an object or a function of the customer),
   *   `after` (the id of the last customer that is done), `pageSize` (250), `signal`, `onProgress`
   * @returns `{ ok: true, customer, content }`, or under `missing: 'error'` `{ ok: false, customer, missing }` for a
   *   customer whose message would have a hole: that does not stop the run
   * @throws CustomAttributesError the template's problems, `INVALID_AUDIENCE`, `ABORTED`; a lost connection is
   *   `CONNECTION_LOST`, never an early end
   */
  mailMerge<M extends Message>(
    accountId: AccountId,
    message: M,
    options: MailMergeOptions,
  ): AsyncIterable<MailMergeResult<M>>
  /**
   * Says, before anything is sent, who would get what: recipients, unknown tags with suggestions, and per tag how many
   * recipients would get a hole (no value, and no fallback). One pass over the audience.
   *
   * @param message - as for `mailMerge`
   * @param options - `audience`, and what the message will be merged with
   */
  preflight(accountId: AccountId, message: Message, options: PreflightOptions): Promise<PreflightReport>
}

const STORE_RULES = {
  ...ROW_OPTION_RULES,
  customerTable: isText,
  definitionTable: isText,
  maxCustomAttributes: wholeNumber(0, 10_000),
}

const STORE_DEFAULTS = {
  ...ROW_DEFAULTS,
  customerTable: MIGRATION_DEFAULTS.customerTable,
  definitionTable: MIGRATION_DEFAULTS.definitionTable,
  maxCustomAttributes: MIGRATION_DEFAULTS.maxCustomAttributes,
} satisfies StoreOptions

type ResolvedStoreOptions = Resolved<StoreOptions, typeof STORE_DEFAULTS>

const UPSERT_RULES = { ...MERGE_OPTION_RULES, dateFormat: oneOf('iso', 'mdy', 'dmy') }
const UPSERT_DEFAULTS = {
  existing: 'merge',
  unknown: 'create',
  emptyValues: 'keep',
  dateFormat: 'iso',
} satisfies UpsertOptions

/**
 * Makes a store on a postgres.js client. Nothing is sent until the first call, which reads the tables' shape once.
 *
 * @param sql - a postgres.js client, or a transaction of one
 * @param options - see {@link StoreOptions}
 * @throws CustomAttributesError `INVALID_ARGUMENT`, `INVALID_OPTION`
 */
export function createCustomAttributesStore(sql: SqlClient, options?: StoreOptions): CustomAttributesStore {
  checkClient(sql)
  const resolved = resolveOptions<StoreOptions, typeof STORE_DEFAULTS>(
    'createCustomAttributesStore',
    STORE_RULES,
    STORE_DEFAULTS,
    options,
  )
  return storeOn(sql, resolved, rememberShape(resolved))
}

/** Reads the shape once for a store and all that stand on transactions of it; a failure is not remembered. */
function rememberShape(options: ResolvedStoreOptions): (sql: SqlClient) => Promise<TableShape> {
  let shape: TableShape | undefined
  return async (sql) => {
    shape ??= await loadTableShape(sql, options)
    return shape
  }
}

/** Smaller than pages of their own: a page's messages wait in memory with it, and speed is the same. */
const MERGE_PAGE_SIZE = 250

/** Holds an input from the very call on, and closes it when the work fails before it was read. */
async function holding<T>(csv: CsvInput, work: () => Promise<T>): Promise<T> {
  const release = holdInput(csv)
  try {
    return await work()
  } catch (error) {
    release()
    throw error
  }
}

function storeOn(
  sql: SqlClient,
  options: ResolvedStoreOptions,
  loadShape: (sql: SqlClient) => Promise<TableShape>,
): CustomAttributesStore {
  const { maxCustomAttributes, emailCase, maxValueLength } = options
  const normalizeEmail = (email: string) => (emailCase === 'lower' ? email.trim().toLowerCase() : email.trim())

  /** Runs a method's work with the shape and the checked account; errors of the client become the library's. */
  async function onAccount<T>(
    accountId: AccountId,
    work: (shape: TableShape, account: string) => Promise<T>,
  ): Promise<T> {
    try {
      const shape = await loadShape(sql)
      return await work(shape, checkAccountId(accountId, shape))
    } catch (error) {
      throw explainFailure(error)
    }
  }

  async function findCustomers(
    shape: TableShape,
    account: string,
    emails: readonly string[],
  ): Promise<Map<string, Customer | null>> {
    if (isTextList(emails) !== undefined) {
      throw new CustomAttributesError(
        'INVALID_ARGUMENT',
        `emails must be an array of strings, got ${describe(emails)}.`,
      )
    }
    const keyOf = (email: string) => (shape.isEmailCaseInsensitive ? email.toLowerCase() : email)
    const wanted = [...new Set(emails.map(normalizeEmail))].filter((email) => email !== '' && !isUnstorable(email))
    const found = new Map((await readCustomers(sql, shape, account, wanted)).map((row) => [keyOf(row.email), row]))
    return new Map(emails.map((email) => [email, found.get(keyOf(normalizeEmail(email))) ?? null]))
  }

  const uploadContext = (shape: TableShape, account: string): UploadContext => ({
    sql,
    shape,
    accountId: account,
    maxCustomAttributes,
    rows: { emailCase, maxValueLength },
  })

  return {
    with(tx) {
      checkClient(tx)
      return storeOn(tx, options, loadShape)
    },
    upsertCustomer: (accountId, customer, given) =>
      onAccount(accountId, (shape, account) => {
        const settings = resolveOptions<UpsertOptions, typeof UPSERT_DEFAULTS>(
          'upsertCustomer',
          UPSERT_RULES,
          UPSERT_DEFAULTS,
          given,
        )
        return upsertCustomer(sql, shape, account, customer, {
          ...settings,
          maxCustomAttributes,
          maxValueLength,
          emailCase,
        })
      }),
    getCustomer: (accountId, email) =>
      onAccount(accountId, async (shape, account) => (await findCustomers(shape, account, [email])).get(email) ?? null),
    getCustomers: (accountId, emails) =>
      onAccount(accountId, (shape, account) => findCustomers(shape, account, emails)),
    async *pageCustomers(accountId, pages) {
      const { shape, account } = await onAccount(accountId, async (shape, account) => ({ shape, account }))
      yield* readPages(sql, shape, account, normalizeEmail, pages)
    },
    uploadCsv: (accountId, csv, given) =>
      holding(csv, async () => {
        const resolved = resolveUploadOptions(given)
        return onAccount(accountId, (shape, account) => uploadCsv(uploadContext(shape, account), csv, resolved))
      }),
    previewCsv: (accountId, csv, given) =>
      holding(csv, async () => {
        const resolved = resolvePreviewOptions(given)
        return onAccount(accountId, (shape, account) => previewCsv(uploadContext(shape, account), csv, resolved))
      }),
    upsertAttributeDefinitions: (accountId, names) =>
      onAccount(accountId, (shape, account) => {
        checkAttributeNames(names, shape)
        return attempt(sql, (db) => recordDefinitions(db, shape, account, names))
      }),
    getAttributeDefinitions: (accountId) =>
      onAccount(accountId, (shape, account) => readDefinitions(sql, shape, account)),
    getMergeTags: (accountId) =>
      onAccount(accountId, async (shape, account) => ({
        standardFields: [...shape.standardFields].sort(),
        customAttributes: await readDefinitions(sql, shape, account),
      })),
    renderForCustomers: (accountId, template, emails, given) =>
      onAccount(accountId, (shape, account) =>
        renderForCustomers(template, emails, given, (list) => findCustomers(shape, account, list)),
      ),
    async *mailMerge(accountId, message, given) {
      const { audience, pageSize, after, signal, ...templateOptions } = resolveOptions<
        MailMergeOptions,
        Record<never, never>
      >('mailMerge', { ...PAGE_OPTION_RULES, ...MAIL_MERGE_RULES }, {}, given)
      const { shape, account } = await onAccount(accountId, async (shape, account) => ({ shape, account }))
      const pages = readPages(sql, shape, account, normalizeEmail, {
        audience,
        pageSize: pageSize ?? MERGE_PAGE_SIZE,
        after,
        signal,
      })
      yield* mailMerge(message, templateOptions, pages, signal)
    },
    preflight: (accountId, message, given) =>
      onAccount(accountId, async (shape, account) => {
        const { missing: _missing, onProgress: _onProgress, ...templateRules } = MAIL_MERGE_RULES
        const { after: _after, ...pageRules } = PAGE_OPTION_RULES
        const { audience, pageSize, signal, ...templateOptions } = resolveOptions<
          PreflightOptions,
          Record<never, never>
        >('preflight', { ...pageRules, ...templateRules }, {}, given)
        const names = [...shape.standardFields, ...(await readDefinitions(sql, shape, account))]
        const pages = readPages(sql, shape, account, normalizeEmail, {
          audience,
          pageSize: pageSize ?? MERGE_PAGE_SIZE,
          signal,
        })
        return preflight(message, names, templateOptions, pages)
      }),
  }
}

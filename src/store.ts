import { orAborted, stopIfAborted } from './abort.js'
import {
  type PruneOptions,
  type PruneResult,
  preparePrune,
  prepareRemove,
  prepareRename,
  type RemoveOptions,
  type RemoveResult,
  type RenameOptions,
  type RenameResult,
} from './attributes/attributes.js'
import { type DescribeOptions, prepareDescription } from './attributes/describe.js'
import { checkFillable, isEmailHeader } from './column-targets.js'
import { openCsv } from './csv/file.js'
import { openRows, type RowsInput } from './csv/rows.js'
import { type CsvInput, holdInput } from './csv/source.js'
import { type AccountId, accountKey, checkAccountId, lockAccount } from './db/accounts.js'
import type { AttributeDescription } from './db/attribute-report.js'
import { checkClient, isTransaction, type SqlClient } from './db/client.js'
import { type Customer, readCustomers } from './db/customers.js'
import { checkAttributeNames, readAttributeNames, recordDefinitions } from './db/definitions.js'
import { explainFailure } from './db/failures.js'
import { isNumberType } from './db/field-values.js'
import { refuseIfHeld } from './db/holds.js'
import { MERGE_OPTIONS } from './db/merge-options.js'
import { countUnreachable, type PageOptions, type PageSettings, readPages, resolvePageOptions } from './db/pages.js'
import { retry } from './db/retry.js'
import { findSchemaProblems, type SchemaProblem } from './db/schema-check.js'
import { loadTableShape, type TableShape } from './db/table-shape.js'
import { type HistoryTables, loadHistoryTables, readUploads, type UploadRecord } from './db/upload-history.js'
import { type CustomerInput, type UpsertOptions, type UpsertResult, upsertCustomer } from './db/upsert.js'
import { CustomAttributesError, isCustomAttributesError } from './errors.js'
import { type CsvStream, type ExportOptions, prepareExport, streamOf } from './export/export.js'
import type { FieldCatalogue } from './fields.js'
import { type EraseOptions, type EraseResult, erase, resolveErase } from './history/erase.js'
import {
  checkUploadId,
  findUpload,
  type ListUploadsOptions,
  type PruneUploadsOptions,
  pruneUploads,
  readUpload,
  resolveListUploads,
  resolvePruneUploads,
  resolveUndo,
  type UndoOptions,
  type UploadWithRows,
} from './history/history.js'
import { type UndoResult, undo } from './history/undo.js'
import { type MailMergeOptions, type MailMergeResult, prepareMailMerge } from './mail-merge/mail-merge.js'
import { type AccountNames, type Message, prepareRendering } from './mail-merge/message.js'
import { type PreflightOptions, type PreflightReport, preparePreflight } from './mail-merge/preflight.js'
import { isTextList, kindOf, resolveOptions } from './options.js'
import { isUnstorable, type ParsedRow } from './rows.js'
import { type ResolvedStoreOptions, STORE_OPTIONS, type StoreOptions } from './store-options.js'
import type { TemplateOptions } from './template/template-options.js'
import { trim } from './trim.js'
import {
  resolveUploadOptions,
  resolveUploadRowsOptions,
  type UploadOptions,
  type UploadResult,
  type UploadRowsOptions,
} from './upload/options.js'
import { type CsvPreview, type PreviewOptions, previewCsv, resolvePreviewOptions } from './upload/preview.js'
import { type AccountContext, upload } from './upload/upload.js'

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
   * Says everything at once that the tables lack, and the rights on them, each with the SQL that mends it where SQL can:
   * what the first call would fail with, and advice. Empty when all is well.
   */
  checkSchema(): Promise<SchemaProblem[]>
  /** The fields of the customers, as the store was made with. */
  readonly fields: FieldCatalogue
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
   * @param options - `existing`, `unknown`, `emptyValues`, `dateFormat`, `numberFormat`, as for `uploadCsv`
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
   * Writes the customers of an audience as a CSV that an upload reads back: `new Response(stream)` takes it, and `for await`
   * gives its bytes. Pages are read as the stream is read, and no further once it is cancelled.
   *
   * The headers are the names of the fields and attributes. UTF-8, CRLF, quotes as RFC 4180 says.
   *
   * @param options - `audience` (always said), `columns` (names; default all that a file may fill), `delimiter` (`','`),
   *   `bom` (`false`), `formulas` (`'guard'` or `'raw'`), `signal`; see {@link ExportOptions}
   * @returns a stream; it fails with `INVALID_OPTION`, `INVALID_AUDIENCE`, `ABORTED`, or `CONNECTION_LOST` when the
   *   connection breaks, which is never an early end
   */
  exportCsv(accountId: AccountId, options: ExportOptions): CsvStream
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
   * The same as `uploadCsv` for rows that another reader made: a spreadsheet's, JSON's, an API's.
   *
   * @param rows - arrays of strings (`null` for an empty cell), one after the other; the first is the headers unless
   *   `headers` says them. Rows are numbered from 1, the headers being the first; `bytesRead` is 0
   * @param options - those of `uploadCsv` that are not about reading text, and `headers`
   */
  uploadRows(accountId: AccountId, rows: RowsInput, options?: UploadRowsOptions): Promise<UploadResult>
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
  /**
   * Says of every attribute of the account how many customers have it, how many different values there are, examples, and
   * what they look like. One pass over the audience.
   *
   * @param options - `audience` (default `'all'`), `signal`
   * @returns sorted by code point
   * @throws CustomAttributesError `INVALID_AUDIENCE`
   */
  describeAttributes(accountId: AccountId, options?: DescribeOptions): Promise<AttributeDescription[]>
  /**
   * Gives an attribute another name, its definition and every living customer's value together. A new name that is an
   * attribute already makes one of the two. Uploads that run meanwhile put their further values under the new name.
   *
   * @param from - the attribute, exactly as it is spelt
   * @param to - its new name
   * @param options - `onConflict`, `templates` (those that use it come back rewritten), `format` of these, `batchSize`, `signal`
   * @throws CustomAttributesError `ATTRIBUTE_NOT_FOUND`; `ATTRIBUTE_EXISTS` with `details.collisions`, unless `onConflict`
   *   says which value a customer keeps; `INVALID_ATTRIBUTE_NAME`, `ABORTED`
   */
  renameAttribute(accountId: AccountId, from: string, to: string, options?: RenameOptions): Promise<RenameResult>
  /**
   * Removes an attribute, its definition and every living customer's value together. Uploads that run meanwhile drop their
   * further values of it.
   *
   * @param name - the attribute, exactly as it is spelt
   * @param options - `templates` (the result says which use it), `format` of these, `batchSize`, `signal`
   * @throws CustomAttributesError `ATTRIBUTE_NOT_FOUND`, `ABORTED`
   */
  removeAttribute(accountId: AccountId, name: string, options?: RemoveOptions): Promise<RemoveResult>
  /**
   * Removes the attributes that nothing uses, each as `removeAttribute` does.
   *
   * @param options - `notSeenSince` (a `Date`), `withoutValues`: at least one, and an attribute must meet all that are given;
   *   `batchSize`, `signal`
   * @throws CustomAttributesError `INVALID_OPTION`, `ABORTED`
   */
  pruneAttributes(accountId: AccountId, options: PruneOptions): Promise<PruneResult>
  /**
   * The uploads of the account that keep a history, the newest first.
   *
   * @param options - `limit` (50), `before` (the id of an upload), `signal`
   * @throws CustomAttributesError `SCHEMA_NOT_READY` without the tables of `sql/0003`
   */
  listUploads(accountId: AccountId, options?: ListUploadsOptions): Promise<UploadRecord[]>
  /**
   * One of them, with its rejected rows where it kept them.
   *
   * @throws CustomAttributesError `UPLOAD_NOT_FOUND`
   */
  getUpload(accountId: AccountId, uploadId: string): Promise<UploadWithRows>
  /**
   * Gives back exactly what an upload changed and nobody changed since: fields and attributes get what they had before,
   * customers that it created go, if nobody touched them. Later edits stay, and are counted. One transaction; undoing again
   * does nothing.
   *
   * @param options - `dryRun`, `signal`
   * @throws CustomAttributesError `UPLOAD_NOT_FOUND`, `ABORTED`
   */
  undoUpload(accountId: AccountId, uploadId: string, options?: UndoOptions): Promise<UndoResult>
  /**
   * Takes the history of old uploads away; they cannot be undone any more.
   *
   * @param options - `olderThan`, a `Date`
   * @returns how many uploads
   */
  pruneUploads(accountId: AccountId, options: PruneUploadsOptions): Promise<number>
  /**
   * Erases what the library keeps of a person: the customer's attributes, or with `customer: 'remove'` the whole row, and
   * what the history has of them. Rows of any state, the deleted ones, too.
   *
   * @param options - `customer`: `'keep'` (default) or `'remove'`
   * @throws CustomAttributesError `INVALID_EMAIL`
   */
  eraseCustomer(accountId: AccountId, email: string, options?: EraseOptions): Promise<EraseResult>
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

/**
 * Makes a store on a postgres.js client. Nothing is sent until the first call, which reads the tables' shape once.
 *
 * @param sql - a postgres.js client, or a transaction of one
 * @param options - see {@link StoreOptions}
 * @throws CustomAttributesError `INVALID_ARGUMENT`, `INVALID_OPTION`
 */
export function createCustomAttributesStore(sql: SqlClient, options?: StoreOptions): CustomAttributesStore {
  checkClient(sql)
  const resolved = resolveOptions('createCustomAttributesStore', STORE_OPTIONS, options)
  return storeOn(sql, resolved, {
    loadShape: remember((client) => loadTableShape(client, resolved)),
    loadHistory: remember((client) => loadHistoryTables(client, resolved.uploadTable)),
  })
}

/** What is read once for a store and all that stand on transactions of it. */
interface Loaders {
  loadShape(sql: SqlClient): Promise<TableShape>
  loadHistory(sql: SqlClient): Promise<HistoryTables>
}

/** Reads something once; a failure is not remembered. */
function remember<T>(load: (sql: SqlClient) => Promise<T>): (sql: SqlClient) => Promise<T> {
  let loaded: { value: T } | undefined
  return async (sql) => {
    loaded ??= { value: await load(sql) }
    return loaded.value
  }
}

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

function storeOn(sql: SqlClient, options: ResolvedStoreOptions, loaders: Loaders): CustomAttributesStore {
  const { loadShape, loadHistory } = loaders
  const historyTables = () => loadHistory(sql)
  const { maxCustomAttributes, emailCase, maxValueLength, fields, newId } = options
  const normalizeEmail = (email: string) => (emailCase === 'lower' ? trim(email).toLowerCase() : trim(email))

  /**
   * Runs a method's work with the shape and the checked account; errors of the client become the library's.
   *
   * @param call - the method
   * @param writes - whether it writes to the account
   */
  async function onAccount<T>(
    { call, writes = false, signal }: { call: string; writes?: boolean; signal?: AbortSignal | undefined },
    accountId: AccountId,
    work: (account: AccountContext) => Promise<T>,
  ): Promise<T> {
    refuseIfHeld(call, sql)
    try {
      stopIfAborted(signal)
      const shape = await orAborted(loadShape(sql), signal)
      const id = checkAccountId(accountId, shape)
      if (writes) refuseIfHeld(call, sql, accountKey(shape, id))
      return await work({
        sql,
        shape,
        accountId: id,
        maxCustomAttributes,
        rows: { emailCase, maxValueLength },
        newId,
        historyTables,
      })
    } catch (error) {
      throw explainFailure(error)
    }
  }

  async function findCustomers(
    account: AccountContext,
    emails: readonly string[],
  ): Promise<Map<string, Customer | null>> {
    const keyOf = (email: string) => (account.shape.isEmailCaseInsensitive ? email.toLowerCase() : email)
    const wanted = [...new Set(emails.map(normalizeEmail))].filter((email) => email !== '' && !isUnstorable(email))
    const found = new Map((await readCustomers(account, wanted)).map((row) => [keyOf(row.email), row]))
    return new Map(emails.map((email) => [email, found.get(keyOf(normalizeEmail(email))) ?? null]))
  }

  const pagesOf = (account: AccountContext, pages: PageSettings) => readPages(account, normalizeEmail, pages)

  /** What an account's messages are rendered by. */
  const readNames = async (account: AccountContext, signal?: AbortSignal): Promise<AccountNames> => ({
    fields,
    names: [...account.shape.standardFields, ...(await readAttributeNames(account, signal))],
    numberFields: new Set(
      account.shape.standardFields.filter((field) => isNumberType(account.shape.columns.get(field)!.type)),
    ),
  })

  return {
    fields,
    async checkSchema() {
      refuseIfHeld('checkSchema', sql)
      try {
        return await findSchemaProblems(sql, options)
      } catch (error) {
        throw explainFailure(error)
      }
    },
    with(tx) {
      checkClient(tx)
      return storeOn(tx, options, loaders)
    },
    async upsertCustomer(accountId, customer, given) {
      const settings = resolveOptions('upsertCustomer', MERGE_OPTIONS, given)
      return onAccount({ call: 'upsertCustomer', writes: true }, accountId, (account) =>
        upsertCustomer(account, customer, {
          ...settings,
          maxCustomAttributes,
          maxValueLength,
          emailCase,
          fields,
          newId,
        }),
      )
    },
    async getCustomer(accountId, email) {
      if (typeof email !== 'string') throw invalidArgument('email', 'a string', email)
      return onAccount({ call: 'getCustomer' }, accountId, async (account) => {
        return (await findCustomers(account, [email])).get(email) ?? null
      })
    },
    async getCustomers(accountId, emails) {
      checkEmails(emails)
      return onAccount({ call: 'getCustomers' }, accountId, (account) => findCustomers(account, emails))
    },
    async *pageCustomers(accountId, given) {
      const pages = resolvePageOptions(given)
      yield* pagesOf(await onAccount(pages, accountId, async (account) => account), pages)
    },
    exportCsv: (accountId, given) =>
      streamOf(async function* (closed) {
        const { pages, run } = prepareExport(given, closed)
        const [account, attributes] = await onAccount(
          pages,
          accountId,
          async (account) => [account, await readAttributeNames(account, pages.signal)] as const,
        )
        yield* run(account.shape, attributes, pagesOf(account, pages))
      }),
    uploadCsv: (accountId, csv, given) =>
      holding(csv, async () => {
        const resolved = resolveUploadOptions(given)
        checkFillable(resolved.fillable, fields)
        const open = (signal: AbortSignal) =>
          openCsv(csv, { ...resolved, signal }, isEmailHeader(resolved.columns, fields))
        return onAccount({ ...resolved, call: 'uploadCsv', writes: true }, accountId, (account) =>
          upload('uploadCsv', account, open, resolved),
        )
      }),
    async uploadRows(accountId, rows, given) {
      const resolved = resolveUploadRowsOptions(given)
      checkFillable(resolved.fillable, fields)
      const { headers, maxColumns } = resolved
      const open = (signal: AbortSignal) => openRows(rows, { headers, maxColumns, signal })
      return onAccount({ ...resolved, call: 'uploadRows', writes: true }, accountId, (account) =>
        upload('uploadRows', account, open, resolved),
      )
    },
    previewCsv: (accountId, csv, given) =>
      holding(csv, async () => {
        const resolved = resolvePreviewOptions(given)
        checkFillable(resolved.fillable, fields)
        const { signal } = resolved
        return onAccount({ call: 'previewCsv', signal }, accountId, (account) => previewCsv(account, csv, resolved))
      }),
    upsertAttributeDefinitions: (accountId, names) =>
      onAccount({ call: 'upsertAttributeDefinitions', writes: true }, accountId, (account) => {
        checkAttributeNames(names, account.shape)
        return retry(sql, async (db) => {
          if (isTransaction(sql)) await lockAccount({ ...account, sql: db })
          await recordDefinitions({ ...account, sql: db }, names)
        })
      }),
    getAttributeDefinitions: (accountId) =>
      onAccount({ call: 'getAttributeDefinitions' }, accountId, (account) => readAttributeNames(account)),
    async describeAttributes(accountId, given) {
      const { signal, run } = prepareDescription(given)
      return onAccount({ call: 'describeAttributes', signal }, accountId, (account) => run(account, normalizeEmail))
    },
    async renameAttribute(accountId, from, to, given) {
      const { signal, run } = prepareRename(from, to, given)
      return onAccount({ call: 'renameAttribute', writes: true, signal }, accountId, run)
    },
    async removeAttribute(accountId, name, given) {
      const { signal, run } = prepareRemove(name, given)
      return onAccount({ call: 'removeAttribute', writes: true, signal }, accountId, run)
    },
    async pruneAttributes(accountId, given) {
      const { signal, run } = preparePrune(given)
      return onAccount({ call: 'pruneAttributes', writes: true, signal }, accountId, run)
    },
    async listUploads(accountId, given) {
      const { signal, limit, before } = resolveListUploads(given)
      return onAccount({ call: 'listUploads', signal }, accountId, async (account) =>
        readUploads(account, await historyTables(), { limit, ...(before ? { before } : {}) }, signal),
      )
    },
    async getUpload(accountId, uploadId) {
      checkUploadId(uploadId)
      return onAccount({ call: 'getUpload' }, accountId, async (account) =>
        readUpload(account, await historyTables(), uploadId),
      )
    },
    async undoUpload(accountId, uploadId, given) {
      checkUploadId(uploadId)
      const { dryRun, signal } = resolveUndo(given)
      return onAccount({ call: 'undoUpload', writes: true, signal }, accountId, async (account) => {
        const tables = await historyTables()
        const upload = await findUpload(account, tables, uploadId, signal)
        return undo(account, tables, upload, { dryRun, maxCustomAttributes, signal })
      })
    },
    async pruneUploads(accountId, given) {
      const { olderThan, signal } = resolvePruneUploads(given)
      return onAccount({ call: 'pruneUploads', writes: true, signal }, accountId, async (account) =>
        pruneUploads(account, await historyTables(), { olderThan, signal }),
      )
    },
    async eraseCustomer(accountId, email, given) {
      const { customer } = resolveErase(email, given)
      return onAccount({ call: 'eraseCustomer', writes: true }, accountId, async (account) =>
        erase(account, await historyTables().catch(withoutTables), normalizeEmail(email), customer),
      )
    },
    getMergeTags: (accountId) =>
      onAccount({ call: 'getMergeTags' }, accountId, async (account) => ({
        standardFields: [...account.shape.standardFields].sort(),
        customAttributes: await readAttributeNames(account),
      })),
    async renderForCustomers(accountId, template, emails, given) {
      checkEmails(emails)
      const render = prepareRendering(template, given)
      return onAccount({ call: 'renderForCustomers' }, accountId, async (account) => {
        const customers = await findCustomers(account, emails)
        return render(await readNames(account), customers)
      })
    },
    async *mailMerge(accountId, message, given) {
      const { pages, run } = prepareMailMerge(message, given)
      const [account, names] = await onAccount(
        pages,
        accountId,
        async (account) => [account, await readNames(account, pages.signal)] as const,
      )
      yield* run(names, pagesOf(account, pages))
    },
    async preflight(accountId, message, given) {
      const { pages, run } = preparePreflight(message, given)
      return onAccount(pages, accountId, async (account) => {
        const withoutEmail = await countUnreachable(account, normalizeEmail, pages)
        const report = await run(await readNames(account, pages.signal), pagesOf(account, pages))
        return { ...report, withoutEmail }
      })
    },
  }
}

/** A host without a history has nothing of it to erase. What else is wrong with its tables is told. */
function withoutTables(error: unknown): undefined {
  if (isCustomAttributesError(error) && error.code === 'SCHEMA_NOT_READY') return undefined
  throw error
}

function checkEmails(emails: readonly string[]): void {
  if (isTextList(emails) !== undefined) throw invalidArgument('emails', 'an array of strings', emails)
}

function invalidArgument(argument: string, expected: string, value: unknown): CustomAttributesError {
  return new CustomAttributesError('INVALID_ARGUMENT', `${argument} must be ${expected}, got ${kindOf(value)}.`, {
    argument,
  })
}

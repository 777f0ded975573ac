import type {
  PruneOptions,
  PruneResult,
  RemoveOptions,
  RemoveResult,
  RenameOptions,
  RenameResult,
} from './attributes/attributes.js'
import type { DescribeOptions } from './attributes/describe.js'
import type { RowsInput } from './csv/rows.js'
import type { CsvInput } from './csv/source.js'
import type { AccountId } from './db/accounts.js'
import type { AttributeDescription } from './db/attribute-report.js'
import type { SqlClient } from './db/client.js'
import type { CountOptions, CustomerCount } from './db/counts.js'
import type { Customer } from './db/customers.js'
import type { FindOptions, FoundCustomers } from './db/find.js'
import type { PageOptions } from './db/pages.js'
import type { SchemaProblem } from './db/schema-check.js'
import type { Suppression } from './db/suppressions.js'
import type { UploadRecord } from './db/upload-history.js'
import type { CustomerInput, UpsertOptions, UpsertResult } from './db/upsert.js'
import type { CsvStream, ExportOptions } from './export/export.js'
import type { FieldCatalogue } from './fields.js'
import type { EraseOptions, EraseResult } from './history/erase.js'
import type { ListUploadsOptions, PruneUploadsOptions, UndoOptions, UploadWithRows } from './history/history.js'
import type { UndoResult } from './history/undo.js'
import type { MailMergeOptions, MailMergeResult } from './mail-merge/mail-merge.js'
import type { Message } from './mail-merge/message.js'
import type { PreflightOptions, PreflightReport } from './mail-merge/preflight.js'
import type { ParsedRow } from './rows.js'
import type {
  AddressInput,
  ListSuppressionsOptions,
  SuppressOptions,
  SuppressResult,
} from './suppression/suppression.js'
import type { TemplateOptions } from './template/template-options.js'
import type { UploadOptions, UploadResult, UploadRowsOptions } from './upload/options.js'
import type { CsvPreview, PreviewOptions } from './upload/preview.js'

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
   * @param options - `existing`, `unknown`, `emptyValues`, `optOuts`, `dateFormat`, `numberFormat`, as for `uploadCsv`
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
   * Counts an audience, by one statement.
   *
   * @param options - see {@link CountOptions}
   * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE`, `ABORTED`
   */
  countCustomers(accountId: AccountId, options: CountOptions): Promise<CustomerCount>
  /**
   * Some customers of an audience, for a table of them: in an order, forward and back. Without an index of yours that has the
   * account and the field, an order by it reads the account's customers; so does `search`.
   *
   * @param options - `audience` (always said), `optedOut` (`'exclude'`), `search`, `sort` (`'id'`), `descending`, `limit` (50), `cursor`, `signal`; see {@link FindOptions}
   * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE`, `ABORTED`
   */
  findCustomers(accountId: AccountId, options: FindOptions): Promise<FoundCustomers>
  /**
   * The customers of an audience in id order, page by page.
   *
   * @param options - `audience` (always said), `optedOut` (`'exclude'`), `pageSize` (1,000), `after` (an id), `signal`
   * @throws CustomAttributesError `INVALID_AUDIENCE`; `CONNECTION_LOST` when the connection breaks between or in pages
   */
  pageCustomers(accountId: AccountId, options: PageOptions): AsyncIterable<Customer[]>
  /**
   * Writes the customers of an audience as a CSV that an upload reads back: `new Response(stream)` takes it, and `for await`
   * gives its bytes. Pages are read as the stream is read, and no further once it is cancelled.
   *
   * The headers are the names of the fields and attributes. UTF-8, CRLF, quotes as RFC 4180 says.
   *
   * @param options - `audience` (always said), `optedOut` (`'exclude'`), `columns` (names; default all that a file may fill), `delimiter` (`','`),
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
   * @param options - `audience` (default `'all'`), `optedOut` (`'exclude'`), `signal`
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
   * what the history has of them. Rows of any state, the deleted ones, too. A suppression of the address stays.
   *
   * @param options - `customer`: `'keep'` (default) or `'remove'`
   * @throws CustomAttributesError `INVALID_EMAIL`
   */
  eraseCustomer(accountId: AccountId, email: string, options?: EraseOptions): Promise<EraseResult>
  /**
   * Suppresses addresses: nobody who has one is in any audience, now or later, whatever becomes of the customer. In pieces of
   * 5,000; running it again is safe. An address need not be a customer's.
   *
   * @param emails - an array of addresses, or a CSV whose column is headed as e-mail addresses or is the only one. Letters A to
   *   Z are compared without case, others as they are
   * @param options - `reason` (none; the first one stays), `signal`, and how a CSV is read, as for `uploadCsv`
   * @returns counts, and the entries or rows that are no address
   * @throws CustomAttributesError `INVALID_OPTION` of a store without `suppressions`, `SCHEMA_NOT_READY` without the table of
   *   `sql/0005`, `INVALID_ARGUMENT`, `ABORTED`; of a CSV what is wrong with the whole file, `EMAIL_COLUMN_MISSING`, `DUPLICATE_COLUMN`
   */
  suppress(accountId: AccountId, emails: AddressInput, options?: SuppressOptions): Promise<SuppressResult>
  /**
   * Takes addresses out of the suppressed ones: their customers are in audiences again.
   *
   * @param emails - addresses; those that are none or not suppressed are passed over
   * @returns how many were suppressed
   * @throws CustomAttributesError as `suppress`
   */
  unsuppress(accountId: AccountId, emails: readonly string[]): Promise<number>
  /**
   * The suppressed addresses in their order, with when and why.
   *
   * @param options - `limit` (1,000), `after` (the `address` of an entry), `signal`
   * @throws CustomAttributesError as `suppress`
   */
  listSuppressions(accountId: AccountId, options?: ListSuppressionsOptions): Promise<Suppression[]>
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

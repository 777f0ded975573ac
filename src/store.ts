import { orAborted, stopIfAborted } from './abort.js'
import { preparePrune, prepareRemove, prepareRename } from './attributes/attributes.js'
import { prepareDescription } from './attributes/describe.js'
import { checkFillable, isEmailHeader } from './column-targets.js'
import { openCsv } from './csv/file.js'
import { openRows } from './csv/rows.js'
import { type CsvInput, holdInput } from './csv/source.js'
import { type AccountId, accountKey, checkAccountId, lockAccount, type SuppressionTable } from './db/accounts.js'
import { audienceCondition } from './db/audience.js'
import { checkClient, isTransaction, type SqlClient } from './db/client.js'
import { checkColumnClashes } from './db/column-clashes.js'
import { countAudience, resolveCountOptions } from './db/counts.js'
import { type Customer, readCustomers } from './db/customers.js'
import { checkAttributeNames, readAttributeNames, recordDefinitions } from './db/definitions.js'
import { explainFailure } from './db/failures.js'
import { isNumberType } from './db/field-values.js'
import { findCustomers, resolveFindOptions } from './db/find.js'
import { refuseIfHeld } from './db/holds.js'
import { MERGE_OPTIONS } from './db/merge-options.js'
import { countUnreachable, openPages, type PageSettings, readTexts, resolvePageOptions } from './db/pages.js'
import { retry } from './db/retry.js'
import { findSchemaProblems } from './db/schema-check.js'
import { loadSuppressionTable, readSuppressions } from './db/suppressions.js'
import { loadTableShape, type TableShape } from './db/table-shape.js'
import { type HistoryTables, loadHistoryTables, readUploads } from './db/upload-history.js'
import { upsertCustomer } from './db/upsert.js'
import { CustomAttributesError, isCustomAttributesError } from './errors.js'
import { prepareExport, streamOf } from './export/export.js'
import { erase, resolveErase } from './history/erase.js'
import {
  checkUploadId,
  findUpload,
  pruneUploads,
  readUpload,
  resolveListUploads,
  resolvePruneUploads,
  resolveUndo,
} from './history/history.js'
import { undo } from './history/undo.js'
import { mergeMail } from './mail-merge/mail-merge.js'
import { type AccountNames, prepareRendering } from './mail-merge/message.js'
import { preparePreflight } from './mail-merge/preflight.js'
import { isTextList, kindOf, resolveOptions } from './options.js'
import { isUnstorable } from './rows.js'
import type { CustomAttributesStore } from './store-methods.js'
import { type ResolvedStoreOptions, STORE_OPTIONS, type StoreOptions } from './store-options.js'
import {
  resolveListSuppressions,
  resolveSuppress,
  suppress,
  suppressionsOf,
  unsuppress,
} from './suppression/suppression.js'
import { trim } from './trim.js'
import { resolveUploadOptions, resolveUploadRowsOptions } from './upload/options.js'
import { previewCsv, resolvePreviewOptions } from './upload/preview.js'
import { type AccountContext, upload } from './upload/upload.js'

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
  checkColumnClashes(resolved)
  return storeOn(sql, resolved, {
    loadShape: remember((client) => loadTableShape(client, resolved)),
    loadHistory: remember((client) => loadHistoryTables(client, resolved.uploadTable)),
    loadSuppressions: remember((client) => loadSuppressionTable(client, resolved.suppressionTable, saltOf(resolved))),
  })
}

/** What is read once for a store and all that stand on transactions of it. */
interface Loaders {
  loadShape(sql: SqlClient): Promise<TableShape>
  loadHistory(sql: SqlClient): Promise<HistoryTables>
  loadSuppressions(sql: SqlClient): Promise<SuppressionTable>
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
  const { loadShape, loadHistory, loadSuppressions } = loaders
  const historyTables = () => loadHistory(sql)
  const suppressions = options.suppressions ? () => loadSuppressions(sql) : undefined
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
        suppressions,
      })
    } catch (error) {
      throw explainFailure(error)
    }
  }

  async function customersOf(
    account: AccountContext,
    emails: readonly string[],
  ): Promise<Map<string, Customer | null>> {
    const keyOf = (email: string) => (account.shape.isEmailCaseInsensitive ? email.toLowerCase() : email)
    const wanted = [...new Set(emails.map(normalizeEmail))].filter((email) => email !== '' && !isUnstorable(email))
    const found = new Map((await readCustomers(account, wanted)).map((row) => [keyOf(row.email), row]))
    return new Map(emails.map((email) => [email, found.get(keyOf(normalizeEmail(email))) ?? null]))
  }

  /** An account and its attribute names, for what goes on when the call itself is over. */
  const readAccount = (pages: PageSettings, accountId: AccountId) =>
    onAccount(pages, accountId, async (account) => [account, await readAttributeNames(account, pages.signal)] as const)

  const pagesOf = (account: AccountContext, pages: PageSettings) => openPages(account, normalizeEmail, pages)

  /** What an account's messages are rendered by. */
  const namesOf = ({ shape }: AccountContext, attributes: readonly string[]): AccountNames => ({
    fields,
    names: [...shape.standardFields, ...attributes],
    numberFields: new Set(shape.standardFields.filter((field) => isNumberType(shape.columns.get(field)!.type))),
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
        return (await customersOf(account, [email])).get(email) ?? null
      })
    },
    async getCustomers(accountId, emails) {
      checkEmails(emails)
      return onAccount({ call: 'getCustomers' }, accountId, (account) => customersOf(account, emails))
    },
    async countCustomers(accountId, given) {
      const { signal, ...selection } = resolveCountOptions(given)
      return onAccount({ call: 'countCustomers', signal }, accountId, async (account) =>
        countAudience(account, await audienceCondition(account, normalizeEmail, selection, signal), signal),
      )
    },
    async findCustomers(accountId, given) {
      const settings = resolveFindOptions(given)
      return onAccount({ call: 'findCustomers', signal: settings.signal }, accountId, async (account) =>
        findCustomers(account, await audienceCondition(account, normalizeEmail, settings, settings.signal), settings),
      )
    },
    async *pageCustomers(accountId, given) {
      const pages = resolvePageOptions(given)
      yield* pagesOf(await onAccount(pages, accountId, async (account) => account), pages).pages
    },
    exportCsv: (accountId, given) =>
      streamOf(async function* (closed) {
        const { pages, run } = prepareExport(given, closed)
        const [account, attributes] = await readAccount(pages, accountId)
        yield* run(account.shape, attributes, (columns) =>
          readTexts(account, normalizeEmail, { ...pages, attributes }, columns),
        )
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
    async suppress(accountId, emails, given) {
      const work = () => {
        const resolved = resolveSuppress(given)
        return onAccount({ call: 'suppress', signal: resolved.signal }, accountId, (account) =>
          suppress(account, emails, resolved, fields),
        )
      }
      return Array.isArray(emails) ? work() : holding(emails as CsvInput, work)
    },
    async unsuppress(accountId, emails) {
      checkEmails(emails)
      return onAccount({ call: 'unsuppress' }, accountId, (account) => unsuppress(account, emails))
    },
    async listSuppressions(accountId, given) {
      const { signal, ...page } = resolveListSuppressions(given)
      return onAccount({ call: 'listSuppressions', signal }, accountId, async (account) =>
        readSuppressions(account, await suppressionsOf('listSuppressions', account), page, signal),
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
        const customers = await customersOf(account, emails)
        return render(namesOf(account, await readAttributeNames(account)), customers)
      })
    },
    mailMerge: (accountId, message, given) =>
      mergeMail(message, given, async (pages) => {
        const [account, attributes] = await readAccount(pages, accountId)
        return [namesOf(account, attributes), pagesOf(account, { ...pages, attributes })]
      }),
    async preflight(accountId, message, given) {
      const { pages, run } = preparePreflight(message, given)
      return onAccount(pages, accountId, async (account) => {
        const settings = { ...pages, attributes: await readAttributeNames(account, pages.signal) }
        const withoutEmail = await countUnreachable(account, normalizeEmail, settings)
        const report = await run(namesOf(account, settings.attributes), pagesOf(account, settings).pages)
        return { ...report, withoutEmail }
      })
    },
  }
}

/** What a store hashes addresses with, where it does. */
function saltOf({ suppressions }: ResolvedStoreOptions): string | undefined {
  return typeof suppressions === 'object' ? suppressions.salt : undefined
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

import type { Account } from '../db/accounts.js'
import { inTransaction } from '../db/transaction.js'
import {
  deleteUploads,
  type HistoryTables,
  readRejectedRows,
  readUploads,
  type UploadRecord,
} from '../db/upload-history.js'
import { CustomAttributesError } from '../errors.js'
import { isDate, isFlag, isSignal, type OptionRule, resolveOptions, wholeNumber, withDefault } from '../options.js'
import type { RejectedRow } from '../rejected-rows.js'

/** Options of `listUploads`. */
export interface ListUploadsOptions {
  /** Most uploads. Default 50. */
  limit?: number
  /** The id of an upload: those that began before it. Default from the newest. */
  before?: string
  /** Ends the waiting. */
  signal?: AbortSignal
}

/** Options of `undoUpload`. */
export interface UndoOptions {
  /** Only says what it would do. Default `false`. */
  dryRun?: boolean
  /** Stops the work; then nothing has changed. */
  signal?: AbortSignal
}

/** Options of `pruneUploads`. */
export interface PruneUploadsOptions {
  /** The history of uploads that began before this goes. */
  olderThan: Date
  /** Ends the waiting. */
  signal?: AbortSignal
}

/** An upload with its rejected rows, where it kept them. */
export type UploadWithRows = UploadRecord & { rejected: RejectedRow[] }

const isUploadId: OptionRule = (value) =>
  typeof value === 'string' && /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(value)
    ? undefined
    : 'the id of an upload'

const LIST_OPTIONS = { limit: withDefault(wholeNumber(1, 1_000), 50), before: isUploadId, signal: isSignal }
const UNDO_OPTIONS = { dryRun: withDefault(isFlag, false), signal: isSignal }
const PRUNE_OPTIONS = { olderThan: isDate, signal: isSignal }

export const resolveListUploads = (given: ListUploadsOptions | undefined) =>
  resolveOptions('listUploads', LIST_OPTIONS, given)
export const resolveUndo = (given: UndoOptions | undefined) => resolveOptions('undoUpload', UNDO_OPTIONS, given)

/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolvePruneUploads(given: PruneUploadsOptions) {
  const options = resolveOptions('pruneUploads', PRUNE_OPTIONS, given)
  const { olderThan } = options
  if (olderThan !== undefined) return { ...options, olderThan }
  throw new CustomAttributesError('INVALID_OPTION', 'pruneUploads: olderThan must be a Date, got undefined.', {
    function: 'pruneUploads',
    option: 'olderThan',
  })
}

/** @throws CustomAttributesError `INVALID_ARGUMENT` */
export function checkUploadId(id: unknown): void {
  if (isUploadId(id) === undefined) return
  throw new CustomAttributesError('INVALID_ARGUMENT', 'uploadId must be the id of an upload, as listUploads has it.', {
    argument: 'uploadId',
  })
}

/** @throws CustomAttributesError `UPLOAD_NOT_FOUND` */
export async function findUpload(
  account: Account,
  tables: HistoryTables,
  id: string,
  signal?: AbortSignal,
): Promise<UploadRecord> {
  const [upload] = await readUploads(account, tables, { id, limit: 1 }, signal)
  if (upload) return upload
  throw new CustomAttributesError('UPLOAD_NOT_FOUND', 'The account has no upload of this id in its history.', { id })
}

/** An upload of the history with the rejected rows that it kept. */
export async function readUpload(account: Account, tables: HistoryTables, id: string): Promise<UploadWithRows> {
  const upload = await findUpload(account, tables, id)
  return { ...upload, rejected: await readRejectedRows(account, tables, id) }
}

/** Takes old uploads out of the history. */
export function pruneUploads(
  account: Account,
  tables: HistoryTables,
  { olderThan, signal }: { olderThan: Date; signal?: AbortSignal | undefined },
): Promise<number> {
  return inTransaction(
    account.sql,
    (sql) => deleteUploads({ ...account, sql }, tables, olderThan.toISOString(), signal),
    signal,
  )
}

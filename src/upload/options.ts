import { COLUMN_OPTIONS, type ColumnOptions, type ColumnWarning, type IgnoredReason } from '../column-targets.js'
import { CSV_OPTIONS, type CsvOptions, type CsvWarning } from '../csv/file.js'
import type { NumberFormat } from '../db/field-values.js'
import { MERGE_OPTIONS, type MergeOptions } from '../db/merge-options.js'
import { type HistoryOptions, isHistory } from '../history/recorder.js'
import {
  defaultsOf,
  isFlag,
  isFunction,
  isSignal,
  isTextList,
  isTexts,
  LIMITS,
  oneOf,
  type Resolved,
  resolveOptions,
  wholeNumber,
  withDefault,
} from '../options.js'
import type { RejectedRow } from '../rejected-rows.js'
import { CELL_OPTIONS, type CellOptions } from '../rows.js'
import type { RowCheckOptions } from './row-checks.js'

/** Options of `uploadCsv`. */
export interface UploadOptions
  extends CsvOptions,
    RowCheckOptions,
    CellOptions,
    MergeOptions,
    Pick<ColumnOptions, 'columns' | 'attributes' | 'fillable'> {
  /**
   * Values that every row gets: standard fields and attributes by name, `{ source: 'Trade fair', Campaign: 'Spring' }`. A
   * column of the file that fills one of them is `DUPLICATE_COLUMN`. An empty value only makes room for what `checkRow`
   * gives. Default none.
   */
  constants?: Readonly<Record<string, string>>
  /** `'skip'` (default) goes on after a bad row; `'abort'` ends the upload with `INVALID_ROW` at the first. */
  onInvalidRow?: 'skip' | 'abort'
  /**
   * Keeps a history of the upload, by which `undoUpload` takes it back: needs the tables of `sql/0003`. `{}` keeps what is
   * needed, `reference` and `fileName` what the host wants to know, `keepRejected` the rejected rows. Default none.
   */
  history?: HistoryOptions
  /** One transaction, all or nothing. Uses one lane and holds its locks to the end. Default `false`. */
  atomic?: boolean
  /** The same statements, rolled back: true counts, nothing kept. Locks and triggers as with `atomic`. Default `false`. */
  dryRun?: boolean
  /**
   * How numbers are written: `'point'` reads `1,234.50`, `'comma'` reads `1.234,50`; groups may also be parted by blanks or
   * apostrophes. Default none: a decimal point, no groups.
   */
  numberFormat?: NumberFormat
  /** Stops the upload; what was stored by then stays and is told in the error's details. */
  signal?: AbortSignal
  /**
   * Called with the progress at most every 100 ms, and once at the end; while a promise of it is pending it is not called
   * again. What it throws or rejects with ends the upload and is its error.
   */
  onProgress?: (progress: UploadProgress) => unknown
  /**
   * Called with every rejected row, as they are found (not in row order); a promise is waited for. What it throws or
   * rejects with ends the upload and is its error. Under `atomic`, `dryRun` and on a transaction the upload holds the
   * account's lock and its connection to the end: a call of the store that would wait for them is refused with
   * `INVALID_ARGUMENT`.
   */
  onRejected?: (row: RejectedRow) => unknown
  /** Most rows of data. Default 1,000,000. */
  maxRows?: number
  /** Parallel writers, at most the client's `max`. Default 2. */
  concurrency?: number
  /** Rows of one statement. Default 2,000. */
  batchSize?: number
}

/** How many rows went which way. */
export interface UploadCounts {
  /** rows of data with at least one filled cell; the sum of the other four */
  rowsTotal: number
  customersCreated: number
  customersUpdated: number
  customersUnchanged: number
  rowsRejected: number
}

/** What `onProgress` is told. */
export interface UploadProgress extends Omit<UploadCounts, 'rowsTotal'> {
  bytesRead: number
  rowsRead: number
}

/** That opt-outs were kept which rows would have turned back. */
export interface OptOutWarning {
  code: 'OPT_OUTS_KEPT'
  message: string
}

/** What an upload did. */
export interface UploadResult extends UploadCounts {
  /** customers whose opt-out a row would have turned back, and that still have opted out */
  optOutsKept: number
  /** the attributes that at least one stored row has a value for, in header order */
  customAttributesFound: string[]
  /** the header row as the file has it, or the option `headers` */
  headers: string[]
  /** the columns that were left out, each with its reason */
  ignored: { header: string; position: number; reason: IgnoredReason }[]
  warnings: (CsvWarning | ColumnWarning | OptOutWarning)[]
  /** the first 100 rejected rows, in row order; `onRejected` receives every one */
  rejected: RejectedRow[]
  bytesRead: number
  durationMs: number
  /** its id in the history, where it has one */
  uploadId?: string
}

export const UPLOAD_OPTIONS = {
  ...CSV_OPTIONS,
  ...MERGE_OPTIONS,
  ...CELL_OPTIONS,
  columns: COLUMN_OPTIONS.columns,
  attributes: COLUMN_OPTIONS.attributes,
  fillable: COLUMN_OPTIONS.fillable,
  constants: isTexts,
  checkRow: isFunction,
  checkRows: isFunction,
  history: isHistory,
  onInvalidRow: withDefault(oneOf('skip', 'abort'), 'skip'),
  atomic: withDefault(isFlag, false),
  dryRun: withDefault(isFlag, false),
  signal: isSignal,
  onProgress: isFunction,
  onRejected: isFunction,
  maxRows: withDefault(wholeNumber(1), LIMITS.maxRows),
  concurrency: withDefault(wholeNumber(1, 64), 2),
  batchSize: withDefault(wholeNumber(1, 50_000), 2_000),
}
export const UPLOAD_DEFAULTS = defaultsOf(UPLOAD_OPTIONS)

/** The options of an upload with nothing left open. */
export type ResolvedUploadOptions = Resolved<UploadOptions, typeof UPLOAD_OPTIONS>

/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolveUploadOptions(options: UploadOptions | undefined): ResolvedUploadOptions {
  return resolveOptions('uploadCsv', UPLOAD_OPTIONS, options)
}

/** Options of `uploadRows`: those of `uploadCsv` that are not about reading text, and the headers. */
export interface UploadRowsOptions extends Omit<UploadOptions, Exclude<keyof CsvOptions, 'maxColumns'>> {
  /** The names of the columns, where the first row is not the headers. */
  headers?: readonly string[]
}

const { delimiter: _d, encoding: _e, maxBytes: _b, maxRecordBytes: _r, ...ROWS_OPTIONS } = UPLOAD_OPTIONS

/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolveUploadRowsOptions(
  options: UploadRowsOptions | undefined,
): ResolvedUploadOptions & { headers?: readonly string[] } {
  const resolved = resolveOptions('uploadRows', { ...ROWS_OPTIONS, headers: isTextList }, options)
  return { ...UPLOAD_DEFAULTS, ...resolved } as ResolvedUploadOptions & { headers?: readonly string[] }
}

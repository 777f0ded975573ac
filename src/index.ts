export type {
  AttributeChangeOptions,
  PruneOptions,
  PruneResult,
  RemoveOptions,
  RemoveResult,
  RenameOptions,
  RenameResult,
} from './attributes/attributes.js'
export type { DescribeOptions } from './attributes/describe.js'
export type { Encoding } from './csv/encoding.js'
export type { CsvOptions, CsvWarning } from './csv/file.js'
export type { Delimiter } from './csv/records.js'
export type { RowCells, RowsInput } from './csv/rows.js'
export type { CsvInput } from './csv/source.js'
export type { AccountId } from './db/accounts.js'
export type { AttributeDescription, AttributeKind } from './db/attribute-report.js'
export type { AudiencePart } from './db/audience.js'
export type { SqlClient } from './db/client.js'
export type { CountOptions, CustomerCount } from './db/counts.js'
export type { Customer } from './db/customers.js'
export type { DateFormat, NumberFormat } from './db/field-values.js'
export type { FindOptions, FoundCustomers } from './db/find.js'
export { type Migration, type MigrationOptions, readMigrations } from './db/migrations.js'
export type { OptedOutOption, OptOuts, OptOutValue } from './db/opt-outs.js'
export type { PageOptions } from './db/pages.js'
export type { SchemaProblem } from './db/schema-check.js'
export type { Suppression } from './db/suppressions.js'
export type { LiveValues, TableNames } from './db/table-names.js'
export type { UploadRecord } from './db/upload-history.js'
export type { CustomerInput, CustomerValue, UpsertOptions, UpsertResult } from './db/upsert.js'
export type { CsvStream, ExportOptions } from './export/export.js'
export type { EraseOptions, EraseResult } from './history/erase.js'
export type { ListUploadsOptions, PruneUploadsOptions, UndoOptions, UploadWithRows } from './history/history.js'
export type { HistoryOptions } from './history/recorder.js'
export type { UndoResult } from './history/undo.js'
export type {
  ExtraTagsOption,
  MailMergeOptions,
  MailMergeProgress,
  MailMergeResult,
} from './mail-merge/mail-merge.js'
export type { Content, Message, MessageParts } from './mail-merge/message.js'
export type { PreflightOptions, PreflightReport } from './mail-merge/preflight.js'
export * from './pure.js'
export { createCustomAttributesStore } from './store.js'
export type { CustomAttributesStore, MergeTags } from './store-methods.js'
export type { StoreOptions } from './store-options.js'
export type {
  AddressInput,
  ListSuppressionsOptions,
  SuppressOptions,
  SuppressResult,
} from './suppression/suppression.js'
export { createUnsubscribeTokens, type UnsubscribeTokenOptions, type UnsubscribeTokens } from './suppression/tokens.js'
export type {
  OptOutWarning,
  UploadCounts,
  UploadOptions,
  UploadProgress,
  UploadResult,
  UploadRowsOptions,
} from './upload/options.js'
export type { CsvPreview, PreviewColumn, PreviewOptions } from './upload/preview.js'
export type { PlacedRow, RowCheckOptions, RowObjection, RowPlace, RowVerdict } from './upload/row-checks.js'

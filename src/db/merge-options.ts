import { oneOf, withDefault } from '../options.js'
import { DATE_FORMATS, type DateFormat, NUMBER_FORMATS } from './field-values.js'

/** How a row is stored: what it does to a customer that exists or does not, and how it is read. */
export interface MergeOptions {
  /**
   * What a row does to a customer that exists: `'merge'` (default) replaces the standard fields it fills and merges the
   * attributes by name, `'replace'` replaces the whole attribute object and still keeps standard fields that the row
   * leaves empty, `'reject'` rejects the row as `CUSTOMER_EXISTS`.
   */
  existing?: 'merge' | 'replace' | 'reject'
  /** What a row does whose customer does not exist: `'create'` (default), or `'reject'` as `CUSTOMER_NOT_FOUND`. */
  unknown?: 'create' | 'reject'
  /** What a blank cell does: `'keep'` (default) nothing, `'clear'` empties the field or removes the attribute. */
  emptyValues?: 'keep' | 'clear'
  /**
   * What a row does to a customer who has opted out, as the store's `optOut` says: `'keep'` (default) leaves those fields as they are
   * where it would turn the opt-out back, and does all else; `'overwrite'` treats them as any other. Without `optOut` it does nothing.
   */
  optOuts?: 'keep' | 'overwrite'
  /** How dates that are not ISO 8601 are read: `'iso'` (default) not at all, `'mdy'`, or `'dmy'`. */
  dateFormat?: DateFormat
}

export type ResolvedMergeOptions = Required<MergeOptions>

export const MERGE_OPTIONS = {
  existing: withDefault(oneOf('merge', 'replace', 'reject'), 'merge'),
  unknown: withDefault(oneOf('create', 'reject'), 'create'),
  emptyValues: withDefault(oneOf('keep', 'clear'), 'keep'),
  optOuts: withDefault(oneOf('keep', 'overwrite'), 'keep'),
  dateFormat: withDefault(oneOf(...DATE_FORMATS), 'iso'),
  numberFormat: oneOf(...NUMBER_FORMATS),
}

import { stopIfAborted } from '../abort.js'
import { isEmailHeader } from '../column-targets.js'
import { isBlankRecord } from '../csv/dialect.js'
import { CSV_OPTIONS, type CsvFile, type CsvOptions, openCsv } from '../csv/file.js'
import type { CsvInput } from '../csv/source.js'
import type { Account, SuppressionTable } from '../db/accounts.js'
import { addSuppressions, removeSuppressions } from '../db/suppressions.js'
import { isEmail } from '../email.js'
import { CustomAttributesError, type ErrorCode } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'
import {
  isSignal,
  isText,
  isTextList,
  kindOf,
  type OptionRule,
  resolveOptions,
  wholeNumber,
  withDefault,
} from '../options.js'
import { isUnstorable } from '../rows.js'
import { trim } from '../trim.js'

/** Addresses: a list of them, or a CSV that has a column of them. An array is always a list. */
export type AddressInput = readonly string[] | CsvInput

/** Options of `suppress`; those of reading text are for a CSV. */
export interface SuppressOptions extends CsvOptions {
  /** Why: a word of the host's, such as `bounce`, at most 1,000 characters. Default none. */
  reason?: string
  /** Stops the work; what was suppressed by then stays so. */
  signal?: AbortSignal
}

/** What `suppress` did. */
export interface SuppressResult {
  /** addresses that were not suppressed before */
  suppressed: number
  /** those that were already, or stood here before */
  unchanged: number
  /** entries or rows that are no address */
  rejected: number
  /** the first 1,000 of them: their place, from 1 (in a file the header's row counts), and why */
  rejectedRows: { row: number; code: ErrorCode; message: string }[]
}

/** Options of `listSuppressions`. */
export interface ListSuppressionsOptions {
  /** Most entries, 1 to 10,000. Default 1,000. */
  limit?: number
  /** The `address` of an entry: those behind it. Default from the first. */
  after?: string
  /** Ends the waiting. */
  signal?: AbortSignal
}

const isReason: OptionRule = (value) =>
  typeof value === 'string' && value.length <= 1_000 && !isUnstorable(value)
    ? undefined
    : 'a string of at most 1,000 characters, without NUL or lone surrogates'

const SUPPRESS_OPTIONS = { ...CSV_OPTIONS, reason: isReason, signal: isSignal }
const LIST_OPTIONS = {
  limit: withDefault(wholeNumber(1, 10_000), 1_000),
  after: isText,
  signal: isSignal,
}

/** @throws CustomAttributesError `INVALID_OPTION` */
export const resolveSuppress = (given: SuppressOptions | undefined) =>
  resolveOptions('suppress', SUPPRESS_OPTIONS, given)
/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolveListSuppressions(given: ListSuppressionsOptions | undefined) {
  const options = resolveOptions('listSuppressions', LIST_OPTIONS, given)
  if (options.after === undefined || !isUnstorable(options.after)) return options
  // Without what was given, which may be somebody's address.
  throw new CustomAttributesError('INVALID_OPTION', 'listSuppressions: after must be an address of the list.', {
    function: 'listSuppressions',
    option: 'after',
  })
}

/**
 * The table of a store that was made with the option.
 *
 * @throws CustomAttributesError `INVALID_OPTION` of one that was not, `SCHEMA_NOT_READY`
 */
export async function suppressionsOf(call: string, { suppressions }: Account): Promise<SuppressionTable> {
  if (suppressions) return suppressions()
  throw new CustomAttributesError(
    'INVALID_OPTION',
    `${call} needs the store's option suppressions: create the store with { suppressions: true } or { suppressions: { salt } }.`,
    { function: call, option: 'suppressions' },
  )
}

/** How many addresses one statement suppresses. */
const ADDRESSES_PER_STATEMENT = 5_000
const MOST_TOLD = 1_000

/** Suppresses the addresses of a list or a CSV, piece by piece: it is safe to run again. */
export async function suppress(
  account: Account,
  input: AddressInput,
  options: ReturnType<typeof resolveSuppress>,
  fields: FieldCatalogue,
): Promise<SuppressResult> {
  const { reason, signal } = options
  const table = await suppressionsOf('suppress', account)
  const result: SuppressResult = { suppressed: 0, unchanged: 0, rejected: 0, rejectedRows: [] }
  let waiting: string[] = []
  const write = async () => {
    const added = await addSuppressions(account, table, waiting, reason, signal)
    result.suppressed += added
    result.unchanged += waiting.length - added
    waiting = []
  }
  for await (const { row, text } of isList(input) ? entriesOf(input) : rowsOf(input, options, fields)) {
    stopIfAborted(signal)
    const address = trim(text)
    if (isAddress(address)) {
      waiting.push(address)
      if (waiting.length === ADDRESSES_PER_STATEMENT) await write()
      continue
    }
    result.rejected++
    if (result.rejectedRows.length < MOST_TOLD) result.rejectedRows.push({ row, ...faultOf(address) })
  }
  if (waiting.length > 0) await write()
  return result
}

/** Takes addresses out of the suppressed ones; returns how many there were. */
export async function unsuppress(account: Account, emails: readonly string[]): Promise<number> {
  const table = await suppressionsOf('unsuppress', account)
  const addresses = emails.map(trim).filter(isAddress)
  let removed = 0
  for (let at = 0; at < addresses.length; at += ADDRESSES_PER_STATEMENT) {
    removed += await removeSuppressions(account, table, addresses.slice(at, at + ADDRESSES_PER_STATEMENT))
  }
  return removed
}

/** Whether a text can be the address of a row, also of one that the host wrote: letters of any script count as letters. */
function isAddress(text: string): boolean {
  return (
    !isUnstorable(text) &&
    isEmail(text.replace(/[^\0-\x7f]/gu, (each) => (/[\p{L}\p{M}\p{N}]/u.test(each) ? 'x' : ' ')))
  )
}

function faultOf(address: string): { code: ErrorCode; message: string } {
  return address === ''
    ? { code: 'EMAIL_REQUIRED', message: 'There is no e-mail address. Nothing was suppressed for it.' }
    : { code: 'INVALID_EMAIL', message: 'This is not one e-mail address. Write the address alone, without a name.' }
}

function isList(input: AddressInput): input is readonly string[] {
  if (!Array.isArray(input)) return false
  if (isTextList(input) === undefined) return true
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    `emails must be an array of strings or a CSV, got ${kindOf(input)}.`,
    {
      argument: 'emails',
    },
  )
}

function* entriesOf(emails: readonly string[]): Generator<{ row: number; text: string }> {
  for (const [at, text] of emails.entries()) yield { row: at + 1, text }
}

async function* rowsOf(
  csv: CsvInput,
  options: ReturnType<typeof resolveSuppress>,
  fields: FieldCatalogue,
): AsyncGenerator<{ row: number; text: string }> {
  const isHeader = isEmailHeader(undefined, fields)
  const file = await openCsv(csv, { ...options, signal: options.signal }, isHeader)
  try {
    const at = addressColumn(file, isHeader)
    let row = file.firstRow - 1
    for await (const { records } of file.records()) {
      for (const record of records) {
        row++
        if (!isBlankRecord(record)) yield { row, text: record[at] ?? '' }
      }
    }
  } finally {
    await file.close()
  }
}

/** @throws CustomAttributesError `EMAIL_COLUMN_MISSING`, `DUPLICATE_COLUMN` */
function addressColumn({ headers }: CsvFile, isHeader: (header: string, index: number) => boolean): number {
  const [found, other] = headers.flatMap((header, index) => (isHeader(header, index) ? [index] : []))
  if (found === undefined && headers.length === 1) return 0
  const positions = [found, other].flatMap((index) => (index === undefined ? [] : [index + 1]))
  if (found === undefined) {
    throw new CustomAttributesError(
      'EMAIL_COLUMN_MISSING',
      'No column of the file holds e-mail addresses. Name one "email", or leave only the one with the addresses.',
      { columns: headers.length },
    )
  }
  if (other === undefined) return found
  throw new CustomAttributesError(
    'DUPLICATE_COLUMN',
    `The columns ${positions.join(' and ')} are both named as e-mail addresses. Leave one of them.`,
    { positions },
  )
}

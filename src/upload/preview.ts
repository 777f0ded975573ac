import { proposeNames } from '../column-problems.js'
import {
  type ColumnOptions,
  type ColumnWarning,
  type IgnoredReason,
  isEmailHeader,
  type MappedColumn,
} from '../column-targets.js'
import { inspectColumns } from '../columns.js'
import { isBlankRecord } from '../csv/dialect.js'
import type { Encoding } from '../csv/encoding.js'
import { CSV_OPTIONS, type CsvFile, type CsvOptions, type CsvWarning, openCsv } from '../csv/file.js'
import type { Delimiter } from '../csv/records.js'
import type { CsvInput } from '../csv/source.js'
import { readAttributeNames } from '../db/definitions.js'
import { cutProblem, isCustomAttributesError, type Problem, toProblem } from '../errors.js'
import type { FieldSuggestion } from '../field-suggestions.js'
import type { FieldCatalogue } from '../fields.js'
import { resolveOptions } from '../options.js'
import type { RejectedRow } from '../rejected-rows.js'
import type { ParsedRow } from '../rows.js'
import { trim } from '../trim.js'
import { type Constant, resolveConstants } from './constants.js'
import { createRowChecker, quoteProblem, type RowChecker, readingOf } from './entries.js'
import { UPLOAD_OPTIONS, type UploadOptions } from './options.js'
import { type AccountContext, checkFields } from './upload.js'

/** Options of `previewCsv`: those of `uploadCsv` that decide what the file means. */
export type PreviewOptions = CsvOptions &
  Pick<
    UploadOptions,
    | 'columns'
    | 'attributes'
    | 'fillable'
    | 'constants'
    | 'dateFormat'
    | 'numberFormat'
    | 'shortRows'
    | 'emptyMarkers'
    | 'signal'
  >

/** One column of a preview. */
export interface PreviewColumn extends MappedColumn {
  /** up to five different values of the column, as the file has them, trimmed */
  samples: string[]
  /** the standard fields that the header may mean, the likeliest first; where there are any */
  suggestions?: FieldSuggestion[]
}

/** What an upload would make of the file's head. */
export interface CsvPreview {
  encoding: Encoding
  delimiter: Delimiter
  /** the filled rows above the header, which an upload skips */
  preamble: string[][]
  /** the header row as the file has it, or the option `headers` */
  headers: string[]
  /** every column, its target and why; edited, they can be passed as the option `columns` */
  columns: PreviewColumn[]
  /** the columns that would be left out, each with its reason */
  ignored: { header: string; position: number; reason: IgnoredReason }[]
  warnings: (CsvWarning | ColumnWarning)[]
  /** everything that would keep the file from being uploaded, as far as the head shows it */
  problems: Problem[]
  /** of the first 20 rows those that would be accepted, as they would be stored */
  rows: (ParsedRow & { row: number; line: number })[]
  /** of the first 20 rows those that would be rejected, as far as it shows without the database */
  rejected: RejectedRow[]
}

const PREVIEW_ROWS = 20
const SAMPLES = 5

const PREVIEW_OPTIONS = {
  ...CSV_OPTIONS,
  columns: UPLOAD_OPTIONS.columns,
  attributes: UPLOAD_OPTIONS.attributes,
  fillable: UPLOAD_OPTIONS.fillable,
  constants: UPLOAD_OPTIONS.constants,
  signal: UPLOAD_OPTIONS.signal,
  dateFormat: UPLOAD_OPTIONS.dateFormat,
  numberFormat: UPLOAD_OPTIONS.numberFormat,
  shortRows: UPLOAD_OPTIONS.shortRows,
  emptyMarkers: UPLOAD_OPTIONS.emptyMarkers,
}

/** Those of an upload's options that a preview has, too. */
export function previewOptionsOf(upload: UploadOptions): PreviewOptions {
  return Object.fromEntries(Object.entries(upload).filter(([name]) => Object.hasOwn(PREVIEW_OPTIONS, name)))
}

/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolvePreviewOptions(options: PreviewOptions | undefined) {
  return resolveOptions<PreviewOptions, typeof PREVIEW_OPTIONS>('previewCsv', PREVIEW_OPTIONS, options)
}

/** Reads the head of a CSV and says what an upload would make of it; nothing is written. */
export async function previewCsv(
  context: AccountContext,
  csv: CsvInput,
  options: ReturnType<typeof resolvePreviewOptions>,
): Promise<CsvPreview> {
  const { shape } = context
  const known = await readAttributeNames(context, options.signal)
  const file = await openCsv(
    csv,
    { ...options, signal: options.signal },
    isEmailHeader(options.columns, shape.catalogue),
  )
  try {
    const { columns, attributes, fillable } = options
    const { maxCustomAttributes } = context
    const { mapping, problems, suggestions } = inspectWithProposals(file.headers, {
      columns,
      attributes,
      fields: shape.catalogue,
      fillable,
      knownAttributes: known,
      maxCustomAttributes,
    })
    const absent = problemOf(() => checkFields(mapping, shape))
    if (absent) problems.push(absent)
    let constants: Constant[] = []
    const wrong = problemOf(() => {
      constants = resolveConstants(options.constants, {
        ...context,
        ...context.rows,
        ...readingOf(options),
        mapping,
        known,
      })
    })
    if (wrong && !problems.some(({ code }) => code === wrong.code)) problems.push(wrong)
    const canRead = !absent && mapping.standard.includes('email')
    const checker = canRead
      ? createRowChecker(mapping, shape, constants, { ...context.rows, ...readingOf(options) })
      : undefined
    const head = await readHead(file, checker)
    if (head.problem) problems.push(head.problem)
    return {
      encoding: file.encoding(),
      delimiter: file.delimiter,
      preamble: file.preamble.map((record) => [...record]),
      headers: [...file.headers],
      columns: mapping.columns.map((column, at) => {
        const likely = suggestions.get(column.position)?.filter(({ field }) => shape.fillable.has(field)) ?? []
        const samples = head.samples[at] ?? []
        return likely.length > 0 ? { ...column, samples, suggestions: likely } : { ...column, samples }
      }),
      ignored: [...mapping.ignored],
      warnings: [...file.warnings(), ...mapping.warnings, ...constants.flatMap(({ warnings }) => warnings)],
      problems: problems.map(cutProblem),
      rows: head.rows,
      rejected: head.rejected,
    }
  } finally {
    await file.close()
  }
}

/** Inspects the headers; a column whose name cannot be one gets, beside the problem, a name that works as its target. */
function inspectWithProposals(headers: readonly string[], options: ColumnOptions & { fields: FieldCatalogue }) {
  const { mapping, problems, suggestions } = inspectColumns(headers, options)
  const proposals = new Map(proposeNames(mapping.columns, options.fields).map(({ position, name }) => [position, name]))
  const columns = mapping.columns.map((column): MappedColumn => {
    const attribute = proposals.get(column.position)
    return attribute === undefined ? column : { ...column, target: { attribute } }
  })
  return {
    problems: [...problems],
    suggestions: new Map(suggestions.map(({ position, fields }) => [position, fields])),
    mapping: {
      ...mapping,
      columns,
      custom: columns.flatMap(({ target }) => (target && 'attribute' in target ? [target.attribute] : [])),
    },
  }
}

/** Reads the first rows; an error of the file ends the reading and is told as a problem. */
async function readHead(file: CsvFile, checker: RowChecker | undefined) {
  const samples: string[][] = file.headers.map(() => [])
  const rows: CsvPreview['rows'] = []
  const rejected: RejectedRow[] = []
  let problem: Problem | undefined
  let row = file.firstRow - 1
  let taken = 0
  const values: string[] = []
  try {
    reading: for await (const { records, lines, faults } of file.records()) {
      for (const [at, record] of records.entries()) {
        if (taken === PREVIEW_ROWS) break reading
        row++
        if (isBlankRecord(record)) continue
        taken++
        const misquoted = quoteProblem(faults?.get(record), file.headers)
        if (!misquoted) takeSamples(samples, record)
        if (!checker) continue
        const line = lines[at]!
        const fault = misquoted ?? checker.check(record, values)
        if (fault) rejected.push({ row, line, ...fault, record })
        else rows.push({ row, line, ...checker.toParsedRow(values) })
      }
    }
  } catch (error) {
    if (isCustomAttributesError(error, 'ABORTED')) throw error
    problem = toProblem(error)
  }
  return { samples, rows, rejected, problem }
}

function takeSamples(samples: string[][], record: readonly string[]): void {
  for (const [at, list] of samples.entries()) {
    const value = trim(record[at] ?? '')
    if (value && list.length < SAMPLES && !list.includes(value)) list.push(value)
  }
}

function problemOf(check: () => void): Problem | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return toProblem(error)
  }
}

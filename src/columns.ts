import { duplicateColumns, invalidNames, missingEmail, tooManyAttributes, unknownColumns } from './column-problems.js'
import {
  assignTargets,
  COLUMN_OPTIONS,
  type ColumnMapping,
  type ColumnOptions,
  checkFillable,
  checkTargets,
  type ResolvedColumnOptions,
  toMapping,
} from './column-targets.js'
import { type Problem, throwProblem, toProblem } from './errors.js'
import { type FieldSuggestion, suggestFields } from './field-suggestions.js'
import { defaultsOf, isTextList, kindOf, resolveOptions } from './options.js'

/** The standard fields that a header may mean, though no rule says so. */
export interface ColumnSuggestion {
  header: string
  /** counted from 1 */
  position: number
  /** the likeliest first, at most three */
  fields: FieldSuggestion[]
}

/**
 * Says what every column of a file means, and everything that is wrong with the headers, without throwing: the base of
 * a mapping screen.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @returns the mapping, complete as far as it could be made, and the problems: at most one per code, in the order
 *   `INVALID_ARGUMENT`, `INVALID_OPTION`, `UNKNOWN_COLUMN`, `EMAIL_COLUMN_MISSING`, `DUPLICATE_COLUMN`,
 *   `INVALID_ATTRIBUTE_NAME`, `TOO_MANY_ATTRIBUTES`; and for headers that no rule takes for a field, the fields that they
 *   most likely mean: those are to be offered, nothing goes there by itself
 */
export function inspectColumns(
  headers: readonly string[],
  options?: ColumnOptions,
): { mapping: ColumnMapping; problems: Problem[]; suggestions: ColumnSuggestion[] } {
  const { mapping, problems, options: resolved } = readColumns('inspectColumns', headers, options)
  return { mapping, problems, suggestions: suggestionsFor(mapping, resolved) }
}

function readColumns(call: string, headers: readonly string[], options: ColumnOptions | undefined) {
  const problems: Problem[] = []
  let resolved: ResolvedColumnOptions = defaultsOf(COLUMN_OPTIONS)
  if (isTextList(headers) !== undefined) {
    problems.push({
      code: 'INVALID_ARGUMENT',
      message: `headers must be an array of strings, got ${kindOf(headers)}.`,
      details: { argument: 'headers' },
    })
    return { mapping: toMapping([]), problems, options: resolved }
  }
  try {
    resolved = resolveOptions(call, COLUMN_OPTIONS, options)
    checkTargets(resolved.columns, resolved.fields)
    checkFillable(resolved.fillable, resolved.fields)
  } catch (error) {
    problems.push(toProblem(error))
    resolved = defaultsOf(COLUMN_OPTIONS)
  }
  const columns = assignTargets(headers, resolved)
  const mapping = toMapping(columns)
  problems.push(
    ...[
      unknownColumns(headers, resolved),
      missingEmail(mapping, headers, resolved.fields),
      duplicateColumns(columns),
      invalidNames(columns, resolved.fields),
      tooManyAttributes(mapping, resolved.maxCustomAttributes),
    ].filter((problem) => problem !== undefined),
  )
  return { mapping, problems, options: resolved }
}

/**
 * Says what every column of a file means.
 *
 * Names are compared by their form: case, blanks and most punctuation do not count; `%`, `#`, `+`, `&`, currencies and
 * other symbols do, and a separator between two digits. A header goes to the standard field of its form, else to the
 * attribute that the account knows by its spelling or as the only one of its form, else to the field that it is an alias
 * of; any other header is a custom attribute under its own spelling. A known attribute that another header spells stays
 * that header's. The mapping is made once and then read by `parseRow` for each row.
 *
 * @param headers - the header row, one string per column
 * @param options - overrides and limits; see {@link ColumnOptions}
 * @throws CustomAttributesError the first problem that {@link inspectColumns} finds
 */
export function mapColumns(headers: readonly string[], options?: ColumnOptions): ColumnMapping {
  const { mapping, problems } = readColumns('mapColumns', headers, options)
  if (problems[0]) throwProblem(problems[0])
  return mapping
}

function suggestionsFor(
  { standard, columns }: ColumnMapping,
  { fields, fillable }: ResolvedColumnOptions,
): ColumnSuggestion[] {
  const isFree = (field: string) =>
    !standard.includes(field) && (fillable === 'all' || field === 'email' || fillable.includes(field))
  return columns.flatMap(({ header, position, reason }) => {
    if (reason !== 'attribute' && reason !== 'known_attribute' && reason !== 'attribute_not_chosen') return []
    const likely = suggestFields(header, fields, isFree)
    return likely.length > 0 ? [{ header, position, fields: likely }] : []
  })
}

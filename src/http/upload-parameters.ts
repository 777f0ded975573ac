import { CSV_OPTIONS } from '../csv/file.js'
import { MERGE_OPTIONS } from '../db/merge-options.js'
import { CustomAttributesError } from '../errors.js'
import type { FieldCatalogue } from '../fields.js'
import { nameForm } from '../names.js'
import { type OptionRule, oneOf } from '../options.js'
import { UPLOAD_OPTIONS, type UploadOptions } from '../upload/options.js'
import { OPTION_FIELDS } from './csv-body.js'
import type { Exchange } from './exchange.js'
import type { HttpSettings } from './settings.js'

/** Parameters that are options of `uploadCsv` under another spelling; each is checked as the option is. */
type Choices = Readonly<Record<string, { option: keyof UploadOptions; rule: OptionRule }>>

const READING: Choices = {
  delimiter: { option: 'delimiter', rule: CSV_OPTIONS.delimiter },
  encoding: { option: 'encoding', rule: CSV_OPTIONS.encoding },
  number_format: { option: 'numberFormat', rule: MERGE_OPTIONS.numberFormat },
  short_rows: { option: 'shortRows', rule: UPLOAD_OPTIONS.shortRows },
}

const MERGING: Choices = {
  existing: { option: 'existing', rule: MERGE_OPTIONS.existing },
  unknown: { option: 'unknown', rule: MERGE_OPTIONS.unknown },
  empty_values: { option: 'emptyValues', rule: MERGE_OPTIONS.emptyValues },
  opt_outs: { option: 'optOuts', rule: MERGE_OPTIONS.optOuts },
}

const MODES: Readonly<Record<string, { option: 'atomic' | 'dryRun'; permission: 'allowAtomic' | 'allowDryRun' }>> = {
  atomic: { option: 'atomic', permission: 'allowAtomic' },
  dry_run: { option: 'dryRun', permission: 'allowDryRun' },
}

/**
 * Reads the query of an upload, the JSON parameters aside. A parameter that it does not know is refused:
 * `dryrun=true` must not write.
 *
 * @throws CustomAttributesError `INVALID_REQUEST`, and `FORBIDDEN` for a mode, or an `opt_outs`, that the host does not allow
 */
export function readUploadQuery(query: URLSearchParams, settings: HttpSettings): Partial<UploadOptions> {
  const given = readQuery(query, [...Object.keys({ ...READING, ...MERGING, ...MODES }), ...OPTION_FIELDS])
  const choices = readChoices(given, { ...READING, ...MERGING })
  if (choices.optOuts === 'overwrite' && settings.upload.optOuts !== 'overwrite' && !settings.allowOptOuts) {
    throw new CustomAttributesError('FORBIDDEN', 'opt_outs=overwrite is not allowed here. Leave opt_outs out.', {
      parameter: 'opt_outs',
    })
  }
  return { ...choices, ...readModes(given, settings) }
}

/**
 * Reads the query of a preview: as that of an upload, but what is not about reading the file is not known.
 *
 * @throws CustomAttributesError `INVALID_REQUEST`
 */
export function readPreviewQuery(query: URLSearchParams): Partial<UploadOptions> {
  return readChoices(readQuery(query, [...Object.keys(READING), ...OPTION_FIELDS]), READING)
}

function readChoices(given: ReadonlyMap<string, string>, choices: Choices): Partial<UploadOptions> {
  const options: Record<string, unknown> = {}
  for (const [name, { option, rule }] of Object.entries(choices)) {
    const value = given.get(name)
    if (value === undefined) continue
    checkParameter(name, value, rule)
    options[option] = value
  }
  return options
}

function readModes(given: ReadonlyMap<string, string>, settings: HttpSettings): Partial<UploadOptions> {
  const options: Partial<UploadOptions> = {}
  for (const [name, { option, permission }] of Object.entries(MODES)) {
    const value = given.get(name)
    if (value === undefined) continue
    checkParameter(name, value, oneOf('true', 'false'))
    const wanted = value === 'true'
    if (wanted !== settings.upload[option] && !settings[permission]) {
      throw new CustomAttributesError('FORBIDDEN', `${name}=${value} is not allowed here. Leave ${name} out.`, {
        parameter: name,
      })
    }
    options[option] = wanted
  }
  return options
}

/**
 * The parameters of a query, each of which is known and given once.
 *
 * @throws CustomAttributesError `INVALID_REQUEST`
 */
export function readQuery(query: URLSearchParams, known: readonly string[]): Map<string, string> {
  const given = new Map<string, string>()
  for (const [name, value] of query) {
    if (!known.includes(name)) {
      throw invalidParameter(name, `There is no query parameter of this name. Known ones: ${known.join(', ')}.`)
    }
    if (given.has(name)) throw invalidParameter(name, `The query parameter ${name} stands there twice. Give it once.`)
    given.set(name, value)
  }
  return given
}

/**
 * Reads `columns`, `attributes`, `headers`, `constants` and `empty_markers`: JSON in fields of the form before the file, or
 * in the query. A field comes before a parameter of its name.
 *
 * @throws CustomAttributesError `INVALID_REQUEST`, and `FORBIDDEN` when `columns` fills a field that the host's setting
 *   `fillable` leaves out
 */
export function readColumnParameters(
  fields: ReadonlyMap<string, string>,
  query: URLSearchParams,
  { settings, store }: Pick<Exchange, 'settings' | 'store'>,
): Pick<UploadOptions, 'columns' | 'attributes' | 'headers' | 'constants' | 'emptyMarkers'> {
  const [columns, attributes, headers, constants, emptyMarkers] = OPTION_FIELDS.map(
    (name) => fields.get(name) ?? query.get(name) ?? undefined,
  )
  // What was not given has no key: it would take the place of the host's setting.
  const options: Record<string, unknown> = {}
  if (columns !== undefined) options.columns = readJson('columns', columns)
  if (headers !== undefined) options.headers = readJson('headers', headers)
  if (emptyMarkers !== undefined) {
    options.emptyMarkers = readJson('empty_markers', emptyMarkers)
    checkParameter('empty_markers', options.emptyMarkers, UPLOAD_OPTIONS.emptyMarkers)
  }
  if (attributes !== undefined) {
    options.attributes = attributes === 'all' || attributes === 'none' ? attributes : readJson('attributes', attributes)
  }
  if (constants !== undefined) {
    if (!settings.allowConstants) {
      throw new CustomAttributesError('FORBIDDEN', 'constants is not allowed here. Leave it out.', {
        parameter: 'constants',
      })
    }
    options.constants = readJson('constants', constants)
    checkParameter('constants', options.constants, UPLOAD_OPTIONS.constants)
    const targetOf = (name: string) => fieldTarget(name, store.fields)
    const asked = Object.entries(options.constants as object)
    checkFieldsAllowed(
      asked.map(([name]) => targetOf(name)),
      settings.upload.fillable,
    )
    // The host's own win, in whatever spelling.
    const nameOf = (name: string) => targetOf(name).field ?? nameForm(name)
    const own = new Set(Object.keys(settings.upload.constants ?? {}).map(nameOf))
    const left = asked.filter(([name]) => !own.has(nameOf(name)))
    options.constants = { ...Object.fromEntries(left), ...settings.upload.constants }
  }
  checkFieldsAllowed(options.columns, settings.upload.fillable)
  return options
}

/** What a constant of this name fills. */
function fieldTarget(name: string, fields: FieldCatalogue): { field?: string; attribute?: string } {
  const form = nameForm(name)
  const field = fields.ofForm(form) ?? fields.ofAlias(form)
  return field === undefined ? { attribute: name } : { field }
}

/** What a host keeps from files, a request cannot get by mapping a column to it. */
function checkFieldsAllowed(columns: unknown, allowed: HttpSettings['upload']['fillable']): void {
  if (allowed === 'all' || typeof columns !== 'object' || columns === null) return
  for (const entry of Object.values(columns)) {
    const target = entry?.target ?? entry
    const field = target?.field
    if (field === undefined || field === 'email' || allowed.includes(field)) continue
    throw new CustomAttributesError('FORBIDDEN', 'The request fills a standard field that files may not fill here.', {
      allowed: ['email', ...allowed],
    })
  }
}

/** @throws CustomAttributesError `INVALID_REQUEST` */
export function readJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw invalidParameter(name, `${name} must be JSON.`)
  }
}

/** @throws CustomAttributesError `INVALID_REQUEST` */
export function checkParameter(name: string, value: unknown, rule: OptionRule): void {
  const expected = rule(value)
  if (expected !== undefined) throw invalidParameter(name, `${name} must be ${expected}.`, expected)
}

function invalidParameter(parameter: string, message: string, expected?: string): CustomAttributesError {
  return new CustomAttributesError('INVALID_REQUEST', message, {
    parameter,
    ...(expected === undefined ? {} : { expected }),
  })
}

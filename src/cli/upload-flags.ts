import { readFileSync } from 'node:fs'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DELIMITERS } from '../csv/dialect.js'
import { DATE_FORMATS, NUMBER_FORMATS } from '../db/field-values.js'
import type { UploadOptions } from '../upload/options.js'

/** Options of an upload that are flags under their own names in kebab case; only `--constant` collects into `constants`. */
export type UploadFlags = Omit<UploadOptions, 'constants' | 'history'> & {
  constant?: Record<string, string>
  history?: boolean
}

/** The options of an upload, but for its history. */
export function uploadOptions({ constant, history: _, ...options }: UploadFlags): UploadOptions {
  return constant === undefined ? options : { ...options, constants: constant }
}

const DELIMITER_NAMES: Readonly<Record<string, string>> = { tab: '\t', '\\t': '\t' }

/** Adds the flags that decide what a file means: those that a preview has, too. */
export function addReadingFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--delimiter <character>', "auto, ',', ';', tab or '|'").argParser((text) =>
        oneOf(DELIMITER_NAMES[text] ?? text, ['auto', ...DELIMITERS]),
      ),
    )
    .option('--encoding <label>', 'such as utf-8 or windows-1252 (default: found out)')
    .option('--headers <names>', 'the column names of a file without a header row', list)
    .option('--columns <json>', 'targets of columns as JSON, or the name of a JSON file', json)
    .option('--attributes <names>', 'which other headers become attributes: all, none or a list', choiceOrList)
    .option('--fillable <names>', 'which fields the file may fill: all or a list', choiceOrList)
    .option('--constant <name=value>', 'a value that every row gets; may be repeated', pair)
    .addOption(new Option('--date-format <order>', 'dates besides ISO 8601').choices(DATE_FORMATS))
    .addOption(new Option('--number-format <mark>', 'the decimal mark, with groups').choices(NUMBER_FORMATS))
    .addOption(new Option('--short-rows <way>', 'rows with too few cells').choices(['reject', 'fill']))
    .option('--empty-markers <values>', 'values that stand for none, such as NULL,N/A', list)
    .option('--max-bytes <number>', 'most bytes of the file', wholeNumber)
    .option('--max-columns <number>', 'most cells of a record', wholeNumber)
    .option('--max-record-bytes <number>', 'most bytes of a record', wholeNumber)
}

/** Adds the flags that decide what becomes of the rows. */
export function addStoringFlags(command: Command): Command {
  return command
    .addOption(new Option('--existing <way>', 'customers that exist').choices(['merge', 'replace', 'reject']))
    .addOption(new Option('--unknown <way>', 'customers that do not').choices(['create', 'reject']))
    .addOption(new Option('--empty-values <way>', 'blank cells').choices(['keep', 'clear']))
    .addOption(
      new Option('--opt-outs <way>', 'who has opted out (optOut in the config)').choices(['keep', 'overwrite']),
    )
    .addOption(new Option('--on-invalid-row <way>', 'what a bad row does').choices(['skip', 'abort']))
    .option('--history', 'keep what it changes, so that undoUpload can take it back')
    .option('--atomic', 'one transaction, all or nothing')
    .option('--dry-run', 'the same statements, rolled back: true counts, nothing stored')
    .option('--max-rows <number>', 'most rows of data', wholeNumber)
    .option('--concurrency <number>', 'parallel writers (default: 2)', wholeNumber)
    .option('--batch-size <number>', 'rows of one statement', wholeNumber)
}

function oneOf(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text
  throw new InvalidArgumentError(`Allowed choices are ${choices.map((choice) => JSON.stringify(choice)).join(' ')}.`)
}

/** Names parted by commas; as a JSON array where a name has one in it. */
function list(text: string): string[] {
  if (text.startsWith('[')) return parse(text) as string[]
  return text.split(',').map((name) => name.trim())
}

const choiceOrList = (text: string): string | string[] => (text === 'all' || text === 'none' ? text : list(text))

function pair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function json(text: string): unknown {
  if (/^\s*[[{]/.test(text)) return parse(text)
  try {
    return parse(readFileSync(text, 'utf8'))
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error
    throw new InvalidArgumentError(`It is neither JSON nor a file that can be read: ${(error as Error).message}`)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${(error as Error).message}`)
  }
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number.')
}

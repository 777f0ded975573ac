import type { ColumnReason } from '../column-targets.js'
import type { CsvPreview, PreviewColumn } from '../upload/preview.js'
import { type ConnectionFlags, withStore } from './connection.js'
import { inputName, openInput } from './input.js'
import { count, EXIT, say, sayJson } from './report.js'
import { type UploadFlags, uploadOptions } from './upload-flags.js'

type PreviewFlags = ConnectionFlags & UploadFlags & { account: string; json?: boolean; verbose?: boolean }

/** Says what an upload would make of a file; nothing is written. */
export async function preview(
  file: string,
  { account, config, databaseUrl, json, verbose: _, ...flags }: PreviewFlags,
): Promise<number> {
  const { csv } = await openInput(file)
  const found = await withStore({ config, databaseUrl }, (store) =>
    store.previewCsv(account, csv, uploadOptions(flags)),
  )
  if (json) sayJson(found)
  else sayPreview(inputName(file), found)
  if (found.problems.length > 0) return EXIT.failed
  return found.rejected.length > 0 ? EXIT.someRejected : EXIT.done
}

function sayPreview(name: string, { encoding, delimiter, preamble, columns, ...found }: CsvPreview): void {
  say(`${name}: ${encoding}, delimiter ${delimiter === '\t' ? 'tab' : delimiter}`)
  if (preamble.length > 0) say(`${count(preamble.length, 'row')} above the header: skipped`)
  say('\nColumns')
  const width = Math.min(40, Math.max(...columns.map(({ header }) => header.length)))
  for (const column of columns) {
    const { header, position, samples } = column
    const shown = samples.length > 0 ? `  (${oneLine(samples.slice(0, 3).join(', '), 60)})` : ''
    say(`  ${String(position).padStart(3)}  ${oneLine(header, 40).padEnd(width)}  ${goesTo(column)}${shown}`)
  }
  if (found.problems.length + found.warnings.length > 0) say('\nProblems')
  for (const { code, message } of found.problems) say(`  error: ${code}: ${message}`)
  for (const { code, message } of found.warnings) say(`  warning: ${code}: ${message}`)
  if (found.rows.length + found.rejected.length > 0) say('\nFirst rows')
  const lines = [
    ...found.rows.map(({ line, standard, custom_attributes }) => ({
      line,
      text: oneLine(JSON.stringify({ ...standard, custom_attributes }), 200),
    })),
    ...found.rejected.map(({ line, code, message }) => ({ line, text: `rejected: ${code}: ${message}` })),
  ]
  for (const { line, text } of lines.sort((a, b) => a.line - b.line)) say(`  line ${line}: ${text}`)
}

const REASONS: Partial<Record<ColumnReason, string>> = {
  blank: 'its header is blank',
  reserved: "the database's own",
  rejected_rows: 'of a file of rejected rows',
  sensitive: 'a password, a token or a key',
  skipped: 'as columns says',
  field_not_allowed: 'not among fillable',
  attribute_not_chosen: 'not among attributes',
}

function goesTo({ target, reason, suggestions }: PreviewColumn): string {
  if (target === null) return `left out: ${REASONS[reason] ?? reason}`
  if ('field' in target) return `field ${target.field}`
  const likely = suggestions?.[0] ? `, or is it the field ${suggestions[0].field}?` : ''
  return `attribute ${JSON.stringify(target.attribute)}${likely}`
}

function oneLine(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`
}

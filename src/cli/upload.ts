import { Presets, SingleBar } from 'cli-progress'
import { isCustomAttributesError } from '../errors.js'
import type { UploadCounts, UploadProgress, UploadResult } from '../upload/options.js'
import { type ConnectionFlags, withStore } from './connection.js'
import { inputName, openInput } from './input.js'
import { openRejectedFile, rejectedPath } from './rejected-file.js'
import { count, EXIT, note, say, sayJson } from './report.js'
import { type UploadFlags, uploadOptions } from './upload-flags.js'

type Flags = ConnectionFlags &
  UploadFlags & { account: string; rejected?: string; force?: boolean; json?: boolean; verbose?: boolean }

const SHOWN_ROWS = 5

/** Uploads a file, and writes what was rejected into another. */
export async function upload(
  file: string,
  { account, config, databaseUrl, rejected, force = false, json, verbose: _, ...flags }: Flags,
): Promise<number> {
  const { csv, size } = await openInput(file)
  const { delimiter = 'auto', concurrency, dryRun = false } = flags
  const rejectedFile = openRejectedFile(rejected ?? rejectedPath(file), {
    force,
    delimiter: delimiter === 'auto' ? ',' : delimiter,
  })
  const progress = drawProgress(size)
  const { signal, release } = stopOnSignals()
  try {
    const result = await withStore(
      { config, databaseUrl },
      (store) =>
        store.uploadCsv(account, csv, {
          ...uploadOptions(flags),
          ...(flags.history ? { history: { fileName: inputName(file) } } : {}),
          onRejected: rejectedFile.add,
          onProgress: progress?.draw,
          signal,
        }),
      concurrency,
    )
    progress?.end()
    const path = await rejectedFile.finish(result.headers)
    if (json) sayJson({ ...result, rejectedFile: path ?? null })
    else sayResult(inputName(file), result, { path, dryRun })
    return result.rowsRejected > 0 ? EXIT.someRejected : EXIT.done
  } catch (error) {
    progress?.end()
    rejectedFile.discard()
    if (isCustomAttributesError(error)) sayStored(error.details.stored as UploadCounts | undefined)
    throw error
  } finally {
    release()
  }
}

/** A signal that Ctrl-C aborts, or whoever ends the process. The second time the process ends at once. */
function stopOnSignals(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, stop)
  return {
    signal: controller.signal,
    release: () => {
      for (const name of ['SIGINT', 'SIGTERM'] as const) process.removeListener(name, stop)
    },
  }
}

/** A bar on a terminal, for a file whose size is known. */
function drawProgress(size: number | undefined) {
  if (size === undefined || !process.stderr.isTTY) return undefined
  const format = '{bar} {percentage} %, {rows} rows read'
  const bar = new SingleBar(
    { format, stream: process.stderr, clearOnComplete: true, gracefulExit: false, hideCursor: true },
    Presets.shades_classic,
  )
  bar.start(size, 0, { rows: 0 })
  return {
    draw: ({ bytesRead, rowsRead }: UploadProgress) => bar.update(bytesRead, { rows: rowsRead }),
    end: () => bar.stop(),
  }
}

function sayResult(
  name: string,
  result: UploadResult,
  { path, dryRun }: { path: string | undefined; dryRun: boolean },
): void {
  const seconds = (result.durationMs / 1_000).toFixed(1)
  say(`${name}: ${count(result.rowsTotal, 'row')} in ${seconds} s${dryRun ? ' (dry run: nothing is stored)' : ''}`)
  say(`  customers created    ${result.customersCreated}`)
  say(`  customers updated    ${result.customersUpdated}`)
  say(`  customers unchanged  ${result.customersUnchanged}`)
  say(`  rows rejected        ${result.rowsRejected}`)
  if (result.customAttributesFound.length > 0) say(`custom attributes: ${result.customAttributesFound.join(', ')}`)
  for (const { header, position, reason } of result.ignored) {
    say(`column ${position} ${JSON.stringify(header)} was left out (${reason})`)
  }
  for (const { code, message } of result.warnings) say(`warning: ${code}: ${message}`)
  if (path === undefined) return
  for (const { line, code, message } of result.rejected.slice(0, SHOWN_ROWS)) say(`line ${line}: ${code}: ${message}`)
  if (result.rowsRejected > SHOWN_ROWS) say(`… and ${result.rowsRejected - SHOWN_ROWS} more`)
  say(`All rejected rows are in ${path}, each with its reason. Mend them there, and upload that file.`)
}

/** What an upload that ended early has stored. */
function sayStored(stored: UploadCounts | undefined): void {
  if (!stored) return
  const { customersCreated, customersUpdated, customersUnchanged, rowsRejected } = stored
  note(
    `Until then ${customersCreated} customers were created, ${customersUpdated} updated, ${customersUnchanged} unchanged, ` +
      `and ${count(rowsRejected, 'row')} rejected. Uploading the file again completes it.`,
  )
}

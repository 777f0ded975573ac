import {
  accessSync,
  appendFileSync,
  closeSync,
  constants,
  createReadStream,
  existsSync,
  openSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Delimiter } from '../csv/records.js'
import { type RejectedRow, rejectedRowsCsv } from '../rejected-rows.js'
import { CommandError } from './report.js'

/** The file that the rejected rows of an upload go to. It is made only when there are some. */
export interface RejectedFile {
  add(row: RejectedRow): void
  /** Writes the file; returns its path, or nothing when no row was rejected. */
  finish(headers: readonly string[]): Promise<string | undefined>
  /** Lets go of what the file would have been made of. */
  discard(): void
}

/** The name of the rejected rows' file, beside the upload's own. */
export function rejectedPath(file: string): string {
  return file === '-' ? 'stdin.rejected.csv' : join(dirname(file), `${basename(file, extname(file))}.rejected.csv`)
}

/**
 * Looks whether the file can be made, before anything is stored.
 *
 * @throws CommandError when it is there already and not to be overwritten, or its folder cannot be written to
 */
export function openRejectedFile(
  path: string,
  { force, delimiter }: { force: boolean; delimiter: Delimiter },
): RejectedFile {
  if (!force && existsSync(path)) {
    throw new CommandError(`${path} is there already. Name another file with --rejected, or overwrite it with --force.`)
  }
  try {
    accessSync(dirname(path), constants.W_OK)
  } catch (error) {
    throw new CommandError(
      `Rejected rows cannot be written to ${path}. Name another file with --rejected. (${(error as Error).message})`,
      { cause: error },
    )
  }
  // The headers are known only when the upload is over, and the rows may be too many for memory: they wait in a file.
  const waiting = `${path}.${process.pid}.part`
  let descriptor: number | undefined
  const close = () => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
  }
  const discard = () => {
    close()
    rmSync(waiting, { force: true })
  }
  return {
    add({ record, code, message }) {
      descriptor ??= openSync(waiting, 'w', 0o600)
      appendFileSync(descriptor, `${JSON.stringify({ record, code, message })}\n`)
    },
    async finish(headers) {
      if (descriptor === undefined) return undefined
      close()
      // A byte order mark, because it wins over an encoding that the mended file is uploaded with, and Excel looks for it.
      const format = { delimiter, bom: true }
      const head = rejectedRowsCsv(headers, [], format)
      try {
        const target = openSync(path, force ? 'w' : 'wx')
        try {
          appendFileSync(target, head)
          for await (const line of createInterface({ input: createReadStream(waiting), crlfDelay: Infinity })) {
            appendFileSync(target, rejectedRowsCsv(headers, [JSON.parse(line)], format).slice(head.length))
          }
        } finally {
          closeSync(target)
        }
      } catch (error) {
        throw new CommandError(
          `The upload is done, but its rejected rows could not be written to ${path}: ${(error as Error).message}. ` +
            'Uploading the file again finds them again.',
          { cause: error },
        )
      }
      discard()
      return path
    },
    discard,
  }
}

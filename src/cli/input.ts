import { createReadStream, openAsBlob } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { CsvInput } from '../csv/source.js'
import { CommandError } from './report.js'

/** Opens the file of a command, or standard input for `-`; with its size where that is known. */
export async function openInput(file: string): Promise<{ csv: CsvInput; size?: number }> {
  if (file === '-') return { csv: process.stdin }
  try {
    const found = await stat(file)
    if (found.isDirectory()) throw new CommandError(`${file} is a directory. Name a CSV file, or - for standard input.`)
    // A file is looked at as a whole before its encoding is assumed; a pipe can only be read once.
    return found.isFile() ? { csv: await openAsBlob(file), size: found.size } : { csv: createReadStream(file) }
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw new CommandError(`${file} cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

/** The name of an input in a sentence. */
export const inputName = (file: string): string => (file === '-' ? 'standard input' : file)

import { CustomAttributesError } from '../errors.js'
import type { OptionRule } from '../options.js'

/** An encoding by a label of the WHATWG Encoding Standard; found by itself are those that are named here. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252' | (string & {})

/** The name of the encoding that a label stands for, or undefined when the runtime's `TextDecoder` does not know it. */
export function encodingOf(label: string): Encoding | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).encoding
  } catch {
    return undefined
  }
}

export const isEncoding: OptionRule = (value) =>
  value === 'auto' || (typeof value === 'string' && encodingOf(value) !== undefined)
    ? undefined
    : '"auto" or a label of the Encoding Standard that TextDecoder knows, such as "utf-8" or "windows-1252"'

const BYTE_ORDER_MARKS: readonly (readonly [Encoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
]

/** The encoding that a byte order mark at the start of the file names, and the mark's length in bytes. */
export function readByteOrderMark(head: Buffer): { encoding: Encoding; length: number } | undefined {
  for (const [encoding, mark] of BYTE_ORDER_MARKS) {
    if (mark.every((byte, index) => head[index] === byte)) return { encoding, length: mark.length }
  }
  return undefined
}

/**
 * The encoding to decode by: the byte order mark's, else the option's; undefined to find out.
 *
 * @throws CustomAttributesError `INVALID_ENCODING`
 */
export function chooseEncoding(
  head: Buffer,
  marked: Encoding | undefined,
  option: 'auto' | Encoding,
  isText: boolean,
): Encoding | undefined {
  if (isText) return 'utf-8'
  // As the Encoding Standard has it, the mark wins over a label.
  if (marked || option !== 'auto') return marked ?? option
  if (looksLikeUtf16(head)) {
    throw new CustomAttributesError(
      'INVALID_ENCODING',
      'The file looks like UTF-16 without a byte order mark. Save it as "CSV UTF-8", or name its encoding with encoding.',
      { encoding: 'utf-8', byte: 1 },
    )
  }
  return undefined
}

/** Every other byte NUL: plain text in UTF-16 that does not say so. */
function looksLikeUtf16(head: Buffer): boolean {
  const sample = head.subarray(0, 64)
  const zeros = (parity: number) => sample.filter((byte, index) => byte === 0 && index % 2 === parity).length
  return sample.length >= 8 && Math.max(zeros(0), zeros(1)) > sample.length / 3
}

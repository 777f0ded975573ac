import { isAscii, isUtf8 } from 'node:buffer'
import { CustomAttributesError } from '../errors.js'

/** An encoding a CSV can be in: found by itself, or forced by one of the names. */
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const

/** The name of an encoding, as the WHATWG Encoding Standard spells it. */
export type Encoding = (typeof ENCODINGS)[number]

/** Turns the bytes of a file into UTF-8, piece by piece. */
export interface Decoder {
  /** the encoding; UTF-8 while all bytes were ASCII */
  encoding(): Encoding
  /** whether the encoding was assumed because the bytes are not UTF-8 */
  isAssumed(): boolean
  /** @throws CustomAttributesError `INVALID_ENCODING` with the byte's position */
  decode(piece: Buffer, end?: boolean): Buffer
}

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
 * Makes the decoder for an encoding, or for a file that names none.
 *
 * Without a name the bytes are strict UTF-8, or windows-1252 when they are not. That is decided by the first piece with
 * a byte over 127: all before it is ASCII, which both read alike, so nothing has to be read twice.
 *
 * @param encoding - the byte order mark's or the forced encoding; undefined to find out
 */
export function createDecoder(encoding?: Encoding): Decoder {
  if (encoding === 'windows-1252') return windows1252(0, false)
  if (encoding === 'utf-16le' || encoding === 'utf-16be') return utf16(encoding)
  if (encoding === 'utf-8') return utf8(0)
  return detecting()
}

function detecting(): Decoder {
  let decoder: Decoder | undefined
  let held: Buffer = Buffer.alloc(0)
  let position = 0
  return {
    encoding: () => decoder?.encoding() ?? 'utf-8',
    isAssumed: () => decoder?.isAssumed() ?? false,
    decode(piece, end = false) {
      if (decoder) return decoder.decode(piece, end)
      const joined = held.length === 0 ? piece : Buffer.concat([held, piece])
      const whole = end ? joined : joined.subarray(0, joined.length - openSequence(joined))
      if (isAscii(whole)) {
        held = joined.subarray(whole.length)
        position += whole.length
        return whole
      }
      decoder = isUtf8(whole) ? utf8(position) : windows1252(position, true)
      return decoder.decode(joined, end)
    },
  }
}

function sequenceLength(first: number): number {
  if (first < 0x80) return 1
  if (first >= 0xc2 && first <= 0xdf) return 2
  if (first >= 0xe0 && first <= 0xef) return 3
  if (first >= 0xf0 && first <= 0xf4) return 4
  return 0
}

function utf8(start: number): Decoder {
  let held: Buffer = Buffer.alloc(0)
  let position = start
  return {
    encoding: () => 'utf-8',
    isAssumed: () => false,
    decode(piece, end = false) {
      const joined = held.length === 0 ? piece : Buffer.concat([held, piece])
      const whole = end ? joined : joined.subarray(0, joined.length - openSequence(joined))
      if (!isUtf8(whole)) throw invalidEncoding('utf-8', position + firstInvalidUtf8(whole))
      position += whole.length
      held = joined.subarray(whole.length)
      return whole
    },
  }
}

/** How many bytes at the end belong to a sequence that the next piece will complete. */
function openSequence(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    return sequenceLength(byte) > back ? back : 0
  }
  return 0
}

function firstInvalidUtf8(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length) {
    const length = sequenceLength(bytes[at]!)
    if (length === 0 || at + length > bytes.length || !isUtf8(bytes.subarray(at, at + length))) return at
    at += length
  }
  return at
}

function utf16(encoding: 'utf-16le' | 'utf-16be'): Decoder {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let position = 0
  return {
    encoding: () => encoding,
    isAssumed: () => false,
    decode(piece, end = false) {
      try {
        const text = decoder.decode(piece, { stream: !end })
        position += piece.length
        return Buffer.from(text, 'utf8')
      } catch {
        throw invalidEncoding(encoding, position)
      }
    },
  }
}

/** What windows-1252 has at 0x80 to 0x9F; a blank where it has nothing. Node's own decoder reads these as Latin-1. */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

function windows1252(start: number, assumed: boolean): Decoder {
  let position = start
  return {
    encoding: () => 'windows-1252',
    isAssumed: () => assumed,
    decode(piece) {
      if (isAscii(piece)) {
        position += piece.length
        return piece
      }
      const text = piece.toString('latin1').replace(/[\x80-\x9f]/g, (char, at: number) => {
        const decoded = WINDOWS_1252[char.charCodeAt(0) - 0x80]!
        if (decoded === ' ') throw invalidEncoding('windows-1252', position + at, assumed)
        return decoded
      })
      position += piece.length
      return Buffer.from(text, 'utf8')
    },
  }
}

function invalidEncoding(encoding: Encoding, byte: number, assumed = false): CustomAttributesError {
  const what = assumed ? 'The file is neither UTF-8 nor windows-1252' : `The file is not ${encoding}`
  return new CustomAttributesError(
    'INVALID_ENCODING',
    `${what}: byte ${byte + 1} does not fit. Save it as "CSV UTF-8", or name its encoding with encoding.`,
    { encoding, byte: byte + 1 },
  )
}

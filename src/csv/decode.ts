import { isAscii, isUtf8 } from 'node:buffer'
import { CustomAttributesError } from '../errors.js'
import { type Encoding, encodingOf } from './encoding.js'

/** Turns the bytes of a file into UTF-8, piece by piece. */
export interface Decoder {
  /** the encoding; UTF-8 while all bytes were ASCII */
  encoding(): Encoding
  /** whether the encoding was assumed because the bytes are not UTF-8 */
  isAssumed(): boolean
  /** @throws CustomAttributesError `INVALID_ENCODING` with the byte's position and line */
  decode(piece: Buffer, end?: boolean): Buffer
  /** what to throw when an assumed encoding turns out to be broken UTF-8 */
  brokenUtf8?(): CustomAttributesError
}

/** Whether bytes have a letter in UTF-8 that takes several of them. */
export async function hasUtf8Letters(pieces: AsyncIterable<Buffer>): Promise<boolean> {
  let tail = ''
  for await (const piece of pieces) {
    const bytes = isAscii(piece) ? '' : tail + piece.toString('latin1')
    if (MULTI_BYTE.test(bytes)) return true
    tail = bytes.slice(-3)
  }
  return false
}

/**
 * Makes the decoder for an encoding, or for a file that names none.
 *
 * Without a name the bytes are strict UTF-8, or windows-1252 when no character of theirs is UTF-8. That is decided by the
 * first piece with a byte over 127: all before it is ASCII, which both read alike, so nothing has to be read twice. UTF-8 in
 * a later piece ends the reading: it is a broken UTF-8 file.
 *
 * @param label - the byte order mark's or the forced encoding; undefined to find out
 */
export function createDecoder(label?: Encoding): Decoder {
  const encoding = label === undefined ? undefined : (encodingOf(label) ?? label)
  if (encoding === undefined) return detecting()
  if (encoding === 'windows-1252') return windows1252(0, 1, false)
  return encoding === 'utf-8' ? utf8(0, 1) : byTextDecoder(encoding)
}

function detecting(): Decoder {
  let decoder: Decoder | undefined
  let held: Buffer = Buffer.alloc(0)
  let position = 0
  const lines = createLineCount(1)
  return {
    encoding: () => decoder?.encoding() ?? 'utf-8',
    isAssumed: () => decoder?.isAssumed() ?? false,
    brokenUtf8: () => decoder!.brokenUtf8!(),
    decode(piece, end = false) {
      if (decoder) return decoder.decode(piece, end)
      const joined = held.length === 0 ? piece : Buffer.concat([held, piece])
      const whole = end ? joined : joined.subarray(0, joined.length - openSequence(joined))
      if (isAscii(whole)) {
        held = joined.subarray(whole.length)
        position += whole.length
        lines.take(whole)
        return whole
      }
      const isUtf = isUtf8(whole) || MULTI_BYTE.test(whole.toString('latin1'))
      decoder = isUtf ? utf8(position, lines.line()) : windows1252(position, lines.line(), true)
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

function utf8(start: number, line: number): Decoder {
  let held: Buffer = Buffer.alloc(0)
  let position = start
  const lines = createLineCount(line)
  return {
    encoding: () => 'utf-8',
    isAssumed: () => false,
    decode(piece, end = false) {
      const joined = held.length === 0 ? piece : Buffer.concat([held, piece])
      const whole = end ? joined : joined.subarray(0, joined.length - openSequence(joined))
      if (!isUtf8(whole)) {
        const at = firstInvalidUtf8(whole)
        throw invalidEncoding('utf-8', position + at, lines.lineAt(whole, at))
      }
      lines.take(whole)
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

/** A character of UTF-8 over U+007F, in bytes read as Latin-1. */
const MULTI_BYTE =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}/

/** Counts lines as they go by; from 1. */
function createLineCount(first: number) {
  let line = first
  let last = 0
  const count = (bytes: Buffer, end: number) => {
    let found = line
    let before = last
    for (let at = 0; at < end; at++) {
      const byte = bytes[at]!
      if (byte === 13 || (byte === 10 && before !== 13)) found++
      before = byte
    }
    return { found, before }
  }
  return {
    line: () => line,
    lineAt: (bytes: Buffer, at: number) => count(bytes, at).found,
    take(bytes: Buffer) {
      const { found, before } = count(bytes, bytes.length)
      line = found
      last = before
    },
  }
}

function byTextDecoder(encoding: Encoding): Decoder {
  const decoder = new TextDecoder(encoding, { fatal: true })
  // No legacy encoding but this one has U+FFFD: elsewhere it would stand for a byte that is no character.
  const hasReplacement = /^(?:utf-|gb18030$)/.test(encoding)
  const lines = createLineCount(1)
  let position = 0
  return {
    encoding: () => encoding,
    isAssumed: () => false,
    decode(piece, end = false) {
      try {
        const text = decoder.decode(piece, { stream: !end })
        if (!hasReplacement && text.includes('\ufffd')) throw new TypeError('A byte is no character.')
        const decoded = Buffer.from(text, 'utf8')
        position += piece.length
        lines.take(decoded)
        return decoded
      } catch {
        const { at, before } = firstUndecodable(encoding, piece, hasReplacement)
        throw invalidEncoding(encoding, position + at, lines.lineAt(before, before.length))
      }
    },
  }
}

/** Where a piece stops to be text, and the text before. A character that began in the piece before counts to that one. */
function firstUndecodable(encoding: Encoding, piece: Buffer, hasReplacement: boolean): { at: number; before: Buffer } {
  const decoder = new TextDecoder(encoding, { fatal: true })
  let before = ''
  for (let at = 0; at < piece.length; at++) {
    try {
      const text = decoder.decode(piece.subarray(at, at + 1), { stream: true })
      if (!hasReplacement && text.includes('\ufffd')) return { at, before: Buffer.from(before) }
      before += text
    } catch {
      return { at, before: Buffer.from(before) }
    }
  }
  return { at: piece.length, before: Buffer.from(before) }
}

/** What windows-1252 has at 0x80 to 0x9F; a blank where it has nothing. Node's own decoder reads these as Latin-1. */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

function windows1252(start: number, line: number, assumed: boolean): Decoder {
  let position = start
  const lines = createLineCount(line)
  let firstOdd: { byte: number; line: number } | undefined
  let tail = ''
  const brokenUtf8 = () => invalidEncoding('utf-8', firstOdd!.byte, firstOdd!.line)
  return {
    encoding: () => 'windows-1252',
    isAssumed: () => assumed,
    brokenUtf8,
    decode(piece) {
      if (isAscii(piece)) {
        position += piece.length
        lines.take(piece)
        tail = ''
        return piece
      }
      const bytes = piece.toString('latin1')
      if (assumed) {
        const odd = bytes.search(/[\x80-\xff]/)
        firstOdd ??= { byte: position + odd, line: lines.lineAt(piece, odd) }
        if (MULTI_BYTE.test(tail + bytes)) throw brokenUtf8()
        tail = (tail + bytes).slice(-3)
      }
      const text = bytes.replace(/[\x80-\x9f]/g, (char, at: number) => {
        const decoded = WINDOWS_1252[char.charCodeAt(0) - 0x80]!
        if (decoded === ' ') throw invalidEncoding('windows-1252', position + at, lines.lineAt(piece, at), assumed)
        return decoded
      })
      position += piece.length
      lines.take(piece)
      return Buffer.from(text, 'utf8')
    },
  }
}

function invalidEncoding(encoding: Encoding, byte: number, line: number, assumed = false): CustomAttributesError {
  const what = assumed ? 'The file is neither UTF-8 nor windows-1252' : `The file is not ${encoding}`
  return new CustomAttributesError(
    'INVALID_ENCODING',
    `${what}: byte ${byte + 1} on line ${line} does not fit. Save it as "CSV UTF-8", or name its encoding with encoding.`,
    { encoding, byte: byte + 1, line },
  )
}

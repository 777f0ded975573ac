import { orAborted } from '../abort.js'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { kindOf } from '../options.js'
import { createPace } from '../pace.js'

/**
 * A CSV, whole or in chunks: text, bytes, a `Blob`/`File`, a web `ReadableStream`, a Node `Readable`, or any other iterable
 * (an array, a generator) or async iterable whose chunks are text or bytes.
 */
export type CsvInput =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array | string>
  | AsyncIterable<Uint8Array | string>
  | Iterable<Uint8Array | string>

/** A CSV as bytes in pieces of one size, however it was given: what is made of them cannot depend on the chunks. */
export interface CsvSource {
  /** the input was text, so the bytes are UTF-8 and nothing is to be detected */
  isText(): boolean
  /** the size in bytes, where it is known before reading */
  size: number | undefined
  pieces(): AsyncGenerator<Buffer, void>
}

/** Every piece but the last has this size. */
const PIECE_BYTES = 64 * 1024

/**
 * Opens an input for reading.
 *
 * @param csv - the input
 * @param signal - stops the reading
 * @throws CustomAttributesError `INVALID_ARGUMENT` at once; while reading `SOURCE_FAILED` (the source's own error is the
 *   cause) and the signal's `ABORTED`
 */
export function openSource(csv: CsvInput, signal?: AbortSignal): CsvSource {
  const chunks = toChunks(csv)
  let text = typeof csv === 'string'

  async function* pieces(): AsyncGenerator<Buffer, void> {
    const encode = createTextEncoder()
    const pace = createPace()
    let waiting: Buffer[] = []
    let waitingBytes = 0
    let iterator: AsyncIterator<Uint8Array | string> | undefined
    const read = () => {
      iterator ??= chunks[Symbol.asyncIterator]()
      return iterator.next()
    }
    let first = true
    let finished = false
    try {
      while (true) {
        const turn = pace()
        if (turn) await turn
        const next = await orAborted(nextChunk(read), signal)
        if (next.done) break
        const value = typeof next.value === 'string' ? next.value : toBuffer(next.value)
        if (first) text = typeof value === 'string'
        first = false
        for (let from = 0; from < value.length; from += PIECE_BYTES) {
          const part = value.length <= PIECE_BYTES ? value : cut(value, from)
          const chunk = typeof part === 'string' ? encode(part) : part
          waiting.push(chunk)
          waitingBytes += chunk.length
          if (waitingBytes < PIECE_BYTES) continue
          const joined = waiting.length === 1 ? chunk : Buffer.concat(waiting)
          const whole = joined.length - (joined.length % PIECE_BYTES)
          for (let at = 0; at < whole; at += PIECE_BYTES) yield joined.subarray(at, at + PIECE_BYTES)
          waiting = [joined.subarray(whole)]
          waitingBytes = joined.length - whole
        }
      }
      finished = true
      const rest = Buffer.concat([...waiting, encode('', true)])
      if (rest.length > 0) yield rest
    } finally {
      // A source that hangs must not keep the upload from ending: closing is asked for, not waited for.
      if (!finished) void closeQuietly(iterator)
    }
  }

  return { isText: () => text, size: knownSize(csv), pieces }
}

/**
 * Takes hold of an input before it is read: a stream that fails meanwhile fails when it is read, and does not end the
 * process for want of a listener.
 *
 * @returns lets go of the input: a stream is closed
 */
export function holdInput(csv: CsvInput): () => void {
  const stream = csv as { on?: unknown; destroy?: unknown; cancel?: unknown; locked?: unknown } | null
  const isNodeStream = typeof stream?.on === 'function' && typeof stream.destroy === 'function'
  if (isNodeStream) (stream as { on(event: string, listener: () => void): void }).on('error', () => {})
  return () => {
    if (isNodeStream) (stream as { destroy(): void }).destroy()
    else if (isReadableStream(csv) && !csv.locked) csv.cancel().catch(() => {})
  }
}

/** A source can fail before its first chunk too, such as a stream that somebody else reads. */
async function nextChunk(
  read: () => Promise<IteratorResult<Uint8Array | string>>,
): Promise<IteratorResult<Uint8Array | string>> {
  try {
    const next: unknown = await read()
    if (typeof next !== 'object' || next === null) throw new TypeError('next() gave no object with done and value.')
    const { done, value } = next as IteratorResult<Uint8Array | string>
    return { done, value } as IteratorResult<Uint8Array | string>
  } catch (error) {
    if (isCustomAttributesError(error)) throw error
    throw new CustomAttributesError(
      'SOURCE_FAILED',
      'Reading the CSV source failed; see cause. Upload the file again: rows that were stored are then unchanged.',
      {},
      { cause: error },
    )
  }
}

/** Whatever closing says: what ended the reading is what the caller is told. */
async function closeQuietly(iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await iterator?.return?.()
  } catch {}
}

function toChunks(csv: CsvInput): AsyncIterable<Uint8Array | string> {
  if (typeof csv === 'string') return once(csv)
  if (csv instanceof Uint8Array) return once(csv)
  if (csv instanceof ArrayBuffer) return once(new Uint8Array(csv))
  if (csv instanceof Blob) return csv.stream()
  if (typeof csv === 'object' && csv !== null && Symbol.asyncIterator in csv) return csv
  if (isReadableStream(csv)) return readStream(csv)
  if (typeof csv === 'object' && csv !== null && Symbol.iterator in csv) return all(csv)
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    'csv must be a string, Uint8Array, Blob, ReadableStream, Readable or another iterable or async iterable of chunks, ' +
      `got ${kindOf(csv)}.`,
    { argument: 'csv' },
  )
}

async function* all<Chunk>(chunks: Iterable<Chunk>): AsyncGenerator<Chunk> {
  yield* chunks
}

async function* once<Chunk>(chunk: Chunk): AsyncGenerator<Chunk> {
  yield chunk
}

/** A part of a chunk: a large one is not taken in all at once. */
function cut(chunk: string | Buffer, from: number): string | Buffer {
  return typeof chunk === 'string' ? chunk.slice(from, from + PIECE_BYTES) : chunk.subarray(from, from + PIECE_BYTES)
}

function isReadableStream(csv: unknown): csv is ReadableStream<Uint8Array | string> {
  return typeof (csv as ReadableStream | null)?.getReader === 'function'
}

/** For runtimes whose web streams are not async iterable. */
async function* readStream(stream: ReadableStream<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  const reader = stream.getReader()
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel()
  }
}

/** Whether all of an input is there, and can be read again. */
export function isWhole(csv: CsvInput): boolean {
  return csv instanceof Blob || csv instanceof Uint8Array || csv instanceof ArrayBuffer
}

function knownSize(csv: CsvInput): number | undefined {
  if (csv instanceof Blob) return csv.size
  if (csv instanceof Uint8Array || csv instanceof ArrayBuffer) return csv.byteLength
  return undefined
}

function toBuffer(chunk: unknown): Buffer {
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  throw new CustomAttributesError(
    'INVALID_ARGUMENT',
    `The chunks of csv must be strings or Uint8Arrays, got ${kindOf(chunk)}.`,
    { argument: 'csv' },
  )
}

/**
 * Encodes text to UTF-8, joining surrogate pairs that were split between chunks. Half of a pair, which UTF-8 cannot
 * hold, becomes NUL: the row is then rejected as `INVALID_CHARACTER` instead of being stored with U+FFFD.
 */
function createTextEncoder(): (text: string, end?: boolean) => Buffer {
  let held = ''
  return (text, end = false) => {
    let joined = held + text
    held = ''
    const last = joined.charCodeAt(joined.length - 1)
    if (!end && last >= 0xd800 && last <= 0xdbff) {
      held = joined.slice(-1)
      joined = joined.slice(0, -1)
    }
    return Buffer.from(joined.replace(/\p{Cs}/gu, '\0'), 'utf8')
  }
}

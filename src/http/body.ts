import { CustomAttributesError } from '../errors.js'

/** How a request's body may be sent. */
export interface BodyLimits {
  /** most bytes */
  maxBytes: number
  /** most milliseconds without a byte while more is awaited; 0 for no limit */
  idleTimeout: number
  /** most milliseconds until all of it has come; none or 0 for no limit */
  timeout?: number
}

/** A request's body on its way in. */
export interface RequestBody {
  chunks: AsyncGenerator<Uint8Array, void>
  /**
   * Ends the reading, also while a chunk is awaited, and drops what is left: a client that has sent all of its body uses
   * the connection again, which must then be free of it. Resolves when it is, or when there is no use in going on.
   *
   * @param maxBytes - most bytes to drop; by default what the buffers between client and server can hold
   */
  close(maxBytes?: number): Promise<void>
}

const BUFFERED_BYTES = 16 * 1024 * 1024

/**
 * Opens the body of a request for reading chunk by chunk. It must be closed.
 *
 * It is never cancelled: some servers take that for a wish to cut the connection, before the response is out.
 *
 * @throws CustomAttributesError while it is read: `REQUEST_TOO_LARGE`, `REQUEST_TIMEOUT`, and `ABORTED` when the client
 *   goes away
 */
export function openBody(request: Request, { maxBytes, idleTimeout, timeout = 0 }: BodyLimits): RequestBody {
  const reader = request.body?.getReader()
  const stop = new AbortController()
  const clientGone = () => stop.abort(clientWentAway(request.signal.reason))
  if (request.signal.aborted) clientGone()
  request.signal.addEventListener('abort', clientGone, { once: true })

  const timer = timeout > 0 ? setTimeout(() => stop.abort(tookTooLong(timeout)), timeout) : undefined

  async function* chunks(): AsyncGenerator<Uint8Array, void> {
    let bytes = 0
    while (reader) {
      const next = await readChunk(reader, stop, idleTimeout)
      if (next.done) return clearTimeout(timer)
      bytes += next.value.byteLength
      if (bytes > maxBytes) throw requestTooLarge(maxBytes)
      yield next.value
    }
  }

  async function drop(most: number): Promise<void> {
    let bytes = 0
    const giveUp = new AbortController()
    while (reader && bytes < most) {
      const next = await readChunk(reader, giveUp, idleTimeout)
      if (next.done) return
      bytes += next.value.byteLength
    }
  }

  let dropped: Promise<void> | undefined
  return {
    chunks: chunks(),
    close(most = BUFFERED_BYTES) {
      request.signal.removeEventListener('abort', clientGone)
      clearTimeout(timer)
      stop.abort(new Error('The body was closed.'))
      dropped ??= drop(most).catch(() => {})
      return dropped
    },
  }
}

/** Reads the next chunk, for as long as nothing stops it. */
function readChunk(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  stop: AbortController,
  idleTimeout: number,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  const { signal } = stop
  return new Promise((resolve, reject) => {
    const fail = () => reject(signal.reason)
    if (signal.aborted) return fail()
    signal.addEventListener('abort', fail, { once: true })
    const timer = idleTimeout > 0 ? setTimeout(() => stop.abort(timedOut(idleTimeout)), idleTimeout) : undefined
    reader
      .read()
      .then(resolve, (error) => reject(clientWentAway(error)))
      .finally(() => {
        clearTimeout(timer)
        signal.removeEventListener('abort', fail)
      })
  })
}

/** The media type of a header such as `Content-Type`, without its parameters. */
export function mediaType(header: string | null): string {
  return (header ?? '').split(';', 1)[0]!.trim().toLowerCase()
}

/** @throws CustomAttributesError `UNSUPPORTED_MEDIA_TYPE` when the body is compressed */
export function checkContentEncoding(request: Request): void {
  const encoding = request.headers.get('content-encoding')
  if (encoding === null || encoding.trim().toLowerCase() === 'identity') return
  throw new CustomAttributesError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Bodies with a Content-Encoding are not read. Send the body uncompressed.',
    { header: 'Content-Encoding' },
  )
}

function requestTooLarge(maxBytes: number): CustomAttributesError {
  return new CustomAttributesError('REQUEST_TOO_LARGE', `The body is over ${maxBytes} bytes. Send less.`, { maxBytes })
}

function timedOut(idleTimeout: number): CustomAttributesError {
  return new CustomAttributesError(
    'REQUEST_TIMEOUT',
    `Nothing more of the body came for ${idleTimeout} milliseconds. Send the request again.`,
    { idleTimeout },
  )
}

function tookTooLong(timeout: number): CustomAttributesError {
  return new CustomAttributesError(
    'REQUEST_TIMEOUT',
    `The body did not come within ${timeout} milliseconds, and the upload keeps others waiting meanwhile. ` +
      'Send it again over a faster line, or without atomic and dry_run.',
    { timeout },
  )
}

function clientWentAway(cause: unknown): CustomAttributesError {
  return new CustomAttributesError('ABORTED', 'The client went away before its request was complete.', {}, { cause })
}

/** The `charset` of a content type. */
export function charsetOf(contentType: string): string | undefined {
  const found = /;\s*charset\s*=\s*(?:"([^"]*)"|([^\s;"]+))/i.exec(contentType)
  return found?.[1] ?? found?.[2]
}

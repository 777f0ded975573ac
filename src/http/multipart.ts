import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { CustomAttributesError, isCustomAttributesError } from '../errors.js'
import { charsetOf } from './body.js'

/** Far more than a form needs; a request of ten thousand parts is an attack. */
const MAX_PARTS = 100
/** Bytes of a field: the columns of the widest file fit. */
const MAX_FIELD_BYTES = 512 * 1024

/** A file of a form, of which nothing was read yet. */
export interface FormFile {
  field: string
  /** its name without a path */
  name: string
  /** its media type as the client says */
  type: string
  /** the `charset` of its content type */
  charset: string | undefined
  /**
   * Its bytes. The iteration ends when the whole form was read: what is wrong after the file is an error of the file,
   * so that an upload cannot end well before its request has.
   */
  chunks: AsyncIterable<Uint8Array>
}

/** A multipart form as far as its file. */
export interface Form {
  /** the fields before the file */
  fields: ReadonlyMap<string, string>
  file: FormFile | undefined
  /** lets go of the body; the file need not have been read */
  close(): void
}

/**
 * Reads a `multipart/form-data` body up to its file, which is then streamed.
 *
 * @param body - the bytes
 * @param contentType - the request's header, which has the boundary
 * @param lateFields - names of fields that must not stand after the file
 * @throws CustomAttributesError here and while the file is read: `INVALID_REQUEST`, `REQUEST_TOO_LARGE`, and what `body`
 *   throws
 */
export async function openForm(
  body: AsyncIterable<Uint8Array>,
  contentType: string,
  lateFields: readonly string[],
): Promise<Form> {
  const parser = createParser(contentType)
  const fields = new Map<string, string>()
  let stream: Readable | undefined
  let charset: string | undefined
  onPartHeader(parser, (contentType) => {
    if (!stream) charset = charsetOf(contentType)
  })
  const fail = (error: CustomAttributesError) => parser.destroy(error)
  parser
    .on('field', (name, value, _nameTruncated, truncated) => {
      if (truncated) return fail(tooLarge(`a field of at most ${MAX_FIELD_BYTES} bytes`))
      if (stream && lateFields.includes(name)) return fail(invalidForm(`${name} stands after the file. Put it before.`))
      if (!stream) fields.set(name, value)
    })
    .on('partsLimit', () => fail(tooLarge(`at most ${MAX_PARTS} parts`)))
    .on('filesLimit', () => fail(invalidForm('It has more than one file. Send one file per request.')))

  const reading = pipeline(body, parser)
  const file = await new Promise<FormFile | undefined>((resolve, reject) => {
    parser.on('file', (field, opened, name, _encoding, type) => {
      stream = opened
      // Met by whoever reads the file; without a reader it must not end the process.
      opened.on('error', () => {})
      resolve({ field, name, type, charset, chunks: readFile(opened, reading) })
    })
    reading.then(
      () => resolve(undefined),
      (error) => {
        stream?.destroy(error)
        reject(explain(error))
      },
    )
  })
  return { fields, file, close: () => parser.destroy() }
}

/** Tells of each part its content type, of which busboy keeps the charset to itself. */
function onPartHeader(parser: BusboyInstance, take: (contentType: string) => void): void {
  interface Part {
    prependListener(event: 'header', listener: (header: Record<string, string[] | undefined>) => void): void
  }
  interface Parts {
    prependListener(event: 'part', listener: (part: Part) => void): void
  }
  const { parser: parts } = (parser as unknown as { _parser: { parser: Parts } })._parser
  parts.prependListener('part', (part) => {
    part.prependListener('header', (header) => take(header['content-type']?.[0] ?? ''))
  })
}

async function* readFile(file: Readable, form: Promise<void>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* file
    await form
  } catch (error) {
    throw explain(error)
  }
}

function createParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (_field, _type, fileName) => fileName !== undefined,
      fileHwm: 64 * 1024,
      limits: { parts: MAX_PARTS, files: 1, fieldSize: MAX_FIELD_BYTES, headerPairs: 100, headerSize: 16 * 1024 },
    })
  } catch (error) {
    throw invalidForm('The Content-Type header names no boundary, or one that is too long.', error)
  }
}

/** What the parser itself says is about bytes, not for people. */
function explain(error: unknown): CustomAttributesError {
  if (isCustomAttributesError(error)) return error
  return invalidForm('It is cut off or not well-formed.', error)
}

function invalidForm(what: string, cause?: unknown): CustomAttributesError {
  return new CustomAttributesError('INVALID_REQUEST', `The multipart body cannot be read: ${what}`, {}, { cause })
}

function tooLarge(limit: string): CustomAttributesError {
  return new CustomAttributesError('REQUEST_TOO_LARGE', `The multipart body may have ${limit}.`, {})
}

import { encodingOf } from '../csv/encoding.js'
import { checkFileName } from '../csv/file-type.js'
import { CustomAttributesError } from '../errors.js'
import { type BodyLimits, charsetOf, checkContentEncoding, mediaType, openBody, type RequestBody } from './body.js'
import { openForm } from './multipart.js'

/** The multipart field that holds the file. */
const FILE_FIELD = 'file'
/** The multipart fields that say how the file is read, and so must stand before it. */
export const OPTION_FIELDS = ['columns', 'attributes', 'headers', 'constants', 'empty_markers'] as const

/** Media types that CSV files are sent as. */
const CSV_TYPES: ReadonlySet<string> = new Set([
  'text/csv',
  'application/csv',
  'text/tab-separated-values',
  'application/vnd.ms-excel',
])
const CSV_NAME = /\.(?:csv|tsv)$/i
const ANY_EXTENSION = /\.[^.\s]+$/

/** What a form may have beside the file: its fields and the lines between the parts. */
const FORM_BYTES = 1024 * 1024

/** The CSV of a request, of which nothing but the start was read yet. It must be closed. */
export interface CsvBody {
  chunks: AsyncIterable<Uint8Array>
  fields: ReadonlyMap<string, string>
  /** the name of the form's file */
  fileName?: string
  /** the encoding that the content type of the file, or of the body, names */
  encoding: { encoding?: string }
  /** lets go of the request's body; see {@link RequestBody.close} */
  close(maxBytes?: number): Promise<void>
}

/**
 * Opens the CSV that a request brings: the file of a multipart form, or the body itself.
 *
 * @param limits - `maxBytes` of the file, and the times of the body
 * @throws CustomAttributesError `NO_FILE`, `NOT_CSV`, `FILE_TOO_LARGE`, `UNSUPPORTED_MEDIA_TYPE`, and what reading the
 *   body throws
 */
export async function openCsvBody(request: Request, { maxBytes, ...times }: BodyLimits): Promise<CsvBody> {
  const contentType = request.headers.get('content-type') ?? ''
  const isForm = mediaType(contentType) === 'multipart/form-data'
  const most = isForm ? maxBytes + FORM_BYTES : maxBytes
  // Of a bare CSV the upload itself counts the bytes.
  const body = openBody(request, { maxBytes: isForm ? most : Number.POSITIVE_INFINITY, ...times })
  try {
    checkContentEncoding(request)
    const length = Number(request.headers.get('content-length') ?? Number.NaN)
    if (request.body === null || length === 0) throw noFile()
    if (!isForm && !CSV_TYPES.has(mediaType(contentType))) throw notCsv()
    if (length > most) throw fileTooLarge(maxBytes)
    return isForm
      ? await openFormFile(body, contentType)
      : { ...body, fields: new Map(), encoding: readCharset(charsetOf(contentType)) }
  } catch (error) {
    void body.close()
    throw error
  }
}

async function openFormFile(body: RequestBody, contentType: string): Promise<CsvBody> {
  const { file, fields, close } = await openForm(body.chunks, contentType, OPTION_FIELDS)
  if (file?.field === FILE_FIELD && isCsv(file)) {
    const closeBoth = (most?: number) => {
      close()
      return body.close(most)
    }
    try {
      return { chunks: file.chunks, fields, fileName: file.name, encoding: readCharset(file.charset), close: closeBoth }
    } catch (error) {
      close()
      throw error
    }
  }
  close()
  // A form whose file was left empty has a part without a name.
  if (file?.field !== FILE_FIELD || file.name === '') throw noFile()
  checkFileName(file.name)
  throw notCsv()
}

/**
 * Whether a file is CSV by its name and type. The name decides: systems give a `.csv` all kinds of types. Whether the
 * bytes are what they are said to be is the upload's to find out.
 */
function isCsv({ name, type }: { name: string; type: string }): boolean {
  return CSV_NAME.test(name) || (name !== '' && !ANY_EXTENSION.test(name) && CSV_TYPES.has(mediaType(type)))
}

/** @throws CustomAttributesError `UNSUPPORTED_MEDIA_TYPE` for a charset that nobody knows */
function readCharset(charset: string | undefined): { encoding?: string } {
  if (charset === undefined) return {}
  if (encodingOf(charset) !== undefined) return { encoding: charset }
  throw new CustomAttributesError(
    'UNSUPPORTED_MEDIA_TYPE',
    'The charset of the content type is no known encoding. Name one of the Encoding Standard, or leave it out.',
    {},
  )
}

function noFile(): CustomAttributesError {
  return new CustomAttributesError('NO_FILE', 'No file provided', {
    expected: `multipart/form-data with the field ${FILE_FIELD}, or a text/csv body`,
  })
}

function notCsv(): CustomAttributesError {
  return new CustomAttributesError('NOT_CSV', 'File must be CSV', {
    expected: `a file named .csv or .tsv, or of the type ${[...CSV_TYPES].join(', ')}`,
  })
}

function fileTooLarge(maxBytes: number): CustomAttributesError {
  return new CustomAttributesError(
    'FILE_TOO_LARGE',
    `The file is over ${maxBytes} bytes. Split it into several files.`,
    { maxBytes },
  )
}

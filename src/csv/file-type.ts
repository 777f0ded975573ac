import { CustomAttributesError } from '../errors.js'

/** Formats that people upload by mistake: the bytes they start with, and what they are. */
const SIGNATURES: readonly (readonly [string, string])[] = [
  ['PK\x03\x04', 'a zip archive or an Excel workbook (.xlsx)'],
  ['PK\x05\x06', 'an empty zip archive'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook (.xls)'],
  ['%PDF', 'a PDF'],
  ['\x89PNG', 'a PNG image'],
  ['\xff\xd8\xff', 'a JPEG image'],
  ['GIF8', 'a GIF image'],
  ['RIFF', 'a media file'],
  ['BM', 'a BMP image'],
  ['\x1f\x8b', 'a gzip archive'],
  ['7z\xbc\xaf', 'a 7z archive'],
  ['Rar!', 'a RAR archive'],
  ['{\\rtf', 'an RTF document'],
]

const MARKUP = /^\s*<(?:!doctype|html|head|body|table|\?xml|svg)\b|^\s*<\?xml/i

/**
 * Recognises files that are no CSV by their first bytes.
 *
 * @throws CustomAttributesError `UNSUPPORTED_FILE` with what the file is and what to do
 */
export function checkFileType(head: Buffer): void {
  const start = head.toString('latin1', 0, 512).replace(/^\xef\xbb\xbf/, '')
  const found = SIGNATURES.find(([bytes]) => start.startsWith(bytes) && (bytes !== 'BM' || start.charCodeAt(6) === 0))
  const format = found?.[1] ?? (MARKUP.test(start) ? 'an HTML or XML page' : undefined)
  if (format !== undefined) throw unsupportedFile(format)
}

/** What a zip archive most often is. */
const SPREADSHEET = SIGNATURES.find(([bytes]) => bytes.startsWith('PK'))![1]

/**
 * Recognises spreadsheets by their name, where it is all that was read.
 *
 * @throws CustomAttributesError `UNSUPPORTED_FILE`, the same as for its bytes
 */
export function checkFileName(name: string): void {
  if (/\.xlsx$/i.test(name)) throw unsupportedFile(SPREADSHEET)
}

function unsupportedFile(format: string): CustomAttributesError {
  return new CustomAttributesError(
    'UNSUPPORTED_FILE',
    `File must be CSV, but this is ${format}. Open it in a spreadsheet and save it as "CSV UTF-8".`,
    { format },
  )
}

import { nameForm } from './names.js'

const RESERVED_FORMS = new Set(['id', 'accountid', 'createdat', 'updatedat', 'customattributes'])
const REJECTED_ROWS_HEADERS = new Set(['error_code', 'error_message'])
const SENSITIVE_FORMS = new Set(
  (
    'password passwd pwd passwordhash hashedpassword encryptedpassword passworddigest passwordsalt passwordtoken ' +
    'passwordresettoken resetpasswordtoken resettoken rptoken rememberme remembertoken accesstoken refreshtoken ' +
    'authtoken sessiontoken apitoken apikey apisecret secret secretkey privatekey otpsecret totpsecret'
  ).split(' '),
)

/** A header as a name: trimmed, on one line, without a spreadsheet's text mark. */
export function cleanHeader(header: string): string {
  const lines = header.split(/[\n\v\f\r\u0085\u2028\u2029]+/).map((line) => line.trim())
  return dropTextMark(lines.filter((line) => line !== '').join(' '))
}

/**
 * Drops one leading apostrophe before `=`, `+`, `-`, `@`, TAB or CR: the mark with which spreadsheets, and
 * `rejectedRowsCsv`, keep a cell from running as a formula.
 */
function dropTextMark(value: string): string {
  return value.charCodeAt(0) === 39 && '=+-@\t\r'.includes(value.charAt(1)) && value.length > 1 ? value.slice(1) : value
}

/** Why a column of this header is left out unless the options map it. */
export function whyLeftOut(header: string): 'blank' | 'reserved' | 'rejected_rows' | 'sensitive' | undefined {
  if (header === '') return 'blank'
  const form = nameForm(header)
  if (RESERVED_FORMS.has(form)) return 'reserved'
  if (REJECTED_ROWS_HEADERS.has(header.toLowerCase())) return 'rejected_rows'
  // A sign makes another name, and no less of a secret.
  if (SENSITIVE_FORMS.has(form.replace(/[^\p{L}\p{N}]/gu, ''))) return 'sensitive'
  return undefined
}

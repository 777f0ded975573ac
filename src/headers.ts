import { nameForm } from './names.js'
import { cleanValue } from './text-mark.js'
import { trim } from './trim.js'

const RESERVED_FORMS = new Set(['id', 'accountid', 'createdat', 'updatedat', 'customattributes'])
const REJECTED_ROWS_HEADERS = new Set(['error_code', 'error_message'])
const SENSITIVE_FORMS = new Set(
  (
    'password passwd pwd passwordhash hashedpassword encryptedpassword passworddigest passwordsalt passwordtoken ' +
    'passwordresettoken resetpasswordtoken resettoken rptoken rememberme remembertoken accesstoken refreshtoken ' +
    'authtoken sessiontoken apitoken apikey apisecret secret secretkey privatekey otpsecret totpsecret'
  ).split(' '),
)

/** A header as a name: on one line, and clean as a value is. */
export function cleanHeader(header: string): string {
  const lines = header.split(/[\n\v\f\r\u0085\u2028\u2029]+/).map((line) => trim(line))
  return cleanValue(lines.filter((line) => line !== '').join(' '))
}

/** Why a column of this header is left out unless the options map it. */
export function whyLeftOut(
  header: string,
  form = nameForm(header),
): 'blank' | 'reserved' | 'rejected_rows' | 'sensitive' | undefined {
  if (header === '') return 'blank'
  if (RESERVED_FORMS.has(form)) return 'reserved'
  if (REJECTED_ROWS_HEADERS.has(header.toLowerCase())) return 'rejected_rows'
  // A sign makes another name, and no less of a secret.
  if (SENSITIVE_FORMS.has(form.replace(/[^\p{L}\p{N}]/gu, ''))) return 'sensitive'
  return undefined
}

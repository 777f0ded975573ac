import { LIMITS } from './options.js'

/** Section 4.10.5.1.5 of the HTML standard: "valid email address". */
const EMAIL =
  /^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Whether a value is an e-mail address that a customer can have. */
export function isEmail(value: string): boolean {
  return value.length <= LIMITS.maxEmailLength && EMAIL.test(value)
}

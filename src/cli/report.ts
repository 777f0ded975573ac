import { type CustomAttributesError, isCustomAttributesError } from '../errors.js'

/** What the command says of its own: about its arguments, its files, its surroundings. */
export class CommandError extends Error {}

/** Exit codes; docs/command.md has them. */
export const EXIT = { done: 0, failed: 1, someRejected: 2 } as const

/** Writes a line to standard output. */
export function say(line = ''): void {
  process.stdout.write(`${printable(line)}\n`)
}

/** Writes a line to standard error: what a program that reads the output is not to see. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

export function sayJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** A text of a file as a terminal may have it: a control character could move its cursor or change its title. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}

/** Names a number of things: `1 row`, `2 rows`. */
export function count(number: number, thing: string): string {
  return `${number.toLocaleString('en')} ${thing}${number === 1 ? '' : 's'}`
}

/** Says what went wrong, without a stack unless it is asked for. */
export function sayError(error: unknown, isVerbose: boolean): void {
  note(`error: ${explain(error)}`)
  if (!isVerbose) return
  for (let each: unknown = error; each instanceof Error; each = each.cause) note(each.stack ?? each.message)
}

function explain(error: unknown): string {
  if (isCustomAttributesError(error)) return `${error.code}: ${error.message}${causeOf(error)}`
  if (error instanceof CommandError) return error.message
  return error instanceof Error ? error.message || error.name : String(error)
}

/** Where the message says "see cause": a terminal has no other way to see it. */
function causeOf({ message, cause }: CustomAttributesError): string {
  return /see cause/.test(message) && cause instanceof Error ? `\n  cause: ${cause.message}` : ''
}

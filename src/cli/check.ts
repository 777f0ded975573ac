import type { SchemaProblem } from '../db/schema-check.js'
import { type ConnectionFlags, withStore } from './connection.js'
import { count, EXIT, say, sayJson } from './report.js'

/** Says what the schema lacks, and how it is mended. */
export async function check(flags: ConnectionFlags & { json?: boolean }): Promise<number> {
  const problems = await withStore(flags, (store) => store.checkSchema())
  if (flags.json) sayJson(problems)
  else sayProblems(problems)
  return problems.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.done
}

function sayProblems(problems: readonly SchemaProblem[]): void {
  for (const { severity, message, sql } of problems) {
    say(`${severity}: ${message}`)
    // Many messages end with their remedy; a migration's text stands only here.
    if (sql !== undefined && !message.includes(sql)) say(indent(sql))
    say()
  }
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (errors > 0) say(`The schema is not ready: ${count(errors, 'problem')}.`)
  else say(problems.length === 0 ? 'The schema is ready.' : 'The schema is ready; the advice makes it faster.')
}

const indent = (text: string): string => text.trimEnd().replace(/^(?=.)/gm, '  ')

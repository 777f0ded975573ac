import type { ErrorCode, ErrorDetails, Problem } from '../errors.js'

/** The codes of what can be wrong with a template. */
export type TemplateProblemCode = Extract<
  ErrorCode,
  | 'TEMPLATE_SYNTAX'
  | 'UNCLOSED_SECTION'
  | 'SECTION_MISMATCH'
  | 'EMPTY_TAG'
  | 'UNSUPPORTED_TAG'
  | 'UNESCAPED_TAG'
  | 'TEMPLATE_TOO_LARGE'
  | 'TOO_MANY_TAGS'
  | 'TAG_TOO_LONG'
  | 'UNKNOWN_TAG'
  | 'SUSPECT_TEXT'
  | 'UNSAFE_TAG_POSITION'
>

/** What is wrong with a tag, to follow it in a sentence, and what to do. */
export type Fault = readonly [what: string, remedy: string]

/** Where in a template something stands. */
export interface TemplatePlace {
  /** counted from 1; LF, CR and CRLF end a line */
  line: number
  /** counted from 1, in UTF-16 code units as editors count them */
  column: number
}

/** Whether a problem stops the rendering of its template (`error`), or is told by the checks alone (`warning`). */
export type Severity = 'error' | 'warning'

const WARNINGS: ReadonlySet<TemplateProblemCode> = new Set(['UNKNOWN_TAG', 'SUSPECT_TEXT'])

/** Something that is wrong with a template. */
export interface TemplateProblem extends Problem {
  code: TemplateProblemCode
  severity: Severity
  details: ErrorDetails &
    Readonly<
      TemplatePlace & {
        /** the tag as typed, shortened when it is long; `''` when the problem is of the template as a whole */
        tag: string
        /** `UNKNOWN_TAG` only: the nearest known name, when one is near */
        suggestion?: string
      }
    >
}

/** Orders problems as their tags stand in the template. */
export function inTemplateOrder({ details: a }: TemplateProblem, { details: b }: TemplateProblem): number {
  return a.line - b.line || a.column - b.column
}

const LONGEST_QUOTE = 60

/**
 * Describes a problem of one tag.
 *
 * @param place - where the tag starts
 * @param tag - the tag as typed
 * @param what - what is wrong with it, to follow the tag in a sentence
 * @param remedy - what to do, as sentences
 * @param facts - further details
 */
export function tagProblem(
  code: TemplateProblemCode,
  { line, column }: TemplatePlace,
  tag: string,
  what: string,
  remedy: string,
  facts: ErrorDetails = {},
): TemplateProblem {
  const quoted = tag.length > LONGEST_QUOTE ? `${tag.slice(0, LONGEST_QUOTE)}…` : tag
  return {
    code,
    severity: WARNINGS.has(code) ? 'warning' : 'error',
    message: `${quoted} ${what} (line ${line}, column ${column}). ${remedy}`,
    details: { line, column, tag: quoted, ...facts },
  }
}

import { CustomAttributesError } from '../errors.js'

/**
 * What a failed statement means for the one who sent it:
 * - `refused`: the data was refused (a constraint, a type, a trigger); other data may pass
 * - `again`: the database undid the statement for a reason that passes (serialization, deadlock)
 * - `unsent`: no connection could be had, so nothing was sent
 * - `lost`: the connection broke; whether the statement took effect is unknown
 * - `fatal`: anything else
 */
export type FailureKind = 'refused' | 'again' | 'unsent' | 'lost' | 'fatal'

const REFUSED = /^(?:22|23|44)|^(?:P0001|54000)$/
const AGAIN = new Set(['40001', '40P01'])
const UNSENT = new Set([
  'ECONNREFUSED',
  'CONNECT_TIMEOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  '53300', // too_many_connections
  '57P03', // cannot_connect_now
])
const LOST = new Set(['CONNECTION_CLOSED', 'CONNECTION_DESTROYED', 'CONNECTION_ENDED', 'ECONNRESET', 'EPIPE'])
/** Connection exceptions, but for 08P01: a protocol violation is nothing that passes. */
const LOST_STATES = /^(?:08(?!P01)|57P01$|57P02$)/
/** How libpq tells Citus, and Citus without an SQLSTATE its client, that a worker is gone. */
const LOST_WORKER =
  /^(?:server closed the connection unexpectedly|could not (?:send data to|receive data from) server|connection not open|failure on connection marked as essential|no connection to the server|SSL connection has been closed unexpectedly)/

/** Errors that came from the client or the server. A host's callback may throw things with the same codes. */
const FROM_DATABASE = new WeakSet<object>()

/** Notes that an error came from the client or the server; only such errors are classified. */
export function noteDatabaseError(error: unknown): void {
  if (typeof error === 'object' && error !== null) FROM_DATABASE.add(error)
}

/** Whether an error came from the client or the server, and not from the host's own code. */
export function isDatabaseError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && FROM_DATABASE.has(error)
}

/** Classifies an error of the client by its SQLSTATE or its connection code. */
export function classifyFailure(error: unknown): FailureKind {
  if (!isDatabaseError(error)) return 'fatal'
  const code = codeOf(error)
  if (REFUSED.test(code)) return 'refused'
  if (AGAIN.has(code)) return 'again'
  if (UNSENT.has(code)) return 'unsent'
  if (LOST.has(code) || LOST_STATES.test(code)) return 'lost'
  if (code === 'XX000' && LOST_WORKER.test(messageOf(error))) return 'lost'
  return 'fatal'
}

/**
 * Whether the client's own connection broke, so that there is nothing to roll back on it. Citus tells of a lost worker in
 * an error like any other: the connection to the coordinator lives, and so does its transaction.
 */
export function isConnectionGone(error: unknown): boolean {
  return classifyFailure(error) === 'lost' && (error as { severity?: unknown }).severity !== 'ERROR'
}

/** Facts of a refusal that hold no value: PostgreSQL's own message and detail would. */
export interface Refusal {
  sqlstate: string
  constraint?: string
  column?: string
}

/**
 * PostgreSQL's sentences on a shard of Citus, which passes on a worker's sentence but no name; its own names of a shard's
 * table, indexes and, in part, constraints end with the shard's number.
 */
const SHARD_SENTENCES = [
  /^(?:duplicate key|conflicting key) value violates (?:unique|exclusion) constraint "(?<constraint>.+)_\d+"$/,
  /^insert or update on table ".+" violates foreign key constraint "(?<constraint>.+)_\d+"$/,
  /^new row for relation ".+_(\d+)" violates check constraint "(?<constraint>.+?)(?:_\1)?"$/,
  /^null value in column "(?<column>.+)" of relation ".+_\d+" violates not-null constraint$/,
]

/** What a refusal was about. */
export function describeRefusal(error: unknown): Refusal {
  const { constraint_name, column_name } = error as { constraint_name?: string; column_name?: string }
  const sqlstate = codeOf(error)
  const isNameless = sqlstate.startsWith('23') && !constraint_name && !column_name
  const sentence = isNameless ? messageOf(error) : ''
  const names = SHARD_SENTENCES.map((pattern) => pattern.exec(sentence)?.groups).find((groups) => groups)
  const [constraint, column] = [constraint_name || names?.constraint, column_name || names?.column]
  return { sqlstate, ...(constraint ? { constraint } : {}), ...(column ? { column } : {}) }
}

/** The sentence for a refused row or customer. */
export function refusalMessage({ sqlstate, constraint, column }: Refusal): string {
  const by = constraint ? ` by constraint "${constraint}"` : column ? ` for column "${column}"` : ''
  const remedy =
    sqlstate === '23503'
      ? 'It refers to a row that is not there, or rows of another table refer to it: mend these, or change the rule in the database.'
      : 'Correct the row, or change the rule in the database.'
  return `The database refused the row${by} (SQLSTATE ${sqlstate}). ${remedy}`
}

/** An error as the library throws it: what the client or the server said is explained, all else stays as it is. */
export function explainFailure(error: unknown): unknown {
  if (!isDatabaseError(error)) return error
  const kind = classifyFailure(error)
  if (kind === 'refused') {
    const refusal = describeRefusal(error)
    return new CustomAttributesError('ROW_REFUSED', refusalMessage(refusal), { ...refusal }, { cause: error })
  }
  if (kind === 'lost' || kind === 'unsent') {
    return new CustomAttributesError(
      'CONNECTION_LOST',
      kind === 'lost'
        ? 'The connection to the database was lost; whether the last statement took effect is unknown. Try again.'
        : 'No connection to the database could be had. Try again when the server answers.',
      { reason: codeOf(error) },
      { cause: error },
    )
  }
  return new CustomAttributesError(
    'DATABASE_ERROR',
    `The database reported an error${codeOf(error) ? ` (${codeOf(error)})` : ''}; see cause.`,
    { sqlstate: codeOf(error) },
    { cause: error },
  )
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null)?.message
  return typeof message === 'string' ? message : ''
}

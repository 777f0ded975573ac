/** What an error code means: the HTTP status it maps to and a short title. The table of docs/errors.md is tested against this one. */
export const ERROR_CATALOGUE = {
  INVALID_ARGUMENT: { status: 400, title: 'An argument has the wrong type or an impossible value' },
  INVALID_OPTION: { status: 400, title: 'An option is unknown or has the wrong type' },
  INVALID_ACCOUNT_ID: { status: 400, title: 'The account id does not fit the type of the account_id column' },
  INVALID_CUSTOMER: { status: 400, title: 'The customer object is not one this library can read' },
  INVALID_AUDIENCE: { status: 400, title: 'The audience is missing or cannot be resolved' },

  UNSUPPORTED_FILE: { status: 400, title: 'The file is not CSV but another format' },
  EMPTY_FILE: { status: 400, title: 'The file has no header row' },
  HEADER_MISSING: { status: 400, title: 'The file starts with data: no row names the columns' },
  INVALID_ENCODING: { status: 400, title: 'The bytes are not text in the encoding' },
  UNCLOSED_QUOTE: { status: 400, title: 'A quoted cell is never closed' },
  INVALID_QUOTE: { status: 400, title: 'A quote stands in the middle of a cell' },
  FILE_TOO_LARGE: { status: 413, title: 'The file is over maxBytes' },
  TOO_MANY_ROWS: { status: 413, title: 'The file is over maxRows' },
  TOO_MANY_COLUMNS: { status: 413, title: 'A record has more cells than maxColumns' },
  RECORD_TOO_LARGE: { status: 413, title: 'A record is over maxRecordBytes' },
  SOURCE_FAILED: { status: 400, title: 'Reading the CSV source failed' },

  EMAIL_COLUMN_MISSING: { status: 400, title: 'No column holds the email address' },
  DUPLICATE_COLUMN: { status: 400, title: 'Two columns are meant for one name' },
  TOO_MANY_ATTRIBUTES: { status: 400, title: 'More custom attributes than maxCustomAttributes' },
  INVALID_ATTRIBUTE_NAME: { status: 400, title: 'A header cannot be the name of a custom attribute' },
  UNKNOWN_COLUMN: { status: 400, title: 'An option names a column that the file does not have' },
  FIELD_NOT_FILLABLE: { status: 422, title: 'The file fills a standard field that can only be read' },
  FIELD_NOT_IN_TABLE: { status: 400, title: 'The file fills a standard field that the customer table lacks' },

  ATTRIBUTE_NOT_FOUND: { status: 404, title: 'The account has no attribute of this name' },
  UPLOAD_NOT_FOUND: { status: 404, title: 'The history has no such upload' },
  ATTRIBUTE_EXISTS: { status: 409, title: 'The account has an attribute of the new name already' },

  EMAIL_REQUIRED: { status: 400, title: 'The row has no email address' },
  INVALID_EMAIL: { status: 400, title: 'The email address is not valid' },
  COLUMN_COUNT_MISMATCH: { status: 400, title: 'The row and the headers differ in length' },
  INVALID_CHARACTER: { status: 400, title: 'A cell holds NUL or a lone surrogate, which PostgreSQL cannot store' },
  VALUE_TOO_LONG: { status: 400, title: 'A value is over maxValueLength or longer than its column' },
  INVALID_VALUE: { status: 400, title: 'A value does not fit the type of its column' },
  CUSTOMER_EXISTS: { status: 409, title: 'The customer exists and existing is reject' },
  CUSTOMER_NOT_FOUND: { status: 404, title: 'The customer does not exist and unknown is reject' },
  CUSTOMER_DELETED: { status: 409, title: 'The customer of the row is deleted, and nothing revives it' },
  ROW_NOT_ALLOWED: { status: 422, title: 'A rule of the host application does not allow the row' },
  ROW_REFUSED: { status: 409, title: 'The database refused the row: a constraint, a type or a trigger' },
  INVALID_ROW: { status: 422, title: 'A row was rejected and onInvalidRow is abort' },

  ABORTED: { status: 499, title: 'The signal stopped the work' },
  CONNECTION_LOST: { status: 503, title: 'The connection to the database was lost' },
  SCHEMA_NOT_READY: { status: 500, title: 'The database lacks what the library needs' },
  DATABASE_ERROR: { status: 500, title: 'The database reported an error; see cause' },

  TEMPLATE_SYNTAX: { status: 400, title: 'The template is not valid' },
  UNCLOSED_SECTION: { status: 400, title: 'A section is opened and never closed' },
  SECTION_MISMATCH: { status: 400, title: 'A section is closed by another name, or never opened' },
  EMPTY_TAG: { status: 400, title: 'A tag has no name' },
  UNSUPPORTED_TAG: { status: 400, title: 'Partials, delimiter changes and {{.}} are not supported' },
  UNESCAPED_TAG: { status: 400, title: 'An unescaped tag in html without allowUnescaped' },
  TEMPLATE_TOO_LARGE: { status: 413, title: 'The template is over 256 KiB' },
  TOO_MANY_TAGS: { status: 400, title: 'The template has more than 500 tags' },
  TAG_TOO_LONG: { status: 400, title: 'A tag is over 200 characters' },
  UNKNOWN_TAG: { status: 400, title: 'A tag is no standard field, custom attribute or extra tag' },
  SUSPECT_TEXT: { status: 400, title: 'Text that was most likely a tag (a warning of the checks)' },
  UNSAFE_TAG_POSITION: { status: 400, title: 'A tag stands where no escaping makes its value safe' },
  MISSING_VALUE: { status: 422, title: 'The customer lacks a value and missing is error' },

  NO_FILE: { status: 400, title: 'No file provided' },
  NOT_CSV: { status: 400, title: 'File must be CSV, by its name and type' },
  INVALID_REQUEST: { status: 400, title: 'The request is not one that the HTTP API understands' },
  FORBIDDEN: { status: 403, title: 'The host application does not allow the request' },
  NOT_FOUND: { status: 404, title: 'The HTTP API has no such path' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path exists for another method' },
  REQUEST_TIMEOUT: { status: 408, title: 'The client stopped sending its request' },
  REQUEST_TOO_LARGE: {
    status: 413,
    title: 'The request has too many parts, or a part other than the file is too large',
  },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The HTTP API does not read bodies of this type or encoding' },
  INTERNAL_ERROR: { status: 500, title: 'An error that is not for the client; onError has it' },
} as const satisfies Record<string, { status: number; title: string }>

/** The code of a {@link CustomAttributesError}: stable, upper snake case, listed in docs/errors.md. */
export type ErrorCode = keyof typeof ERROR_CATALOGUE

/**
 * Where and what exactly: JSON-safe, so that it can go into a log or a response as it is. Never holds a cell's value. Lists
 * are cut after 100 entries, texts after 4,000 characters.
 */
export type ErrorDetails = Readonly<Record<string, unknown>>

const BRAND = Symbol.for('postgres-custom-attributes.error')

/**
 * The one class of errors that this library throws.
 *
 * The message says what was wrong, where, and what to do; it never repeats a cell's value. Recognise it with
 * {@link isCustomAttributesError}, which also holds when the ESM and the CommonJS copy of the package meet.
 */
export class CustomAttributesError extends Error {
  /** Stable code; see docs/errors.md. */
  readonly code: ErrorCode
  /** The HTTP status that fits the code. */
  readonly status: number
  /** Place and numbers of the problem; JSON-safe. */
  readonly details: ErrorDetails

  /**
   * @param code - a code of the catalogue
   * @param message - what was wrong, where, and the remedy
   * @param details - JSON-safe facts; default `{}`
   * @param options - `cause`: the original error, when there is one
   */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: { cause?: unknown }) {
    super(cutText(message), options)
    this.name = 'CustomAttributesError'
    this.code = code
    this.status = ERROR_CATALOGUE[code].status
    this.details = cutDetails(details) as ErrorDetails
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/**
 * Whether `error` is a {@link CustomAttributesError}, by its brand and not by `instanceof`.
 *
 * @param error - anything that was thrown
 * @param code - when given, also asks for this code
 */
export function isCustomAttributesError(error: unknown, code?: ErrorCode): error is CustomAttributesError {
  return (
    typeof error === 'object' &&
    error !== null &&
    (error as Record<symbol, unknown>)[BRAND] === true &&
    (code === undefined || (error as CustomAttributesError).code === code)
  )
}

/** A problem as data: what a check or a rejected row reports instead of throwing. */
export interface Problem {
  code: ErrorCode
  message: string
  details: ErrorDetails
}

/** Characters of a message or a text in details, and entries of a list there: a hostile request is not told all of itself. */
const MOST_CHARACTERS = 4_000
const MOST_ENTRIES = 100

function cutText(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS).replace(/\p{Cs}$/u, '')}…`
}

/** The details, lists and texts cut to what a log or a response can bear. */
function cutDetails(value: unknown): unknown {
  if (typeof value === 'string') return cutText(value)
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map(cutDetails)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ENTRIES)
      .map(([key, entry]) => [cutText(key), cutDetails(entry)]),
  )
}

/** A problem as data, cut like the error it would be. */
export function cutProblem<P extends Problem>(problem: P): P {
  return { ...problem, message: cutText(problem.message), details: cutDetails(problem.details) as ErrorDetails }
}

/** Throws a problem that was found as data. */
export function throwProblem({ code, message, details }: Problem): never {
  throw new CustomAttributesError(code, message, details)
}

/** An error of the library as data; any other error is thrown again. */
export function toProblem(error: unknown): Problem {
  if (!isCustomAttributesError(error)) throw error
  return { code: error.code, message: error.message, details: error.details }
}

/** The HTTP API as the page uses it. */
import type {
  Audience,
  ColumnTarget,
  FieldSuggestion,
  MappedColumn,
  Problem,
  RejectedRow,
  TemplateProblem,
} from 'postgres-custom-attributes/pure'

/** The account of `?account=…`; without one the demo's own. */
export const accountId = new URLSearchParams(location.search).get('account') ?? '00000000-0000-4000-8000-000000000001'

const api = `/api/accounts/${encodeURIComponent(accountId)}`
const account = `account=${encodeURIComponent(accountId)}`

export const rejectedCsvUrl = `/demo/rejected.csv?${account}`

/** An audience as a file; with the mark by which spreadsheets recognise UTF-8. */
export const exportUrl = (audience: Audience): string => {
  const whom = audience === 'all' ? audience : JSON.stringify(audience)
  return `${api}/customers/export?bom=true&audience=${encodeURIComponent(whom)}`
}

/** All customers as a file, those who have opted out, too. */
export const backupUrl = `${exportUrl('all')}&opted_out=include`

/** A customer, as the store returns it. */
export interface Customer {
  id: string
  email: string
  custom_attributes: Record<string, string>
  [field: string]: unknown
}

export interface MergeTags {
  standard_fields: string[]
  custom_attributes: string[]
}

export interface PreviewColumn extends MappedColumn {
  samples: string[]
  suggestions?: FieldSuggestion[]
}

export interface Preview {
  encoding: string
  delimiter: string
  headers: string[]
  columns: PreviewColumn[]
  warnings: { message: string }[]
  problems: Problem[]
}

export interface Progress {
  bytes_read: number
  rows_read: number
  customers_created: number
  customers_updated: number
  customers_unchanged: number
  rows_rejected: number
}

export interface UploadResult {
  rows_total: number
  customers_created: number
  customers_updated: number
  customers_unchanged: number
  rows_rejected: number
  custom_attributes_found: string[]
  headers: string[]
  warnings: { message: string }[]
  rejected: RejectedRow[]
}

export interface Message {
  subject: string
  html: string
  text: string
}

export interface Preflight {
  recipients: number
  complete: number
  tags: { name: string; missing: number }[]
  unknown_tags: (TemplateProblem & { part?: string })[]
}

/** How many an audience has, and how many are left out of it and why. */
export type CustomerCount = Record<'customers' | 'without_email' | 'incomparable' | 'suppressed' | 'opted_out', number>

/** Which customers a table shows. */
export interface Wanted {
  audience: Audience
  search: string
  sort: string
  descending: boolean
  limit: number
  cursor?: string
}

/** Some customers, and where to go on. */
export interface Found {
  customers: Customer[]
  next: string | null
  previous: string | null
}

/** What is known of an attribute. */
export interface Attribute {
  name: string
  customers: number
  /** of all customers, 0 to 1 */
  share: number
  distinct_values: number | 'more'
  examples: string[]
  kind: string | null
  last_seen_at: string | null
}

/** An upload, as its history has it. */
export interface Upload {
  id: string
  status: 'running' | 'completed' | 'failed' | 'undone'
  file_name: string | null
  counts: Partial<
    Record<'rows_total' | 'customers_created' | 'customers_updated' | 'customers_unchanged' | 'rows_rejected', number>
  >
  started_at: string
}

/** What undoing an upload does. */
export interface Undone {
  customers_restored: number
  customers_removed: number
  customers_kept: number
  values_kept: number
  customers_gone: number
  attributes_removed: string[]
}

/** Which value a customer keeps that has both names. */
export type KeptValue = 'keep-target' | 'keep-source'

/** What the server said is wrong. */
export class ApiError extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor({ error, code, details = {} }: { error: string; code: string; details?: Record<string, unknown> }) {
    super(error)
    this.code = code
    this.details = details
  }
}

async function request<Body>(path: string, init?: RequestInit): Promise<Body> {
  const response = await fetch(path, init)
  const body = await response.json()
  if (!response.ok) throw new ApiError(body)
  return body
}

function post<Body>(path: string, body: object, signal?: AbortSignal): Promise<Body> {
  const headers = { 'content-type': 'application/json' }
  return request(path, { method: 'POST', headers, body: JSON.stringify(body), ...(signal && { signal }) })
}

export const getMergeTags = (): Promise<MergeTags> => request(`${api}/merge-tags`)

export const getCustomers = async (after?: string): Promise<Customer[]> => {
  const page = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
  return (await request<{ customers: Customer[] }>(`/demo/customers?${account}${page}`)).customers
}

export const countCustomers = (audience: Audience, signal: AbortSignal): Promise<CustomerCount> =>
  post(`${api}/customers/count`, { audience }, signal)

export const findCustomers = (wanted: Wanted, signal: AbortSignal): Promise<Found> =>
  post(`${api}/customers/find`, wanted, signal)

export const runPreflight = (message: Message, audience: Audience): Promise<Preflight> =>
  post(`${api}/templates/preflight`, { message, audience })

export const getAttributes = async (): Promise<Attribute[]> =>
  (await request<{ attributes: Attribute[] }>(`${api}/attributes`)).attributes

/** Renames an attribute; the parts of the message that use it come back with its new name. */
export const renameAttribute = (
  change: { from: string; to: string; on_conflict?: KeptValue },
  message: Message,
): Promise<{ customers_changed: number; templates: Partial<Message> }> =>
  // One format for all parts: in this one names stand in the tags as they are, which HTML reads as well.
  post(`${api}/attributes/rename`, { ...change, templates: message, format: 'text' })

export const removeAttribute = (name: string): Promise<{ customers_changed: number }> =>
  post(`${api}/attributes/remove`, { name })

/** Removes the attributes that no customer has. */
export const pruneAttributes = (): Promise<{ attributes: { name: string }[] }> =>
  post(`${api}/attributes/prune`, { without_values: true })

/** The newest uploads, or those before one. */
export const getUploads = async (limit: number, before?: string): Promise<Upload[]> => {
  const page = before === undefined ? '' : `&before=${before}`
  return (await request<{ uploads: Upload[] }>(`${api}/uploads?limit=${limit}${page}`)).uploads
}

/** Takes an upload back; with `dryRun` only says what that would do. */
export const undoUpload = (id: string, { dryRun }: { dryRun: boolean }): Promise<Undone> =>
  post(`${api}/uploads/${id}/undo`, { dry_run: dryRun })

export function previewFile(file: File): Promise<Preview> {
  const body = new FormData()
  body.append('file', file)
  return request(`${api}/customers/upload/preview`, { method: 'POST', body })
}

export interface UploadOptions {
  columns: readonly ColumnTarget[]
  dryRun: boolean
  signal: AbortSignal
  /** called with the bytes that are on their way to the server */
  onSent: (bytes: number) => void
  onProgress: (progress: Progress) => void
}

/**
 * Uploads a file and listens to the server's events meanwhile.
 *
 * By XMLHttpRequest: over HTTP/1.1 a browser hands out a response only when all of the request is sent, so that of a
 * large file `fetch` would tell nothing until its end. This tells the bytes sent first, and the server's events then.
 */
export function uploadFile(file: File, options: UploadOptions): Promise<UploadResult> {
  const { columns, dryRun, signal, onSent, onProgress } = options
  const body = new FormData()
  // Before the file, which is read as it comes in.
  body.append('columns', JSON.stringify(columns))
  body.append('file', file)
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', `${api}/customers/upload${dryRun ? '?dry_run=true' : ''}`)
    xhr.setRequestHeader('accept', 'text/event-stream')
    xhr.upload.onprogress = ({ loaded }) => onSent(loaded)
    let taken = 0
    const takeEvents = () => {
      const end = xhr.responseText.lastIndexOf('\n\n')
      for (const { event, data } of parseEvents(xhr.responseText.slice(taken, Math.max(taken, end)))) {
        if (event === 'progress') onProgress(data as Progress)
        if (event === 'result') resolve(data as UploadResult)
        if (event === 'error') reject(new ApiError(data as ApiError & { error: string }))
      }
      taken = Math.max(taken, end)
    }
    xhr.onprogress = () => xhr.status === 200 && takeEvents()
    xhr.onload = () => {
      if (xhr.status !== 200) return reject(new ApiError(JSON.parse(xhr.responseText)))
      takeEvents()
      // Without effect when there was a result.
      reject(new ApiError({ error: 'The server ended the upload without a result.', code: 'CONNECTION_LOST' }))
    }
    xhr.onerror = () => reject(new ApiError({ error: 'The connection to the server broke.', code: 'CONNECTION_LOST' }))
    xhr.onabort = () => reject(new DOMException('The upload was cancelled.', 'AbortError'))
    signal.addEventListener('abort', () => xhr.abort())
    xhr.send(body)
  })
}

function parseEvents(text: string): { event: string; data: unknown }[] {
  return text.split('\n\n').flatMap((block) => {
    const event = /^event: (.*)$/m.exec(block)?.[1]
    const data = /^data: (.*)$/m.exec(block)?.[1]
    return event && data ? [{ event, data: JSON.parse(data) }] : []
  })
}

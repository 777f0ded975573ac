import type { CustomAttributesError } from '../errors.js'
import type { CustomAttributesStore } from '../store-methods.js'
import type { HttpSettings } from './settings.js'

/** A request that was let through, and what answers it. */
export interface Exchange {
  store: CustomAttributesStore
  settings: HttpSettings
  request: Request
  query: URLSearchParams
  accountId: string
  /** the upload of the path; empty where it names none */
  uploadId: string
  /** The error as the client gets it; the host hears of those that are its own. */
  explain(error: unknown): CustomAttributesError
}

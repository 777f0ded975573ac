import { CustomAttributesError } from '../errors.js'
import { isFlag, isFunction, isObject, type OptionRule, resolveOptions, wholeNumber, withDefault } from '../options.js'
import { createUnsubscribeTokens, type UnsubscribeTokenOptions } from '../suppression/tokens.js'
import { TEMPLATE_OPTIONS, type TemplateOptions } from '../template/template-options.js'
import { type ResolvedUploadOptions, resolveUploadOptions, type UploadOptions } from '../upload/options.js'
import type { HttpRoute } from './routes.js'

/** Options of {@link createHttpHandler}; those of templates are for every check and preview. */
export interface HttpHandlerOptions
  extends Pick<TemplateOptions, 'extraTags' | 'allowUnescaped' | 'locale' | 'timeZone' | 'filters'> {
  /**
   * Decides whether a request may do what it wants, before its body is read and before the database is asked. Required.
   * `true` lets it through; a `Response` is sent as it is; all else is answered with 403. A host that knows its users by
   * cookies also makes sure that the request comes from its own pages (`Sec-Fetch-Site` or `Origin`).
   *
   * @param request - its body must be left unread
   * @param route - the account id of the path, and `action`, which is one of `HttpAction`: `upload`, `merge_tags`, `remove_attribute` …
   */
  authorize: (request: Request, route: HttpRoute) => boolean | Response | Promise<boolean | Response>
  /** What stands before `/accounts` in the path. Default `/api`; `/` for nothing. */
  basePath?: string
  /** Whether a request may ask for `atomic`, which holds locks until the upload's end. Default `false`. */
  allowAtomic?: boolean
  /** Whether a request may ask for `dry_run`, which holds locks and fires triggers, too. Default `false`. */
  allowDryRun?: boolean
  /** Whether a request may say `constants`, values that every row gets. Default `false`. */
  allowConstants?: boolean
  /** Whether a request may say `opt_outs=overwrite`, by which a file turns back who has opted out (the store's `optOut`). Default `false`. */
  allowOptOuts?: boolean
  /**
   * The host's settings of every upload and preview, such as `maxBytes`, `maxRows`, `fillable` or `dateFormat`. Those that
   * the API has a parameter for are defaults, which a request may override; never `fillable`. Default none.
   */
  upload?: Omit<UploadOptions, 'columns' | 'signal' | 'onProgress' | 'onRejected'>
  /**
   * Serves `{basePath}/unsubscribe/{token}`, by which a recipient unsubscribes with one click (RFC 8058): `secret` is that of
   * `createUnsubscribeTokens`. The token is the right, and `authorize` is not asked. The store needs the option `suppressions`.
   * Default: there is no such path.
   */
  unsubscribe?: UnsubscribeTokenOptions
  /** Most milliseconds in which a client sends nothing while more is awaited. Default 30,000; 0 waits for ever. */
  idleTimeout?: number
  /**
   * Most milliseconds for the body of an upload with `atomic` or `dry_run`, which keeps a connection and the account's lock
   * until it has come. Default 120,000; 0 waits for ever.
   */
  heldTimeout?: number
  /**
   * Receives every error that is the host's to look at: those a client only sees as `INTERNAL_ERROR`, and those of the
   * catalogue with a status from 500. It is not waited for, and what it throws or rejects with is dropped. Default: nobody.
   */
  onError?: (error: unknown, context: { request: Request; route?: HttpRoute }) => unknown
}

/** The options with nothing left open. */
export interface HttpSettings extends Required<Omit<HttpHandlerOptions, 'upload' | 'unsubscribe'>> {
  upload: ResolvedUploadOptions
  unsubscribe?: UnsubscribeTokenOptions
}

const isBasePath: OptionRule = (value) =>
  typeof value === 'string' && /^(?:\/[^?#]*)?$/.test(value) ? undefined : 'a path that starts with /'

const OPTIONS = {
  authorize: isFunction,
  basePath: withDefault(isBasePath, '/api'),
  allowAtomic: withDefault(isFlag, false),
  allowDryRun: withDefault(isFlag, false),
  allowConstants: withDefault(isFlag, false),
  allowOptOuts: withDefault(isFlag, false),
  upload: isObject,
  unsubscribe: isObject,
  extraTags: withDefault(isObject, {}),
  allowUnescaped: TEMPLATE_OPTIONS.allowUnescaped,
  locale: TEMPLATE_OPTIONS.locale,
  timeZone: TEMPLATE_OPTIONS.timeZone,
  filters: withDefault(TEMPLATE_OPTIONS.filters, {}),
  idleTimeout: withDefault(wholeNumber(0, 2 ** 31 - 1), 30_000),
  heldTimeout: withDefault(wholeNumber(0, 2 ** 31 - 1), 120_000),
  onError: withDefault(isFunction, () => {}),
}

/** Options of an upload that are made anew for each request. */
const PER_REQUEST = ['columns', 'signal', 'onProgress', 'onRejected'] as const

/** @throws CustomAttributesError `INVALID_OPTION` */
export function resolveSettings(options: HttpHandlerOptions): HttpSettings {
  const settings = resolveOptions('createHttpHandler', OPTIONS, options)
  if (settings.authorize === undefined) {
    throw new CustomAttributesError(
      'INVALID_OPTION',
      'createHttpHandler: authorize must be a function that says who may do what, got undefined.',
      { function: 'createHttpHandler', option: 'authorize' },
    )
  }
  // Tells of a secret that is none before the first request.
  if (settings.unsubscribe) createUnsubscribeTokens(settings.unsubscribe)
  const upload: UploadOptions = settings.upload ?? {}
  const wrong = PER_REQUEST.find((name) => upload[name] !== undefined)
  if (wrong) {
    throw new CustomAttributesError(
      'INVALID_OPTION',
      `createHttpHandler: upload.${wrong} is made for each request by the handler. Leave it out.`,
      { function: 'createHttpHandler', option: `upload.${wrong}` },
    )
  }
  return { ...settings, basePath: settings.basePath.replace(/\/+$/, ''), upload: resolveUploadOptions(upload) }
}

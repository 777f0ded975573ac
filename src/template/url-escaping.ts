import { percentEncode } from './filters.js'
import { escapeHtml } from './formats.js'

/** Where in a URL the next character stands; what is written there decides what a value may be. */
export type UrlPart =
  /** nothing is written yet */
  | 'start'
  /** what may become a scheme, or the first part of a path */
  | 'head'
  /** the same, with a tag in it */
  | 'head with tag'
  /** behind a tag at the start, and no `/ ? #` since */
  | 'after start'
  /** a single slash; another one would begin a server's name */
  | 'root'
  /** the name of the server, which decides the origin */
  | 'authority'
  /** the path: no value can change the origin any more */
  | 'path'
  /** query or fragment */
  | 'settled'
  /** the address of an e-mail */
  | 'mail'
  /** behind `javascript:` and the like */
  | 'code'
  /** the ways through the sections before lead to different parts */
  | 'unknown'

/** A URL as far as it is written. */
export interface UrlState {
  part: UrlPart
  /** its text so far, as long as no tag stands in it and the part is not settled */
  head: string
}

export const URL_START: UrlState = { part: 'start', head: '' }

const LONGEST_HEAD = 1000
const SPECIAL_SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'ftp', 'ws', 'wss', 'file'])
const CODE_SCHEMES: ReadonlySet<string> = new Set(['javascript', 'vbscript', 'data'])

/** The URL behind a literal text; undefined when its colon makes a scheme of a tag before it. */
export function afterLiteral(url: UrlState, literal: string): UrlState | undefined {
  // URL parsers drop these wherever they stand.
  const text = literal.replace(/[\t\n\r]/g, '')
  const delimiter = /[:/?#\\]/.exec(text)?.[0]
  switch (url.part) {
    case 'settled':
    case 'code':
      return url
    case 'path':
    case 'mail':
      return /[?#]/.test(text) ? settle(text) : url
    case 'after start':
    case 'head with tag':
      if (delimiter === ':') return undefined
      return delimiter === undefined ? url : settle(text)
    case 'unknown':
      if (delimiter === ':') return undefined
      return /[?#]/.test(text) ? settle(text) : url
    default:
      if (url.head.length > LONGEST_HEAD) return afterLongHead(url, text, delimiter)
      return ofHead((url.head + text).replace(/^[\0- ]+/, ''))
  }
}

/** The URL behind a text that ends all that decides its origin. */
function settle(text: string): UrlState {
  return { part: /[?#]/.test(text) ? 'settled' : 'path', head: '' }
}

function afterLongHead(url: UrlState, text: string, delimiter: string | undefined): UrlState {
  if (url.part === 'head' || (delimiter !== undefined && delimiter !== ':')) return settle(text)
  return url
}

function ofHead(head: string): UrlState {
  if (head === '') return URL_START
  const [, before = '', delimiter] = /^([^/?#\\:]*)([/?#\\:])/.exec(head) ?? []
  if (delimiter === undefined) return { part: 'head', head }
  if (delimiter === ':') {
    const scheme = before.toLowerCase()
    if (CODE_SCHEMES.has(scheme)) return { part: 'code', head: '' }
    if (SPECIAL_SCHEMES.has(scheme)) return ofAuthority(head, head.slice(before.length + 1))
    return scheme === 'mailto' && !head.includes('?') ? { part: 'mail', head: '' } : settle(head)
  }
  if (before === '' && /^[/\\]{2}/.test(head)) return ofAuthority(head, head)
  return head === '/' || head === '\\' ? { part: 'root', head } : settle(head)
}

function ofAuthority(head: string, rest: string): UrlState {
  return /[/?#\\]/.test(rest.replace(/^[/\\]+/, '')) ? settle(rest) : { part: 'authority', head }
}

/** The URL behind a tag. */
export function afterTag(url: UrlState): UrlState {
  switch (url.part) {
    case 'start':
      return { part: 'after start', head: '' }
    case 'head':
      return { part: 'head with tag', head: '' }
    case 'root':
      return { part: 'path', head: '' }
    case 'authority':
      return { part: 'unknown', head: '' }
    default:
      return url
  }
}

/** The URL behind a section, whose ways end so. */
export function joinUrls(a: UrlState, b: UrlState): UrlState {
  if (a.part === b.part && a.head === b.head) return a
  const isSettled = ({ part }: UrlState) => part === 'path' || part === 'settled' || part === 'mail'
  if (isSettled(a) && isSettled(b)) return { part: 'path', head: '' }
  return { part: a.part === 'code' || b.part === 'code' ? 'code' : 'unknown', head: '' }
}

/** Escapes a value in the path; undefined when it would leave the folder, which no encoding of dots prevents. */
export function escapeInPath(text: string): string | undefined {
  return /^\.{1,2}$/.test(text) ? undefined : percentEncode(text)
}

/** The same behind the first slash: with a slash behind it, nothing at all would begin a server's name. */
export function escapeBehindRoot(text: string): string | undefined {
  return text === '' ? '.' : escapeInPath(text)
}

/** Escapes a value behind `?` or behind `#`. */
export function escapeInUrl(text: string): string {
  return percentEncode(text)
}

/** The same of a value that the filter `url` has percent-encoded: nothing is encoded twice. */
export function escapeEncoded(text: string): string {
  return text.replace(/(%[\da-f]{2})|[^%]+|%/gi, (piece, encoded) => encoded ?? percentEncode(piece))
}

/** That in a path, where it must not leave the folder either; and behind the first slash. */
export function escapeEncodedInPath(text: string): string | undefined {
  return /^\.{1,2}$/.test(text) ? undefined : escapeEncoded(text)
}

export function escapeEncodedBehindRoot(text: string): string | undefined {
  return text === '' ? '.' : escapeEncodedInPath(text)
}

/** Escapes the address behind `mailto:`, which stays readable. */
export function escapeMailbox(text: string): string {
  return percentEncode(text).replaceAll('%40', '@')
}

/** What could end a quoted attribute value or be read in different ways: encoded wherever it stands. */
const UNSAFE_IN_URL = /%(?![\da-f]{2})|[\0- "'<>\\^`{|}\x7f-\xa0\u2028-\u202e\u2066-\u2069]|\p{Cs}/giu

/**
 * Escapes a value that is a URL, or its beginning; undefined when it is none that a link may have: http, https, mailto,
 * tel, or relative. What is looked at is what is printed.
 */
export function escapeUrl(text: string): string | undefined {
  const url = text.replace(/^[\0- ]+|[\0- ]+$/g, '').replace(/[\t\n\r]/g, '')
  const [, scheme] = /^([^/?#]*?):/.exec(url) ?? []
  const isAllowed =
    scheme === undefined
      ? url !== '' && !/^[/\\]{2}(?![^/?#\\@:])/.test(url)
      : /^(?:https?:\/\/[^/?#\\@:]|mailto:|tel:)/i.test(url)
  if (!isAllowed) return undefined
  // With a slash behind it, a slash alone would begin a server's name.
  return url === '/' ? '/.' : escapeHtml(url.replace(UNSAFE_IN_URL, percentEncode))
}

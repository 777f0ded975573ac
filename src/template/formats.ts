const HTML_SPECIAL = /[&<>"']/
const EACH_HTML_SPECIAL = /[&<>"']/g
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes `& < > " '` for HTML text and quoted attribute values, and nothing else: a URL stays a URL. */
export function escapeHtml(text: string): string {
  // Most values need no escaping, and a test costs a third of a replace.
  return HTML_SPECIAL.test(text) ? text.replace(EACH_HTML_SPECIAL, (character) => ENTITIES[character]!) : text
}

// Control characters (C0, DEL, C1) and the line separators of Unicode; bidi embeddings, overrides and isolates.
const EACH_BREAKING_RUN = /[\0-\x1f\x7f-\x9f\u2028\u2029]+/g
const EACH_BIDI_RUN = /[\u202a-\u202e\u2066-\u2069]+/g
const UNFIT_FOR_LINE = /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/

/** Whether {@link toLine} would leave a text as it is. */
export function fitsOneLine(text: string): boolean {
  return !UNFIT_FOR_LINE.test(text)
}

/**
 * Makes one line of a text: bidi embeddings, overrides and isolates are dropped; every run of control and line-separator
 * characters becomes one space. So no value can add a header to a mail or turn round what its reader sees.
 */
export function toLine(text: string): string {
  return text.replace(EACH_BIDI_RUN, '').replace(EACH_BREAKING_RUN, ' ')
}

/** Blanks, with the invisible characters that editors leave between them. */
const BLANK = '[\\s\\u00ad\\u200b-\\u200d\\u2060]'
const OUTER_BLANKS = new RegExp(`^${BLANK}+|${BLANK}+$`, 'g')
const LONG_SPELLING = new RegExp(`^default${BLANK}*:${BLANK}*`, 'i')
const COLON_FORGOTTEN = new RegExp(`^default(?:${BLANK}*=|${BLANK}+["“”„'‘’‚])`, 'i')
const QUOTED = /^(?:["“”„].*["“”]|['‘’‚].*['‘’])$/s
const UNCLOSED_QUOTE = /^["“„]/

const CHARACTERS: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  ldquo: '“',
  rdquo: '”',
  bdquo: '„',
  lsquo: '‘',
  rsquo: '’',
  sbquo: '‚',
  '#34': '"',
  '#39': "'",
  nbsp: '\u00a0',
  '#160': '\u00a0',
}

/** The text of a fallback; or what is wrong with it and the remedy. */
export type Fallback = { text: string; fault?: undefined } | { text?: undefined; fault: [what: string, remedy: string] }

/**
 * Reads what stands behind the bar of a tag: `default: "text"` or just `text`, in straight, curly or no quotes.
 *
 * @param typed - the template's characters between `|` and the end of the tag
 * @param isHtml - in html an editor has written `Tom &amp; Jerry` for `Tom & Jerry`: it is read back, and escaped again
 *   when it is printed
 */
export function parseFallback(typed: string, isHtml: boolean): Fallback {
  const text = (isHtml ? decodeEntities(typed) : typed).replace(OUTER_BLANKS, '')
  if (COLON_FORGOTTEN.test(text)) {
    return { fault: ['has no colon after default', 'Write it as in {{name | default: "text"}}.'] }
  }
  const spelled = text.replace(LONG_SPELLING, '')
  if (QUOTED.test(spelled) && spelled.length > 1) return { text: spelled.slice(1, -1) }
  if (UNCLOSED_QUOTE.test(spelled)) {
    return { fault: ['has a fallback that opens a quote and does not end with one', 'Close the quote, or drop it.'] }
  }
  return { text: spelled }
}

/** Replaces the character references that HTML editors write: of `& < > " '`, of curly quotes and the no-break space. */
export function decodeEntities(html: string): string {
  return html.replace(/&(#?\w+);/g, (entity, name: string) =>
    Object.hasOwn(CHARACTERS, name) ? CHARACTERS[name]! : entity,
  )
}

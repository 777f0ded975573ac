import { characterEntities } from 'character-entities'

/** A character reference of HTML: each ends in `;`, as every editor writes it, so that `R&D` stays. */
const REFERENCES = /&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z][a-z\d]*));/gi

/** Whether at a position an HTML character reference begins. */
export const REFERENCE = new RegExp(REFERENCES, 'iy')

/**
 * Reads the character references of HTML (`&eacute;`, `&#233;`, `&#xe9;`), named and numeric, as the HTML standard lists
 * them. What is no reference stays as it is.
 *
 * The names are those of `character-entities`, which takes 12 kB of a browser bundle where the table of `entities` takes 20.
 */
export function readReferences(html: string): string {
  if (!html.includes('&')) return html
  return html.replace(REFERENCES, (reference, decimal?: string, hexadecimal?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(characterEntities, name) ? characterEntities[name]! : reference
    return fromCodePoint(decimal === undefined ? Number.parseInt(hexadecimal!, 16) : Number(decimal))
  })
}

/** What the HTML standard reads 128 to 159 as: the characters of windows-1252; runtimes' decoders differ here. */
const C1 =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178'

/** The character of a numeric reference, as the HTML standard reads it. */
function fromCodePoint(code: number): string {
  if (code === 0 || !(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  return code >= 0x80 && code <= 0x9f ? C1.charAt(code - 0x80) : String.fromCodePoint(code)
}

/**
 * Reads the references of a URL in a template as a parser of HTML may: also without `;`, and of any length. Too much is read
 * rather than too little: what could be a colon is one.
 */
export function readUrlReferences(url: string): string {
  if (!url.includes('&')) return url
  return readReferences(url).replace(/&#(?:x([\da-f]+)|(\d+));?/gi, (_, hexadecimal?: string, decimal?: string) =>
    fromCodePoint(hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16)),
  )
}

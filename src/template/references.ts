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

/** The character of a numeric reference, as the HTML standard reads it: 128 to 159 are those of windows-1252. */
function fromCodePoint(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
  if (code < 0x80 || code > 0x9f) return String.fromCodePoint(code)
  return new TextDecoder('windows-1252').decode(Uint8Array.of(code))
}

import { decodeHTMLStrict } from 'entities'

/**
 * Reads the character references of HTML (`&eacute;`, `&#233;`, `&#xe9;`), named and numeric, as the HTML standard lists
 * them; each must end in `;`, as every editor writes it, so that `R&D` stays. What is no reference stays as it is.
 */
export function readReferences(html: string): string {
  return html.includes('&') ? decodeHTMLStrict(html) : html
}

/** Whether at a position an HTML character reference begins. */
export const REFERENCE = /&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);/iy

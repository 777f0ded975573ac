/**
 * A text without what shows nothing at its ends: white space of any kind, byte order marks, and the invisible characters
 * that come with copied text. The joiners U+200C and U+200D belong to the text.
 */
export function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isInvisible(text.charCodeAt(start))) start++
  while (end > start && isInvisible(text.charCodeAt(end - 1))) end--
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

function isInvisible(code: number): boolean {
  if (code < 0x80) return code === 32 || (code >= 9 && code <= 13)
  if (code < 0x2000) return code === 0x85 || code === 0xa0 || code === 0xad || code === 0x1680
  if (code <= 0x206f) {
    return (
      code <= 0x200b ||
      code === 0x200e ||
      code === 0x200f ||
      (code >= 0x2028 && code <= 0x202f) ||
      code === 0x205f ||
      code === 0x2060 ||
      (code >= 0x2066 && code <= 0x2069)
    )
  }
  return code === 0x3000 || code === 0xfeff
}

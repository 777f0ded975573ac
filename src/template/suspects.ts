import type { Fault } from './problems.js'

/** A stretch of text that was most likely a tag. */
export interface Suspect {
  start: number
  source: string
  fault: Fault
}

const OPENING = `&(?:#0*123|#x0*7b|lbrace|lcub);`
const CLOSING = `&(?:#0*125|#x0*7d|rbrace|rcub);`
const BETWEEN = String.raw`(?:\s|[\u00ad\u200b-\u200d\u2060\ufeff]|&(?:nbsp|shy|zwnj|zwj|#0*(?:160|173|8203|8204|8205|8288));|<[^<>{}]{1,200}>)`

/** How a tag is taken apart, and how what comes of it ends; without the sign a text has none. */
const KINDS: readonly { sign: string; begins: RegExp; ends: RegExp; isOfHtml: boolean; fault: Fault }[] = [
  {
    sign: '%7',
    begins: /%7b%7b|%7b\{|\{%7b/gi,
    ends: /%7d%7d|%7d\}|\}%7d|\}\}/i,
    isOfHtml: false,
    fault: ['is a tag that was percent-encoded, and is not filled in', 'Write its braces as {{ and }}.'],
  },
  {
    sign: '&',
    begins: new RegExp(`${OPENING}${OPENING}|${OPENING}\\{|\\{${OPENING}`, 'gi'),
    ends: new RegExp(`${CLOSING}${CLOSING}|${CLOSING}\\}|\\}${CLOSING}|\\}\\}`, 'i'),
    isOfHtml: true,
    fault: ['has character references for its braces, and is not filled in', 'Write them as {{ and }}.'],
  },
  {
    sign: '{',
    begins: new RegExp(`\\{${BETWEEN}+\\{`, 'g'),
    ends: /\}\}|\}(?:<[^<>{}]{1,200}>)+\}/,
    isOfHtml: false,
    fault: ['has something between its braces, and is not filled in', 'Write {{ and }} in one piece.'],
  },
]

/** How far behind its beginning such a tag may end. */
const LONGEST = 300

/**
 * Finds the tags that an editor took apart: percent-encoded in a link, written with references for their braces, or with a
 * blank or an element between these.
 */
export function findSuspects(text: string, isHtml: boolean): Suspect[] {
  return KINDS.filter(({ sign, isOfHtml }) => text.includes(sign) && (isHtml || !isOfHtml)).flatMap(
    ({ begins, ends, fault }) =>
      [...text.matchAll(begins)].flatMap(({ index: start, 0: begin }) => {
        const from = start + begin.length
        const end = ends.exec(text.slice(from, from + LONGEST))
        return end ? [{ start, source: text.slice(start, from + end.index + end[0].length), fault }] : []
      }),
  )
}

/** Whether a section that has nothing in it stands before a table, as when an editor moved its tags out of that. */
export function standsBeforeTable(following: string): boolean {
  return /^(?:\s|&nbsp;|<\/?(?:p|div|br|span)\b[^<>]*>)*<table\b/i.test(following.slice(0, 500))
}

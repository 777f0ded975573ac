import { editDistance } from '../edit-distance.js'
import { foreignFilterRemedy, foreignRemedy, isForeignCall } from './foreign-syntax.js'
import { readMoment } from './moments.js'
import type { Fault } from './problems.js'
import { BLANK, trimBlanks } from './scanner.js'

/** A filter as a tag names it, with its arguments as texts. */
export interface FilterCall {
  name: string
  arguments: string[]
}

export type ComparisonOperator = '=' | '!=' | '>' | '>=' | '<' | '<=' | 'in'

/** What the value of a section's name is compared with. */
export interface Comparison {
  operator: ComparisonOperator
  /** a text, for `in` the list as typed */
  value: string
  /** whether the value stood in quotes: then `=` compares texts, otherwise numbers */
  isQuoted: boolean
}

/** The name of a tag and what is done with its value; or what is wrong with it. */
export interface Expression {
  name: string
  filters: FilterCall[]
  comparison?: Comparison
  fault?: Fault
}

const BLANKS = new RegExp(`${BLANK}*`, 'y')
const WORD = '[A-Za-z_][\\w-]*'
const WITH_ARGUMENTS = new RegExp(`(${WORD})${BLANK}*:`, 'y')
const ALONE = new RegExp(`(${WORD})${BLANK}*(?=\\||$)`, 'y')
const TWO_BARS: Fault = ['has two bars', 'Write one, and a fallback as | default: "text".']
const ONE_WORD = new RegExp(`^${WORD}$`)
const QUOTES: Readonly<Record<string, string>> = {
  '"': '"“”',
  '“': '"“”',
  '”': '"“”',
  '„': '"“”',
  "'": "'‘’",
  '‘': "'‘’",
  '’': "'‘’",
  '‚': "'‘’",
}
/** What must end in the quote that it opens with; an apostrophe may also begin a name. */
const STRICT_QUOTES = '"“„'

/**
 * Reads `name | filter: argument, argument | text`.
 *
 * @param content - what stands in the tag, its character references read
 * @param filterNames - the names that filters have, the host's own among them
 */
export function readExpression(content: string, filterNames: ReadonlySet<string>): Expression {
  const bar = content.indexOf('|')
  if (bar === -1) {
    const fault = foreignRemedy(content, '')
    return fault ? { name: content, filters: [], fault } : { name: content, filters: [] }
  }
  const name = trimBlanks(content.slice(0, bar))
  const fail = (fault: Fault): Expression => ({ name, filters: [], fault })
  const foreign = foreignRemedy(name, content.slice(bar), (word) => filterNames.has(word))
  if (foreign) return fail(foreign)
  const filters: FilterCall[] = []
  let at = bar
  while (at < content.length) {
    const segment = readSegment(content, at + 1, filterNames)
    if (segment.fault) return fail(segment.fault)
    if (segment.filter.name === 'default' && filters.at(-1)?.name === 'default') {
      return fail(['has two fallbacks in a row', 'Leave one of them out.'])
    }
    filters.push(segment.filter)
    at = segment.end
  }
  return { name, filters }
}

type Segment = { filter: FilterCall; end: number; fault?: undefined } | { fault: Fault }

/** Reads what stands between two bars: a filter, or a text, which is the short spelling of `default`. */
function readSegment(content: string, from: number, filterNames: ReadonlySet<string>): Segment {
  const start = skipBlanks(content, from)
  if (content[start] === '|') return { fault: TWO_BARS }
  const called = isForeignCall(content.slice(start), filterNames)
  if (called) return { fault: called }
  const word = wordAt(content, start)
  if (word && (word.hasArguments || isFilterName(word.name, filterNames))) {
    const name = word.name.toLowerCase() === 'default' ? 'default' : word.name
    if (!filterNames.has(name)) return { fault: unknownFilter(name, filterNames) }
    if (!word.hasArguments) return { filter: { name, arguments: [] }, end: word.end }
    return name === 'default' ? readDefault(content, word.end, filterNames) : readArguments(content, word.end, name)
  }
  return readDefault(content, from, filterNames, true)
}

function wordAt(content: string, at: number): { name: string; end: number; hasArguments: boolean } | undefined {
  for (const pattern of [WITH_ARGUMENTS, ALONE]) {
    pattern.lastIndex = at
    const name = pattern.exec(content)?.[1]
    if (name !== undefined) return { name, end: pattern.lastIndex, hasArguments: pattern === WITH_ARGUMENTS }
  }
  return undefined
}

/** Whether a word by itself names a filter, of ours or of another language, and can be no fallback. */
function isFilterName(word: string, filterNames: ReadonlySet<string>): boolean {
  return filterNames.has(word) || filterNames.has(word.toLowerCase()) || foreignFilterRemedy(word) !== undefined
}

function unknownFilter(name: string, filterNames: ReadonlySet<string>): Fault {
  const what = `uses the filter ${name}, which does not exist here`
  const remedy = foreignFilterRemedy(name)
  if (remedy !== undefined) return [what, remedy]
  const [nearest] = [...filterNames]
    .map((known) => ({ known, letters: editDistance(name.toLowerCase(), known) }))
    .filter(({ known, letters }) => letters <= Math.ceil(known.length / 3))
    .sort((a, b) => a.letters - b.letters)
  const asText = `If it is a text, write | default: "${name}".`
  return [what, nearest ? `Did you mean ${nearest.known}? ${asText}` : `Take it out. ${asText}`]
}

/** A fallback: in quotes, or all up to the next filter. */
function readDefault(content: string, from: number, filterNames: ReadonlySet<string>, isShort = false): Segment {
  const start = skipBlanks(content, from)
  const quoted = readQuoted(content, start, ',|')
  if (quoted && content[quoted.end] === ',') {
    return { fault: ['gives default more than one argument', `Write | default: "${quoted.text}".`] }
  }
  if (quoted) return { filter: { name: 'default', arguments: [quoted.text] }, end: quoted.end }
  if (STRICT_QUOTES.includes(content.charAt(start)) && start < content.length) {
    return { fault: ['has a fallback that opens a quote and does not end with one', 'Close the quote, or drop it.'] }
  }
  let end = barFrom(content, start)
  // A bar inside the text, as in `a|b`, unless what follows it is a filter.
  while (end < content.length) {
    const word = wordAt(content, skipBlanks(content, end + 1))
    if (word && (word.hasArguments || isFilterName(word.name, filterNames))) break
    end = barFrom(content, end + 1)
  }
  const text = trimBlanks(content.slice(start, end))
  // A word before a filter is more likely one that is misspelt.
  if (isShort && end < content.length && ONE_WORD.test(text)) return { fault: unknownFilter(text, filterNames) }
  return { filter: { name: 'default', arguments: [text] }, end }
}

function readArguments(content: string, from: number, name: string): Segment {
  const given: string[] = []
  let at = from
  while (true) {
    const start = skipBlanks(content, at)
    const quoted = readQuoted(content, start, ',|')
    if (quoted) {
      given.push(quoted.text)
      at = quoted.end
    } else {
      if (content.charAt(start) in QUOTES) {
        return { fault: [`has an argument of ${name} that opens a quote and does not close it`, 'Close the quote.'] }
      }
      at = start
      while (at < content.length && content[at] !== ',' && content[at] !== '|') at++
      given.push(trimBlanks(content.slice(start, at)))
    }
    if (content[at] !== ',') break
    at++
  }
  return { filter: { name, arguments: given.length === 1 && given[0] === '' ? [] : given }, end: at }
}

/** A text in quotes; it ends with the quote that one of `stops`, or the end, follows. */
function readQuoted(content: string, start: number, stops: string): { text: string; end: number } | undefined {
  const closing = QUOTES[content.charAt(start)]
  if (closing === undefined) return undefined
  for (let at = start + 1; at < content.length; at++) {
    if (!closing.includes(content[at]!)) continue
    const end = skipBlanks(content, at + 1)
    if (end === content.length || stops.includes(content[end]!)) return { text: content.slice(start + 1, at), end }
  }
  return undefined
}

function skipBlanks(content: string, at: number): number {
  BLANKS.lastIndex = at
  BLANKS.test(content)
  return BLANKS.lastIndex
}

function barFrom(content: string, at: number): number {
  const bar = content.indexOf('|', at)
  return bar === -1 ? content.length : bar
}

/** `name operator value`; a name may hold the signs of operators itself, so what is no value makes no comparison. */
const COMPARED = new RegExp(
  `^(.*?[^\\s!<>=])${BLANK}*(?:(!=|>=|<=|==?|>|<)|${BLANK}(in)(?=${BLANK}|["'“„‘‚]))${BLANK}*(\\S.*)$`,
  's',
)
const NUMBER = /^[+-]?\d+(?:\.\d+)?$/

/** Reads what opens a section: a name, or a name and what its value is compared with. */
export function readCondition(content: string): Expression {
  const bar = content.indexOf('|')
  const [, name, sign, word, typed] = COMPARED.exec(content) ?? []
  const operator = (sign === '==' ? '=' : (sign ?? word)) as ComparisonOperator | undefined
  if (/^!\s*\S/.test(content) && !/^!=/.test(content)) {
    const name = content.slice(1).trim()
    return { name, filters: [], fault: ['negates with an exclamation mark', `Write {{^${name}}} and {{/${name}}}.`] }
  }
  if (operator === undefined) {
    if (bar === -1) return { name: content, filters: [] }
    const remedy = 'Compare its value, as in {{#name = "text"}}, or give the fallback to a tag inside it.'
    return {
      name: trimBlanks(content.slice(0, bar)),
      filters: [],
      fault: ['is a section with a fallback or a filter', remedy],
    }
  }
  const value = trimBlanks(typed!)
  const quoted = readQuoted(value, 0, '')
  const comparison: Comparison = { operator, value: quoted?.text ?? value, isQuoted: quoted !== undefined }
  const fault = comparisonFault(comparison)
  // `{{#a < b}}` without blanks or quotes around is the name that it always was.
  if (fault && !quoted && !new RegExp(`${BLANK}(?:[!<>=]+|in)${BLANK}`).test(content)) {
    return { name: content, filters: [] }
  }
  return fault ? { name: name!, filters: [], fault } : { name: name!, filters: [], comparison }
}

function comparisonFault({ operator, value, isQuoted }: Comparison): Fault | undefined {
  if (/["'”’]\s*(?:\band\b|\bor\b|&&|\|\|)\s/.test(value)) {
    return ['has two conditions', 'Put one section into the other, or the values into a list: in "a, b".']
  }
  if (/^[=~]|^\[/.test(value)) return ['compares in a way of another language', 'Write =, !=, in "a, b", > or <.']
  const isOrder = operator.startsWith('>') || operator.startsWith('<')
  if (isOrder) {
    if (NUMBER.test(value) || readMoment(value) !== undefined) return undefined
    return [`compares by ${operator} with neither a number nor a date`, 'Write a number, or a date as "2024-03-01".']
  }
  if (isQuoted || (operator !== 'in' && (NUMBER.test(value) || value === 'true' || value === 'false'))) return undefined
  return ['compares with a text that is not in quotes', `Put it into quotes: ${operator} "${value}".`]
}

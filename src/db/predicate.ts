/**
 * Reads the predicate of an index as PostgreSQL prints it: the conditions that `and` joins, each in one spelling. What it
 * does not understand stays apart from every spelling of a plain condition.
 */
export function conditionsOf(predicate: string): string[] {
  return split(withoutBrackets(withoutCasts(tokensOf(predicate))))
}

/** The spelling that {@link conditionsOf} gives a condition. */
export function spellingOf(condition: string): string {
  return conditionsOf(condition).join(' AND ')
}

/** A token: a text with its quotes, a name in quotes (whether it had them or not), a word, a sign. */
type Token = string

const TOKEN =
  /\s*(?:(?<text>[eE]?'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")+")|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<sign>::|[0-9.]+|[^\s\w'"]))/uy

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < sql.trimEnd().length) {
    const { text, quoted, word, sign } = TOKEN.exec(sql)?.groups ?? {}
    if (text) tokens.push(text.startsWith("'") ? text : text.slice(1).replaceAll('\\\\', '\\'))
    else if (quoted) tokens.push(quoted)
    else if (word) tokens.push(/^(?:true|false)$|[A-Z]/.test(word) ? word.toUpperCase() : `"${word}"`)
    else if (sign) tokens.push(sign)
    else return [sql]
  }
  return tokens
}

/** What a cast leaves as it was: any of a text to a type without a length, and those of a column to a text. */
const TO_TEXT = ['"text"', '"bpchar"', '"character" "varying"']
const TYPES_OF_WORDS = [
  ['"character"', '"varying"'],
  ['"timestamp"', '"without"', '"time"', '"zone"'],
  ['"timestamp"', '"with"', '"time"', '"zone"'],
]

function withoutCasts(tokens: readonly Token[]): Token[] {
  const kept: Token[] = []
  for (let at = 0; at < tokens.length; at++) {
    const type = tokens[at] === '::' ? typeAt(tokens, at + 1) : undefined
    const isOfText = kept.at(-1)?.startsWith("'") === true
    const isLossless = type && tokens[at + 1 + type.length] !== '('
    if (isLossless && (isOfText || TO_TEXT.includes(type.join(' ')))) at += type.length
    else kept.push(tokens[at]!)
  }
  return kept
}

function typeAt(tokens: readonly Token[], at: number): Token[] | undefined {
  const ofWords = TYPES_OF_WORDS.find((words) => words.every((word, index) => tokens[at + index] === word))
  if (ofWords) return ofWords
  if (!tokens[at]?.startsWith('"')) return undefined
  return tokens[at + 1] === '.' ? tokens.slice(at, at + 3) : tokens.slice(at, at + 1)
}

/** Takes away the brackets around all, and those around one token. */
function withoutBrackets(tokens: readonly Token[]): Token[] {
  const single = tokens.flatMap((token, at) => {
    const isOpening = token === '(' && tokens[at + 2] === ')' && !isCalled(tokens[at - 1])
    const isClosing = token === ')' && tokens[at - 2] === '(' && !isCalled(tokens[at - 3])
    return isOpening || isClosing ? [] : [token]
  })
  if (single.length < tokens.length) return withoutBrackets(single)
  return single[0] === '(' && closing(single, 0) === single.length - 1 ? withoutBrackets(single.slice(1, -1)) : single
}

/** Whether a bracket after the token is that of a function. */
function isCalled(token: Token | undefined): boolean {
  return token?.startsWith('"') === true
}

function closing(tokens: readonly Token[], open: number): number {
  let depth = 0
  for (let at = open; at < tokens.length; at++) {
    if (tokens[at] === '(') depth++
    if (tokens[at] === ')' && --depth === 0) return at
  }
  return -1
}

function split(tokens: readonly Token[]): string[] {
  const parts: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token === '(') depth++
    if (token === ')') depth--
    if (token === 'AND' && depth === 0) parts.push([])
    else parts.at(-1)!.push(token)
  }
  if (parts.length === 1) return [parts[0]!.join(' ')]
  return parts.flatMap((part) => split(withoutBrackets(part)))
}

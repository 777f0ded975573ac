import type { Fault } from './problems.js'

/**
 * What templates of other systems are written in, and what to write here instead. Everything listed is refused: nothing of
 * it may reach a reader as text.
 */

/** Filters of Liquid, Jinja, Django and the mailing services that have another name here, by what to write. */
const SPELT_OTHERWISE = byName({
  capitalize: 'capfirst',
  upper: 'upcase uppercase',
  lower: 'downcase lowercase',
  title: 'titlecase titleize',
  trim: 'strip lstrip rstrip',
  'truncate: 20': 'truncatechars',
  'replace: "a", "b"': 'replace_first',
  'replace: "a", ""': 'cut remove',
  url: 'url_encode urlencode url_escape url_param_escape escape_url',
  'date: "long"': 'format_date format_date_string formatdate strftime',
  'number: 0': 'round rounded floor ceil int',
  'number: 2': 'floatformat number_format format_number',
  number: 'number_with_delimiter intcomma',
  'currency: "EUR"': 'money format_currency currency_format',
  'default: "text"': 'default_if_none fallback default_value or else',
})

/** Filters that stand for what happens anyway, by what does. */
const NOT_NEEDED = byName({
  'values are escaped for the place where they stand':
    'escape escape_once e force_escape forceescape escapejs json_escape',
  'every value is a text': 'string to_s',
})

/** Filters that nothing here stands for. */
const WITHOUT_A_LIKE = new Set(
  `abs add add_day add_month append as_json_string at_least at_most attr base64 base64_decode base64_encode
  base64_url_safe_encode batch camelize center compact concat count d date_modify dateadd days_later dictsort
  divided_by divisibleby encode encrypt filesizeformat find find_index first float format format_weekday
  get_digit group_by groupby h handle handleize has hmac_sha1 image_url indent iriencode items join js json
  json_parse jsonify last length length_is linebreaks linebreaksbr linenumbers list ljust lookup lower_first
  make_list map markdown max md5 min minus missing_element modulo money_with_currency naturaltime newline_to_br
  nl2br number_to_currency ordinal phone2numeric pluralize plus pprint prepend property_accessor random raw
  reject rejectattr remove_first remove_last replace_last reverse rjust safe safeseq sample select selectattr
  sha1 sha2 sha256 shuffle size slice slugify sort sort_natural split stringformat strip_html strip_newlines
  striptags sum t tag time time_zone timeago times timesince timestamp timeuntil to_json tojson trans translate
  truncatewords truncatewords_html ucfirst ucwords unescape uniq unique unordered_list upper_first url_decode
  urlize urlizetrunc where wordcount wordwrap xmlattr yesno`.split(/\s+/),
)

function byName(names: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(names).flatMap(([value, list]) => list.split(' ').map((name) => [name, value])))
}

/** What to do about a filter that another language has, or undefined when none has it. */
export function foreignFilterRemedy(name: string): string | undefined {
  const spelling = name.toLowerCase()
  const asText = `If it is a text, write | default: "${name}".`
  const [own, anyway] = [SPELT_OTHERWISE.get(spelling), NOT_NEEDED.get(spelling)]
  if (own) return `Write | ${own}. ${asText}`
  if (anyway) return `Take it out: ${anyway}. ${asText}`
  if (!WITHOUT_A_LIKE.has(spelling)) return undefined
  return `Prepare such a value before, and pass it as an extra tag. ${asText}`
}

/** A filter that is called without a colon, as `truncate 20` or `upper, lower`; also by a name of another language. */
export function isForeignCall(segment: string, filterNames: ReadonlySet<string>): Fault | undefined {
  const [, word, between, rest = ''] = /^([A-Za-z_][\w-]*)(\s*[=,]\s*|\s+)([^|]*)/.exec(segment) ?? []
  if (word === undefined || rest.trim() === '' || rest.startsWith(':')) return undefined
  const name = word.toLowerCase()
  const isOwn = filterNames.has(word) || filterNames.has(name)
  const isOther = foreignFilterRemedy(word) !== undefined && (/^["'“‘„\d]/.test(rest) || between!.includes('='))
  if (!isOwn && !isOther) return undefined
  const text = segment.replace(/\|.*/s, '').trim()
  const remedy = foreignFilterRemedy(word)
  const call = between!.includes(',') ? `${word} | ${rest.trim()}` : `${word}: ${rest.trim()}`
  const write = isOwn ? `Write | ${call}.` : remedy!.replace(/ If it is a text.*/, '')
  return [
    `uses ${word} without a colon`,
    `${write} If it is a text, write | default: "${text.replace(/["“”]/g, "'")}".`,
  ]
}

/** What else stands behind a name where another language puts a fallback or a filter. */
export function foreignRemedy(
  name: string,
  rest: string,
  isFilter: (word: string) => boolean = () => false,
): Fault | undefined {
  const [, plain, inName] =
    /^(.*?\S)\s*(?:\?\?|\bor\b|\bdefault\b|\bfallback\b)\s*[:=]?\s*["'“‘„](.*?)["'”’“]?$/s.exec(
      rest === '' ? name : '',
    ) ?? []
  if (plain !== undefined)
    return ['has a fallback of another language', `Write {{${plain}  | default: "${inName}"}}.`.replace('  |', ' |')]
  const write = (text: string | undefined) => `Write {{${name} | default: "${text?.trim() || 'there'}"}}.`
  if (/^\|\s*\|/.test(rest)) {
    const [, word] = /^\|\s*\|\s*(\w+)$/.exec(rest) ?? []
    if (word !== undefined && isFilter(word)) return ['has two bars', `Write {{${name} | ${word}}}.`]
    return ['has two bars', write(/^\|\s*\|\s*["'“„‘]?([^"'”’“‘|]*)/.exec(rest)?.[1])]
  }
  if (/\\["'“”‘’]/.test(rest)) {
    return [
      'has a backslash before a quote',
      `${write(/\\["'“”‘’]([^"'\\]*)/.exec(rest)?.[1])} Quotes need no backslash.`,
    ]
  }
  const called = /^\|\s*([A-Za-z_]\w*)\s*\(\s*(.*?)\s*\)\s*(?=\||$)/s.exec(rest)
  if (called) {
    const [, filter, text] = called
    const isDefault = /^(?:default|default_value|fallback|d)$/i.test(filter!)
    if (isDefault) return [`calls ${filter} with brackets`, write(text!.replace(/["'“”„‘’‚]/g, ''))]
    return [`calls ${filter} with brackets`, `Write {{${name} | ${filter}${text ? `: ${text}` : ''}}}.`]
  }
  const noColon = /^\|\s*default\s*(?:=\s*|(?=["“”„'‘’‚])|\s+(?=["“”„'‘’‚]))["“”„'‘’‚]?([^"“”„'‘’‚|]*)/i.exec(rest)
  if (noColon) return ['has no colon after default', write(noColon[1])]
  if (/^\|\s*default\s*(?=\||$)/i.test(rest)) return ['has a default without a text', write(undefined)]
  return undefined
}

/** A comparison as others write it: `if plan == "pro"`, `if (eq plan "pro")`, `ifCond plan "==" "pro"`, `eq plan "pro"`. */
const HELPER =
  /^(?:(if|unless)\s+)?\(?\s*(?:(if[A-Z]\w*|eq|neq?|isnt?|compare)\s+)?([\w.$]+)\s+(?:(["']?)(===?|!==?|=|<|>)\4\s*)?(?:(["'])([^"']*)\6|(\d+(?:\.\d+)?|true|false))\s*\)?$/

function readHelper(content: string): { sigil: string; name: string; comparison: string } | undefined {
  const [, block, helper, name, , operator = '=', , text, plain] = HELPER.exec(content) ?? []
  if (name === undefined || (block === undefined && helper === undefined)) return undefined
  const isUnequal = operator.startsWith('!') || /^(?:neq?|isnt)$/.test(helper ?? '')
  const sign = isUnequal ? '!=' : /[<>]/.test(operator) ? operator : '='
  const sigil = block === 'unless' ? '^' : '#'
  return { sigil, name: name.split('.').at(-1)!, comparison: `${sign} ${plain ?? `"${text}"`}` }
}

/** What is wrong with a tag that another language opens or closes a block with, or prints a value by. */
export function foreignTag(sigil: string, content: string): Fault | undefined {
  if (
    /^(?::?else|else\s.*|end\s?if|end\s?unless|endfor|(?:if|unless|elif)\s.*)$/is.test(content) &&
    sigil === '' &&
    content !== 'else'
  ) {
    return ['is no tag here', 'Open a section with {{#name}}, part it with {{else}}, and close it with {{/name}}.']
  }
  if (content.startsWith('%'))
    return ['is an instruction of another language', 'Write {{#name}} … {{/name}}, or take it out.']
  const [, word, named = 'name'] =
    /^(if|unless|each|with|for|foreach|elsif|elseif|else if)\b\s*(.*)$/s.exec(content) ?? []
  const isSimple = /^!?\s*(?:not\s+)?[\p{L}\p{N}_. $-]+$/u.test(named)
  const isNegated = /^(?:!|not\s)/.test(named)
  const name = named.replace(/^(?:!|not\s)\s*/, '').replace(/\s+as\s.*$/s, '')
  const helper = sigil === '#' || sigil === '^' ? readHelper(content) : undefined
  if (helper) {
    const opening = `{{${helper.sigil}${helper.name} ${helper.comparison}}}`
    return ['is a section of another language', `Write ${opening} and {{/${helper.name}}}.`]
  }
  if (sigil === '#' && (word === 'if' || word === 'unless') && !isSimple) {
    return [
      'is a section of another language',
      'Write {{#name}}, with one name or one comparison such as {{#plan = "pro"}}, and {{/name}}.',
    ]
  }
  if (word !== undefined && (sigil === '#' || content !== word || word !== 'with')) {
    if (sigil === '#' && (word === 'if' || word === 'unless')) {
      const opening = (word === 'if') === isNegated ? '^' : '#'
      return ['is a section of another language', `Write {{${opening}${name}}} and {{/${name}}}.`]
    }
    if (sigil === '#' && /^(?:each|for|foreach|with)$/.test(word)) {
      return [
        'repeats, and a value is no list',
        `Write {{#${name}}} and {{/${name}}} to show a part only with a value.`,
      ]
    }
    if (sigil === '' && /^(?:else if|elsif|elseif)$/.test(word)) {
      return ['is a branch with a condition of its own', 'Close the section, and open another one for it.']
    }
  }
  if (sigil === '{' && content.startsWith('{')) {
    return ['has more than three braces', `Write {{${content.replace(/^[{\s]+/, '')}}}. No brace stands behind it.`]
  }
  const [, argument] = sigil === '' ? (/^[a-z]+[A-Z]\w*\s+([\w.]+)\s+(["']).*\2$/.exec(content) ?? []) : []
  if (argument !== undefined) {
    return ['calls a helper of another language', `Write {{${argument}}}, or with a filter {{${argument} | upper}}.`]
  }
  const [, ofBraces] = /\$\{\s*([^{}|]*?)\s*(?=[}|]|$)/.exec(content) ?? []
  if (ofBraces !== undefined) {
    const bar = content.indexOf('|')
    const rest = bar === -1 ? '' : ` ${content.slice(bar)}`
    return ['has a dollar and braces of its own', `Write {{${ofBraces}${rest}}}. No brace stands behind it.`]
  }
  return undefined
}

/** Whether a closing tag is that of a block of another language, whose opening tag is told. */
export function closesForeign(content: string, opening: string): boolean {
  const isBlock = /^(?:if|unless|each|with|for|foreach)$/.test(content) || readHelper(opening) !== undefined
  return isBlock && opening.startsWith(`${content} `)
}

/** A stretch of text that is a tag of another language. */
export interface ForeignText {
  start: number
  source: string
  fault: Fault
}

/** Where a tag of another language begins, where it ends, and how much may stand between. */
const FOREIGN_TEXT: readonly { begins: string; pattern: RegExp }[] = [
  { begins: '{%', pattern: /\{%-?\s*(?=[a-z])(\w*)\s*([\s\S]{0,200}?)\s*-?%\}/y },
  { begins: '{#', pattern: /\{#\s[^{}]{0,200}?\s#\}/y },
  { begins: '<%', pattern: /<%[=-]?[^<>]{0,200}?%>/y },
  { begins: '*|', pattern: /\*\|()()\s*([^|*\n<>]{1,100}?)\s*\|\*/y },
  { begins: '|*', pattern: /\|\*()()\s*(\w{1,100})\s*\*\|/y },
  { begins: '%%', pattern: /%%()()([A-Za-z_][\w.-]{0,100})%%|%%=[^%]{0,200}=%%|%%\[[^%\]]{0,200}\]%%/y },
  { begins: '%recipient.', pattern: /%recipient\.()()(\w{1,100})%/y },
]

/** Finds tags of Liquid, Jinja, Mailchimp, Salesforce, Mailgun and ERB in the text between tags. */
export function findForeignText(text: string): ForeignText[] {
  return FOREIGN_TEXT.flatMap(({ begins, pattern }) => {
    const found: ForeignText[] = []
    // Where its end is not to be found any more, no beginning is looked at.
    for (let at = text.indexOf(begins); at !== -1 && found.length < 100; at = text.indexOf(begins, at + 1)) {
      if (begins === '{%' && text.indexOf('%}', at) === -1) break
      pattern.lastIndex = at
      const match = pattern.exec(text)
      if (!match) continue
      found.push({ start: at, source: match[0], fault: foreignTextFault(match[1], match[2], match[3]) })
      at = pattern.lastIndex - 1
    }
    return found
  })
}

function foreignTextFault(word: string | undefined, condition: string | undefined, name: string | undefined): Fault {
  if (name !== undefined) {
    const [, made, of] = /^(TITLE|UPPER|LOWER|URL):(.+)$/i.exec(name) ?? []
    if (made) return ['is a tag of another system', `Write {{${of!.toLowerCase()} | ${made.toLowerCase()}}}.`]
    if (/^[A-Z]+:/.test(name) && !/^(?:IF|IFNOT|ELSE|ELSEIF|END):/.test(name)) {
      return ['is an instruction of another system', 'Take it out; what it makes can be passed as an extra tag.']
    }
    const plain = name.replace(/^(?:IFNOT|ELSEIF|IF|END):?/, '').toLowerCase()
    if (/^(?:IF|IFNOT)\b/.test(name)) {
      const sigil = name.startsWith('IFNOT') ? '^' : '#'
      return ['is a condition of another system', `Write {{${sigil}${plain || 'name'}}} and {{/${plain || 'name'}}}.`]
    }
    if (/^(?:END:|ELSE)/.test(name)) {
      return ['belongs to a condition of another system', 'Write {{else}} or {{/name}}, as its section is opened.']
    }
    return ['is a tag of another system', `Write {{${plain}}}.`]
  }
  const asked = (condition ?? '').replace(/^(?:not\s+|!\s*)/, '')
  const isNegated = asked !== (condition ?? '')
  const subject = /^[\w.]+/.exec(asked)?.[0]?.split('.').at(-1) ?? 'name'
  const sigil = (word === 'unless') === isNegated ? '#' : '^'
  const more = /\sand\s|\sor\s|&&|\|\|/.test(asked) ? ' Its other conditions are sections within.' : ''
  switch (word) {
    case 'if':
    case 'unless':
      return ['is a condition of another language', `Write {{${sigil}${subject}}} and {{/${subject}}}.${more}`]
    case 'else':
      return ['is a branch of another language', 'Write {{else}}.']
    case 'endif':
    case 'endunless':
      return ['closes a condition of another language', 'Write {{/name}}, with the name of its section.']
    default:
      return ['is an instruction of another language', 'Take it out; what it makes can be passed as an extra tag.']
  }
}

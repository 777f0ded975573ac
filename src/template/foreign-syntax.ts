import type { Fault } from './problems.js'

/**
 * What templates of other systems are written in, and what to write here instead. Everything listed is refused: nothing of
 * it may reach a reader as text.
 */

/** Filters of Liquid, Jinja, Django and the mailing services that have another name here. */
const SPELT_OTHERWISE: Readonly<Record<string, string>> = {
  capfirst: 'capitalize',
  upcase: 'upper',
  uppercase: 'upper',
  downcase: 'lower',
  lowercase: 'lower',
  titlecase: 'title',
  titleize: 'title',
  strip: 'trim',
  lstrip: 'trim',
  rstrip: 'trim',
  truncatechars: 'truncate: 20',
  replace_first: 'replace: "a", "b"',
  cut: 'replace: "a", ""',
  remove: 'replace: "a", ""',
  url_encode: 'url',
  urlencode: 'url',
  url_escape: 'url',
  url_param_escape: 'url',
  escape_url: 'url',
  format_date: 'date: "long"',
  format_date_string: 'date: "long"',
  formatdate: 'date: "long"',
  strftime: 'date: "long"',
  round: 'number: 0',
  rounded: 'number: 0',
  floor: 'number: 0',
  ceil: 'number: 0',
  int: 'number: 0',
  floatformat: 'number: 2',
  number_with_delimiter: 'number',
  number_format: 'number: 2',
  format_number: 'number: 2',
  intcomma: 'number',
  money: 'currency: "EUR"',
  format_currency: 'currency: "EUR"',
  currency_format: 'currency: "EUR"',
  default_if_none: 'default: "text"',
  fallback: 'default: "text"',
  default_value: 'default: "text"',
  or: 'default: "text"',
  else: 'default: "text"',
}

/** Filters that stand for what happens anyway. */
const NOT_NEEDED: Readonly<Record<string, string>> = {
  escape: 'values are escaped for the place where they stand',
  escape_once: 'values are escaped for the place where they stand',
  e: 'values are escaped for the place where they stand',
  force_escape: 'values are escaped for the place where they stand',
  forceescape: 'values are escaped for the place where they stand',
  escapejs: 'values are escaped for the place where they stand',
  json_escape: 'values are escaped for the place where they stand',
  string: 'every value is a text',
  to_s: 'every value is a text',
}

/** Filters that nothing here stands for. */
const WITHOUT_A_LIKE = new Set(
  `abs add add_day add_month append as_json_string at_least at_most attr base64 base64_encode base64_decode batch
  center compact concat count date_modify dateadd days_later dictsort divided_by divisibleby encode encrypt
  filesizeformat find find_index first float format format_weekday get_digit group_by groupby has hmac_sha1 indent
  items iriencode join js json json_parse last length length_is linebreaks linebreaksbr linenumbers list ljust lookup
  lower_first make_list map markdown max md5 min minus missing_element modulo naturaltime newline_to_br ordinal
  phone2numeric plus pluralize pprint prepend property_accessor random reject rejectattr remove_first remove_last
  replace_last reverse rjust safe safeseq sample select selectattr sha1 sha2 sha256 shuffle size slice slugify sort
  sort_natural split strip_html strip_newlines stringformat striptags sum t tag time time_zone timeago timesince
  timestamp timeuntil times to_json tojson translate truncatewords truncatewords_html unescape unique uniq
  unordered_list upper_first url_decode urlize urlizetrunc where wordcount wordwrap xmlattr yesno`.split(/\s+/),
)

/** What to do about a filter that another language has, or undefined when none has it. */
export function foreignFilterRemedy(name: string): string | undefined {
  const spelling = name.toLowerCase()
  const asText = `If it is a text, write | default: "${name}".`
  if (Object.hasOwn(SPELT_OTHERWISE, spelling)) return `Write | ${SPELT_OTHERWISE[spelling]}. ${asText}`
  if (Object.hasOwn(NOT_NEEDED, spelling)) return `Take it out: ${NOT_NEEDED[spelling]}. ${asText}`
  if (!WITHOUT_A_LIKE.has(spelling)) return undefined
  return `Prepare such a value before, and pass it as an extra tag. ${asText}`
}

/** What else stands behind a name where another language puts a fallback or a filter. */
export function foreignRemedy(name: string, rest: string): Fault | undefined {
  const write = (text: string | undefined) => `Write {{${name} | default: "${text?.trim() || 'there'}"}}.`
  if (/^\|\s*\|/.test(rest)) {
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

/** What is wrong with a tag that another language opens or closes a block with, or prints a value by. */
export function foreignTag(sigil: string, content: string): Fault | undefined {
  const [, word, name = 'name'] =
    /^(if|unless|each|with|for|foreach|elsif|elseif|else if)\b\s*(.*)$/s.exec(content) ?? []
  if (word !== undefined && (sigil === '#' || content !== word || word !== 'with')) {
    if (sigil === '#' && word === 'if')
      return ['is a section of another language', `Write {{#${name}}} and {{/${name}}}.`]
    if (sigil === '#' && word === 'unless') {
      return ['is a section of another language', `Write {{^${name}}} and {{/${name}}}.`]
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
  const dollar = /^\$\{\s*([^{}]*?)\s*(?:\}|$)/s.exec(content)
  if (dollar) return ['has a dollar and braces of its own', `Write {{${dollar[1]}}}.`]
  return undefined
}

/** Whether a closing tag is that of a block of another language, whose opening tag is told. */
export function closesForeign(content: string, opening: string): boolean {
  return /^(?:if|unless|each|with|for|foreach)$/.test(content) && opening.startsWith(`${content} `)
}

/** A stretch of text that is a tag of another language. */
export interface ForeignText {
  start: number
  source: string
  fault: Fault
}

const FOREIGN_TEXT =
  /\{%-?\s*(\w*)\s*([\s\S]{0,200}?)\s*-?%\}|\*\|\s*([^|*\n]{1,100}?)\s*\|\*|%%\s*([A-Za-z_][\w .-]{0,100}?)\s*%%/g

/** Finds tags of Liquid (`{% … %}`), Mailchimp (`*|FNAME|*`) and Salesforce (`%%first%%`) in the text between tags. */
export function findForeignText(text: string): ForeignText[] {
  // Looked for first, because a pattern of several beginnings is tried at every character.
  if (!text.includes('{%') && !text.includes('*|') && !text.includes('%%')) return []
  return [...text.matchAll(FOREIGN_TEXT)].map((match) => {
    const [source, word, condition, starred, percent] = match
    return { start: match.index, source, fault: foreignTextFault(word, condition, starred ?? percent) }
  })
}

function foreignTextFault(word: string | undefined, condition: string | undefined, name: string | undefined): Fault {
  if (name !== undefined) {
    const [, made, of] = /^(TITLE|UPPER|LOWER|URL):(.+)$/i.exec(name) ?? []
    if (made) return ['is a tag of another system', `Write {{${of!.toLowerCase()} | ${made.toLowerCase()}}}.`]
    if (/^[A-Z]+:/.test(name) && !/^(?:IF|IFNOT|ELSE|ELSEIF|END):/.test(name)) {
      return ['is an instruction of another system', 'Take it out; what it makes can be passed as an extra tag.']
    }
    const plain = name.replace(/^(?:IF|IFNOT|ELSEIF|END):?/, '').toLowerCase()
    if (/^(?:IF|IFNOT)\b/.test(name)) {
      const sigil = name.startsWith('IFNOT') ? '^' : '#'
      return ['is a condition of another system', `Write {{${sigil}${plain || 'name'}}} and {{/${plain || 'name'}}}.`]
    }
    if (/^(?:END:|ELSE)/.test(name)) {
      return ['belongs to a condition of another system', 'Write {{else}} or {{/name}}, as its section is opened.']
    }
    return ['is a tag of another system', `Write {{${plain}}}.`]
  }
  const subject =
    /^[\w.]+/
      .exec(condition ?? '')?.[0]
      ?.split('.')
      .at(-1) ?? 'name'
  switch (word) {
    case 'if':
      return ['is a condition of another language', `Write {{#${subject}}} and {{/${subject}}}.`]
    case 'unless':
      return ['is a condition of another language', `Write {{^${subject}}} and {{/${subject}}}.`]
    case 'else':
      return ['is a branch of another language', 'Write {{else}}.']
    case 'endif':
    case 'endunless':
      return ['closes a condition of another language', 'Write {{/name}}, with the name of its section.']
    default:
      return ['is an instruction of another language', 'Take it out; what it makes can be passed as an extra tag.']
  }
}

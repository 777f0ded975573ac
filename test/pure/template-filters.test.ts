import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { FILTER_NAMES } from '../../src/template/filters.js'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'
import type { TemplateOptions } from '../../src/template/template-options.js'
import { checkLaw, codePoint } from '../support/law.js'

/** What the tag of one value prints. */
const print = (tag: string, value: unknown, options: TemplateOptions = {}) =>
  renderTemplate(tag, { custom_attributes: { x: value } }, { format: 'text', ...options })

describe('a filter', () => {
  test.each<[string, unknown, string]>([
    ['{{x | capitalize}}', 'jOHN doe', 'John doe'],
    ['{{x|capitalize}}', '', ''],
    ['{{x | capitalize}}', '🎉 party', '🎉 party'],
    ['{{x | upper}}', 'straße', 'STRASSE'],
    ['{{x | lower}}', 'ÀÉ', 'àé'],
    ['{{x | title}}', "mary-ann o'neil", "Mary-Ann O'neil"],
    ['{{x | title}}', 'ÉMILE (ZOLA)', 'Émile (Zola)'],
    ['{{x | trim}}', '  a  ', 'a'],
    ['{{x | truncate: 5}}', 'abcdefgh', 'abcd…'],
    ['{{x | truncate: 5}}', 'abcde', 'abcde'],
    ['{{x | truncate: 5, "..."}}', 'abcdefgh', 'ab...'],
    ['{{x | truncate: 3, ""}}', 'a b c d', 'a b'],
    ['{{x | truncate: 0}}', 'abc', ''],
    ['{{x | truncate: 2}}', '👨‍👩‍👧👨‍👩‍👧👨‍👩‍👧', '👨‍👩‍👧…'],
    ['{{x | replace: "-", " "}}', 'a-b-c', 'a b c'],
    ['{{x | replace: "|", "$&"}}', 'a|b', 'a$&b'],
    ["{{x | replace: 'a', ''}}", 'banana', 'bnn'],
    ['{{x | truncate: 2, "....."}}', 'abc', '..'],
    ['{{x | capitalize}}', ' john', ' John'],
    ['{{x | url}}', "a&b=c/d é'", 'a%26b%3Dc%2Fd%20%C3%A9%27'],
    ['{{x | url}}', '\ud83d', '%EF%BF%BD'],
    ['{{x | date}}', '2024-03-01', 'Mar 1, 2024'],
    ['{{x | date: "long"}}', '2024-03-01', 'March 1, 2024'],
    ['{{x | date: "full"}}', '2024-03-01', 'Friday, March 1, 2024'],
    ['{{x | date: "long", "de"}}', '2024-03-01', '1. März 2024'],
    ['{{x | date: "d MMMM yyyy", "fr"}}', '2024-03-01', '1 mars 2024'],
    ['{{x | date: "EEEE, dd.MM.yy"}}', '2024-03-01', 'Friday, 01.03.24'],
    ['{{x | date: "HH:mm"}}', '2024-03-01T09:05:00Z', '09:05'],
    ['{{x | date: "h:mm a"}}', '2024-03-01 21:05:00+00', '9:05 PM'],
    ["{{x | date: \"d 'of' MMMM, h 'o''clock'\"}}", '2024-03-01T12:00:00Z', "1 of March, 12 o'clock"],
    ['{{x | date: "LLLL", "ru"}}', '2024-03-01', 'март'],
    ['{{x | date: "d MMMM", "ru"}}', '2024-03-01', '1 марта'],
    ['{{x | date: "yyyy-MM-dd"}}', new Date('2024-03-01T10:00:00Z'), '2024-03-01'],
    ['{{x | number}}', '1234567.5', '1,234,567.5'],
    ['{{x | number: 2}}', '1234.5', '1,234.50'],
    ['{{x | number: 0}}', 1234.5, '1,235'],
    ['{{x | number: 2, "de"}}', '-1234.5', '-1.234,50'],
    ['{{x | number}}', '12345678901234567890.12', '12,345,678,901,234,567,890.12'],

    ['{{x | currency: "EUR"}}', '1234.5', '€1,234.50'],
    ['{{x | currency: "EUR", "de"}}', '1234.5', '1.234,50\u00a0€'],
    ['{{x | currency: "jpy"}}', 1234, '¥1,234'],
    ['{{x | lower | capitalize}}', 'JOHN DOE', 'John doe'],
    ['{{x | replace: "a", "b" | upper | truncate: 3}}', 'aaaa', 'BB…'],
    ['{{x | trim | default: "none" | upper}}', ' ', 'NONE'],
    ['{{x | upper | default: "none"}}', null, 'none'],
    ['{{x | upper | none}}', null, 'none'],
    ['{{x | "there" | upper}}', null, 'THERE'],
    ['{{x | dear you | upper}}', null, 'DEAR YOU'],
    ['{{x | default: "n/a" | number: 2}}', null, ''],
    ['{{x | number: 2 | default: "n/a"}}', 'n/a', 'n/a'],
    ['{{ x | number : 2 , "de" }}', '1.5', '1,50'],
    ['{{x\u00a0|\u00a0upper}}', 'a', 'A'],
  ])('%s of %j: %j', (tag, value, printed) => {
    expect(print(tag, value)).toBe(printed)
  })

  it('of html gets the value as it is, and what it makes is escaped', () => {
    const html = (tag: string, x: string) => renderTemplate(tag, { custom_attributes: { x } })
    expect(html('{{x | upper}}', 'a & <b>')).toBe('A &amp; &lt;B&gt;')
    expect(html('{{x|&nbsp;replace:&nbsp;&quot;&amp;&quot;,&nbsp;&quot;&lt;&quot;&nbsp;}}', 'a & b')).toBe('a &lt; b')
    expect(html('{{x | date: &ldquo;long&rdquo;}}', '2024-03-01')).toBe('March 1, 2024')
    expect(html('{{x | truncate: 3, "…"}}', '&&&&')).toBe('&amp;&amp;…')
  })

  it('of a subject makes one line', () => {
    expect(print('{{x | replace: "-", "a\nb"}}', '-', { format: 'subject' })).toBe('a b')
  })
})

describe('the language and the clock', () => {
  it('are those of the message', () => {
    const options = { locale: 'de', timeZone: 'Asia/Tokyo' }
    expect(print('{{x | date: "long"}}', '2024-02-29T20:00:00Z', options)).toBe('1. März 2024')
    expect(print('{{x | date: "HH:mm"}}', '2024-02-29T20:00:00+01:00', options)).toBe('04:00')
    expect(print('{{x | number: 1}}', '0.5', options)).toBe('0,5')
    expect(print('{{x | upper}}', 'i', { locale: 'tr' })).toBe('İ')
  })

  it('have no part in a day, nor in a time without a zone', () => {
    const options = { timeZone: 'America/New_York' }
    expect(print('{{x | date: "yyyy-MM-dd"}}', '2024-03-01', options)).toBe('2024-03-01')
    expect(print('{{x | date: "yyyy-MM-dd HH:mm"}}', '2024-03-01T00:30:00', options)).toBe('2024-03-01 00:30')
    expect(print('{{x | date: "yyyy-MM-dd"}}', new Date('2024-03-01'), options)).toBe('2024-03-01')
  })

  test.each([
    [{ locale: 'no language' }, 'locale'],
    [{ locale: '' }, 'locale'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ filters: { upper: () => '' } }, 'filters'],
    [{ filters: { Upper: () => '' } }, 'filters'],
    [{ filters: { 'a b': () => '' } }, 'filters'],
    [{ filters: { loud: 'x' } }, 'filters'],
    [{ filters: [] }, 'filters'],
  ])('that is none is refused: %j', (options, option) => {
    const call = () => renderTemplate('', {}, options as never)
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(call).toThrow(expect.objectContaining({ details: expect.objectContaining({ option }) }))
  })
})

describe('a value that a filter cannot read is a gap', () => {
  test.each([
    ['{{x | number: 2}}', 'n/a'],
    ['{{x | number: 2}}', '1,234.50'],
    ['{{x | number}}', true],
    ['{{x | currency: "EUR"}}', '12 EUR'],
    ['{{x | date: "long"}}', '01/02/2024'],
    ['{{x | date: "long"}}', '2023-02-29'],
    ['{{x | date: "long"}}', '2024-01-01T25:00:00Z'],
    ['{{x | date: "long"}}', 20240101],
    ['{{x | number | upper}}', 'n/a'],
    ['{{x | number}}', '1e400'],
    ['{{x | date}}', '2024-03-01T10:00:00+99'],
    [`{{x${' | replace: "a", "aaaaaaaaaa"'.repeat(6)}}}`, 'a'],
    ['{{x | own}}', 'x'],
  ])('%s of %j', (tag, value) => {
    const options: TemplateOptions = { filters: { own: () => undefined } }
    expect(print(`[${tag}]`, value, options)).toBe('[]')
    expect(print(tag, value, { ...options, missing: 'keep' })).toBe(tag)
    expect(print(tag.replace('}}', ' | default: "-"}}'), value, options)).toBe('-')
    expect(() => print(tag, value, { ...options, missing: 'error' })).toThrow(
      expect.objectContaining({ code: 'MISSING_VALUE', details: { tags: ['x'] } }),
    )
  })
})

describe("a host's filter", () => {
  it('gets texts, and its text is escaped', () => {
    const filters = { wrap: (text: string, ...args: string[]) => `<${args.join('|')}>${text}` }
    const options = { filters, format: 'html' } as const
    expect(print('{{x | wrap: 1, "b c"}}', 5, options)).toBe('&lt;1|b c&gt;5')
    expect(print('{{x | wrap | upper}}', 'a', options)).toBe('&lt;&gt;A')
  })

  it('is not called without a value', () => {
    const filters = {
      never: () => {
        throw new Error('called')
      },
    }
    expect(print('{{x | never | there}}', ' ', { filters })).toBe('there')
    expect(() => print('{{x | never}}', 'x', { filters })).toThrow('called')
  })

  it('may have a name that other languages have', () => {
    expect(print('{{x | round}}', '1.6', { filters: { round: (text) => Math.round(Number(text)) } })).toBe('2')
  })
})

describe('what is wrong with a filter is told', () => {
  test.each([
    ['{{x | uper}}', undefined],
    ['{{x | uper: 1}}', /the filter uper, which does not exist here .* Did you mean upper\?/],
    ['{{x | uper | trim}}', /the filter uper, .* Did you mean upper\?/],
    ['{{x | there | trim}}', /the filter there, .* write \| default: "there"/],
    ['{{x | loud: 1}}', /the filter loud, which does not exist here .* write \| default: "loud"/],
    ['{{x | truncate}}', /gives the filter truncate 0 arguments, and it takes at least 1 .* Write \| truncate: 20\./],
    ['{{x | truncate: many}}', /no whole number/],
    ['{{x | upper: 1}}', /takes no/],
    ['{{x | replace: "a"}}', /takes 2 .* Write \| replace: "a", "b"\./],
    ['{{x | replace: "", "b"}}', /empty text/],
    ['{{x | replace: "a, "b"}}', /takes 2/],
    ['{{x | replace: "a, b}}', /opens a quote and does not close it/],
    ['{{x | number: two}}', /no whole number .* Write it as in number: 2/],
    ['{{x | number: 2, "no language"}}', /language that is none/],
    ['{{x | currency}}', /takes at least 1/],
    ['{{x | currency: "euro"}}', /ISO 4217/],
    ['{{x | date: "Y-m-d"}}', /date pattern with Y, which cannot be printed .* "d MMMM yyyy"/],
    ['{{x | date: "%B %d, %Y"}}', /format of strftime .* Write \| date: "MMMM dd, yyyy"\./],
    ['{{x | date: "d \'of"}}', /quote that is not closed/],
    ['{{x | default: "a" | default: "b"}}', /two fallbacks in a row/],
    ['{{x | default: "a" | b}}', /two fallbacks in a row/],
    ['{{x | Upper}}', /the filter Upper, .* Did you mean upper\?/],
  ])('%s', (template, message) => {
    const { problems } = inspectTemplate(template, { format: 'text' })
    if (message === undefined) {
      // A text as any other: nobody can tell that it is a misspelt filter.
      expect(problems).toEqual([])
      return
    }
    expect(problems.map(({ code }) => code)).toEqual(['TEMPLATE_SYNTAX'])
    expect(problems[0]!.message).toMatch(message)
    expect(() => compileTemplate(template, { format: 'text' })).toThrow(message)
  })
})

it('tags say their filters, fallback and arguments', () => {
  const { tags } = inspectTemplate('{{x | date: "long", de | upper | default: "-"}}{{x|-}}', { format: 'text' })
  expect(tags).toEqual([
    {
      name: 'x',
      kind: 'value',
      fallback: '-',
      filters: [
        { name: 'date', arguments: ['long', 'de'] },
        { name: 'upper', arguments: [] },
      ],
      line: 1,
      column: 1,
    },
    { name: 'x', kind: 'value', fallback: '-', line: 1, column: 48 },
  ])
  expect(checkTemplate('{{y | upper}}', ['x']).map(({ code }) => code)).toEqual(['UNKNOWN_TAG'])
})

test('law: no filter throws, whatever the text; what it makes of html escapes nothing', async () => {
  const call = fc.constantFrom(
    'capitalize',
    'upper',
    'lower',
    'title',
    'trim',
    'truncate: 3',
    'truncate: 2, "<b>"',
    'replace: "a", "<"',
    'replace: "<", "&"',
    'url',
    'date',
    'date: "full", "ar-EG"',
    'date: "EEEE d LLLL yyyy HH:mm:ss a", "ja"',
    'number',
    'number: 3, "hi"',
    'currency: "USD", "fa"',
    'default: "\'"',
  )
  const text = fc.oneof(
    fc.string({ unit: codePoint }),
    fc.string({ unit: fc.constantFrom('<', '&', '"', "'", '\ud800', '\udc00', '1', '.', 'e', '-', 'İ', 'ß', ' ') }),
    fc.date({ noInvalidDate: false }).map((date) => (Number.isNaN(date.getTime()) ? '' : date.toISOString())),
    fc.double().map(String),
    fc.bigInt().map(String),
  )
  const value = fc.oneof(text, fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }))
  await checkLaw(
    'filters',
    fc.property(fc.array(call, { minLength: 1, maxLength: 3 }), value, (calls, x) => {
      const template = `{{x | ${calls.join(' | ')}}}`
      fc.pre(inspectTemplate(template).problems.length === 0)
      expect(renderTemplate(template, { custom_attributes: { x } })).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/)
    }),
    5_000,
  )
})

it('the list is the one that the docs have', () => {
  expect(FILTER_NAMES).toEqual([
    'default',
    'capitalize',
    'upper',
    'lower',
    'title',
    'trim',
    'truncate',
    'replace',
    'url',
    'date',
    'number',
    'currency',
  ])
})

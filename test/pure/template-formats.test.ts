import { describe, expect, it, test } from 'vitest'
import { renderTemplate } from '../../src/template/render.js'
import type { TemplateFormat } from '../../src/template/template-options.js'

const NAME = "O'Brien & Söhne <x>"
const render = (value: string, format: TemplateFormat, template = '{{v}}') =>
  renderTemplate(template, { custom_attributes: { v: value } }, { format })

describe('escaping', () => {
  it('escapes in html what html needs, and nothing in text and subject', () => {
    expect(render(NAME, 'html')).toBe('O&#39;Brien &amp; Söhne &lt;x&gt;')
    expect(render(NAME, 'text')).toBe(NAME)
    expect(render(NAME, 'subject')).toBe(NAME)
  })

  it('is html by default', () => {
    expect(renderTemplate('{{v}}', { custom_attributes: { v: '<' } })).toBe('&lt;')
  })

  it('escapes & < > " \' and nothing else', () => {
    const others = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).filter(
      (c) => !`&<>"'`.includes(c),
    )
    for (const character of others) expect(render(`x${character}`, 'html')).toBe(`x${character}`)
    expect(render(`x&<>"'`, 'html')).toBe('x&amp;&lt;&gt;&quot;&#39;')
  })

  it('leaves a URL a URL', () => {
    const url = 'https://shop.example/a/b?x=1&y=`z`#top'
    expect(render(url, 'html', '<a href="{{v}}">')).toBe('<a href="https://shop.example/a/b?x=1&amp;y=%60z%60#top">')
    expect(render(url, 'text')).toBe(url)
  })

  it('leaves the text of the template alone', () => {
    const template = `<p title='a' class="b">&amp; & "</p>\r\n\u2028\u202e`
    expect(render('', 'html', template)).toBe(template)
    expect(render('', 'text', template)).toBe(template)
  })

  test.each(['{{{v}}}', '{{&v}}', '{{& v }}', '{{{ v }}}'])('%s is refused in html unless allowed', (template) => {
    const customer = { custom_attributes: { v: '<b>' } }
    expect(() => renderTemplate(template, customer)).toThrow(
      expect.objectContaining({
        code: 'UNESCAPED_TAG',
        details: { line: 1, column: 1, tag: template },
      }),
    )
    expect(renderTemplate(template, customer, { allowUnescaped: true })).toBe('<b>')
    expect(renderTemplate(template, customer, { format: 'text' })).toBe('<b>')
    expect(renderTemplate(template, customer, { format: 'subject' })).toBe('<b>')
  })
})

describe('a subject is one line', () => {
  const codes = [...Array(0x20).keys(), ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i), 0x2028, 0x2029]

  test.each(codes)('character %i becomes a space', (code) => {
    const character = String.fromCharCode(code)
    expect(render(`a${character}b`, 'subject', '{{v}}!')).toBe('a b!')
    expect(render(`a${character.repeat(3)}b`, 'subject')).toBe('a b')
    expect(render('x', 'subject', `a${character}{{v}}`)).toBe('a x')
  })

  it('no value adds a header', () => {
    expect(render('Hi\r\nBcc: all@example.com\r\n\r\n<script>', 'subject')).toBe('Hi Bcc: all@example.com <script>')
  })

  test.each([0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069])(
    'bidi control %i is dropped',
    (code) => {
      const character = String.fromCharCode(code)
      expect(render(`a${character}b`, 'subject')).toBe('ab')
      expect(render(`a\n${character}\nb`, 'subject')).toBe('a b')
    },
  )

  it('a run is one run wherever it comes from', () => {
    expect(render('\ra\n', 'subject', 'x\n{{v}}\n{{w|\ny}}')).toBe('x a y')
  })

  it('fallbacks and kept tags are on the line, too', () => {
    expect(renderTemplate('{{a|x\ny}} {{b\nc}}', {}, { format: 'subject', missing: 'keep' })).toBe('x y {{b c}}')
  })

  it('letters of every script, joiners and marks stay', () => {
    const value = 'Söhne 東京 مرحبا 👨‍👩‍👧 a\u200eb\u00a0c'
    expect(render(value, 'subject')).toBe(value)
  })

  it('html and text keep what a subject must not have', () => {
    expect(render('a\r\nb\u202ec', 'text')).toBe('a\r\nb\u202ec')
    expect(render('a\r\nb\u202ec', 'html')).toBe('a\r\nb\u202ec')
  })
})

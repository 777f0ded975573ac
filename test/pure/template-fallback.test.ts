import { describe, expect, it, test } from 'vitest'
import { inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'

const text = (template: string, custom_attributes = {}) =>
  renderTemplate(template, { custom_attributes }, { format: 'text' })
const html = (template: string) => renderTemplate(template, {})

describe('both spellings of a fallback', () => {
  test.each([
    ['{{name | default: "there"}}', 'there'],
    ["{{name | default: 'there'}}", 'there'],
    ['{{name | default: “there”}}', 'there'],
    ['{{name | default: ‘there’}}', 'there'],
    ['{{name | default: „there“}}', 'there'],
    ['{{name | default: ”there”}}', 'there'],
    ['{{name | default: there}}', 'there'],
    ['{{name|default:"there"}}', 'there'],
    ['{{name | Default : "there"}}', 'there'],
    ['{{name|there}}', 'there'],
    ['{{name|"there"}}', 'there'],
    ["{{name|'there'}}", 'there'],
    ['{{name|“there”}}', 'there'],
    ['{{name|‘there’}}', 'there'],
    ['{{ name | there }}', 'there'],
    ['{{name|"  there "}}', '  there '],
    ['{{name|dear customer}}', 'dear customer'],
    ['{{name|a|b}}', 'a|b'],
    ["{{name|'t Hooft}}", "'t Hooft"],
    ['{{name|"O\'Brien"}}', "O'Brien"],
    ['{{name|}}', ''],
    ['{{name | default: ""}}', ''],
    ['{{name | default:}}', ''],
    ['{{name|"}"}}', '}'],
    ['{{name\u00a0|\u00a0default:\u00a0"there"}}', 'there'],
    ['{{name|\u200bdefault:\u200b"there"\u200b}}', 'there'],
  ])('%s', (template, printed) => {
    expect(text(`[${template}]`)).toBe(`[${printed}]`)
    expect(text(`[${template}]`, { name: ' ' })).toBe(`[${printed}]`)
    expect(text(`[${template}]`, { name: 'John' })).toBe('[John]')
    expect(text(`[${template}]`, { name: 0 })).toBe('[0]')
    expect(inspectTemplate(template, { format: 'text' }).tags).toEqual([
      { name: 'name', kind: 'value', fallback: printed, line: 1, column: 1 },
    ])
  })
})

describe('a fallback in html', () => {
  it('is escaped like a value', () => {
    expect(html(`{{name|<b>"O'Brien" & Co</b>}}`)).toBe('&lt;b&gt;&quot;O&#39;Brien&quot; &amp; Co&lt;/b&gt;')
    expect(text('{{name|<b> & Co</b>}}')).toBe('<b> & Co</b>')
  })

  it('is escaped once when an editor escaped it already', () => {
    expect(html('{{name|Tom &amp; Jerry}}')).toBe('Tom &amp; Jerry')
    expect(html('{{name|&nbsp;default:&nbsp;&quot;a &lt; b&quot;}}')).toBe('a &lt; b')
    expect(html('{{name | default: &ldquo;you&rdquo;}}')).toBe('you')
    expect(html('{{name | default: &lsquo;you&rsquo;}}')).toBe('you')
    expect(html('{{name | default: &bdquo;you&ldquo;}}')).toBe('you')
    expect(html('{{name|it&rsquo;s &ldquo;you&rdquo;}}')).toBe('it’s “you”')
    expect(html('{{name|&constructor;&copy;}}')).toBe('&amp;constructor;©')
    expect(text('{{name|Tom &amp; Jerry}}')).toBe('Tom &amp; Jerry')
  })

  it('is not escaped where the value is not', () => {
    expect(renderTemplate('{{{name|<b>}}}', {}, { allowUnescaped: true })).toBe('<b>')
  })
})

describe('a fallback that cannot be meant', () => {
  test.each([
    ['{{name | default "there"}}', /no colon after default/],
    ["{{name | default = 'there'}}", /no colon after default/],
    ['{{name | default: "there}}', /opens a quote/],
    ['{{name|default}}', /default without a text/],
    ['{{name|defaults: x}}', /the filter defaults, which does not exist here .* Did you mean default\?/],
    ['{{name | default: "there" | upcase}}', /the filter upcase, which does not exist here .* Write \| upper\./],
    ['{{#name|there}}x{{/name}}', /section with a fallback/],
  ])('%s', (template, message) => {
    expect(() => text(template)).toThrow(message)
    expect(() => text(template)).toThrow(
      expect.objectContaining({ code: 'TEMPLATE_SYNTAX', details: expect.objectContaining({ line: 1, column: 1 }) }),
    )
  })
})

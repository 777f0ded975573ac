import { describe, expect, it, test } from 'vitest'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'

describe('a tag that was taken apart is a warning with its place, and rendering goes on', () => {
  test.each([
    ['<a href="https://x.example/?u=%7B%7Bunsubscribe%7D%7D">', '%7B%7Bunsubscribe%7D%7D', /percent-encoded/],
    ['<a href="%7b%7burl%7d%7d">', '%7b%7burl%7d%7d', /percent-encoded/],
    ['<a href="%7B%7Burl%7d%7D">', '%7B%7Burl%7d%7D', /percent-encoded/],
    ['<a href="{%7Burl}%7D">', '{%7Burl}%7D', /percent-encoded/],
    ['{ {first_name}}', '{ {first_name}}', /something between its braces/],
    ['{\n{first_name}}', '{\n{first_name}}', /something between/],
    ['{&nbsp;{first_name}}', '{&nbsp;{first_name}}', /something between/],
    ['{<b>{first_name}}</b>', '{<b>{first_name}}', /something between/],
    ['{<span style="color: red">{first_name}</span>}', '{<span style="color: red">{first_name}</span>}', /something/],
    ['&#123;&#123;first_name&#125;&#125;', '&#123;&#123;first_name&#125;&#125;', /character references/],
    ['&#x7B;&#x7b;first_name&#x7D;&#x7d;', '&#x7B;&#x7b;first_name&#x7D;&#x7d;', /character references/],
    ['&lbrace;&lcub;first_name&rbrace;&rcub;', '&lbrace;&lcub;first_name&rbrace;&rcub;', /character references/],
    ['{&#8203;{first_name}}', '{&#8203;{first_name}}', /something between/],
    ['&#0123;&#0123;x&#125;&#125;', '&#0123;&#0123;x&#125;&#125;', /character references/],
    ['{&#123;first_name}}', '{&#123;first_name}}', /character references/],
  ])('%s', (template, source, message) => {
    const line = `<p>x</p>\n${template}`
    const column = template.indexOf(source) + 1
    const { problems, tags } = inspectTemplate(line)
    expect(tags).toEqual([])
    expect(problems).toMatchObject([
      { code: 'SUSPECT_TEXT', severity: 'warning', details: { line: 2, column, tag: source.slice(0, 60) } },
    ])
    expect(problems[0]!.message).toMatch(message)
    expect(checkTemplate(line, [])).toEqual(problems)
    expect(renderTemplate(line, {})).toBe(line)
  })

  it('written as its remedy says is a tag', () => {
    const { problems, tags } = inspectTemplate('<a href="https://x.example/?u={{unsubscribe}}">{{first_name}}</a>')
    expect(problems).toEqual([])
    expect(tags.map(({ name }) => name)).toEqual(['unsubscribe', 'first_name'])
  })

  it('is found between tags and behind the last one, each in its place', () => {
    const { problems } = inspectTemplate('{ {a}} {{x}} %7B%7Bb%7D%7D {{y}}\n&#123;&#123;c&#125;&#125;')
    expect(problems.map(({ details }) => `${details.line}:${details.column}`)).toEqual(['1:1', '1:14', '2:1'])
  })
})

describe('a section that an editor moved out of its table', () => {
  it('is empty and stands before it', () => {
    const [problem, ...others] = inspectTemplate('{{#vip}}{{/vip}}<table><tr><td>x</td></tr></table>').problems
    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'SUSPECT_TEXT', severity: 'warning', details: { line: 1, column: 1 } })
    expect(inspectTemplate('<p>{{#vip}} {{/vip}}</p>\n<table><tr><td>x</td></tr></table>').problems).toHaveLength(1)
    expect(inspectTemplate('{{#vip}}\n{{else}} {{/vip}}<table><tr><td>x</td></tr></table>').problems).toHaveLength(1)
    expect(inspectTemplate('{{#vip}}{{else}}x{{/vip}}<table><tr><td>x</td></tr></table>').problems).toEqual([])
  })

  it('is none where its tags stand in cells or around the table, nor where no table follows', () => {
    for (const template of [
      '{{#vip}}<table><tr><td>x</td></tr></table>{{/vip}}',
      '<table><tr><td>{{#vip}}x{{/vip}}</td></tr></table>',
      '{{#vip}}{{/vip}}<p>x</p>',
      '{{#vip}}{{/vip}}',
    ]) {
      expect(inspectTemplate(template).problems).toEqual([])
    }
  })
})

describe('texts that only resemble such a tag', () => {
  test.each([
    '<style>@media (width > 600px) { p { color: red }}</style>',
    '<style>a{b:c}\n\n{}</style>',
    '{ x } { y }',
    '{ {x} }',
    'https://x.example/?filter=%7B%22a%22%3A1%7D',
    '<a href="https://x.example/?q=%7B%7B">',
    '100 %7',
  ])('%s', (template) => {
    expect(inspectTemplate(template).problems).toEqual([])
  })

  it('references in a plain text are text', () => {
    expect(inspectTemplate('&#123;&#123;x&#125;&#125;', { format: 'text' }).problems).toEqual([])
  })
})

import { describe, expect, it, test } from 'vitest'
import { ERROR_CATALOGUE } from '../../src/errors.js'
import { inspectTemplate } from '../../src/template/inspect.js'
import type { TemplateProblemCode } from '../../src/template/problems.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'
import type { TemplateOptions } from '../../src/template/template-options.js'

/** The problems as `code line:column`. */
const problems = (template: string, options?: TemplateOptions) =>
  inspectTemplate(template, options).problems.map(({ code, details }) => `${code} ${details.line}:${details.column}`)

describe('the tags of a template', () => {
  it('are listed with name, kind, fallback, line and column, each time they are used', () => {
    const template = [
      'Hi {{first_name | default: "there"}},',
      '{{! a comment }}',
      '  {{# Loyalty Tier }}{{{ points }}}{{/ Loyalty Tier }}\r',
      '{{^vip}}{{&first_name}}{{/vip}}🎉{{email}}',
    ].join('\n')
    expect(inspectTemplate(template, { format: 'text' })).toEqual({
      tags: [
        { name: 'first_name', kind: 'value', fallback: 'there', line: 1, column: 4 },
        { name: 'Loyalty Tier', kind: 'section', line: 3, column: 3 },
        { name: 'points', kind: 'unescaped', line: 3, column: 22 },
        { name: 'vip', kind: 'inverted', line: 4, column: 1 },
        { name: 'first_name', kind: 'unescaped', line: 4, column: 9 },
        { name: 'email', kind: 'value', line: 4, column: 34 },
      ],
      problems: [],
    })
  })

  it('are listed beside the problems', () => {
    const { tags } = inspectTemplate('{{a}}{{{b}}}{{#c}}{{}}{{.}}{{>d}}')
    expect(tags.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['a\nb\n{{c}}', 3, 1],
    ['a\r\nb\r\n{{c}}', 3, 1],
    ['a\rb\r{{c}}', 3, 1],
    ['a\r\n\r\n\rb {{c}}', 4, 3],
    ['{{!\n\n}} {{c}}', 3, 4],
  ])('count lines and columns in %j', (template, line, column) => {
    expect(inspectTemplate(template).tags).toEqual([{ name: 'c', kind: 'value', line, column }])
  })
})

describe('the problems of a template', () => {
  const cases: [template: string, expected: string[], message: RegExp][] = [
    [
      'Hi {{first_name',
      ['TEMPLATE_SYNTAX 1:4'],
      /^\{\{first_name is a tag that is not closed \(line 1, column 4\)\. Close it with }}\.$/,
    ],
    ['Hi {{first_name}, {{last_name}}', ['TEMPLATE_SYNTAX 1:4'], /not closed/],
    ['{{{a}} {{{b}}}', ['TEMPLATE_SYNTAX 1:1', 'UNESCAPED_TAG 1:8'], /Close it with }}}\./],
    ['{{ {{a}} }}', ['TEMPLATE_SYNTAX 1:1'], /not closed/],
    ['{{a|{{b}}}}', ['TEMPLATE_SYNTAX 1:1'], /not closed/],
    ['{{! {{a}} }}', ['TEMPLATE_SYNTAX 1:1'], /not closed/],
    ['{{a {{b {{c', ['TEMPLATE_SYNTAX 1:1', 'TEMPLATE_SYNTAX 1:5', 'TEMPLATE_SYNTAX 1:9'], /\{\{a is a tag/],
    [
      '{{#a}}\n x',
      ['UNCLOSED_SECTION 1:1'],
      /\{\{#a}} opens a section that is never closed .* Close it with \{\{\/a}}\./,
    ],
    ['{{#a}}{{^b}}', ['UNCLOSED_SECTION 1:1', 'UNCLOSED_SECTION 1:7'], /never closed/],
    ['x{{/a}}', ['SECTION_MISMATCH 1:2'], /closes a section that is not open/],
    [
      '{{#a}}x{{/b}}',
      ['SECTION_MISMATCH 1:8'],
      /\{\{\/b}} stands where \{\{#a}} of line 1 must be closed .* Write \{\{\/a}} first\./,
    ],
    ['{{#a}}{{#b}}{{/a}}{{c}}', ['SECTION_MISMATCH 1:13'], /stands where \{\{#b}}/],
    ['{{#a}}{{/a}}{{/a}}', ['SECTION_MISMATCH 1:13'], /not open/],
    ['{{#a}}{{/b}}x{{/a}}', ['SECTION_MISMATCH 1:7'], /\{\{\/b}} closes a section that is not open/],
    ['{{#a}}{{/A}}', ['SECTION_MISMATCH 1:7'], /must be closed/],
    ['{{#if vip}}x{{/if}}', ['TEMPLATE_SYNTAX 1:1'], /Write \{\{#vip}} and \{\{\/vip}}\./],
    ['{{}}', ['EMPTY_TAG 1:1'], /has no name .* Write a name/],
    [
      '{{ }} {{#}}{{/}} {{^ }}{{/}}',
      ['EMPTY_TAG 1:1', 'EMPTY_TAG 1:7', 'EMPTY_TAG 1:12', 'EMPTY_TAG 1:18', 'EMPTY_TAG 1:24'],
      /no name/,
    ],
    ['{{|x}} {{ | default: "x"}} {{\u200b}}', ['EMPTY_TAG 1:1', 'EMPTY_TAG 1:8', 'EMPTY_TAG 1:28'], /no name/],
    ['{{>footer}}', ['UNSUPPORTED_TAG 1:1'], /\{\{>footer}} asks for a partial/],
    ['{{=<% %>=}}{{a}}', ['UNSUPPORTED_TAG 1:1'], /changes the delimiters/],
    ['{{.}}', ['UNSUPPORTED_TAG 1:1'], /is a list item/],
    [
      '{{#.}}{{.}}{{/.}}{{^ . }}{{/.}}',
      ['UNSUPPORTED_TAG 1:1', 'UNSUPPORTED_TAG 1:7', 'UNSUPPORTED_TAG 1:18'],
      /list item/,
    ],
    ['{{{a}}}', ['UNESCAPED_TAG 1:1'], /\{\{\{a}}} would put a value into the HTML unescaped .* Write \{\{a}}/],
    ['{{& a}}', ['UNESCAPED_TAG 1:1'], /unescaped/],
    ['{{a | default "x"}}', ['TEMPLATE_SYNTAX 1:1'], /colon/],
    ['{{#a|x}}{{/a|x}}', ['TEMPLATE_SYNTAX 1:1'], /section with a fallback/],
    ['{{#a|x}}{{/a}}', ['TEMPLATE_SYNTAX 1:1'], /section with a fallback/],
    ['{{#a}}{{/a|x}}', ['SECTION_MISMATCH 1:7'], /Write \{\{\/a}} first/],
    [`{{${'a'.repeat(201)}}}`, ['TAG_TOO_LONG 1:1'], /^\{\{a{58}… has more than 200 characters between its braces/],
    [`{{!${' '.repeat(80_000)}}}`, ['TAG_TOO_LONG 1:1'], /more than 200/],
    ['{{a}}'.repeat(501), ['TOO_MANY_TAGS 1:2501'], /\{\{ opens tag 501 of at most 500 .* Use fewer tags/],
    ['{{#a}}'.repeat(10_000), ['TOO_MANY_TAGS 1:3001'], /501 of at most 500/],
    ['x'.repeat(256 * 1024 + 1), ['TEMPLATE_TOO_LARGE 1:1'], /over 256 KiB \(262144 bytes in UTF-8\)/],
    ['é'.repeat(128 * 1024 + 1), ['TEMPLATE_TOO_LARGE 1:1'], /over 256 KiB/],
  ]

  test.each(cases.map((entry) => [entry[0].slice(0, 40), ...entry] as const))(
    '%s',
    (_, template, expected, message) => {
      expect(problems(template)).toEqual(expected)
      const [first] = inspectTemplate(template).problems
      expect(first!.message).toMatch(message)
      for (const call of [() => renderTemplate(template, {}), () => compileTemplate(template)]) {
        const { code, message, details } = first!
        expect(call).toThrow(expect.objectContaining({ code, message, details }))
        expect(call).toThrow(expect.objectContaining({ status: ERROR_CATALOGUE[first!.code].status }))
      }
    },
  )

  it('are found all at once, in template order', () => {
    const template = '{{#open}}\n{{}}\n{{>p}} {{{raw}}}\n{{/other}}\n{{.}}{{x|"y}}\n{{#late}}{{end'
    expect(problems(template)).toEqual([
      'EMPTY_TAG 2:1',
      'UNSUPPORTED_TAG 3:1',
      'UNESCAPED_TAG 3:8',
      'SECTION_MISMATCH 4:1',
      'UNSUPPORTED_TAG 5:1',
      'TEMPLATE_SYNTAX 5:6',
      'UNCLOSED_SECTION 6:1',
      'TEMPLATE_SYNTAX 6:10',
    ])
  })

  it('at the limits there are none', () => {
    const fullTag = `{{${'a'.repeat(200)}}}`
    expect(problems(fullTag.repeat(500))).toEqual([])
    expect(problems('{{#a}}'.repeat(250) + '{{/a}}'.repeat(250))).toEqual([])
    expect(problems('x'.repeat(256 * 1024))).toEqual([])
    expect(problems('é'.repeat(128 * 1024))).toEqual([])
  })

  it('single braces, and closing braces without a tag, are text', () => {
    const template = '@media(x){a{color:red}}{first_name}}}{ {x} }'
    expect(problems(template)).toEqual([])
    expect(renderTemplate(template, {})).toBe(template)
  })

  it('unescaped tags are one in html only, and unless allowed', () => {
    expect(problems('{{{a}}}{{&b}}')).toHaveLength(2)
    expect(problems('{{{a}}}{{&b}}', { allowUnescaped: true })).toEqual([])
    expect(problems('{{{a}}}{{&b}}', { format: 'text' })).toEqual([])
  })

  it('are JSON-safe and say where sections were opened', () => {
    const { problems } = inspectTemplate('a\n{{#a}}\n{{/b}}')
    expect(JSON.parse(JSON.stringify(problems))).toEqual([
      {
        code: 'SECTION_MISMATCH' satisfies TemplateProblemCode,
        severity: 'error',
        message: expect.any(String),
        details: { line: 3, column: 1, tag: '{{/b}}', section: '{{#a}}', sectionLine: 2, sectionColumn: 1 },
      },
    ])
  })

  it('arguments that are none are refused', () => {
    expect(() => inspectTemplate(1 as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => inspectTemplate('', { x: 1 } as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })
})

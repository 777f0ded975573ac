import { describe, expect, it, test } from 'vitest'
import { checkTemplate } from '../../src/template/inspect.js'

const NAMES = ['email', 'first_name', 'last_name', 'phone', 'loyalty_tier', 'Fav Color', 'Größe', 'plan', 'R&D']

const suggestion = (template: string, names: Iterable<string> = NAMES) => {
  const problems = checkTemplate(template, names, { allowUnescaped: true })
  expect(problems.map(({ code }) => code)).toEqual(['UNKNOWN_TAG'])
  return problems[0]!.details.suggestion
}

describe('unknown tags', () => {
  it('are told with their place and the nearest known name', () => {
    expect(checkTemplate('Hi {{first_name}},\n your {{loyalty_teir}} status', NAMES)).toEqual([
      {
        code: 'UNKNOWN_TAG',
        severity: 'warning',
        message:
          '{{loyalty_teir}} is no standard field, custom attribute or extra tag (line 2, column 7). ' +
          'Did you mean {{loyalty_tier}}?',
        details: { line: 2, column: 7, tag: '{{loyalty_teir}}', suggestion: 'loyalty_tier' },
      },
    ])
  })

  test.each([
    ['{{loyalty_teir}}', 'loyalty_tier'],
    ['{{#loyalty_teir}}x{{/loyalty_teir}}', 'loyalty_tier'],
    ['{{loyaltytire|gold}}', 'loyalty_tier'],
    ['{{fist_name}}', 'first_name'],
    ['{{favourite color}}', undefined],
    ['{{fav colour}}', 'Fav Color'],
    ['{{Grösse}}', 'Größe'],
    ['{{plam}}', 'plan'],
    ['{{plna}}', 'plan'],
    ['{{quantity}}', undefined],
    ['{{fname}}', 'first_name'],
    ['{{mobile}}', 'phone'],
    ['{{customer.first_name}}', 'first_name'],
    ['{{ contact.Fav Color }}', 'Fav Color'],
  ])('%s: %s', (template, expected) => {
    expect(suggestion(template)).toBe(expected)
  })

  test.each([
    ['{{<b>first_name</b>}}', 'first_name'],
    ['{{first<b>_name</b>}}', 'first_name'],
    ['{{<span style="color: red">Fav</span>&nbsp;Color}}', 'Fav Color'],
    ['{{<b>R&amp;D</b>}}', 'R&amp;D'],
    ['{{R&amp;B}}', 'R&amp;D'],
    ['{{<i>loyalty_teir</i>}}', 'loyalty_tier'],
  ])('what an HTML editor left inside %s', (template, expected) => {
    expect(suggestion(template)).toBe(expected)
  })

  it('of two names of one form, the nearer spelling', () => {
    expect(suggestion('{{ti\u200ber}}', ['Tier', 'tier', 'TIER'])).toBe('tier')
    expect(suggestion('{{T-ier}}', ['tier', 'Tier', 'TIER'])).toBe('Tier')
  })
})

describe('known tags', () => {
  test.each([
    '{{First Name}}',
    '{{fav_color}}',
    '{{first\u200b_name}}',
    '{{GRÖßE}}',
    '{{#plan}}{{/plan}}',
    '{{x_url}}',
    '{{first_name&nbsp;}}',
    '{{&nbsp;first_name}}',
    '{{first&nbsp;name}}',
    '{{first&#160;name | default: "there"}}',
    '{{R&amp;D}}',
    '{{R&D}}',
    '{{Gr&ouml;&szlig;e}}',
    '{{Gr&#246;&#xDF;e}}',
  ])('%s', (template) => {
    expect(checkTemplate(template, NAMES, { extraTags: { 'X URL': undefined } })).toEqual([])
  })

  it('names can be any iterable of strings', () => {
    expect(checkTemplate('{{plan}}', new Set(NAMES))).toEqual([])
    expect(checkTemplate('{{plan}}', new Map(NAMES.map((name) => [name, 1])).keys())).toEqual([])
    expect(checkTemplate('{{plan}}', [])).toHaveLength(1)
  })
})

describe('checkTemplate', () => {
  it('tells all problems in template order', () => {
    const problems = checkTemplate('{{x1}}{{#plan}}{{>p}}\n{{x2}}{{x1}}', NAMES)
    expect(problems.map(({ code, details }) => `${code} ${details.line}:${details.column}`)).toEqual([
      'UNKNOWN_TAG 1:1',
      'UNCLOSED_SECTION 1:7',
      'UNSUPPORTED_TAG 1:16',
      'UNKNOWN_TAG 2:1',
      'UNKNOWN_TAG 2:7',
    ])
  })

  it('knows the format', () => {
    expect(checkTemplate('{{{plan}}}', NAMES)).toHaveLength(1)
    expect(checkTemplate('{{{plan}}}', NAMES, { format: 'subject' })).toEqual([])
  })

  test.each([['plan'], [undefined], [null], [1], [{ standardFields: [], customAttributes: [] }], [['plan', 1]]])(
    'refuses the names %j',
    (names) => {
      expect(() => checkTemplate('{{plan}}', names as never)).toThrow(
        expect.objectContaining({
          code: 'INVALID_ARGUMENT',
          message: expect.stringContaining('[...standardFields, ...customAttributes]'),
        }),
      )
    },
  )

  it('refuses a template that is no string, and unknown options', () => {
    expect(() => checkTemplate(null as never, [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(() => checkTemplate('', [], { name: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

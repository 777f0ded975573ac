import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'
import type { TemplateOptions } from '../../src/template/template-options.js'
import { checkLaw } from '../support/law.js'

/** Whether a section with this condition is open for a value. */
const isOpen = (condition: string, x: unknown, options: TemplateOptions = {}) =>
  renderTemplate(`{{#x ${condition}}}yes{{else}}no{{/x}}`, { custom_attributes: { x } }, { format: 'text', ...options })

describe('a comparison', () => {
  test.each<[string, unknown, 'yes' | 'no']>([
    ['= "pro"', 'pro', 'yes'],
    ['= "pro"', ' pro ', 'yes'],
    ['= "pro"', 'Pro', 'no'],
    ['= "pro"', null, 'no'],
    ['= ""', ' ', 'no'],
    ['="pro"', 'pro', 'yes'],
    ['== "pro"', 'pro', 'yes'],
    ["= 'pro'", 'pro', 'yes'],
    ['= “pro”', 'pro', 'yes'],
    ['= "say "hi""', 'say "hi"', 'yes'],
    ['!= "pro"', 'pro', 'no'],
    ['!= "pro"', 'free', 'yes'],
    ['!= "pro"', null, 'yes'],
    ['in "pro, team"', 'team', 'yes'],
    ['in "pro, team"', 'pro, team', 'no'],
    ['in "pro, team"', '', 'no'],
    ['in "pro,,team"', '', 'no'],
    ['= 3', '3', 'yes'],
    ['= 3', '3.00', 'yes'],
    ['= 3', 3, 'yes'],
    ['= 3', 'three', 'no'],
    ['= "3"', '3.00', 'no'],
    ['= "007"', '7', 'no'],
    ['!= 3', 'three', 'yes'],
    ['= true', true, 'yes'],
    ['= true', 'true', 'yes'],
    ['= false', false, 'yes'],
    ['= 9007199254740993', '9007199254740992', 'no'],
    ['> 9007199254740992', '9007199254740993', 'yes'],
    ['> 10', '9', 'no'],
    ['> 10', '10.5', 'yes'],
    ['> 10', '10', 'no'],
    ['>= 10', '10', 'yes'],
    ['< 10', '9', 'yes'],
    ['<= -1', -1, 'yes'],
    ['< 10', 'n/a', 'no'],
    ['< 10', null, 'no'],
    ['< 10', true, 'no'],
    ['> "10"', '11', 'yes'],
    ['> 2024-03-01', '2024-03-02', 'yes'],
    ['> "2024-03-01"', '2024-03-01', 'no'],
    ['> "2024-03-01"', '2024-03-01T23:00:00Z', 'no'],
    ['>= "2024-03-01"', '2024-03-01T23:00:00Z', 'yes'],
    ['< "2024-03-01"', new Date('2024-02-29T23:00:00Z'), 'yes'],
    ['> "2024-03-01T12:00:00Z"', '2024-03-01T14:00:00+02:00', 'no'],
    ['>= "2024-03-01T12:00:00Z"', '2024-03-01T14:00:00+02:00', 'yes'],
    ['< "2024-03-01"', '01/02/2024', 'no'],
  ])('%s with %j: %s', (condition, value, outcome) => {
    expect(isOpen(condition, value)).toBe(outcome)
  })

  it('of an inverted section is the opposite', () => {
    const render = (plan: unknown) =>
      renderTemplate('{{^plan = "pro"}}a{{else}}b{{/plan}}', { custom_attributes: { plan } })
    expect([render('pro'), render('free'), render(null)]).toEqual(['b', 'a', 'a'])
  })

  it('sees the day of a point in time by the clock of the message', () => {
    expect(isOpen('= "x"', 'x', { timeZone: 'Asia/Tokyo' })).toBe('yes')
    expect(isOpen('> "2024-02-29"', '2024-02-29T20:00:00Z', { timeZone: 'Asia/Tokyo' })).toBe('yes')
    expect(isOpen('> "2024-02-29"', '2024-02-29T20:00:00Z')).toBe('no')
  })

  it('is read as an HTML editor writes it', () => {
    const html = (template: string, x: string) => renderTemplate(template, { custom_attributes: { x, 'R&D': 'yes' } })
    expect(html('{{#x &gt; 5}}yes{{/x}}', '6')).toBe('yes')
    expect(html('{{#x&nbsp;=&nbsp;&quot;a &amp; b&quot;}}yes{{/x}}', 'a & b')).toBe('yes')
    expect(html('{{#R&amp;D = &ldquo;yes&rdquo;}}yes{{/R&amp;D}}', '')).toBe('yes')
  })
})

describe('{{else}}', () => {
  it('parts a section, and drops its own line', () => {
    const template = 'a\n{{#x}}\nb {{x}}\n{{else}}\nc\n{{/x}}\nd'
    const render = (x: unknown) => renderTemplate(template, { custom_attributes: { x } }, { format: 'text' })
    expect(render('1')).toBe('a\nb 1\nd')
    expect(render('')).toBe('a\nc\nd')
  })

  it('belongs to the innermost section', () => {
    const template = '{{#x}}{{#y}}xy{{else}}x{{/y}}{{else}}{{#y}}y{{else}}-{{/y}}{{/x}}'
    const render = (x: string, y: string) => renderTemplate(template, { custom_attributes: { x, y } })
    expect([render('1', '1'), render('1', ''), render('', '1'), render('', '')]).toEqual(['xy', 'x', 'y', '-'])
  })

  it('and closing tags are read with the blanks that editors leave', () => {
    const html = (template: string) => renderTemplate(template, { first_name: 'J', custom_attributes: { x: '1' } })
    expect(html('{{#First Name}}Hi{{/First&nbsp;Name}}')).toBe('Hi')
    expect(html('{{#x\u200b}}a{{else\u200b}}b{{/x}}')).toBe('a')
    expect(html('{{&nbsp;#x}}a{{&#47;x}}')).toBe('a')
  })

  it('is no merge tag', () => {
    expect(checkTemplate('{{#x}}a{{else}}b{{/x}}', ['x'])).toEqual([])
    expect(inspectTemplate('{{#x}}a{{else}}b{{/x}}').tags).toHaveLength(1)
  })
})

describe('names in comparisons', () => {
  it('are checked and suggested like others', () => {
    const problems = checkTemplate('{{#plna = "pro"}}x{{/plna}}', ['plan'])
    expect(problems.map(({ code, details }) => [code, details.suggestion])).toEqual([['UNKNOWN_TAG', 'plan']])
    expect(inspectTemplate('{{#plan in "pro, team"}}x{{/plan}}').tags).toEqual([
      {
        name: 'plan',
        kind: 'section',
        comparison: { operator: 'in', value: 'pro, team', isQuoted: true },
        line: 1,
        column: 1,
      },
    ])
  })

  it('close by the name, or by all that was opened with', () => {
    for (const close of ['plan', 'plan = "pro"']) {
      expect(inspectTemplate(`{{#plan = "pro"}}x{{/${close}}}`).problems).toEqual([])
    }
    expect(inspectTemplate('{{#plan = "pro"}}x{{/plan = "free"}}').problems[0]!.message).toContain(
      'Write {{/plan}} first.',
    )
  })

  it('may hold signs of comparisons themselves', () => {
    for (const name of ['a=b', 'a<b', 'a>b', 'born in', 'in stock', 'A!']) {
      expect(renderTemplate(`{{#${name}}}yes{{/${name}}}`, { custom_attributes: { [name]: '1' } })).toBe('yes')
    }
  })
})

describe('what is wrong is told', () => {
  test.each([
    ['{{#x = pro}}y{{/x}}', /text that is not in quotes .* Put it into quotes: = "pro"\./],
    ['{{#x in pro}}y{{/x}}', /Put it into quotes: in "pro"/],
    ['{{#x in 3}}y{{/x}}', /Put it into quotes: in "3"/],
    ['{{#x > "many"}}y{{/x}}', /compares by > with neither a number nor a date/],
    ['{{#x > "2024-02-30"}}y{{/x}}', /neither a number nor a date/],
    ['{{#x > "2024-01-01T24:00"}}y{{/x}}', /neither a number nor a date/],
    ['{{#x = "a" and y = "b"}}y{{/x}}', /has two conditions/],
    ['{{#x === "a"}}y{{/x}}', /way of another language/],
    ['{{#x in ["a","b"]}}y{{/x}}', /way of another language/],
    ['{{#x}}a{{ELSE}}b{{/x}}', /is no tag here/],
    ['{{#x < 2024-13-01}}y{{/x}}', /neither a number nor a date/],
    ['{{#x}}a{{else}}b{{else}}c{{/x}}', /\{\{else}} is the second in \{\{#x}} .* Take one of them out/],
    ['{{else}}', /stands in no section/],
    ['{{#x | upper}}y{{/x}}', /section with a fallback or a filter/],
  ])('%s', (template, message) => {
    const { problems } = inspectTemplate(template, { format: 'text' })
    expect(problems.map(({ code }) => code)).toEqual(['TEMPLATE_SYNTAX'])
    expect(problems[0]!.message).toMatch(message)
  })
})

test('law: exactly one of below, equal and above holds for numbers, and none for what is none', async () => {
  const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  const written = number.map((value) => (Math.abs(value) < 1e15 ? value.toFixed(3) : String(Math.trunc(value / 1e10))))
  await checkLaw(
    'comparisons of numbers',
    fc.property(written, fc.oneof(written, fc.constantFrom('n/a', '', '1,5')), (bound, value) => {
      fc.pre(/^[+-]?\d+(\.\d+)?$/.test(bound))
      const holds = ['<', '=', '>'].filter((sign) => isOpen(`${sign} ${bound}`, value) === 'yes')
      expect(holds).toHaveLength(/\d/.test(value) && !value.includes(',') ? 1 : 0)
      expect(isOpen(`<= ${bound}`, value)).toBe(holds.some((sign) => sign !== '>') ? 'yes' : 'no')
      expect(isOpen(`!= ${bound}`, value)).toBe(holds.includes('=') ? 'no' : 'yes')
    }),
    1_000,
  )
})

import { describe, expect, it, test } from 'vitest'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import type { TemplateProblem } from '../../src/template/problems.js'
import { compileTemplate } from '../../src/template/render.js'
import { costOf, leastTimes } from '../support/cost.js'
import { samples } from '../support/law.js'

/** What is well within its bound is tried once: what is not is measured again. */
const TRIES = samples(3, 1)
const ROUNDS = samples(15, 1)

const FULL = 256 * 1024
const LINE = '<p>A line of a newsletter, as long as such lines are.</p>\n'
const fill = (piece: string, length = FULL) => piece.repeat(Math.ceil(length / piece.length)).slice(0, length)

const TEMPLATES: Record<string, string> = {
  'text of 256 KiB': fill(LINE),
  'one word of 256 KiB': fill('x'),
  'blanks of 256 KiB': fill(' '),
  'line ends of 256 KiB': fill('\n'),
  'CR of 256 KiB': fill('\r'),
  'text with 500 tags': fill(`{{first_name | default: "there"}}${LINE.repeat(9)}`),
  'sections alone on lines of blanks': fill(`${' '.repeat(500)}{{#a}}\n${' '.repeat(500)}{{/a}}\n`),
  '250 nested sections': `${'{{#a}}'.repeat(250)}${fill(LINE, FULL - 5000)}${'{{/a}}'.repeat(250)}`,
  '10,000 nested sections': '{{#a}}'.repeat(10_000),
  'a tag with 80,000 blanks': `{{${fill(' ', 80_000)}}}`,
  'a name with 80,000 blanks': `{{a${fill(' ', 80_000)}b}}`,
  'a comment with 80,000 blanks': `{{!${fill(' ', 80_000)}}}`,
  'an unclosed tag with 256 KiB of blanks': `{{a${fill(' ', FULL - 3)}`,
  '500 unclosed tags': fill(`{{a${' '.repeat(500)}`),
  '500 tags whose end is far away': `${'{{a '.repeat(499)}${fill(' ', FULL - 3000)}}}`,
  'opening braces': fill('{'),
  'closing braces': fill('}'),
  'closed braces': fill('{}'),
  'half closed braces': fill('{{{x}}'),
  'empty tags': fill('{{}}'),
  'long tags': `{{${'a'.repeat(200)}}}`.repeat(500),
  'long comments of blanks': `{{!${' '.repeat(199)}}}`.repeat(500),
  '500 links': fill(`<p title="{{x}}"><a href="https://a.example/?e={{x}}">{{x}}</a>${LINE.repeat(20)}`),
  'sections in attributes, nested': `<p ${'{{#a}}title="{{x}}" '.repeat(160)}${'{{/a}}'.repeat(160)}>${fill(LINE, FULL - 9000)}`,
  '250 nested sections with else': `${'{{#a}}<b>{{else}}'.repeat(160)}${fill(LINE, FULL - 9000)}${'{{/a}}'.repeat(160)}`,
  'a URL of 256 KiB in 500 pieces': `<a href="${`{{! }}${'x'.repeat(500)}`.repeat(490)}">`,
  'a name of 256 KiB in 500 pieces': `<a ${`{{! }}${'x'.repeat(500)}`.repeat(490)}>`,
  'ends of comments': fill('-->', FULL - 20).concat('<!--[if mso]>'),
  'conditional comments': fill('<!--[if mso]><p><![endif]-->'),
  'open comments': fill('<!--[if'),
  tags: fill('<a b="c"><d>'),
  'open tags': fill('<'),
  quotes: fill('<a b="'),
  'sections between blanks': `<p ${`{{#a}} ${' '.repeat(400)}{{/a}}`.repeat(249)}>`,
  '5 MB': fill('x', 5_000_000),
}

/** What the work costs, measured again while it is not within the bound: other work on the machine makes nothing cheaper. */
async function leastCost(work: () => unknown, bound: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let attempt = 0; attempt < 10 && least >= bound; attempt++) least = Math.min(least, await costOf(work, TRIES))
  return least
}

// A calibration is about 10 ms of the machine that the limits were measured on.
describe('an answer within the cost of five calibrations', () => {
  test.each(Object.entries(TEMPLATES))('%s', async (_name, template) => {
    let problems: readonly TemplateProblem[] = []
    const inspect = () => {
      problems = inspectTemplate(template).problems
    }
    let outcome: unknown
    const compile = () => {
      try {
        outcome = compileTemplate(template)({ first_name: 'John' })
      } catch (error) {
        outcome = error
      }
    }
    expect(await leastCost(inspect, 5)).toBeLessThan(5)
    expect(await leastCost(compile, 5)).toBeLessThan(5)
    if (problems[0]) expect(outcome).toMatchObject({ code: problems[0].code })
    else expect(outcome).toBeTypeOf('string')
  })

  it('500 unknown tags and an account with 2,000 names', async () => {
    const names = Array.from({ length: 2000 }, (_, i) => `attribute ${i} ${'abcdefghij'.repeat(5)}`)
    const template = Array.from({ length: 500 }, (_, i) => `{{${`${i} nopqrst`.repeat(8)}}}`).join('')
    expect(checkTemplate(template, names)).toHaveLength(500)
    // Far from the hours it takes to compare all letters of all names; the bench has the exact time.
    expect(await leastCost(() => checkTemplate(template, names), 25)).toBeLessThan(25)
  })
})

describe('twice the template takes at most 2.5 times as long', () => {
  const SHAPES: Record<string, (times: number) => string> = {
    text: (times) => LINE.repeat(2200 * times),
    'blank lines': (times) => '   \n'.repeat(30_000 * times),
    'text with tags': (times) => `{{first_name | default: "there"}}${LINE.repeat(8)}`.repeat(245 * times),
    'sections alone on their lines': (times) => `  {{#a}}\n${LINE.repeat(8)}  {{/a}}\n`.repeat(120 * times),
    'nested sections': (times) => `{{#a}}${LINE.repeat(8)}`.repeat(120 * times) + '{{/a}}'.repeat(120 * times),
    'tags full of blanks': (times) => `{{a${' '.repeat(190)}b}}${LINE.repeat(4)}`.repeat(245 * times),
    'unclosed tags': (times) => `{{a${LINE.repeat(8)}`.repeat(245 * times),
    links: (times) => `<a href="/a?e={{x}}" title="{{x}}">${LINE.repeat(8)}</a>`.repeat(120 * times),
    'sections between attributes': (times) =>
      `<p {{#a}}title="a"{{/a}} ${' '.repeat(600)}>`.repeat(120 * times) + LINE.repeat(800 * times),
    'a URL in pieces': (times) => `<a href="${`{{! }}${'x'.repeat(500)}`.repeat(240 * times)}">`,
    'conditional comments': (times) => '<!--[if mso]><p><![endif]-->'.repeat(4500 * times),
    'closed braces': (times) => '{}'.repeat(60_000 * times),
  }

  test.each(Object.entries(SHAPES))('%s', async (_name, shape) => {
    const [half, whole] = [shape(1), shape(2)]
    expect(whole.length).toBeGreaterThan(100_000)
    expect(whole.length).toBeLessThanOrEqual(FULL)
    const run = (template: string) => () => {
      if (inspectTemplate(template).problems.length === 0) compileTemplate(template)
    }
    // The half twice, so that both leave as much behind for the garbage collector, which works in steps.
    const runHalf = run(half)
    const both = () => {
      runHalf()
      runHalf()
    }
    let ratio = Number.POSITIVE_INFINITY
    // Other work on the machine takes caches away too, and cannot make quadratic time look linear.
    for (let attempt = 0; attempt < 10 && ratio > 2.5; attempt++) {
      const [halves, wholeTime] = await leastTimes([both, run(whole)], ROUNDS)
      ratio = Math.min(ratio, wholeTime! / (halves! / 2))
    }
    expect(ratio).toBeLessThanOrEqual(2.5)
  })
})

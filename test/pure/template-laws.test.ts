import fc from 'fast-check'
import mustache from 'mustache'
import { describe, expect, test } from 'vitest'
import { isCustomAttributesError } from '../../src/errors.js'
import { compile } from '../../src/template/compile.js'
import { escapeHtml } from '../../src/template/formats.js'
import { inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'
import type { TemplateOptions } from '../../src/template/template-options.js'
import { resolveTemplateOptions } from '../../src/template/template-options.js'
import { samples } from '../support/law.js'

/** The problems that stop the rendering. */
const errorsOf = (template: string, options?: TemplateOptions) =>
  inspectTemplate(template, options).problems.filter(({ severity }) => severity === 'error')

const RUNS = samples(2_000, 300)
const seed = Date.now() % 2 ** 31
const check = (property: fc.IProperty<never> | fc.IPropertyWithHooks<never>) =>
  fc.assert(property, { numRuns: RUNS, seed })

const NAMES = [
  'first_name',
  'email',
  'tier',
  'Tier',
  'Loyalty Tier',
  'a.b',
  'plan',
  'constructor',
  '__proto__',
  'größe',
]
const name = fc.constantFrom(...NAMES)
const text = fc.string({
  unit: fc.constantFrom('a', 'Ö', ' ', '\t', '\n', '\r\n', '\r', '{', '}', '|', '.', '\u2028', '🎉'),
  maxLength: 8,
})
/** Text that holds no tag and no character that html escapes. */
const plainText = text.map((value) => value.replaceAll('{', ''))
const fallback = fc.string({
  unit: fc.constantFrom('<', '>', '&', '"', "'", '“', '’', 'x', ' ', 'default:', '&amp;'),
  maxLength: 6,
})

/** Any template of the grammar, as text: the pieces of it, and sections of pieces. */
const { template: grammar } = fc.letrec<{ template: string; piece: string }>((tie) => ({
  template: fc.array(tie('piece'), { maxLength: 6 }).map((pieces) => pieces.join('')),
  piece: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plainText,
    fc.tuple(name, fc.constantFrom('', ' ', '\n')).map(([tag, blank]) => `{{${blank}${tag}${blank}}}`),
    fc.tuple(name, fallback).map(([tag, words]) => `{{${tag}|${words}}}`),
    fc.tuple(name, fallback).map(([tag, words]) => `{{ ${tag} | default: ${words} }}`),
    plainText.map((words) => `{{! ${words.replaceAll('}', '')} }}`),
    fc
      .tuple(fc.constantFrom('#', '^'), name, tie('template'), fc.constantFrom('', '\n', '  \r\n'))
      .map(([sigil, tag, inner, blank]) => `{{${sigil}${tag}}}${blank}${inner}{{/${tag}}}${blank}`),
  ),
}))

/** Anything at all that is put together from what templates are made of: most of it is wrong. */
const soup = fc
  .array(
    fc.oneof(
      fc.constantFrom('{{', '}}', '{{{', '}}}', '{{#', '{{^', '{{/', '{{!', '{{&', '{', '}', ' ', '\n', '|', 'a', 'b'),
      fc.constantFrom(
        '{{a}}',
        '{{#a}}',
        '{{^b}}',
        '{{/a}}',
        '{{/b}}',
        '{{{b}}}',
        '{{&a}}',
        '{{!x\ny}}',
        '\n  ',
        '\r\n',
      ),
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''))

const hostile = fc.string({
  unit: fc.constantFrom('<', '>', '&', '"', "'", '{{', '}}', '\r', '\n', '\u2028', '\u202e', 'x', ' '),
  maxLength: 8,
})
const value = fc.oneof(
  hostile,
  fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withTypedArray: true }),
)
const values = fc.dictionary(name, value, { maxKeys: 6 })
const customer = fc
  .record({ first_name: value, email: value, password_hash: value, custom_attributes: values }, { requiredKeys: [] })
  .map((row) => ({ ...row, custom_attributes: row.custom_attributes ?? {} }))

describe(`laws of templates, ${RUNS} runs each, seed ${seed}`, () => {
  test('html output contains no unescaped value, whatever the data and the template', () => {
    check(
      fc.property(grammar, customer, values, (template, row, extraTags) => {
        fc.pre(errorsOf(template).length === 0)
        const html = renderTemplate(template, row, { extraTags })
        expect(html).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/)
      }) as never,
    )
  })

  test('a subject is one line, whatever the data and the template', () => {
    check(
      fc.property(grammar, customer, (template, row) => {
        fc.pre(errorsOf(template, { format: 'subject' }).length === 0)
        const subject = renderTemplate(template, row, { format: 'subject' })
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
        const line = renderTemplate(template, row, { format: 'text' })
          .replace(/[\u202a-\u202e\u2066-\u2069]/g, '')
          .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
        expect(subject).toBe(line)
      }) as never,
    )
  })

  test('no problem: rendering does not throw, whatever the data', () => {
    check(
      fc.property(
        fc.oneof(grammar, soup, fc.string()),
        customer,
        fc.constantFrom('html' as const, 'text' as const, 'subject' as const),
        fc.constantFrom('empty' as const, 'keep' as const),
        fc.boolean(),
        (template, row, format, missing, allowUnescaped) => {
          const options = { format, missing, allowUnescaped }
          const problems = errorsOf(template, options)
          const render = () => renderTemplate(template, row, options)
          if (problems.length === 0) expect(render()).toBeTypeOf('string')
          else
            expect(render).toThrow(expect.objectContaining({ code: problems[0]!.code, details: problems[0]!.details }))
        },
      ) as never,
    )
  })

  test('a template without a problem parses into the same tags as mustache.js finds', () => {
    const flatten = (spans: ReturnType<typeof mustache.parse>): [string, string][] =>
      spans.flatMap(([type, content, , , inner]) => [
        [type, content] as [string, string],
        ...(Array.isArray(inner) ? flatten(inner) : []),
      ])
    const kinds: Record<string, string> = { value: 'name', unescaped: '&', section: '#', inverted: '^' }
    check(
      fc.property(fc.oneof(soup, grammar), (template) => {
        const { tags, problems } = inspectTemplate(template, { format: 'text' })
        fc.pre(problems.length === 0)
        const found = flatten(new mustache.Writer().parse(template)).filter(([type]) => type !== 'text' && type !== '!')
        expect(tags.map(({ kind, name: tag }) => [kinds[kind], tag])).toEqual(
          found.map(([type, content]) => [type, content.split('|')[0]!.trim()]),
        )
      }) as never,
    )
  })

  test('a template that mustache.js refuses has a problem', () => {
    check(
      fc.property(soup, (template) => {
        let refused = false
        try {
          new mustache.Writer().parse(template)
        } catch {
          refused = true
        }
        fc.pre(refused)
        expect(inspectTemplate(template, { format: 'text' }).problems).not.toEqual([])
      }) as never,
    )
  })

  test('texts, sections and lines of their own come out as mustache.js renders them', () => {
    const shown = fc.constantFrom('', 'x', '<&>')
    check(
      fc.property(
        fc.oneof(soup, grammar),
        fc.record({ a: shown, b: shown, plan: shown, tier: shown }),
        (template, data) => {
          const { tags, problems } = inspectTemplate(template, { allowUnescaped: true })
          // What mustache.js knows nothing of: fallbacks, and names by their form. And it takes a.b for a path.
          fc.pre(
            problems.length === 0 && tags.every((tag) => tag.fallback === undefined && Object.hasOwn(data, tag.name)),
          )
          expect(renderTemplate(template, { custom_attributes: data }, { allowUnescaped: true })).toBe(
            mustache.render(template, data, {}, { escape: escapeHtml }),
          )
        },
      ) as never,
    )
  })

  test("missing 'error' throws exactly when tags leave a hole, and names them", () => {
    check(
      fc.property(grammar, customer, values, (template, row, extraTags) => {
        fc.pre(errorsOf(template).length === 0)
        const compiled = compile(template, resolveTemplateOptions('test', { missing: 'error' }))
        const holes = compiled.missingTags(row, extraTags)
        const withoutFallback = compiled.tags.filter((tag) => tag.fallback === undefined && tag.kind === 'value')
        expect(withoutFallback.map((tag) => tag.name)).toEqual(expect.arrayContaining(holes))
        try {
          const message = compiled.render(row, extraTags)
          expect(holes).toEqual([])
          expect(message).toBe(renderTemplate(template, row, { extraTags }))
        } catch (error) {
          if (!isCustomAttributesError(error, 'MISSING_VALUE')) throw error
          expect(error.details.tags).toEqual(holes)
          expect(holes).not.toEqual([])
        }
      }) as never,
    )
  })
})

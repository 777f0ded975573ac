import { describe, expect, it, test } from 'vitest'
import { type CustomAttributesError, isCustomAttributesError } from '../../src/errors.js'
import { compile } from '../../src/template/compile.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'
import { resolveTemplateOptions } from '../../src/template/template-options.js'

const TEMPLATE =
  'Hi {{first_name}}, {{ Loyalty Tier }} {{plan|free}}{{#vip}} {{seat}}{{/vip}}{{^vip}} {{ store}}{{/vip}} {{first_name}}'

describe('missing', () => {
  it("'empty' prints nothing", () => {
    expect(renderTemplate(TEMPLATE, {})).toBe('Hi ,  free  ')
  })

  it("'keep' prints the tag as typed", () => {
    expect(renderTemplate(TEMPLATE, {}, { missing: 'keep' })).toBe(
      'Hi {{first_name}}, {{ Loyalty Tier }} free {{ store}} {{first_name}}',
    )
    expect(renderTemplate(`{{a 'b' <i>}}`, {}, { missing: 'keep' })).toBe(`{{a 'b' <i>}}`)
    expect(renderTemplate('{{{a}}}{{& b}}', {}, { missing: 'keep', format: 'text' })).toBe('{{{a}}}{{& b}}')
  })

  it("'error' names all tags at once, each once, and no value", () => {
    let error: CustomAttributesError | undefined
    try {
      renderTemplate(TEMPLATE, { email: 'secret@example.com' }, { missing: 'error' })
    } catch (thrown) {
      if (isCustomAttributesError(thrown, 'MISSING_VALUE')) error = thrown
    }
    expect(error?.details).toEqual({ tags: ['first_name', 'Loyalty Tier', 'store'] })
    expect(error?.status).toBe(422)
    expect(error?.message).toMatch(/no value for \{\{first_name}}, \{\{Loyalty Tier}}, \{\{store}}\..*fallback/)
    expect(error?.message).not.toContain('secret')
  })

  it("'error' renders when nothing is missing", () => {
    const customer = { first_name: 'John', custom_attributes: { loyalty_tier: 'gold', vip: 'yes', seat: '7' } }
    expect(renderTemplate(TEMPLATE, customer, { missing: 'error' })).toBe('Hi John, gold free 7 John')
  })

  it('0 and false are not missing, nor is what a closed section holds, nor a section itself', () => {
    const customer = { custom_attributes: { a: 0, b: false } }
    expect(renderTemplate('{{a}}{{b}}{{#c}}{{d}}{{/c}}', customer, { missing: 'error' })).toBe('0false')
  })
})

describe('the compiled form, for a mail merge', () => {
  const compiled = (missing: 'empty' | 'error') => compile(TEMPLATE, resolveTemplateOptions('test', { missing }))

  it('lists the tags', () => {
    expect(compiled('empty').tags.map(({ name, kind, fallback }) => [name, kind, fallback])).toEqual([
      ['first_name', 'value', undefined],
      ['Loyalty Tier', 'value', undefined],
      ['plan', 'value', 'free'],
      ['vip', 'section', undefined],
      ['seat', 'value', undefined],
      ['vip', 'inverted', undefined],
      ['store', 'value', undefined],
      ['first_name', 'value', undefined],
    ])
  })

  test.each(['empty', 'error'] as const)('says which tags leave a hole, without throwing (missing: %s)', (missing) => {
    const { missingTags } = compiled(missing)
    expect(missingTags({})).toEqual(['first_name', 'Loyalty Tier', 'store'])
    expect(missingTags({ custom_attributes: { vip: 'yes' } })).toEqual(['first_name', 'Loyalty Tier', 'seat'])
    expect(missingTags({ first_name: 'J', custom_attributes: { LOYALTY_TIER: 'x', store: 'y' } })).toEqual([])
    expect(missingTags({}, { first_name: 'J', store: 's' })).toEqual(['Loyalty Tier'])
  })
})

describe('compileTemplate', () => {
  it('renders many customers, each from its own values only', () => {
    const render = compileTemplate('{{first_name}}-{{tier}}', { format: 'text' })
    const customers = Array.from({ length: 100 }, (_, i) => ({
      first_name: i % 3 ? `n${i}` : null,
      custom_attributes: i % 2 ? { tier: `t${i}` } : {},
    }))
    expect(customers.map((customer) => render(customer))).toEqual(
      customers.map((_, i) => `${i % 3 ? `n${i}` : ''}-${i % 2 ? `t${i}` : ''}`),
    )
  })

  it('renderings of different formats at one time do not meet', async () => {
    const customer = { first_name: "<O'Brien>\n", custom_attributes: {} }
    const expected = { html: '&lt;O&#39;Brien&gt;\n', text: "<O'Brien>\n", subject: "<O'Brien> " }
    const formats = ['html', 'text', 'subject'] as const
    const results = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const format = formats[i % 3]!
        const render = compileTemplate('{{first_name}}', { format })
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
        return [format, render(customer)] as const
      }),
    )
    for (const [format, message] of results) expect(message).toBe(expected[format])
  })

  it('a rendering that starts another while it reads a value is not disturbed', () => {
    const inner = compileTemplate('{{a}}', { format: 'subject' })
    const decimal = { toString: () => inner({ custom_attributes: { a: '1\n2' } }) }
    expect(renderTemplate('{{a}}<b>{{b}}</b>{{c}}', { custom_attributes: { a: '<\n', b: decimal, c: '\n' } })).toBe(
      '&lt;\n<b>1 2</b>',
    )
  })

  test.each([
    [{ formt: 'text' }, /no option "formt"/],
    [{ format: 'markdown' }, /format must be "html" or "text" or "subject"/],
    [{ missing: 'throw' }, /missing must be/],
    [{ allowUnescaped: 1 }, /allowUnescaped must be true or false/],
    [{ extraTags: [] }, /extraTags must be an object/],
    ['text', /options must be an object/],
  ])('refuses the options %j', (options, message) => {
    for (const call of [
      () => renderTemplate('x', {}, options as never),
      () => compileTemplate('x', options as never),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
      expect(call).toThrow(message)
    }
  })

  test.each([undefined, null, 1, ['x']])('refuses the template %j', (template) => {
    for (const call of [() => renderTemplate(template as never, {}), () => compileTemplate(template as never)]) {
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    }
  })

  it('renders the empty template', () => {
    expect(renderTemplate('', {})).toBe('')
  })
})

import { describe, expect, it, test } from 'vitest'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'

const text = (template: string, customer: object, extraTags?: Record<string, unknown>) =>
  renderTemplate(template, customer, { format: 'text', extraTags })

describe('what a tag can reach', () => {
  test.each(STANDARD_COLUMNS)('the standard field %s', (column) => {
    expect(text(`[{{${column}}}]`, { [column]: 'value' })).toBe('[value]')
  })

  it('reaches custom attributes and extra tags', () => {
    const customer = { first_name: 'John', custom_attributes: { loyalty_tier: 'gold' } }
    expect(text('{{first_name}} {{loyalty_tier}} {{unsubscribe_url}}', customer, { unsubscribe_url: 'u' })).toBe(
      'John gold u',
    )
  })

  it('reaches nothing else of a row', () => {
    const row = {
      id: 'i',
      account_id: 'a',
      created_at: 'c',
      updated_at: 'u',
      password_hash: 'p',
      custom_attributes: {},
    }
    expect(text('[{{id}}{{account_id}}{{created_at}}{{updated_at}}{{password_hash}}{{custom_attributes}}]', row)).toBe(
      '[]',
    )
    expect(text('[{{PasswordHash}}{{Account ID}}{{custom attributes}}]', row)).toBe('[]')
  })

  const INHERITED = Object.getOwnPropertyNames(Object.prototype)

  test.each(INHERITED)('not %s, which every object inherits', (name) => {
    expect(text(`[{{${name}}}]`, { custom_attributes: {} }, {})).toBe('[]')
    expect(text(`{{#${name}}}open{{/${name}}}`, { custom_attributes: {} })).toBe('')
    expect(() => renderTemplate(`{{${name}}}`, {}, { missing: 'error' })).toThrow(
      expect.objectContaining({ code: 'MISSING_VALUE', details: { tags: [name] } }),
    )
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', '__proto__'])('an attribute of the name %s', (name) => {
    const custom_attributes = JSON.parse(`{${JSON.stringify(name)}: "own"}`)
    expect(text(`{{${name}}}`, { custom_attributes })).toBe('own')
  })

  it('reads own properties of instances only', () => {
    class Row {
      email = 'a@x.com'
      custom_attributes = Object.create({ tier: 'inherited' }, { plan: { value: 'own', enumerable: true } })
      get first_name() {
        return 'inherited'
      }
    }
    expect(text('{{email}} [{{first_name}}] [{{tier}}{{Tier}}] {{plan}}', new Row())).toBe('a@x.com [] [] own')
    expect(text('[{{first_name}}]', Object.create({ first_name: 'inherited' }, { email: { value: 'e' } }))).toBe('[]')
  })

  it('reads objects without a prototype', () => {
    const custom_attributes = Object.assign(Object.create(null), { tier: 'gold' })
    expect(
      text(
        '{{first_name}} {{tier}} {{Tier}}',
        Object.assign(Object.create(null), { first_name: 'Jo', custom_attributes }),
      ),
    ).toBe('Jo gold gold')
  })

  it('does not read what was put on the prototype of all objects, before or after it was compiled', () => {
    const template = '[{{polluted}}{{Polluted}}{{first_name}}]'
    const before = compileTemplate(template)
    const prototype = Object.prototype as Record<string, unknown>
    try {
      prototype.polluted = 'p'
      prototype.first_name = 'p'
      expect(before({ email: 'a@x.com', custom_attributes: {} })).toBe('[]')
      expect(compileTemplate(template)({ email: 'a@x.com', custom_attributes: {} })).toBe('[]')
    } finally {
      delete prototype.polluted
      delete prototype.first_name
    }
  })
})

describe('which value a name finds', () => {
  it('names are literal, never paths', () => {
    expect(text('[{{a.b}}] [{{c.d}}]', { custom_attributes: { 'a.b': 'literal', c: { d: 'path' } } })).toBe(
      '[literal] []',
    )
  })

  it('the exact spelling first', () => {
    const custom_attributes = { Tier: '1', tier: '2', TIER: '3' }
    expect(text('{{Tier}}{{tier}}{{TIER}}', { custom_attributes })).toBe('123')
  })

  it('else the single name of the same form', () => {
    const customer = {
      first_name: 'John',
      address1: 'Street',
      custom_attributes: { 'Loyalty Tier': 'gold', Größe: 'XL' },
    }
    expect(text('{{First Name}}{{firstName}}{{FIRST-NAME}}', customer)).toBe('JohnJohnJohn')
    expect(text('{{loyalty_tier}} {{loyaltytier}} {{GRÖSSE}} {{größe}} {{Address 1}}', customer)).toBe(
      'gold gold  XL Street',
    )
    expect(text('{{UNSUBSCRIBE URL}}', {}, { unsubscribe_url: 'u' })).toBe('u')
  })

  it('an invisible character or a no-break space in a tag does no harm', () => {
    const customer = { first_name: 'John', custom_attributes: {} }
    expect(text('{{first\u200b_name}}{{\u00a0first_name\u00a0}}{{first\u00a0name}}', customer)).toBe('JohnJohnJohn')
  })

  it('none when two names share the form', () => {
    const customer = { first_name: 'John', custom_attributes: { Tier: '1', TIER: '2', 'First Name': '3' } }
    expect(text('[{{tier}}]', customer)).toBe('[]')
    expect(text('[{{FirstName}}]', customer)).toBe('[]')
    expect(text('{{first_name}}{{First Name}}', customer)).toBe('John3')
    expect(text('[{{plan}}]', { custom_attributes: { Plan: '1' } }, { PLAN: '2' })).toBe('[]')
    expect(text('[{{plan}}]', {}, { Plan: '1', PLAN: '2' })).toBe('[]')
    expect(text('[{{E-Mail}}]', { email: 'a@x.com' }, { EMAIL: '2' })).toBe('[]')
  })

  it('one name in two places is one name', () => {
    expect(text('{{PLAN}}', { custom_attributes: { plan: 'attribute' } }, { plan: 'extra' })).toBe('extra')
    expect(text('{{Phone}}', { phone: 'field', custom_attributes: { phone: 'attribute' } })).toBe('field')
  })

  it('an extra tag before a standard field before a custom attribute', () => {
    const customer = { phone: 'field', custom_attributes: { phone: 'attribute', unsubscribe_url: 'uploaded' } }
    expect(text('{{phone}}', customer, { phone: 'extra' })).toBe('extra')
    expect(text('{{phone}}', customer)).toBe('field')
    expect(text('{{phone}}', { custom_attributes: { phone: 'attribute' } })).toBe('attribute')
    expect(text('{{unsubscribe_url}}', customer, { unsubscribe_url: 'host' })).toBe('host')
  })

  it('a blank under the exact name is missing, whatever stands under others', () => {
    const customer = { phone: null, custom_attributes: { phone: '1', tier: ' ', Tier: 'gold' } }
    expect(text('[{{phone}}] [{{tier}}]', customer)).toBe('[] []')
    expect(text('[{{plan}}]', { custom_attributes: { plan: 'pro' } }, { plan: null })).toBe('[]')
  })

  it('a name whose value is undefined is not there', () => {
    const customer = { phone: undefined, custom_attributes: { phone: '1', plan: 'pro', Plan: undefined } }
    expect(text('{{phone}} {{plan}} {{PLAN}}', customer, { plan: undefined })).toBe('1 pro pro')
    class Row {
      phone = undefined
      custom_attributes = customer.custom_attributes
    }
    expect(text('{{phone}} {{plan}} {{PLAN}}', new Row(), { plan: undefined })).toBe('1 pro pro')
  })

  it('customers with other names than the one before', () => {
    const render = compileTemplate('{{tier}}', { format: 'text' })
    const names = ['tier', 'Tier', 'TIER', 'ti-er', 't i e r']
    for (let round = 0; round < 3; round++) {
      for (const name of names) expect(render({ custom_attributes: { other: 'x', [name]: name } })).toBe(name)
      expect(render({ custom_attributes: { Tier: '1', TIER: '2' } })).toBe('')
      expect(render({ custom_attributes: {} })).toBe('')
    }
    for (let i = 0; i < 3000; i++) {
      expect(render({ custom_attributes: { [`attribute ${i}`]: 'x', Tier: 'gold' } })).toBe('gold')
    }
  })

  it('the extra tags of a call before those of the options', () => {
    const render = compileTemplate('{{a}}{{b}}{{c}}', { format: 'text', extraTags: { a: '1', b: '2' } })
    expect(render({})).toBe('12')
    expect(render({}, { b: '3', c: '4' })).toBe('134')
    expect(render({})).toBe('12')
    expect(() => render({}, 'x' as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

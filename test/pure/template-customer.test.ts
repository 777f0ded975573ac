import { describe, expect, it, test } from 'vitest'
import { parseRow } from '../../src/rows.js'
import { renderTemplate } from '../../src/template/render.js'

const render = (customer: unknown) => renderTemplate('{{first_name}} {{tier}}', customer as object)

describe('what can be a customer', () => {
  it('a row', () => {
    expect(render({ id: '1', first_name: 'John', custom_attributes: { tier: 'gold' } })).toBe('John gold')
  })

  it('a row without attributes', () => {
    for (const custom_attributes of [undefined, null, {}]) {
      expect(render({ first_name: 'John', custom_attributes })).toBe('John ')
    }
    expect(render({ first_name: 'John' })).toBe('John ')
    expect(render({})).toBe(' ')
  })

  it('what parseRow returns', () => {
    expect(render(parseRow(['email', 'First Name', 'tier'], ['john@example.com', 'John', 'gold']))).toBe('John gold')
  })

  it('a row with a column "standard" of its own', () => {
    const row = { email: 'a@x.com', first_name: 'John', custom_attributes: { tier: 'gold' } }
    expect(render({ ...row, standard: 'basic' })).toBe('John gold')
    expect(render({ ...row, standard: null })).toBe('John gold')
    expect(render({ ...row, standard: { first_name: 'not this' } })).toBe('John gold')
    expect(render({ first_name: 'John', standard: 'basic' })).toBe('John ')
  })

  it('a row with both spellings', () => {
    expect(render({ first_name: 'John', custom_attributes: { tier: 'gold' }, customAttributes: {} })).toBe('John gold')
    expect(render({ first_name: 'John', custom_attributes: null, customAttributes: {} })).toBe('John ')
  })
})

describe('what is refused with INVALID_CUSTOMER', () => {
  test.each([
    [undefined, /got undefined/],
    [null, /got null/],
    ['John', /got a string/],
    [1, /got a number/],
    [[{ first_name: 'John' }], /got an array/],
  ])('%j', (customer, message) => {
    expect(() => render(customer)).toThrow(expect.objectContaining({ code: 'INVALID_CUSTOMER', status: 400 }))
    expect(() => render(customer)).toThrow(message)
  })

  it("an ORM's spelling, with the remedy", () => {
    const customer = { firstName: 'John', customAttributes: { tier: 'gold' } }
    expect(() => render(customer)).toThrow(/has customAttributes but no custom_attributes.*custom_attributes: row/)
    expect(() => render({ ...customer, custom_attributes: undefined })).toThrow(/customAttributes/)
  })

  test.each([
    ['text', '{"tier":"secret"}', /must be an object.*a string.*parse it first/],
    ['an array', ['secret'], /an array/],
    ['a Map', new Map([['tier', 'secret']]), /a Map/],
    ['a number', 7, /a number/],
  ])('attributes that are %s', (_kind, custom_attributes, message) => {
    expect(() => render({ first_name: 'John', custom_attributes })).toThrow(message)
    expect(() => render({ first_name: 'John', custom_attributes })).not.toThrow(/secret|7/)
  })

  it('an instance that hides its row', () => {
    class Model {
      dataValues = { first_name: 'John' }
      get first_name() {
        return this.dataValues.first_name
      }
    }
    expect(() => render(new Model())).toThrow(/plain row/)
    expect(() => render(new Map([['first_name', 'John']]))).toThrow(/plain row/)
  })
})

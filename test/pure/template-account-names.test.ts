import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { checkTemplate } from '../../src/template/inspect.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'
import { checkLaw } from '../support/law.js'

const NAMES = ['email', 'first_name', 'Discount %', 'Discount $', 'Tier', 'tier', 'Fav Color']
const print = (
  tag: string,
  custom_attributes: Record<string, string>,
  names: readonly string[] | Set<string> = NAMES,
) => renderTemplate(tag, { custom_attributes }, { format: 'text', names })

describe('with the names of the account', () => {
  it('a tag never takes another name of the account because a customer has only that', () => {
    expect(print('[{{tier}}]', { Tier: 'gold' })).toBe('[]')
    expect(print('[{{Tier}}]', { tier: 'gold' })).toBe('[]')
    expect(print('[{{Discount %}}][{{Discount $}}]', { 'Discount $': '5' })).toBe('[][5]')
    expect(print('{{tier|none}}', { Tier: 'gold' })).toBe('none')
    expect(print('{{#tier}}a{{else}}b{{/tier}}', { Tier: 'gold' })).toBe('b')
    expect(() =>
      renderTemplate('{{tier}}', { custom_attributes: { Tier: 'x' } }, { names: NAMES, missing: 'error' }),
    ).toThrow(expect.objectContaining({ code: 'MISSING_VALUE', details: { tags: ['tier'] } }))
  })

  it('a spelling of its own falls back to the only name of its form', () => {
    expect(print('{{fav_color}} {{FIRST NAME|-}}', { 'Fav Color': 'red' })).toBe('red -')
    expect(renderTemplate('{{First Name}}', { first_name: 'John' }, { names: NAMES })).toBe('John')
    expect(print('{{fav_color}}', { favcolor: 'blue' })).toBe('')
  })

  it('a spelling that could be any of several is a gap for all, and an unknown tag', () => {
    expect(print('[{{TIER}}]', { tier: 'gold' })).toBe('[]')
    expect(checkTemplate('{{TIER}}', NAMES).map(({ code }) => code)).toEqual(['UNKNOWN_TAG'])
  })

  it('a name that the account does not know is found as without names', () => {
    expect(print('{{new_name}}', { 'New Name': 'x' })).toBe('x')
  })

  it('extra tags come first, by the exact name; of the same form as another name they are none', () => {
    const render = compileTemplate('[{{tier}}][{{X-URL}}][{{FAV COLOR}}]', { format: 'text', names: new Set(NAMES) })
    const customer = { custom_attributes: { tier: 'gold', 'Fav Color': 'red' } }
    expect(render(customer, { tier: 'extra', x_url: 'u' })).toBe('[extra][u][red]')
    expect(render(customer, { fav_color: 'extra' })).toBe('[gold][][]')
  })

  test.each([[['a', 1]], ['abc'], [{ a: 1 }], [new Map([['a', 1]])]])('that are none, %j, are refused', (names) => {
    expect(() => renderTemplate('', {}, { names: names as never })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining('an array or a Set of strings'),
      }),
    )
  })
})

test('law: a value is only ever printed by the name that the tag stands for among those of the account', async () => {
  const name = fc.constantFrom('Tier', 'tier', 'TIER', 'T-ier', 'Tier %', 'tier $', 'Plan', 'plan', 'first_name')
  const names = fc.uniqueArray(name, { maxLength: 6 })
  await checkLaw(
    'names of the account',
    fc.property(names, names, name, (known, some, tag) => {
      // What customers have is recorded as a name of their account.
      const owned = some.filter((own) => known.includes(own))
      const attributes = Object.fromEntries(owned.map((own) => [own, `value of ${own}`]))
      const printed = print(`{{${tag}}}`, attributes, known)
      const isKnown = checkTemplate(`{{${tag}}}`, known).length === 0
      const exact = known.includes(tag) ? tag : undefined
      if (exact !== undefined && exact !== 'first_name') {
        expect(printed).toBe(owned.includes(exact) ? `value of ${exact}` : '')
      }
      // Whatever is known gives every customer the value of one and the same name.
      if (isKnown && printed !== '') expect(known).toContain(printed.slice('value of '.length))
    }),
    2_000,
  )
})

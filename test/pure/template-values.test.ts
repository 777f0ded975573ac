import { describe, expect, it, test } from 'vitest'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'

const MISSING = '(missing)'
const print = (value: unknown) =>
  renderTemplate(`{{v|${MISSING}}}`, { custom_attributes: { v: value } }, { format: 'text' })
const section = compileTemplate('{{#v}}open{{/v}}{{^v}}closed{{/v}}')

/** An object with a `toString` of its own, as decimal libraries make them. */
class Decimal {
  constructor(private readonly digits: string) {}
  toString() {
    return this.digits
  }
}

describe('what a value prints, and whether it opens a section', () => {
  test.each<[name: string, value: unknown, printed: string, state: 'open' | 'closed']>([
    ['a text', ' as it is ', ' as it is ', 'open'],
    ['the text 0', '0', '0', 'open'],
    ['the text false', 'false', 'false', 'open'],
    ['leading zeros', '007', '007', 'open'],
    ['one emoji', '🎉', '🎉', 'open'],
    ['null', null, MISSING, 'closed'],
    ['undefined', undefined, MISSING, 'closed'],
    ['the empty text', '', MISSING, 'closed'],
    ['blanks', ' \t\r\n\u00a0\u2003', MISSING, 'closed'],
    ['the number 0', 0, '0', 'closed'],
    ['minus zero', -0, '0', 'closed'],
    ['the bigint 0', 0n, '0', 'closed'],
    ['a decimal 0', new Decimal('0.00'), '0.00', 'closed'],
    ['a number', 1.5, '1.5', 'open'],
    ['a bigint', 12345678901234567890n, '12345678901234567890', 'open'],
    ['a decimal', new Decimal('1.10'), '1.10', 'open'],
    ['true', true, 'true', 'open'],
    ['false', false, 'false', 'closed'],
    ['a date', new Date('2024-02-29T10:00:00Z'), '2024-02-29T10:00:00.000Z', 'open'],
    ['the first date', new Date(0), '1970-01-01T00:00:00.000Z', 'open'],
    ['an invalid date', new Date(Number.NaN), MISSING, 'closed'],
    ['NaN', Number.NaN, MISSING, 'closed'],
    ['an object that prints blanks', new Decimal(' '), MISSING, 'closed'],
    ['a plain object', { a: 1 }, MISSING, 'closed'],
    ['an object whose toString is a value', { toString: 'x' }, MISSING, 'closed'],
    ['an object without a prototype', Object.create(null), MISSING, 'closed'],
    ['an array', ['a', 'b'], MISSING, 'closed'],
    ['an empty array', [], MISSING, 'closed'],
    ['bytes', new Uint8Array([1, 2]), MISSING, 'closed'],
    ['a function', () => 'x', MISSING, 'closed'],
    ['a symbol', Symbol('x'), MISSING, 'closed'],
  ])('%s', (_name, value, printed, state) => {
    expect(print(value)).toBe(printed)
    expect(section({ custom_attributes: { v: value } })).toBe(state)
  })

  it('a value that is missing leaves nothing behind', () => {
    const customer = { first_name: 'John', custom_attributes: {} }
    expect(renderTemplate('Hi {{first_name}}, status: {{vip_status}}', customer)).toBe('Hi John, status: ')
  })

  it('values are never rendered twice', () => {
    const customer = {
      email: 'john@example.com',
      first_name: '{{email}}',
      custom_attributes: { a: '{{{b}}}', b: '{{#first_name}}x{{/first_name}}', c: '{{email}}' },
    }
    expect(renderTemplate('{{first_name}} {{a}} {{b}} {{x|{email} }} {{c}}', customer)).toBe(
      '{{email}} {{{b}}} {{#first_name}}x{{/first_name}} {email} {{email}}',
    )
  })

  it('standard fields of every type that a driver returns', () => {
    const row = { email: 'a@x.com', accepts_marketing: false, orders_count: 0, total_spent: 10n, company: null }
    expect(
      renderTemplate('{{accepts_marketing}} {{orders_count}} {{total_spent}} [{{company}}]', row, { format: 'text' }),
    ).toBe('false 0 10 []')
  })
})

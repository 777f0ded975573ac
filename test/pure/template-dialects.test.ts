import { describe, expect, it, test } from 'vitest'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'
import type { TemplateFormat } from '../../src/template/template-options.js'

const NAMES = ['first_name', 'last_name', 'email', 'plan', 'birthday', 'total_spent', 'vip']
const CUSTOMER = {
  email: 'john@example.com',
  first_name: 'john',
  last_name: null,
  birthday: '1990-03-01',
  total_spent: '12.5',
  custom_attributes: { plan: 'pro', vip: 'yes' },
}

/** What stands in another system's template; what must be told, in its own words; and what is printed once it is followed. */
const DIALECTS: [template: string, remedy: RegExp, followed: string, printed: string][] = [
  // Fallbacks
  ["{{last_name || 'there'}}", /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name||"there"}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name || there}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name | default("there")}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ["{{last_name|default('there')}}", /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name | default "there"}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name | default="there"}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name | fallback: "there"}}', /Write \| (default: "text")\./, '{{last_name | $1}}', 'text'],
  ['{{last_name | or: "there"}}', /Write \| (default: "text")\./, '{{last_name | $1}}', 'text'],
  ['{{last_name | default: \\"there\\"}}', /Write (\{\{last_name \| default: "there"}})\. Quotes need/, '$1', 'there'],
  ["{{last_name | default: \\'there\\'}}", /Write (\{\{last_name \| default: "there"}})\. Quotes need/, '$1', 'there'],
  ['{{last_name | default}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  // Filters
  ['{{first_name | upcase}}', /Write \| (upper)\./, '{{first_name | $1}}', 'JOHN'],
  ['{{first_name | downcase}}', /Write \| (lower)\./, '{{first_name | $1}}', 'john'],
  ['{{first_name | titlecase}}', /Write \| (title)\./, '{{first_name | $1}}', 'John'],
  ['{{first_name | capfirst}}', /Write \| (capitalize)\./, '{{first_name | $1}}', 'John'],
  ['{{email | url_encode}}', /Write \| (url)\./, '{{email | $1}}', 'john%40example.com'],
  ['{{total_spent | round}}', /Write \| (number: 0)\./, '{{total_spent | $1}}', '13'],
  ['{{total_spent | money}}', /Write \| (currency: "EUR")\./, '{{total_spent | $1}}', '€12.50'],
  ['{{total_spent|floatformat:2}}', /Write \| (number: 2)\./, '{{total_spent | $1}}', '12.50'],
  ['{{birthday | date: "%d.%m.%Y"}}', /Write \| (date: "dd\.MM\.yyyy")\./, '{{birthday | $1}}', '01.03.1990'],
  ['{{birthday | format_date}}', /Write \| (date: "long")\./, '{{birthday | $1}}', 'March 1, 1990'],
  ['{{first_name | escape}}', /Take it out: values are escaped/, '{{first_name}}', 'john'],
  [
    '{{first_name | size}}',
    /pass it as an extra tag\. If it is a text, write \| (default: "size")\./,
    '{{first_name | $1}}',
    'john',
  ],
  ['{{first_name | upper()}}', /Write (\{\{first_name \| upper}})\./, '$1', 'JOHN'],
  ['{{total_spent | number(2)}}', /Write (\{\{total_spent \| number: 2}})\./, '$1', '12.50'],
  // Sections
  ['{{#if vip}}a{{/if}}', /Write (\{\{#vip}}) and (\{\{\/vip}})\./, '$1a$2', 'a'],
  ['{{#if vip}}a{{else}}b{{/if}}', /Write (\{\{#vip}}) and (\{\{\/vip}})\./, '$1a{{else}}b$2', 'a'],
  ['{{#unless vip}}a{{/unless}}', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['{{#if plan == "pro"}}a{{/if}}', /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ["{{#if plan === 'pro'}}a{{/if}}", /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ['{{#if (eq plan "pro")}}a{{/if}}', /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ['{{#ifCond plan "==" "pro"}}a{{/ifCond}}', /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ["{{#ifEquals plan 'pro'}}a{{/ifEquals}}", /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ['{{#eq plan "pro"}}a{{/eq}}', /Write (\{\{#plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', 'a'],
  ['{{#unless plan == "pro"}}a{{/unless}}', /Write (\{\{\^plan = "pro"}}) and (\{\{\/plan}})\./, '$1a$2', ''],
  ['{{#if (ne plan "pro")}}a{{/if}}', /Write (\{\{#plan != "pro"}}) and (\{\{\/plan}})\./, '$1a$2', ''],
  ['{{#if total_spent > 10}}a{{/if}}', /Write (\{\{#total_spent > 10}}) and (\{\{\/total_spent}})\./, '$1a$2', 'a'],
  ['{{#each plan}}a{{/each}}', /Write (\{\{#plan}}) and (\{\{\/plan}})/, '$1a$2', 'a'],
  // Helpers
  ['{{formatDate first_name "LL"}}', /with a filter (\{\{first_name \| upper}})\./, '$1', 'JOHN'],
  ['{{first_name || upper}}', /Write (\{\{first_name \| upper}})\./, '$1', 'JOHN'],
  // Other braces
  ['{{{{first_name}}}}', /Write (\{\{first_name}})\. No brace/, '$1', 'john'],
  [`{{$\{first_name}}}`, /Write (\{\{first_name}})\./, '$1', 'john'],
  [`{{$\{first_name} | default: 'x'}}`, /Write (\{\{first_name \| default: 'x'}})\./, '$1', 'john'],
  [`{{custom_attribute.$\{plan}}}`, /Write (\{\{plan}})\. No brace/, '$1', 'pro'],
  ['{{last_name ?? "there"}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ["{{last_name or 'there'}}", /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  ['{{last_name default: "there"}}', /Write (\{\{last_name \| default: "there"}})\./, '$1', 'there'],
  [
    "{{last_name | default: 'there', allow_false: true}}",
    /Write \| (default: "there")\./,
    '{{last_name | $1}}',
    'there',
  ],
  ['{{last_name | default there}}', /Write \| (default: there)\./, '{{last_name | $1}}', 'there'],
  ['{{last_name | fallback "there"}}', /Write \| (default: "text")\./, '{{last_name | $1}}', 'text'],
  ['{{first_name | truncate 2}}', /Write \| (truncate: 2)\./, '{{first_name | $1}}', 'j…'],
  ['{{birthday | date "long"}}', /Write \| (date: "long")\./, '{{birthday | $1}}', 'March 1, 1990'],
  ['{{first_name | upper, trim}}', /Write \| (upper \| trim)\./, '{{first_name | $1}}', 'JOHN'],
  ['{{first_name | upper || "x"}}', /(two bars)/, '{{first_name | upper | default: "x"}}', 'JOHN'],
  ['{{birthday | date: "%d de %B"}}', /Write \| (date: "dd 'de' MMMM")\./, '{{birthday | $1}}', '01 de March'],
  ['{{birthday | date: "%j"}}', /such as "(d MMMM yyyy)"/, '{{birthday | date: "$1"}}', '1 March 1990'],
  ['{{#!vip}}a{{/vip}}', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['{{#if not vip}}a{{/if}}', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['*|IFNOT:VIP|*a', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['{% if not vip %}a', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['{# a note #}a', /(Take it out)/, 'a', 'a'],
  ['<%= first_name %>', /(Take it out)/, '{{first_name}}', 'john'],
  ['%recipient.first_name%', /Write (\{\{first_name}})\./, '$1', 'john'],
  ['|*FIRST_NAME*|', /Write (\{\{first_name}})\./, '$1', 'john'],
  ['*|FIRST_NAME|*', /Write (\{\{first_name}})\./, '$1', 'john'],
  ['*|IF:VIP|*a', /Write (\{\{#vip}}) and (\{\{\/vip}})\./, '$1a$2', 'a'],
  ['%%first_name%%', /Write (\{\{first_name}})\./, '$1', 'john'],
  ['{% if vip %}a', /Write (\{\{#vip}}) and (\{\{\/vip}})\./, '$1a$2', 'a'],
  ['{% if customer.vip != blank %}a', /Write (\{\{#vip}}) and (\{\{\/vip}})\./, '$1a$2', 'a'],
  ['{%- unless vip -%}a', /Write (\{\{\^vip}}) and (\{\{\/vip}})\./, '$1a$2', ''],
  ['{% assign x = 1 %}a', /Take it out/, 'a', 'a'],
]

describe('another dialect is told, never printed, and its remedy works', () => {
  const formats: TemplateFormat[] = ['html', 'text', 'subject']
  test.each(DIALECTS)('%s', (template, remedy, followed, printed) => {
    for (const format of formats) {
      const [first, ...others] = inspectTemplate(template, { format }).problems
      expect(first).toMatchObject({ code: 'TEMPLATE_SYNTAX', severity: 'error', details: { line: 1, column: 1 } })
      expect(others.map(({ code }) => code)).toEqual([])
      expect(first!.message).toMatch(remedy)
      expect(() => renderTemplate(template, CUSTOMER, { format })).toThrow(first!.message)
      const groups = remedy.exec(first!.message)!
      const mended = followed.replace(/\$(\d)/g, (_, number) => groups[Number(number)]!)
      expect(checkTemplate(mended, NAMES, { format })).toEqual([])
      expect(renderTemplate(mended, CUSTOMER, { format })).toBe(printed)
    }
  })

  it('as an HTML editor writes it, too', () => {
    for (const template of [
      '{{last_name || &#39;there&#39;}}',
      '{{last_name | default(&quot;there&quot;)}}',
      '{{last_name | default: \\&quot;there\\&quot;}}',
      '{{last_name || &lsquo;there&rsquo;}}',
    ]) {
      expect(inspectTemplate(template).problems[0]!.message).toContain('Write {{last_name | default: "there"}}.')
    }
  })

  test.each([
    ['{{contact.first_name}}', 'first_name'],
    ['{{ customer.first_name | capitalize }}', 'first_name'],
    ['{{contact.FIRSTNAME}}', 'first_name'],
    ['{{person.first_name|default:"there"}}', 'first_name'],
    ['{{ subscriber["plan"] }}', 'plan'],
  ])('a path, %s, is an unknown tag that says which name is meant', (template, name) => {
    const [problem, ...others] = checkTemplate(template, NAMES)
    expect(others).toEqual([])
    expect(problem).toMatchObject({ code: 'UNKNOWN_TAG', details: { suggestion: name } })
    expect(problem!.message).toContain(`Names are no paths: write {{${name}}}.`)
    expect(checkTemplate(`{{${name}}}`, NAMES)).toEqual([])
  })

  it('texts that only resemble it are texts', () => {
    for (const text of [
      '100 % sure, 50 %',
      '100%% cotton and 50%% wool',
      '<p>*|</p><p>a|*</p>',
      '{%</p><p>5%}',
      'a *| b',
      '{ % }',
      '50%% off',
      'width: 100%%',
      '%% %%',
    ]) {
      expect(inspectTemplate(text).problems).toEqual([])
    }
  })
})

/**
 * What pages of the mailing services show, as far as a filter or fallback is concerned: rendered, or refused with a remedy.
 */
const SERVICES: [service: string, template: string, outcome: string | RegExp][] = [
  ['Klaviyo', '{{ first_name|default:"there" }}', 'john'],
  ['Klaviyo', "{{ last_name|default:'friend' }}", 'friend'],
  ['Klaviyo', '{{ first_name|title }}', 'John'],
  ['Klaviyo', '{{ first_name|upper }}', 'JOHN'],
  ['Klaviyo', '{{ first_name|lower|capfirst }}', /Write \| capitalize\./],
  ['Klaviyo', "{{ person|lookup:'First Name'|default:'' }}", /extra tag/],
  ['Klaviyo', '{{ total_spent|floatformat:2 }}', /Write \| number: 2\./],
  ['Klaviyo', "{{ birthday|format_date_string|date:'F d, Y' }}", /Write \| date: "long"\./],
  ['Klaviyo', "{{ birthday|date:'F d, Y' }}", /"d MMMM yyyy"/],
  ['Klaviyo', '{{ total_spent|currency_format }}', /Write \| currency: "EUR"\./],
  ['Klaviyo', '{{ first_name|truncatechars:3 }}', /Write \| truncate: 20\./],
  ['Klaviyo', '{% today "%Y-%m-%d" as today %}', /Take it out/],
  ['Klaviyo', '{{ first_name|striptags }}', /extra tag/],
  ['Customer.io', '{{customer.first_name | capitalize}}', 'UNKNOWN_TAG'],
  ['Customer.io', "{{ first_name | default: 'there' }}", 'john'],
  ['Customer.io', '{{ birthday | date: "%B %e, %Y" }}', /Write \| date: "MMMM d, yyyy"\./],
  ['Customer.io', '{{ total_spent | currency }}', /Write \| currency: "EUR"\./],
  ['Customer.io', '{{ total_spent | rounded }}', /Write \| number: 0\./],
  ['Customer.io', '{{ first_name | titlecase }}', /Write \| title\./],
  ['Customer.io', '{{ birthday | format_date: "long" }}', /Write \| date: "long"\./],
  ['Customer.io', '{{ total_spent | number_with_delimiter }}', /Write \| number\./],
  ['Customer.io', '{{ birthday | timestamp }}', /extra tag/],
  ['Braze', `{{$\{first_name} | default: 'Valued User'}}`, /Write \{\{first_name \| default: 'Valued User'}}/],
  ['Braze', '{{ first_name | upcase }}', /Write \| upper\./],
  ['Braze', '{{ first_name | url_param_escape }}', /Write \| url\./],
  ['Braze', '{{ first_name | url_escape }}', /Write \| url\./],
  ['Braze', '{{ first_name | md5 }}', /extra tag/],
  ['Braze', '{{ first_name | hmac_sha1: "key" }}', /extra tag/],
  ['Braze', '{{ total_spent | plus: 1 }}', /extra tag/],
  ['Braze', '{{ first_name | remove: "j" }}', /Write \| replace: "a", ""\./],
  ['Braze', '{{ first_name | append: "!" }}', /extra tag/],
  ['Braze', '{{ first_name | strip }}', /Write \| trim\./],
  ['Braze', "{{ birthday | date: '%m/%d/%y' }}", /Write \| date: "MM\/dd\/yy"\./],
  ['Brevo', '{{ contact.FIRSTNAME }}', 'UNKNOWN_TAG'],
  ['Brevo', '{{ first_name | default : "there" }}', 'john'],
  ['Brevo', '{{ first_name | title }}', 'John'],
  ['Brevo', '{{ total_spent | floatformat:2 }}', /Write \| number: 2\./],
  ['Brevo', '{{ total_spent | intcomma }}', /Write \| number\./],
  ['Brevo', '{{ first_name | yesno:"a,b" }}', /extra tag/],
  ['Brevo', '{{ birthday | time_parse | date:"02.01.2006" }}', /does not exist here/],
  ['Brevo', '{% if contact.VIP == true %}', /Write \{\{#VIP}} and/],
  ['Mailchimp', '*|FNAME|*', /Write \{\{fname}}\./],
  ['Mailchimp', '*|IF:FNAME|*', /Write \{\{#fname}} and/],
  ['Mailchimp', '*|ELSE:|*', /Write \{\{else}}/],
  ['Mailchimp', '*|END:IF|*', /Write \{\{else}} or \{\{\/name}}/],
  ['Mailchimp', '*|TITLE:FNAME|*', /Write \{\{fname \| title}}\./],
  ['Mailchimp', '*|UPPER:FNAME|*', /Write \{\{fname \| upper}}\./],
  ['Mailchimp', '*|LOWER:FNAME|*', /Write \{\{fname \| lower}}\./],
  ['Mailchimp', '*|DATE:F d, Y|*', /extra tag/],
  ['Mailchimp', '*|UNSUB|*', /Write \{\{unsub}}\./],
]

test.each(SERVICES)('%s: %s', (_service, template, outcome) => {
  const [problem] = checkTemplate(template, NAMES)
  if (outcome === 'UNKNOWN_TAG') expect(problem).toMatchObject({ code: outcome, details: { suggestion: 'first_name' } })
  else if (typeof outcome === 'string') {
    expect(problem).toBeUndefined()
    expect(renderTemplate(template, CUSTOMER)).toBe(outcome)
  } else {
    expect(problem).toMatchObject({ code: 'TEMPLATE_SYNTAX', severity: 'error' })
    expect(problem!.message).toMatch(outcome)
  }
})

import type { renderTemplate } from '../../src/pure.js'

/** Languages and zones in which every runtime is to print the same. */
const LOCALES = [
  ['en', 'UTC'],
  ['en-GB', 'Europe/London'],
  ['en-US', 'America/New_York'],
  ['de', 'Europe/Berlin'],
  ['de-CH', 'Europe/Zurich'],
  ['fr', 'Europe/Paris'],
  ['es', 'Europe/Madrid'],
  ['it', 'Europe/Rome'],
  ['nl', 'Europe/Amsterdam'],
  ['pl', 'Europe/Warsaw'],
  ['pt-BR', 'America/Sao_Paulo'],
  ['sv', 'Europe/Stockholm'],
  ['tr', 'Europe/Istanbul'],
  ['ja', 'Asia/Tokyo'],
  ['zh-CN', 'Asia/Shanghai'],
] as const

const TEXTS = [
  '',
  '  two words  ',
  'élan VITAL',
  'istanbul IĞDIR',
  'straße',
  'O’NEILL-smith',
  'A&B=ü+?#',
  '👩‍👩‍👧 family',
  'ǆ',
]
const NUMBERS = ['0', '7', '-1', '1234.5', '1234567.891', '0.005', '12345678901234567890.12', '1e3', 'n/a']
const DATES = [
  '2026-11-26',
  '1999-12-31',
  '0099-01-01',
  '2026-03-29 01:30:00Z',
  '2026-07-04T23:59:59.999+02:00',
  'soon',
]

const OF_TEXT = [
  'upper',
  'lower',
  'capitalize',
  'title',
  'trim',
  'truncate: 5',
  'replace: "a", "ö"',
  'url',
  'title | truncate: 6, "."',
]
const OF_NUMBER = [
  'number',
  'number: 0',
  'number: 2',
  'currency: "EUR"',
  'currency: "USD"',
  'currency: "JPY"',
  'number: 1, "fr"',
]
const OF_DATE = [
  ...['short', 'medium', 'long', 'full'].map((style) => `date: "${style}"`),
  'date: "d MMMM yyyy"',
  'date: "EEEE, dd.MM.yy HH:mm:ss"',
  'date: "EEE d MMM \'at\' h:mm a"',
  'date: "LLLL yyyy"',
  'date: "long", "de"',
]
const CONDITIONS = [
  '{{#x = "7"}}=7{{/x}}',
  '{{#x > 5}}>5{{/x}}',
  '{{#x < "2026-06-01"}}<June{{/x}}',
  '{{#x in "7, straße"}}in{{/x}}',
]

/** What each filter and comparison prints of each value in each language, one text each, the same in every runtime. */
export function printAll(render: typeof renderTemplate): string[] {
  const print = (values: readonly string[], templates: readonly string[]) =>
    LOCALES.flatMap(([locale, timeZone]) =>
      templates.flatMap((template) =>
        values.map((x) => {
          const text = render(template, { custom_attributes: { x } }, { format: 'text', locale, timeZone })
          return `${locale} ${template} ${x} → ${text}`
        }),
      ),
    )
  const tag = (filter: string) => `{{x | ${filter} | default: "–"}}`
  return [
    ...print(TEXTS, OF_TEXT.map(tag)),
    ...print(NUMBERS, OF_NUMBER.map(tag)),
    ...print(DATES, OF_DATE.map(tag)),
    ...print([...TEXTS, ...NUMBERS, ...DATES], CONDITIONS),
  ]
}

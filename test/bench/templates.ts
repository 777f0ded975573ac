/**
 * Rendering speed against what else could render the same message, the compiler's limits, and what it leaves in memory.
 * Run it with `npx tsx test/bench/templates.ts`.
 *
 * Every contender gets the data in the shape it likes best, made before the clock starts, and its template compiled.
 * Every message is read once, as its sender does: V8 leaves a concatenation unwritten until somebody reads it. Before
 * anything is timed, all contenders must give the same text for all customers, hostile ones included.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Handlebars from 'handlebars'
import { Liquid } from 'liquidjs'
import mustache from 'mustache'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { compileTemplate } from '../../src/template/render.js'

interface Contender {
  name: string
  render(index: number): string
}

const ROUNDS = 21
const SAMPLE_MS = 15
const CUSTOMERS = 1000

/** Rows as a driver returns them: all standard fields, and attributes that not every customer has. */
const rows = Array.from({ length: CUSTOMERS }, (_, i) => ({
  id: String(i),
  account_id: '7',
  email: `customer${i}@example.com`,
  // LiquidJS and Handlebars write the entities of quotes otherwise, so there are none.
  first_name: i % 20 === 0 ? `Söhne & <Töchter> ${i}` : i % 50 === 1 ? `Eve\r\nBcc: all@example.com ${i}` : `John${i}`,
  last_name: 'Doe',
  phone: '+4512345678',
  company: null,
  birthday: null,
  currency: 'EUR',
  country: 'DK',
  province: null,
  city: 'Aarhus',
  address1: 'Main Street 1',
  address2: null,
  postal_code: '8000',
  timezone: 'Europe/Copenhagen',
  accepts_marketing: true,
  source: 'csv',
  status: 'active',
  status_reason: null,
  orders_count: '3',
  total_spent: '120.50',
  last_order_id: null,
  last_order_name: null,
  last_order_date: null,
  last_order_price: null,
  source_id: null,
  action_status: null,
  domain_name: null,
  custom_attributes: JSON.parse(
    JSON.stringify({
      loyalty_tier: 'gold',
      plan: 'pro',
      vip: i % 3 ? 'yes' : undefined,
      store: `Store ${i}`,
      points: `${i}`,
    }),
  ) as Record<string, string>,
  created_at: '2025-01-01 00:00:00+00',
  updated_at: '2025-01-01 00:00:00+00',
}))
const views = rows.map((row) => ({ ...row, ...row.custom_attributes }))

const SENTENCE = 'This month we have put together a small selection of things that we think are worth your time. '
const newsletter = (open: string, close: string) => `<!doctype html>
<html><body style="font-family: sans-serif; color: #222">
<h1>Hello {{first_name}} {{last_name}}</h1>
<p>${SENTENCE.repeat(6)}</p>
<p>Your status is {{loyalty_tier}}, and you have {{points}} points in {{city}}.</p>
<p>${SENTENCE.repeat(6)}</p>
${open}<p>As a VIP you have a seat at {{store}}. ${SENTENCE.repeat(4)}</p>${close}
<p>${SENTENCE.repeat(12)}</p>
<p>This mail went to {{email}}.</p>
</body></html>
`
const SUBJECT = 'Hi {{first_name}}, your {{loyalty_tier}} status is waiting for you'

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) =>
  /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => ENTITIES[character]!) : text
const oneLine = (text: string) =>
  /[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/.test(text)
    ? text.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
    : text

function precompiled(template: string, options: CompileOptions): HandlebarsTemplateDelegate {
  return Handlebars.template(new Function(`return ${Handlebars.precompile(template, options)}`)())
}

function newsletterContenders(): Contender[] {
  const template = newsletter('{{#vip}}', '{{/vip}}')
  const [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9] = template.split(/{{.*?}}/)
  const literal = ({ first_name, last_name, city, email, custom_attributes: own }: (typeof rows)[number]) =>
    `${p0}${escapeHtml(first_name)}${p1}${escapeHtml(last_name)}${p2}${escapeHtml(own.loyalty_tier!)}${p3}${escapeHtml(own.points!)}${p4}${escapeHtml(
      city,
    )}${p5}${own.vip ? `${p6}${escapeHtml(own.store!)}${p7}` : ''}${p8}${escapeHtml(email)}${p9}`
  const ours = compileTemplate(template)
  const handlebars = precompiled(newsletter('{{#if vip}}', '{{/if}}'), {})
  const liquid = new Liquid({ outputEscape: 'escape' })
  const parsed = liquid.parse(newsletter('{% if vip %}', '{% endif %}'))
  return [
    { name: 'template literal', render: (index) => literal(rows[index]!) },
    { name: 'this library', render: (index) => ours(rows[index]!) },
    { name: 'Handlebars, precompiled', render: (index) => handlebars(views[index]!) },
    { name: 'mustache.js', render: (index) => mustache.render(template, views[index]!) },
    { name: 'LiquidJS', render: (index) => liquid.renderSync(parsed, views[index]!) as string },
  ]
}

/** A subject must be one line whatever a customer is called; what does not see to it itself gets `oneLine` round it. */
function subjectContenders(): Contender[] {
  const ours = compileTemplate(SUBJECT, { format: 'subject' })
  const handlebars = precompiled(SUBJECT, { noEscape: true })
  const liquid = new Liquid()
  const parsed = liquid.parse(SUBJECT)
  const [p0, p1, p2] = SUBJECT.split(/{{.*?}}/)
  const literal = ({ first_name, custom_attributes: own }: (typeof rows)[number]) =>
    `${p0}${first_name}${p1}${own.loyalty_tier}${p2}`
  const unescaped = { escape: String }
  return [
    { name: 'template literal', render: (index) => oneLine(literal(rows[index]!)) },
    { name: 'this library', render: (index) => ours(rows[index]!) },
    { name: 'Handlebars, precompiled', render: (index) => oneLine(handlebars(views[index]!)) },
    { name: 'mustache.js', render: (index) => oneLine(mustache.render(SUBJECT, views[index]!, {}, unescaped)) },
    { name: 'LiquidJS', render: (index) => oneLine(liquid.renderSync(parsed, views[index]!) as string) },
  ]
}

function checkSameOutput(contenders: readonly Contender[]): void {
  for (let index = 0; index < CUSTOMERS; index++) {
    const [first, ...others] = contenders.map(({ render }) => render(index))
    const other = others.findIndex((message) => message !== first)
    if (other !== -1) throw new Error(`${contenders[other + 1]!.name} renders customer ${index} otherwise`)
  }
}

/** What was read, which keeps V8 from dropping the reading. */
export let read = 0
/** Renders each customer as often as fits into a sample, and returns the nanoseconds of one rendering. */
function sample({ render }: Contender, rounds: number): number {
  const start = performance.now()
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < CUSTOMERS; index++) {
      const message = render(index)
      read += message.charCodeAt(message.length >> 1)
    }
  }
  return ((performance.now() - start) * 1e6) / (rounds * CUSTOMERS)
}

const median = (values: readonly number[]) => values.toSorted((x, y) => x - y)[values.length >> 1]!

/** Medians of all contenders in nanoseconds; they take turns, so that a slow moment of the machine is everybody's. */
function measure(contenders: readonly Contender[]): number[] {
  const rounds = contenders.map((contender) => {
    for (let warmUp = 0; warmUp < 20; warmUp++) sample(contender, 1)
    return Math.max(1, Math.round((SAMPLE_MS * 1e6) / (sample(contender, 1) * CUSTOMERS)))
  })
  const times = contenders.map((): number[] => [])
  for (let turn = 0; turn < ROUNDS; turn++) {
    for (const [index, contender] of contenders.entries()) times[index]!.push(sample(contender, rounds[index]!))
  }
  return times.map(median)
}

function reportRendering(title: string, contenders: readonly Contender[]): void {
  checkSameOutput(contenders)
  const medians = measure(contenders)
  const ours = medians[1]!
  console.log(`\n${title}: same output for ${CUSTOMERS} customers; median of ${ROUNDS} samples of ${SAMPLE_MS} ms`)
  for (const [index, { name }] of contenders.entries()) {
    const time = `${medians[index]!.toFixed(0)} ns`.padStart(10)
    const ratio = index === 1 ? '' : `this library: ${(medians[index]! / ours).toFixed(2)} times as fast`
    console.log(`  ${name.padEnd(26)}${time}   ${ratio}`)
  }
  report(`at least 0.6 of the template literal: ${(medians[0]! / ours).toFixed(2)}`, medians[0]! / ours >= 0.6)
  report(`faster than Handlebars: ${(medians[2]! / ours).toFixed(2)}`, medians[2]! > ours)
  report(`at least 3.5 times mustache.js: ${(medians[3]! / ours).toFixed(2)}`, medians[3]! / ours >= 3.5)
}

function reportLimits(): void {
  console.log('\nThe compiler at its limits: inspect, compile and render once, best of 9')
  const best = (run: () => unknown) => Math.min(...Array.from({ length: 9 }, () => timeOf(run)))
  const use = (template: string) => () => {
    if (inspectTemplate(template).problems.length === 0) compileTemplate(template)(rows[0]!)
  }
  const text = `{{first_name | default: "there"}}${'<p>A line of a newsletter, as long as such lines are.</p>\n'.repeat(8)}`
  const [half, whole] = [text.repeat(265), text.repeat(499).padEnd(256 * 1024, SENTENCE)]
  const unknown = Array.from({ length: 500 }, (_, i) => `{{${`${i} nopqrst`.repeat(8)}}}`).join('')
  const names = Array.from({ length: 2000 }, (_, i) => `attribute ${i} ${'abcdefghij'.repeat(5)}`)
  const cases: [name: string, run: () => unknown][] = [
    ['256 KiB with 499 tags', use(whole)],
    ['256 KiB of text', use(SENTENCE.repeat(3000).slice(0, 256 * 1024))],
    ['a tag with 80,000 blanks', use(`{{${' '.repeat(80_000)}}}`)],
    ['10,000 nested sections', use('{{#vip}}'.repeat(10_000))],
    ['500 tags full of blanks', use(`{{a${' '.repeat(197)}b}}`.repeat(500))],
    ['500 unknown tags, 2,000 names', () => checkTemplate(unknown, names)],
  ]
  for (const [name, run] of cases) {
    const time = best(run)
    report(`${name}: ${time.toFixed(1)} ms`, time < 50)
  }
  const ratio = best(use(whole)) / best(use(half))
  report(`twice the template: ${((ratio * half.length * 2) / whole.length).toFixed(2)} times the time`, ratio <= 2.5)
}

function reportHeap(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const compileMany = (from: number, to: number) => {
    for (let i = from; i < to; i++)
      compileTemplate(`Hi {{first_name}}, {{attribute ${i}|x}} {{#vip}}${i}{{/vip}}`)(rows[0]!)
  }
  const heap = () => {
    collect()
    collect()
    return process.memoryUsage().heapUsed / 2 ** 20
  }
  compileMany(0, 1000)
  const before = heap()
  compileMany(1000, 101_000)
  const grown = heap() - before
  console.log('\nMemory')
  report(`heap after 100,000 different templates: ${grown >= 0 ? '+' : ''}${grown.toFixed(2)} MB`, grown <= 5)
}

function timeOf(run: () => unknown): number {
  const start = performance.now()
  run()
  return performance.now() - start
}

function report(what: string, isReached: boolean): void {
  console.log(`  ${isReached ? 'reached' : 'MISSED '}  ${what}`)
  if (!isReached) process.exitCode = 1
}

function versionOf(name: string): string {
  const path = createRequire(import.meta.url).resolve(name)
  const root = path.slice(0, path.lastIndexOf(`node_modules/${name}`) + `node_modules/${name}`.length)
  return `${name} ${JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).version}`
}

const PARTS: Record<string, () => void> = {
  newsletter: () =>
    reportRendering(
      `A newsletter of ${newsletter('', '').length} characters with 7 tags and a section`,
      newsletterContenders(),
    ),
  subject: () => reportRendering('A one-line subject with 2 tags', subjectContenders()),
  limits: reportLimits,
  memory: reportHeap,
}

// Each part has a process of its own: what V8 learned from one neither helps nor hinders the next.
const part = process.argv[2]
if (part !== undefined) PARTS[part]!()
else {
  console.log(
    `${cpus()[0]?.model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GB, Node ${process.version}`,
  )
  console.log(['mustache', 'handlebars', 'liquidjs'].map(versionOf).join(', '))
  for (const name of Object.keys(PARTS)) {
    const [code] = await once(fork(fileURLToPath(import.meta.url), [name]), 'exit')
    if (code !== 0) process.exitCode = 1
  }
}

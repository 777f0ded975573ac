import { CustomAttributesError, throwProblem } from '../errors.js'
import { isObject } from '../options.js'
import { makeComparison } from './comparisons.js'
import { attributesOf, checkAttributes, fieldsOf, type Values } from './customer.js'
import type { AppliedFilter } from './filters.js'
import { escapeHtml, fitsOneLine, toLine } from './formats.js'
import { createFormMemo, findValue, hasOnlyOwn, type Scope, type TagName, tagNames } from './lookup.js'
import { parseNodes, type TemplateNode } from './nodes.js'
import { type PlacedTag, readTags, type TemplateReading, type TemplateTag, toTemplateTag } from './tags.js'
import type { ExtraTags, ResolvedTemplateOptions } from './template-options.js'
import { opensSection, printField, printValue } from './values.js'

/** A template that is ready for any number of customers. It keeps nothing of them but the forms of attribute names. */
export interface CompiledTemplate {
  /** the merge tags in template order, one entry for each time a tag stands there */
  readonly tags: readonly TemplateTag[]
  /**
   * Renders the template for a customer.
   *
   * @throws CustomAttributesError `INVALID_CUSTOMER`; under `missing: 'error'` also `MISSING_VALUE`, whose
   *   `details.tags` are those of {@link missingTags}
   */
  render(customer: object, extraTags?: ExtraTags): string
  /**
   * The names, as typed, of the tags that would leave a hole in this customer's message: no value that can be printed,
   * no fallback, and in no closed section. Each name once, in template order, whatever `missing` is.
   *
   * @throws CustomAttributesError `INVALID_CUSTOMER`
   */
  missingTags(customer: object, extraTags?: ExtraTags): string[]
  /** The same, the tags whose value a filter cannot read, or that may not stand where they are, by themselves. */
  findHoles(customer: object, extraTags?: ExtraTags): Holes
}

/** The names of the tags that leave a hole in a message, each once, in template order. */
export interface Holes {
  /** those without a value */
  missing: string[]
  /** those with one that a filter cannot read, or that is no address where a link needs one */
  unformattable: string[]
}

/** Text and the tag behind it; only the last step of a list may have none. All of one shape, for the sake of speed. */
interface Step {
  text: string
  tag: TagName | undefined
  isSection: boolean
  /** whether the section is shown when there is a value */
  isShown: boolean
  /** the test of a section that compares */
  holds: ((value: unknown) => boolean) | undefined
  /** whether the name is that of a standard field, and of one that holds numbers */
  isField: boolean
  isNumber: boolean
  /** the filters in order; none when there is but a fallback at the end */
  filters: readonly PlacedFilter[]
  /** makes of what is printed what stands in the message; undefined when it may not stand there */
  escape: ((text: string) => string | undefined) | undefined
  /** as it is printed */
  fallback: string | undefined
  /** what is printed for want of a value and a fallback */
  hole: string
  /** what the section holds */
  steps: readonly Step[]
}

interface PlacedFilter {
  /** whether it is the filter for what has no value */
  isDefault: boolean
  apply: AppliedFilter
}

/** One rendering. */
interface Rendering extends Scope {
  /** takes the names of the tags that leave a hole */
  readonly holes: Holes | undefined
  readonly isLine: boolean
  /** whether a line has characters that do not belong on it */
  isUnfit: boolean
}

/**
 * Compiles a template.
 *
 * @throws CustomAttributesError the first problem of the template
 */
export function compile(template: string, options: ResolvedTemplateOptions): CompiledTemplate {
  const { rawTags, tags, problems, escapes } = readTags(template, options)
  const problem = problems.find(({ severity }) => severity === 'error')
  if (problem) throwProblem(problem)
  const steps = toSteps(parseNodes(template, rawTags, tags), stepMaker(options, escapes))
  const formOf = createFormMemo()
  const isLine = options.format === 'subject'
  const isTemplateUnfit = isLine && !fitsOneLine(template)

  const run = (customer: object, given: ExtraTags | undefined, holes: Holes | undefined): string => {
    const fields = fieldsOf(customer)
    const attributes = attributesOf(customer as Values, options.fields)
    const extra = given === undefined ? options.extraTags : joinTags(options.extraTags, given)
    const isOwn = hasOnlyOwn(fields, attributes, extra)
    if (!isOwn) checkAttributes(attributes)
    const rendering: Rendering = {
      fields,
      attributes,
      extra,
      formOf,
      hasOnlyOwn: isOwn,
      holes,
      isLine,
      isUnfit: isTemplateUnfit,
    }
    const text = renderSteps(steps, rendering)
    return rendering.isUnfit ? toLine(text) : text
  }
  const findHoles = (customer: object, extraTags?: ExtraTags): Holes => {
    const holes: Holes = { missing: [], unformattable: [] }
    run(customer, extraTags, holes)
    return { missing: [...new Set(holes.missing)], unformattable: [...new Set(holes.unformattable)] }
  }
  const missingTags = (customer: object, extraTags?: ExtraTags): string[] =>
    namesOf(findHoles(customer, extraTags), tags)
  const renderWhole = (customer: object, extraTags?: ExtraTags): string => {
    const holes: Holes = { missing: [], unformattable: [] }
    const text = run(customer, extraTags, holes)
    const names = namesOf(holes, tags)
    if (names.length > 0) throw missingValue(names)
    return text
  }
  return {
    tags: tags.map(toTemplateTag),
    render: options.missing === 'error' ? renderWhole : (customer, extraTags) => run(customer, extraTags, undefined),
    missingTags,
    findHoles,
  }
}

/** All names of holes, in template order. */
function namesOf({ missing, unformattable }: Holes, tags: readonly TemplateTag[]): string[] {
  if (unformattable.length === 0) return [...new Set(missing)]
  const names = new Set([...missing, ...unformattable])
  return [...new Set(tags.map(({ name }) => name))].filter((name) => names.has(name))
}

function renderSteps(steps: readonly Step[], rendering: Rendering): string {
  let out = ''
  for (const step of steps) {
    out += step.text
    if (step.tag === undefined) break
    const value = findValue(step.tag, rendering)
    if (step.isSection) {
      out += renderSection(step, value, rendering)
      continue
    }
    let printed = step.isField ? printField(value) : printValue(value)
    let isUnreadable = false
    if (step.filters.length > 0) {
      const given = printed
      printed = applyFilters(step.filters, value, printed)
      isUnreadable = printed === undefined && given !== undefined
    }
    let isRefused = false
    if (printed !== undefined && step.escape !== undefined) {
      printed = step.escape(printed)
      isRefused = printed === undefined
    }
    if (isRefused) out += renderHole(step, rendering, true, NOWHERE)
    else if (printed === undefined) out += renderHole(step, rendering, isUnreadable, step.hole)
    else {
      out += printed
      if (rendering.isLine && !fitsOneLine(printed)) rendering.isUnfit = true
    }
  }
  return out
}

/** Takes a value through its filters; one without a value, or with one that a filter cannot read, to the next default. */
function applyFilters(
  filters: readonly PlacedFilter[],
  value: unknown,
  printed: string | undefined,
): string | undefined {
  let current = value
  let text = printed
  for (const { isDefault, apply } of filters) {
    if ((text === undefined) !== isDefault) continue
    current = apply(current, text ?? '')
    text = isDefault ? (current as string) : printValue(current)
  }
  return text
}

function renderSection(step: Step, value: unknown, rendering: Rendering): string {
  const isOpen = step.holds ? step.holds(value) : opensSection(value) && !(step.isNumber && Number(value) === 0)
  return isOpen === step.isShown ? renderSteps(step.steps, rendering) : ''
}

/** The URL that leads nowhere, for a value that is none. */
const NOWHERE = '#'

function renderHole(step: Step, rendering: Rendering, isUnreadable: boolean, hole: string): string {
  if (step.fallback !== undefined) return step.fallback
  rendering.holes?.[isUnreadable ? 'unformattable' : 'missing'].push(step.tag!.name)
  return hole
}

type StepMaker = (text: string, tag: PlacedTag | undefined, steps: Step[]) => Step

function toSteps(nodes: readonly TemplateNode[], toStep: StepMaker): Step[] {
  const steps: Step[] = []
  let text = ''
  for (const node of nodes) {
    if (node.tag === undefined) text += node.text
    else {
      steps.push(toStep(text, node.tag, toSteps(node.nodes, toStep)))
      text = ''
    }
  }
  if (text !== '') steps.push(toStep(text, undefined, []))
  return steps
}

function stepMaker(options: ResolvedTemplateOptions, escapes: TemplateReading['escapes']): StepMaker {
  const toTagName = tagNames(options.fields, options.names)
  return (text, tag, steps) => {
    const name = tag && toTagName(tag.name)
    const field = name?.field
    const escapeValue =
      options.format === 'html' && tag?.kind !== 'unescaped'
        ? ((tag && escapes.get(tag.start)) ?? escapeHtml)
        : undefined
    const { filters, fallback } = toFilters(tag)
    return {
      text,
      tag: name,
      isSection: tag?.kind === 'section' || tag?.kind === 'inverted',
      isShown: tag?.kind === 'section',
      holds: tag?.comparison && makeComparison(tag.comparison, options.timeZone),
      isField: field !== undefined,
      isNumber: field !== undefined && (NUMBER_FIELDS.has(field) || options.numberFields?.has(field) === true),
      filters,
      escape: escapeValue,
      fallback:
        escapeValue && fallback !== undefined
          ? (escapeValue(fallback) ?? (fallback === '' ? '' : undefined))
          : fallback,
      hole: tag && options.missing === 'keep' ? tag.source : (escapeValue?.('') ?? ''),
      steps,
    }
  }
}

/** The filters of a tag that are to be applied, and what is printed for want of what comes out of them. */
function toFilters(tag: PlacedTag | undefined): { filters: PlacedFilter[]; fallback: string | undefined } {
  const calls = tag?.calls ?? []
  const isPlain = calls.at(-1)?.name === 'default'
  const filters = (isPlain ? calls.slice(0, -1) : calls).map(({ name, arguments: [text = ''] }, at) => ({
    isDefault: name === 'default',
    apply: name === 'default' ? () => text : tag!.applied[at]!,
  }))
  return { filters, fallback: isPlain ? (calls.at(-1)!.arguments[0] ?? '') : undefined }
}

/** The standard fields that are numbers, also where a driver gives them as texts; what else is, the store alone knows. */
const NUMBER_FIELDS: ReadonlySet<string> = new Set(['orders_count', 'total_spent', 'last_order_price'])

function joinTags(own: ExtraTags | undefined, given: ExtraTags): ExtraTags {
  if (isObject(given) !== undefined) {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'extraTags must be an object of names and values.', {
      argument: 'extraTags',
    })
  }
  return own === undefined ? given : { ...own, ...given }
}

function missingValue(tags: string[]): CustomAttributesError {
  return new CustomAttributesError(
    'MISSING_VALUE',
    `The customer has no value for ${tags.map((name) => `{{${name}}}`).join(', ')}. ` +
      'Give these tags a fallback, as in {{name | default: "text"}}, or leave the customer out.',
    { tags },
  )
}

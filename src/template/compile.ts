import { CustomAttributesError, throwProblem } from '../errors.js'
import { isObject } from '../options.js'
import { attributesOf, checkAttributes, fieldsOf, type Values } from './customer.js'
import { escapeHtml, fitsOneLine, toLine } from './formats.js'
import { createFormMemo, findValue, hasOnlyOwn, type Scope, type TagName, toTagName } from './lookup.js'
import { parseNodes, type TemplateNode } from './nodes.js'
import { type PlacedTag, readTags, type TemplateTag, toTemplateTag } from './tags.js'
import type { ExtraTags, ResolvedTemplateOptions } from './template-options.js'
import { opensSection, printValue } from './values.js'

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
   * The names, as typed, of the tags that would leave a hole in this customer's message: no value, no fallback, and in
   * no closed section. Each name once, in template order, whatever `missing` is.
   *
   * @throws CustomAttributesError `INVALID_CUSTOMER`
   */
  missingTags(customer: object, extraTags?: ExtraTags): string[]
}

/** Text and the tag behind it; only the last step of a list may have none. All of one shape, for the sake of speed. */
interface Step {
  text: string
  tag: TagName | undefined
  isSection: boolean
  /** whether the section is shown when there is a value */
  isShown: boolean
  isEscaped: boolean
  /** as it is printed */
  fallback: string | undefined
  /** what is printed for want of a value and a fallback */
  hole: string
  /** what the section holds */
  steps: readonly Step[]
}

/** One rendering. */
interface Rendering extends Scope {
  /** takes the names of the tags that leave a hole */
  readonly holes: string[] | undefined
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
  const { rawTags, tags, problems } = readTags(template, options)
  if (problems[0]) throwProblem(problems[0])
  const steps = toSteps(parseNodes(template, rawTags, tags), options)
  const formOf = createFormMemo()
  const isLine = options.format === 'subject'
  const isTemplateUnfit = isLine && !fitsOneLine(template)

  const run = (customer: object, given: ExtraTags | undefined, holes: string[] | undefined): string => {
    const fields = fieldsOf(customer)
    const attributes = attributesOf(customer as Values)
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
  const missingTags = (customer: object, extraTags?: ExtraTags): string[] => {
    const holes: string[] = []
    run(customer, extraTags, holes)
    return [...new Set(holes)]
  }
  const renderWhole = (customer: object, extraTags?: ExtraTags): string => {
    const holes: string[] = []
    const text = run(customer, extraTags, holes)
    if (holes.length > 0) throw missingValue([...new Set(holes)])
    return text
  }
  return {
    tags: tags.map(toTemplateTag),
    render: options.missing === 'error' ? renderWhole : (customer, extraTags) => run(customer, extraTags, undefined),
    missingTags,
  }
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
    const printed = printValue(value)
    if (printed === undefined) out += renderHole(step, rendering)
    else if (step.isEscaped) out += escapeHtml(printed)
    else {
      out += printed
      if (rendering.isLine && !fitsOneLine(printed)) rendering.isUnfit = true
    }
  }
  return out
}

function renderSection(step: Step, value: unknown, rendering: Rendering): string {
  return opensSection(value) === step.isShown ? renderSteps(step.steps, rendering) : ''
}

function renderHole(step: Step, rendering: Rendering): string {
  if (step.fallback !== undefined) return step.fallback
  rendering.holes?.push(step.tag!.name)
  return step.hole
}

function toSteps(nodes: readonly TemplateNode[], options: ResolvedTemplateOptions): Step[] {
  const steps: Step[] = []
  let text = ''
  for (const node of nodes) {
    if (node.tag === undefined) text += node.text
    else {
      steps.push(toStep(text, node.tag, toSteps(node.nodes, options), options))
      text = ''
    }
  }
  if (text !== '') steps.push(toStep(text, undefined, [], options))
  return steps
}

function toStep(text: string, tag: PlacedTag | undefined, steps: Step[], options: ResolvedTemplateOptions): Step {
  const isEscaped = options.format === 'html' && tag?.kind !== 'unescaped'
  const fallback = tag?.fallback
  return {
    text,
    tag: tag && toTagName(tag.name),
    isSection: tag?.kind === 'section' || tag?.kind === 'inverted',
    isShown: tag?.kind === 'section',
    isEscaped,
    fallback: isEscaped && fallback !== undefined ? escapeHtml(fallback) : fallback,
    hole: tag && options.missing === 'keep' ? tag.source : '',
    steps,
  }
}

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

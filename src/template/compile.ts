import { CustomAttributesError, throwProblem } from '../errors.js'
import { isObject } from '../options.js'
import { attributesOf, fieldsOf, type Values } from './customer.js'
import { escapeHtml, toLine } from './formats.js'
import { createFormMemo, findValue, isPlain, type Scope, type TagName, toTagName } from './lookup.js'
import { parseNodes, type TemplateNode } from './nodes.js'
import { type PlacedTag, readTags, type TemplateTag } from './tags.js'
import type { ExtraTags, ResolvedTemplateOptions } from './template-options.js'
import { opensSection, printValue } from './values.js'

/** A template that is ready for any number of customers. It holds nothing of any of them. */
export interface CompiledTemplate {
  /** the merge tags, in template order, one for each time a tag is used */
  readonly tags: readonly TemplateTag[]
  /**
   * Renders the template for a customer.
   *
   * @throws CustomAttributesError `INVALID_CUSTOMER`; under `missing: 'error'` also `MISSING_VALUE`, whose
   *   `details.tags` are the names of all tags without a value
   */
  render(customer: object, extraTags?: ExtraTags): string
  /**
   * The names, as typed, of the tags that would print a hole for this customer: reached, without a value and without a
   * fallback. Each name once, in template order; whatever `missing` is.
   *
   * @throws CustomAttributesError `INVALID_CUSTOMER`
   */
  missingTags(customer: object, extraTags?: ExtraTags): string[]
}

/** Text, and the tag behind it; the last step of a list has no tag. All of one shape, which makes the loop fast. */
interface Step {
  text: string
  tag: TagName | undefined
  isShown: boolean
  isEscaped: boolean
  isSection: boolean
  /** as it is printed, escaped where values are */
  fallback: string | undefined
  /** what is printed for want of a value */
  hole: string
  /** what the section holds */
  steps: readonly Step[]
}

/**
 * Compiles a template.
 *
 * @param template - the template
 * @param options - resolved options; see `TemplateOptions`
 * @throws CustomAttributesError the first problem of the template
 */
export function compile(template: string, options: ResolvedTemplateOptions): CompiledTemplate {
  const { rawTags, tags, problems } = readTags(template, options)
  if (problems[0]) throwProblem(problems[0])
  const steps = toSteps(parseNodes(template, rawTags, tags), options)
  const formOf = createFormMemo()
  const finish = options.format === 'subject' ? toLine : undefined

  const run = (customer: object, given: ExtraTags | undefined, holes: string[] | undefined): string => {
    const fields = fieldsOf(customer)
    const attributes = attributesOf(customer as Values)
    const extra = given === undefined ? options.extraTags : joinTags(options.extraTags, given)
    const scope = {
      fields,
      attributes,
      extra,
      formOf,
      isPlain: isPlain(fields) && isPlain(attributes) && (extra === undefined || isPlain(extra)),
    }
    const text = renderSteps(steps, scope, holes)
    return finish === undefined ? text : finish(text)
  }
  const missingTags = (customer: object, extraTags?: ExtraTags): string[] => {
    const holes: string[] = []
    run(customer, extraTags, holes)
    return [...new Set(holes)]
  }
  return {
    tags: tags.map(({ start: _start, source: _source, ...tag }) => tag),
    missingTags,
    render:
      options.missing === 'error'
        ? (customer, extraTags) => {
            const holes: string[] = []
            const text = run(customer, extraTags, holes)
            if (holes.length > 0) throw missingValue([...new Set(holes)])
            return text
          }
        : (customer, extraTags) => run(customer, extraTags, undefined),
  }
}

function renderSteps(steps: readonly Step[], scope: Scope, holes: string[] | undefined): string {
  let out = ''
  for (const step of steps) {
    const { tag } = step
    out += step.text
    if (tag === undefined) break
    const value = findValue(tag, scope)
    if (step.isSection) {
      if (opensSection(value) === step.isShown) out += renderSteps(step.steps, scope, holes)
      continue
    }
    const printed = printValue(value)
    if (printed !== undefined) out += step.isEscaped ? escapeHtml(printed) : printed
    else if (step.fallback !== undefined) out += step.fallback
    else {
      out += step.hole
      holes?.push(tag.name)
    }
  }
  return out
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
  if (text !== '') steps.push({ ...NO_TAG, text })
  return steps
}

const NO_TAG: Step = {
  text: '',
  tag: undefined,
  isShown: true,
  isEscaped: false,
  isSection: false,
  fallback: undefined,
  hole: '',
  steps: [],
}

function toStep(text: string, tag: PlacedTag, steps: Step[], options: ResolvedTemplateOptions): Step {
  const isEscaped = options.format === 'html' && tag.kind !== 'unescaped'
  return {
    text,
    tag: toTagName(tag.name),
    isShown: tag.kind !== 'inverted',
    isEscaped,
    isSection: tag.kind === 'section' || tag.kind === 'inverted',
    fallback: isEscaped && tag.fallback !== undefined ? escapeHtml(tag.fallback) : tag.fallback,
    hole: options.missing === 'keep' ? tag.source : '',
    steps,
  }
}

function joinTags(first: ExtraTags | undefined, given: ExtraTags): ExtraTags {
  if (isObject(given) !== undefined) {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'extraTags must be an object of names and values.', {
      argument: 'extraTags',
    })
  }
  return first === undefined ? given : { ...first, ...given }
}

function missingValue(tags: string[]): CustomAttributesError {
  return new CustomAttributesError(
    'MISSING_VALUE',
    `The customer has no value for ${tags.map((name) => `{{${name}}}`).join(', ')}. ` +
      'Give these tags a fallback, as in {{name | default: "text"}}, or leave the customer out.',
    { tags },
  )
}

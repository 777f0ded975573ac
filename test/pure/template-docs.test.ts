import { readFileSync } from 'node:fs'
import { transformSync } from 'esbuild'
import { describe, expect, it, test } from 'vitest'
import { isCustomAttributesError } from '../../src/errors.js'
import { LIMITS } from '../../src/options.js'
import { checkTemplate, inspectTemplate } from '../../src/template/inspect.js'
import { compileTemplate, renderTemplate } from '../../src/template/render.js'
import type { TemplateOptions } from '../../src/template/template-options.js'

interface Block {
  language: string
  settings: string
  text: string
  line: number
}

interface Example extends Block {
  results: Record<string, string>
}

function readPage(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8')
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+) ?(.*)\n([\s\S]*?)\n```$/gm)].map(([whole, language, settings, text]) => ({
    language: language!,
    settings: settings!,
    text: text!,
    line: page.slice(0, page.indexOf(whole)).split('\n').length,
  }))
}

/** Each template with the blocks behind it, up to the next template. */
function examplesOf(blocks: readonly Block[]): Example[] {
  const examples: Example[] = []
  for (const block of blocks) {
    if (block.language === 'mustache') examples.push({ ...block, results: {} })
    else if (['json', 'output', 'error', 'problems'].includes(block.language)) {
      examples.at(-1)!.results[block.settings || block.language] = block.text
    }
  }
  return examples
}

function optionsOf({ settings, results }: Example): TemplateOptions {
  const options = Object.fromEntries(
    settings.split(' ').flatMap((setting) => {
      const [name, value] = setting.split('=')
      return value === undefined ? [] : [[name, value === 'true' ? true : value]]
    }),
  )
  return results.extraTags ? { ...options, extraTags: JSON.parse(results.extraTags) } : options
}

function run(example: Example): void {
  const { text, results } = example
  const options = optionsOf(example)
  if (results.problems !== undefined) {
    const { problems } = inspectTemplate(text, options)
    const found = problems.map(({ code, details }) => `${code} ${details.line}:${details.column}`)
    expect(found.join('\n')).toBe(results.problems)
    return
  }
  const customer = JSON.parse(results.json!)
  if (results.error === undefined) {
    expect(renderTemplate(text, customer, options)).toBe(results.output)
    return
  }
  try {
    renderTemplate(text, customer, options)
  } catch (error) {
    if (!isCustomAttributesError(error)) throw error
    expect(`${error.code} ${(error.details.tags as string[]).join(', ')}`).toBe(results.error)
    return
  }
  throw new Error('nothing was thrown')
}

/** Runs TypeScript in which `expression // → JSON` is an assertion; returns how many there were. */
function runTypeScript(source: string): number {
  let assertions = 0
  const code = source
    .replace(/import (\{.*\}) from 'postgres-custom-attributes\/pure'/, 'const $1 = api')
    .replace(/^(.*\S) \/\/ → (.*)$/gm, (_, expression: string, expected: string) => {
      assertions += 1
      return `expect(${expression}).toEqual(${expected})`
    })
  const api = { renderTemplate, compileTemplate, inspectTemplate, checkTemplate }
  new Function('api', 'expect', transformSync(code, { loader: 'ts' }).code)(api, expect)
  return assertions
}

describe.each([
  ['templates.md', 25],
  ['template-security.md', 5],
])('docs/%s', (name, least) => {
  const page = readPage(name)
  const blocks = blocksOf(page)
  const examples = examplesOf(blocks)

  test.each(examples.map((example) => [example.line, example] as const))('the example at line %i', (_, example) => {
    run(example)
  })

  test.each(blocks.filter(({ language }) => language === 'ts').map((block) => [block.line, block.text] as const))(
    'the code at line %i',
    (_, source) => {
      expect(runTypeScript(source)).toBeGreaterThan(0)
    },
  )

  it('has no block that is not run, but for the page of a preview', () => {
    expect(blocks).toHaveLength(page.match(/^```\w/gm)!.length)
    expect(new Set(blocks.map(({ language }) => language))).toEqual(
      new Set(['mustache', 'json', 'output', 'problems', ...(name === 'templates.md' ? ['error', 'ts'] : ['html'])]),
    )
    expect(examples.length).toBeGreaterThanOrEqual(least)
    for (const { results } of examples) {
      expect(['output', 'error', 'problems'].filter((kind) => results[kind] !== undefined)).toHaveLength(1)
    }
  })

  it('links to headings and pages that exist', () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-'))
    for (const [, target] of page.matchAll(/\]\(#(.*?)\)/g)) expect(anchors).toContain(target)
    for (const [, target] of page.matchAll(/\]\(([\w-]+\.md)/g)) expect(readPage(target!)).not.toBe('')
  })
})

describe('docs/templates.md', () => {
  const page = readPage('templates.md')

  it('has the suggestions right', () => {
    const table = page.slice(page.indexOf('| tag | suggestion |'))
    const rows = [...table.matchAll(/^\| `(\{\{.*?\}\})` \| `(.*?)` \|$/gm)]
    expect(rows).toHaveLength(4)
    for (const [, template, suggestion] of rows) {
      const problem = checkTemplate(template!, ['email', 'first_name', 'loyalty_tier'], { allowUnescaped: true })[0]
      expect(problem?.details.suggestion).toBe(suggestion)
    }
  })

  it('has the limits right', () => {
    expect(page).toContain(`| a template | ${LIMITS.maxTemplateBytes / 1024} KiB in UTF-8 | \`TEMPLATE_TOO_LARGE\` |`)
    expect(page).toContain(`included | ${LIMITS.maxTemplateTags} | \`TOO_MANY_TAGS\` |`)
    expect(page).toContain(`of a tag | ${LIMITS.maxTagLength} | \`TAG_TOO_LONG\` |`)
  })
})

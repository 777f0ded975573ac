import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { renderTemplate } from '../../src/template/render.js'

interface SpecCase {
  name: string
  desc: string
  data: Record<string, unknown>
  template: string
  expected: string
}

const CONTEXT = 'a section opens no context of its own: values are texts, not objects'
const LIST = 'a section does not repeat: values are texts, not lists'
const ITERATOR = '{{.}} is refused: values are no lists'
const PATH = 'names are literal, never paths'

/** The cases outside the grammar. Every other case is run as it is. */
const EXCLUDED: Record<string, Record<string, string>> = {
  comments: {},
  interpolation: {
    'Dotted Names - Basic Interpolation': PATH,
    'Dotted Names - Triple Mustache Interpolation': PATH,
    'Dotted Names - Ampersand Interpolation': PATH,
    'Dotted Names - Arbitrary Depth': PATH,
    'Dotted Names - Initial Resolution': PATH,
  },
  inverted: {
    Context: CONTEXT,
    'Dotted Names - Truthy': PATH,
  },
  sections: {
    Context: CONTEXT,
    'Deeply Nested Contexts': CONTEXT,
    List: LIST,
    'Implicit Iterator - String': ITERATOR,
    'Implicit Iterator - Integer': ITERATOR,
    'Implicit Iterator - Decimal': ITERATOR,
    'Dotted Names - Truthy': PATH,
  },
}

function readCases(file: string): SpecCase[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/mustache-spec/${file}.json`, import.meta.url), 'utf8')).tests
}

let ran = 0

describe.each(Object.entries(EXCLUDED))('the Mustache specification: %s', (file, excluded) => {
  const cases = readCases(file)

  test.each(cases.filter(({ name }) => !(name in excluded)))('$name', ({ template, data, expected }) => {
    const allowUnescaped = template.includes('{{{') || template.includes('{{&')
    expect(renderTemplate(template, { custom_attributes: data }, { allowUnescaped })).toBe(expected)
    ran += 1
  })

  it('excludes only cases that exist and that would fail', () => {
    for (const name of Object.keys(excluded)) {
      const { template, data, expected } = cases.find((entry) => entry.name === name)!
      const render = () => renderTemplate(template, { custom_attributes: data }, { allowUnescaped: true })
      if (excluded[name] === ITERATOR) expect(render).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_TAG' }))
      else expect(render()).not.toBe(expected)
    }
  })
})

test('73 of the 87 cases ran', () => {
  expect(Object.keys(EXCLUDED).reduce((sum, file) => sum + readCases(file).length, 0)).toBe(87)
  expect(ran).toBe(73)
})

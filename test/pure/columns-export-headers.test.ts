import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { thrownBy } from '../support/errors.js'

interface Expected {
  standard: string[]
  custom: string[]
  ignored: string[]
  problems: string[]
}

const read = (file: string) => readFileSync(new URL(`../fixtures/${file}`, import.meta.url), 'utf8')
const expected = JSON.parse(read('export-headers.expected.json')) as Record<string, Expected>
const exports = read('export-headers.csv')
  .trimEnd()
  .split(/\r?\n/)
  .map((line) => line.split(','))

test('the two fixture files name the same exports', () => {
  expect(exports.map(([name]) => name)).toEqual(Object.keys(expected))
  expect(exports.length).toBe(20)
})

describe.each(exports.map(([name, ...headers]) => ({ name: name!, headers })))('$name', ({ name, headers }) => {
  const { mapping, problems } = inspectColumns(headers)
  const { standard, custom, ignored, problems: codes } = expected[name]!

  test('is mapped as expected', () => {
    expect({
      standard: mapping.standard,
      custom: mapping.custom,
      ignored: mapping.ignored.map(({ header }) => header),
      problems: problems.map(({ code }) => code),
    }).toEqual({ standard, custom, ignored, problems: codes })
  })

  test('mapColumns gives the same, or throws the first problem', () => {
    if (problems.length === 0) expect(mapColumns(headers)).toEqual(mapping)
    else expect(thrownBy(() => mapColumns(headers))).toMatchObject({ ...problems[0] })
  })
})

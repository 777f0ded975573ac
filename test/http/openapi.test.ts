import { readFile } from 'node:fs/promises'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { checkAudience } from '../../src/audience/conditions.js'
import { createHttpHandler } from '../../src/http.js'
import { LIMITS } from '../../src/options.js'
import { createCustomAttributesStore } from '../../src/store.js'
import { useDatabase } from '../support/database.js'
import { escapePointer, openapi, validator } from './openapi.js'

const file = new URL('../../openapi.json', import.meta.url)

/** Every schema that has examples, by its JSON pointer, and the examples. */
function* findExamples(value: unknown, pointer = ''): Generator<[string, unknown[]]> {
  if (typeof value !== 'object' || value === null) return
  const { schema, example, examples } = value as { schema?: object; example?: unknown; examples?: unknown }
  if (schema && examples) yield [`${pointer}/schema`, Object.values(examples).map(({ value }) => value)]
  if (schema && example !== undefined) yield [`${pointer}/schema`, [example]]
  if (!schema && Array.isArray(examples)) yield [pointer, examples]
  for (const [key, entry] of Object.entries(value)) yield* findExamples(entry, `${pointer}/${escapePointer(key)}`)
}

describe('openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validation = new Validator()
    expect(await validation.validate(JSON.parse(await readFile(file, 'utf8')))).toEqual({ valid: true })
    expect(validation.version).toBe('3.1')
  })

  it('has examples that fit their schemas, for every response and request', () => {
    const found = [...findExamples(openapi)]
    for (const [pointer, examples] of found) {
      const validate = validator(pointer)
      for (const example of examples) {
        expect(validate(example), `${pointer}: ${JSON.stringify(validate.errors)}`).toBe(true)
      }
    }
    const pointers = found.map(([pointer]) => pointer)
    for (const [path, operations] of Object.entries(openapi.paths)) {
      for (const method of ['get', 'post']) {
        if (!operations[method]) continue
        const operation = `/paths/${escapePointer(path)}/${method}`
        const [type] = Object.keys(operations[method].responses['200']!.content!)
        expect(pointers).toContain(`${operation}/responses/200/content/${escapePointer(type!)}/schema`)
        if (method === 'post') expect(pointers.some((known) => known.startsWith(`${operation}/requestBody`))).toBe(true)
      }
    }
  })

  it('names the limits that the library has', async () => {
    const text = await readFile(file, 'utf8')
    expect(text).toContain(`${LIMITS.maxBytes / 1024 / 1024} MB`)
    expect(text).toContain(`${LIMITS.maxTemplateBytes / 1024} KiB`)
  })

  it.each<[unknown, boolean]>([
    ['all', true],
    [{ emails: ['a@x.com'] }, true],
    [{ where: { city: 'Rome', plan: ['pro', 7, true] }, timeZone: 'UTC' }, true],
    [{ where: { score: { atLeast: 1, below: '1e3', not: { above: 5 } } } }, true],
    [{ where: { born: { anniversary: { within: '7 days' } }, seen: { last: '3 months' } } }, true],
    [{ where: { born: { anniversary: 'today', on: '2026-05-17', missing: false } } }, true],
    [{ where: { any: [{ none: [{ a: 'x' }] }], all: ['a value'] } }, true],
    ['everyone', false],
    [{ where: {} }, false],
    [{ where: { city: null } }, false],
    [{ where: { city: {} } }, false],
    [{ where: { city: [] } }, false],
    [{ where: { city: { like: 'x' } } }, false],
    [{ where: { city: { contains: '' } } }, false],
    [{ where: { born: { last: 'month' } } }, false],
    [{ where: { born: { anniversary: 'tomorrow' } } }, false],
    [{ where: { any: [{}] } }, false],
    [{ emails: [], where: { a: 'x' } }, false],
  ])('knows an audience as checkAudience does: %j', (audience, isRight) => {
    expect(checkAudience(audience).length === 0).toBe(isRight)
    expect(validator('/components/schemas/Audience')(audience)).toBe(isRight)
  })

  describe('and the handler', () => {
    const database = useDatabase()

    it('have the same paths and methods', async () => {
      const handler = createHttpHandler(createCustomAttributesStore(database.client), { authorize: () => false })
      const ask = async (method: string, path: string) =>
        (await handler(new Request(`http://in.process${path}`, { method }))).status
      const served = await handler(new Request('http://in.process/api/accounts/1/nothing'))
      const { details } = (await served.json()) as { details: { paths: string[] } }
      expect(details.paths.sort()).toEqual(
        Object.keys(openapi.paths)
          .filter((path) => path.startsWith('/accounts/'))
          .map((path) => `/api${path}`)
          .sort(),
      )
      for (const [path, operations] of Object.entries(openapi.paths)) {
        // Nobody is asked who holds a token: see suppressions.test.ts.
        if (!path.startsWith('/accounts/')) continue
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          const status = await ask(method, `/api${path.replace('{account_id}', '1')}`)
          expect([method, path, status]).toEqual([method, path, operations[method.toLowerCase()] ? 403 : 405])
        }
      }
    })
  })
})

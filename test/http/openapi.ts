import { readFileSync } from 'node:fs'
import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'vitest'

interface Operation {
  requestBody?: { content: Content }
  responses: Record<string, Described>
}
interface Described {
  $ref?: string
  headers?: Record<string, { required?: boolean; schema: object }>
  content?: Content
}
type Content = Record<string, { schema?: object; examples?: Record<string, { value: unknown }> }>

/** The description as it ships. */
export const openapi = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>
  components: { responses: Record<string, Described>; schemas: Record<string, object> }
}

const ajv = new Ajv2020({ allErrors: true, strict: false })
addFormats.default(ajv)
// What is not described must not be sent: clients are told that extra fields may come, the tests are not.
ajv.addSchema({ ...(closeObjects(openapi) as object), $id: 'openapi' })

/** A validator for a schema of the description, by its JSON pointer. */
export function validator(pointer: string): ValidateFunction {
  return ajv.getSchema(`openapi#${pointer}`) ?? ajv.compile({ $ref: `openapi#${pointer}` })
}

/** Checks a value against a component, such as `UploadResult`. */
export function expectSchema(component: string, value: unknown): void {
  expectValid(`/components/schemas/${component}`, value)
}

/** Checks status, headers and body of a response against the description of its operation. */
export async function expectDescribed(method: string, path: string, response: Response): Promise<void> {
  const template = Object.keys(openapi.paths).find((known) => toPattern(known).test(path))
  const operation = template && openapi.paths[template]?.[method.toLowerCase()]
  const type = response.headers.get('content-type')?.split(';')[0] ?? ''
  if (!template || (!operation && response.status !== 404)) {
    // A path or method that is not described has an error for its only answer.
    expect([404, 405, 400]).toContain(response.status)
    return expectSchema('Error', await response.clone().json())
  }
  const status = String(response.status)
  const described = (operation as Operation).responses[status]
  expect(described, `${method} ${template} describes ${status}`).toBeDefined()
  const pointer =
    described?.$ref?.slice(1) ?? `/paths/${escapePointer(template)}/${method.toLowerCase()}/responses/${status}`
  const { content = {}, headers = {} } = described?.$ref
    ? openapi.components.responses[described.$ref.split('/').pop()!]!
    : described!
  expect(Object.keys(content), `${method} ${template} ${status} describes its content type`).toContain(type)
  for (const [name, { required }] of Object.entries(headers))
    if (required) expect(response.headers.has(name)).toBe(true)
  if (type === 'application/json') {
    expectValid(`${pointer}/content/${escapePointer(type)}/schema`, await response.clone().json())
  }
}

function expectValid(pointer: string, value: unknown): void {
  const validate = validator(pointer)
  const isValid = validate(value)
  expect(isValid, `${pointer}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 2)}`).toBe(true)
}

function toPattern(template: string): RegExp {
  return new RegExp(`^/api${template.replace(/\{\w+\}/g, '[^/]+')}$`)
}

export function escapePointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function closeObjects(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closeObjects)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).map(([key, value]) => [key, key === 'examples' ? value : closeObjects(value)])
  const closed = Object.fromEntries(entries)
  return closed.type === 'object' && closed.properties ? { additionalProperties: false, ...closed } : closed
}

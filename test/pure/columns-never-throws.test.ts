import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ColumnOptions } from '../../src/column-targets.js'
import { inspectColumns, mapColumns } from '../../src/columns.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { STANDARD_COLUMNS } from '../../src/names.js'
import { checkLaw, codePoint } from '../support/law.js'

const header = fc.oneof(
  fc.constantFrom('email', 'Email Address', '__proto__', 'constructor', '', ' ', 'id', "'", "'=", '\ud800', '\0'),
  fc.constantFrom<string>(...STANDARD_COLUMNS),
  fc.string({ unit: codePoint, maxLength: 20 }),
)
const target = fc.oneof(
  fc.constant(null),
  fc.constant(undefined),
  fc.record({ field: fc.oneof(fc.constantFrom<unknown>(...STANDARD_COLUMNS), fc.anything()) }),
  fc.record({ attribute: fc.oneof<fc.Arbitrary<unknown>[]>(header, fc.anything()) }),
  fc.record({ target: fc.anything() }),
  fc.anything(),
)
const headers = fc.oneof(fc.array(header, { maxLength: 15 }), fc.sparseArray(header), fc.anything())
const options = fc.oneof(
  fc.record(
    {
      columns: fc.oneof(fc.dictionary(header, target), fc.array(target), fc.sparseArray(target), fc.anything()),
      attributes: fc.oneof(fc.constantFrom('all', 'none'), fc.array(header), fc.anything()),
      fields: fc.oneof(fc.constant('all'), fc.subarray([...STANDARD_COLUMNS]), fc.anything()),
      knownAttributes: fc.oneof(fc.array(header), fc.anything()),
      maxCustomAttributes: fc.oneof(fc.nat(20), fc.anything()),
    },
    { requiredKeys: [] },
  ),
  fc.anything(),
)

test('law: inspectColumns never throws, and mapColumns throws its first problem or returns its mapping', async () => {
  await checkLaw(
    'inspectColumns never throws',
    fc.property(headers, options, (names, given) => {
      const { mapping, problems } = inspectColumns(names as string[], given as ColumnOptions)
      const targets = mapping.columns.filter((column) => column.target !== null).length
      expect(mapping.standard.length + mapping.custom.length).toBe(targets)
      expect(mapping.ignored.length).toBe(mapping.columns.length - targets)
      try {
        expect(mapColumns(names as string[], given as ColumnOptions)).toEqual(mapping)
        expect(problems).toEqual([])
      } catch (error) {
        if (!isCustomAttributesError(error)) throw error
        // Each names itself.
        const message = error.message.replace(/^mapColumns\b/, 'inspectColumns')
        expect({ code: error.code, message }).toEqual({
          code: problems[0]?.code,
          message: problems[0]?.message,
        })
      }
    }),
    3_000,
  )
})

import fc from 'fast-check'
import { test } from 'vitest'
import { writeCell } from '../../src/csv/write.js'
import { ODD_CELL } from '../../src/export/export.js'
import { cellOf } from '../../src/text-mark.js'
import { checkLaw, codePoint } from '../support/law.js'

const cell = fc
  .array(
    fc.oneof(
      fc.constantFrom(...'=+-@\'"\t\r\n,;| a1.Zé\u00a0\u00ad\u0085\u1680\u200b\u3000\ufeff漢🙂'.split('')),
      fc.string({ unit: codePoint, maxLength: 2 }),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join('').replace(/[\x1e\x1f]/g, ''))

test('law: the cells that are not odd are written as they are, and each odd one is found whole', () =>
  checkLaw(
    'odd cells',
    fc.property(
      fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(',' as const, ';' as const, '\t' as const, '|' as const),
      fc.boolean(),
      (rows, delimiter, isGuarded) => {
        const write = (text: string) => writeCell(cellOf(text, isGuarded), delimiter)
        const join = (all: string[][]) => all.map((cells) => cells.join('\x1f')).join('\x1e')
        return join(rows).replace(ODD_CELL, write) === join(rows.map((cells) => cells.map(write)))
      },
    ),
    100_000,
    2_000,
  ))

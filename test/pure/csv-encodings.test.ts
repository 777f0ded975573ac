import { describe, expect, test } from 'vitest'
import { createDecoder } from '../../src/csv/decode.js'
import type { Encoding } from '../../src/csv/encoding.js'
import { chunks, readCsv, recordsOf } from '../support/csv.js'
import { latin1, utf16 } from '../support/csv-fixtures.js'
import { rejectionOf, thrownBy } from '../support/errors.js'

const utf8 = (text: string) => new TextEncoder().encode(text)

/** The value in the second column of the first row. */
async function cellOf(bytes: Uint8Array, encoding?: Encoding): Promise<string | undefined> {
  return recordsOf(await readCsv(bytes, encoding && { encoding }))[0]?.[1]
}

describe('windows-1252', () => {
  /** The Encoding Standard's index for 0x80 to 0x9F; undefined where it has no character. */
  const SPECIAL: Record<number, string> = {
    128: '€',
    130: '‚',
    131: 'ƒ',
    132: '„',
    133: '…',
    134: '†',
    135: '‡',
    136: 'ˆ',
    137: '‰',
    138: 'Š',
    139: '‹',
    140: 'Œ',
    142: 'Ž',
    145: '‘',
    146: '’',
    147: '“',
    148: '”',
    149: '•',
    150: '–',
    151: '—',
    152: '˜',
    153: '™',
    154: 'š',
    155: '›',
    156: 'œ',
    158: 'ž',
    159: 'Ÿ',
  } // prettier-ignore
  const UNDEFINED = [0x81, 0x8d, 0x8f, 0x90, 0x9d]

  test('all 256 bytes: 27 special ones, 5 that are no character, the rest as in Latin-1', () => {
    expect(Object.keys(SPECIAL)).toHaveLength(27)
    for (let byte = 0; byte < 256; byte++) {
      const decode = () =>
        createDecoder('windows-1252')
          .decode(Buffer.from([byte]), true)
          .toString('utf8')
      if (UNDEFINED.includes(byte)) {
        expect(thrownBy(decode)).toMatchObject({ code: 'INVALID_ENCODING', details: { byte: 1, line: 1 } })
      } else {
        expect(decode(), `byte ${byte}`).toBe(SPECIAL[byte] ?? String.fromCharCode(byte))
      }
    }
  })

  test('is assumed, with a warning, for what is not UTF-8', async () => {
    const read = await readCsv(latin1('email,city\na@example.com,M\xfcnchen \x96 5 \x80\n'))
    expect(recordsOf(read)).toEqual([['a@example.com', 'München – 5 €']])
    expect(read.encoding).toBe('windows-1252')
    expect(read.warnings).toEqual([
      {
        code: 'ENCODING_ASSUMED',
        message: 'The file is not UTF-8 and was read as windows-1252. Check accented letters, or name its encoding.',
      },
    ])
  })

  test('without a warning when it was asked for', async () => {
    const read = await readCsv(latin1('email,city\na@example.com,K\xf6ln\n'), { encoding: 'windows-1252' })
    expect(recordsOf(read)[0]![1]).toBe('Köln')
    expect(read.warnings).toEqual([])
  })

  test.each(UNDEFINED)('byte %i is INVALID_ENCODING, and told where it stands', async (byte) => {
    const bytes = latin1(`email,x\na@example.com,\xe9${String.fromCharCode(byte)}\n`)
    const error = await rejectionOf(readCsv(bytes))
    expect(error.code).toBe('INVALID_ENCODING')
    expect(error.message).toBe(
      'The file is neither UTF-8 nor windows-1252: byte 24 on line 2 does not fit. ' +
        'Save it as "CSV UTF-8", or name its encoding with encoding.',
    )
    expect((await rejectionOf(readCsv(bytes, { encoding: 'windows-1252' }))).message).toContain(
      'The file is not windows-1252: byte 24 on line 2 does not fit.',
    )
  })

  // The file is read in pieces of 64 KiB: the first letter that is not ASCII may stand anywhere in one.
  test.each([65_530, 65_533, 65_534, 65_535, 65_536, 65_537, 131_071])(
    'is found when the first such letter is byte %i of a long file',
    async (position) => {
      const start = 'email,note\na@example.com,'
      const text = `${start}${'x'.repeat(position - start.length)}\xe9t\xe9\nb@example.com,\xfc\n`
      const read = await readCsv(latin1(text), { maxRecordBytes: 300_000 })
      expect(read.encoding).toBe('windows-1252')
      expect(read.warnings.map(({ code }) => code)).toEqual(['ENCODING_ASSUMED'])
      expect(recordsOf(read)[0]![1]!.slice(-4)).toBe('xété')
    },
  )

  test('is found when that letter is the last byte of the file', async () => {
    expect(await cellOf(latin1('email,city\na@example.com,Caf\xe9'))).toBe('Café')
    const long = `email,city\na@example.com,${'x'.repeat(70_000)}`
    expect((await cellOf(latin1(`${long}\xe9`)))!.at(-1)).toBe('é')
  })
})

describe('UTF-8', () => {
  test('with and without byte order mark', async () => {
    for (const mark of ['', '\ufeff']) {
      const read = await readCsv(utf8(`${mark}email,x\na@example.com,ä€😀\n`))
      expect(read.headers).toEqual(['email', 'x'])
      expect(recordsOf(read)[0]![1]).toBe('ä€😀')
      expect(read.warnings).toEqual([])
    }
  })

  test('a byte order mark before a quoted header', async () => {
    expect((await readCsv(utf8('\ufeff"email","x"\n'))).headers).toEqual(['email', 'x'])
  })

  test('a byte order mark alone is an empty file', async () => {
    expect((await rejectionOf(readCsv(utf8('\ufeff')))).code).toBe('EMPTY_FILE')
  })

  test('characters of every length survive at every border of the 64 KiB pieces', async () => {
    for (const character of ['é', '€', '😀']) {
      for (let shift = 0; shift < 5; shift++) {
        const cell = `${'x'.repeat(65_536 - 26 - shift)}${character}y`
        expect(await cellOf(utf8(`email,x\na@example.com,${cell}\n`))).toBe(cell)
      }
    }
  })

  test.each([
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['over U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a continuation byte alone', [0x80]],
    ['a cut sequence', [0xe2, 0x82]],
  ])('strict: %s is refused with its position, never U+FFFD', async (_what, bad) => {
    const file = Buffer.concat([utf8('email,x\na@example.com,ä'), Buffer.from(bad), utf8('\n')])
    const error = await rejectionOf(readCsv(file, { encoding: 'utf-8' }))
    expect(error).toMatchObject({ code: 'INVALID_ENCODING', details: { encoding: 'utf-8', byte: 25, line: 2 } })
    expect(error.message).toBe(
      'The file is not utf-8: byte 25 on line 2 does not fit. Save it as "CSV UTF-8", or name its encoding with encoding.',
    )
  })

  test('a sequence cut by the end of the file is refused', async () => {
    const file = Buffer.concat([utf8('email,x\na@example.com,'), Buffer.from([0xe2, 0x82])])
    expect((await rejectionOf(readCsv(file, { encoding: 'utf-8' }))).details.byte).toBe(23)
  })

  test('after a byte order mark it is not guessed to be anything else', async () => {
    const file = Buffer.concat([utf8('\ufeffemail\n'), Buffer.from([0xe9]), utf8('\n')])
    expect((await rejectionOf(readCsv(file))).code).toBe('INVALID_ENCODING')
  })

  test('a file that is UTF-8 for long and then is not, is refused: neither letter can be trusted', async () => {
    const file = Buffer.concat([
      utf8(`email,x\na@example.com,ä${'x'.repeat(140_000)}`),
      Buffer.from([0xe9]),
      utf8('\n'),
    ])
    expect((await rejectionOf(readCsv(file))).code).toBe('INVALID_ENCODING')
  })

  test('U+FFFD that stands in the file itself is kept', async () => {
    expect(await cellOf(utf8('email,x\na@example.com,\ufffd\n'))).toBe('\ufffd')
  })
})

describe('UTF-8 with a broken byte is broken UTF-8', () => {
  test.each([
    ['last', 'email,x\na@x.com,é\nb@x.com,', '\n'],
    ['first', 'email,x\na@x.com,x\nb@x.com,', '\nc@x.com,é\n'],
    ['pieces before the letters', 'email,x\na@x.com,x\nb@x.com,', `\n${'c@x.com,y\n'.repeat(20_000)}d@x.com,é\n`],
    ['after mixed line ends', 'email,x\ré@x.com,x\r\nb@x.com,', '\nd@x.com,é\n'],
  ])('%s', async (_what, before, after) => {
    const error = await rejectionOf(readCsv(Buffer.concat([utf8(before), Buffer.from([0xc3]), utf8(after)])))
    expect(error).toMatchObject({ code: 'INVALID_ENCODING', details: { encoding: 'utf-8', line: 3 } })
    expect(error.details.byte).toBe(utf8(before).length + 1)
  })
})

test.each([
  ['windows-1251', [0xcf, 0xf0], 'Пр', [0x0a, 0x41]],
  ['shift_jis', [0x93, 0xfa], '日', [0xfa, 0x0a]],
  ['Latin1', [0xe9], 'é', undefined],
  ['macintosh', [0x8e], 'é', undefined],
  ['gb18030', [0xc4, 0xe3], '你', [0xc4, 0x0a]],
])('encoding: any label of the Encoding Standard, fatal: %s', async (encoding, letters, text, broken) => {
  const file = (bytes: number[]) => Buffer.concat([utf8('email,x\na@x.com,'), Buffer.from(bytes), utf8('\n')])
  expect(await cellOf(file(letters), encoding)).toBe(text)
  if (broken && encoding !== 'windows-1251') {
    const error = await rejectionOf(readCsv(file(broken), { encoding }))
    expect(error).toMatchObject({ code: 'INVALID_ENCODING', details: { encoding, line: 2 } })
  }
})

describe('UTF-16', () => {
  test.each(['le', 'be'] as const)('%s with byte order mark', async (order) => {
    const read = await readCsv(utf16('email,x\r\na@example.com,ä€😀\r\n', order))
    expect(recordsOf(read)).toEqual([['a@example.com', 'ä€😀']])
    expect(read.encoding).toBe(`utf-16${order}`)
    expect(read.warnings).toEqual([])
  })

  test.each(['le', 'be'] as const)('%s without byte order mark is read when it is named', async (order) => {
    const bytes = utf16('email,x\na@example.com,ä\n', order).subarray(2)
    expect(await cellOf(bytes, `utf-16${order}`)).toBe('ä')
  })

  test.each(['le', 'be'] as const)('%s without byte order mark and name is refused with what to do', async (order) => {
    const error = await rejectionOf(readCsv(utf16('email,x\na@example.com,b\n', order).subarray(2)))
    expect(error.code).toBe('INVALID_ENCODING')
    expect(error.message).toBe(
      'The file looks like UTF-16 without a byte order mark. Save it as "CSV UTF-8", or name its encoding with encoding.',
    )
  })

  test.each(['le', 'be'] as const)('%s: pairs survive at the border of the 64 KiB pieces', async (order) => {
    for (let shift = 0; shift < 4; shift++) {
      const cell = `${'x'.repeat(32_768 - 25 - shift)}😀y`
      expect(await cellOf(utf16(`email,x\na@example.com,${cell}\n`, order))).toBe(cell)
    }
  })

  test.each(['le', 'be'] as const)('%s: half of a pair, and half of a unit, are refused', async (order) => {
    for (const bytes of [
      utf16('email,x\na@example.com,\ud83d\n', order),
      utf16('email,x\na@example.com,\ude00\n', order),
      Buffer.concat([utf16('email,x\na@example.com,b\n', order), Buffer.from([0x41])]),
    ]) {
      const error = await rejectionOf(readCsv(bytes))
      expect(error.code).toBe('INVALID_ENCODING')
      expect(error.details.encoding).toBe(`utf-16${order}`)
    }
  })
})

test.each([
  ['utf-8', utf16('email\nä\n', 'le'), 'utf-16le'],
  ['utf-16', utf16('email\nä\n', 'be'), 'utf-16be'],
  ['utf-16le', utf8('\ufeffemail\nä\n'), 'utf-8'],
  ['utf-16be', utf16('email\nä\n', 'le'), 'utf-16le'],
  ['windows-1252', utf8('\ufeffemail\nä\n'), 'utf-8'],
  ['shift_jis', utf16('email\nä\n', 'be'), 'utf-16be'],
])('against encoding %s the byte order mark wins, as the Encoding Standard has it', async (encoding, bytes, marked) => {
  const read = await readCsv(bytes, { encoding })
  expect([read.encoding, read.headers, recordsOf(read)]).toEqual([marked, ['email'], [['ä']]])
})

test('text given as strings is not decoded, whatever encoding says', async () => {
  const read = await readCsv('email,x\na@example.com,ä\u0080ÿ\n', { encoding: 'windows-1252' })
  expect(recordsOf(read)[0]![1]).toBe('ä\u0080ÿ')
  expect(read.warnings).toEqual([])
})

describe('a decoder fed split at every byte gives the same', () => {
  const text = 'aä€😀\u0080\r\nz'
  const cases: [Encoding | undefined, Uint8Array][] = [
    [undefined, utf8(text)],
    [undefined, utf8('only ascii')],
    [undefined, latin1('caf\xe9 \x80 na\xefve\xff')],
    [undefined, latin1('\xc3\xe9\xe9')],
    ['utf-8', utf8(text)],
    ['utf-16le', utf16(text, 'le').subarray(2)],
    ['utf-16be', utf16(text, 'be').subarray(2)],
    ['windows-1252', latin1('caf\xe9 \x80')],
  ]

  const decode = async (encoding: Encoding | undefined, bytes: Uint8Array, cuts: number[]) => {
    const decoder = createDecoder(encoding)
    const parts: Buffer[] = []
    for await (const piece of chunks(bytes, cuts)) parts.push(Buffer.from(decoder.decode(Buffer.from(piece))))
    parts.push(decoder.decode(Buffer.alloc(0), true))
    return { text: Buffer.concat(parts).toString('utf8'), encoding: decoder.encoding(), assumed: decoder.isAssumed() }
  }

  test.each(cases)('%s %s', async (encoding, bytes) => {
    const whole = await decode(encoding, bytes, [])
    for (let cut = 0; cut <= bytes.length; cut++) {
      for (let next = cut; next <= bytes.length; next++) {
        expect(await decode(encoding, bytes, [cut, next]), `cut at ${cut} and ${next}`).toEqual(whole)
      }
    }
  })
})

test('of a file that is whole all is looked at before it is taken for windows-1252', async () => {
  const csv = Buffer.concat([
    latin1('email,x\na@x.com,caf\xe9\n'),
    Buffer.from(`b@x.com,1\n${'c@x.com,2\n'.repeat(60_000)}`),
    utf8('d@x.com,é\n'),
  ])
  for (const whole of [csv, new Uint8Array(csv).buffer, new Blob([csv])]) {
    const error = await readCsv(whole).catch((error) => error)
    expect(error).toMatchObject({ code: 'INVALID_ENCODING', details: { encoding: 'utf-8', byte: 20, line: 2 } })
  }
  const legacy = new Uint8Array(csv.subarray(0, -10))
  expect(await readCsv(legacy)).toMatchObject({ encoding: 'windows-1252' })
})

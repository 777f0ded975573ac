import { expect, test } from 'vitest'
import { type Delimiter, type RecordBatch, RecordReader } from '../../src/csv/records.js'
import { isCustomAttributesError } from '../../src/errors.js'
import { CSV_FIXTURES } from '../support/csv-fixtures.js'

const limits = { maxColumns: 20, maxRecordBytes: 500 }

/** Everything a reader says of bytes that are fed cut at the given positions. */
function read(bytes: Buffer, delimiter: Delimiter, cuts: number[]) {
  const reader = new RecordReader(delimiter, limits)
  const records: string[][] = []
  const lines: number[] = []
  const faults: object[] = []
  const take = (batch: RecordBatch) => {
    records.push(...batch.records)
    lines.push(...batch.lines)
    for (const [record, fault] of batch.faults ?? []) faults.push({ record, ...fault })
  }
  try {
    let from = 0
    for (const cut of [...cuts, bytes.length]) {
      take(reader.feed(bytes.subarray(from, cut)))
      from = cut
    }
    take(reader.feed(Buffer.alloc(0), true))
  } catch (error) {
    if (!isCustomAttributesError(error)) throw error
    return { code: error.code, details: error.details }
  }
  return { records, lines, faults }
}

const texts: [string, Buffer, Delimiter][] = [
  ...CSV_FIXTURES.filter(({ encoding }) => encoding === 'utf-8').map(
    ({ name, bytes, delimiter }): [string, Buffer, Delimiter] => [name, Buffer.from(bytes), delimiter as Delimiter],
  ),
  ['quotes, empty cells and all line ends', Buffer.from('"a""","",é\r\n\r\r\n,"\r\n"\n"x"\r"",""\n\n'), ','],
  ['an open quote', Buffer.from('a,b\r\n1,"2\r\n3,4\r\n'), ','],
  ['a quote out of place', Buffer.from('a,b\r\n1,2"3\r\n'), ','],
  ['text after a quote', Buffer.from('a,b\n"1"2,3\n'), ','],
  ['quotes out of place, one after the other', Buffer.from('"é""é"é,"1"\r\n"x"y\r"ok","é\n"\n"z""",5"\n"1""2"3'), ','],
]

test.each(texts)(
  '%s: records, lines and errors do not depend on where the bytes are cut',
  (_name, bytes, delimiter) => {
    const whole = read(bytes, delimiter, [])
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read(bytes, delimiter, [cut]), `cut at ${cut}`).toEqual(whole)
    }
    const everywhere = Array.from({ length: bytes.length }, (_, at) => at)
    expect(read(bytes, delimiter, everywhere), 'byte by byte').toEqual(whole)
  },
)

import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { CsvInput } from '../../src/csv/source.js'
import { readCsv, recordsOf } from '../support/csv.js'
import { rejectionOf } from '../support/errors.js'

const text = 'email,first_name\njohn@example.com,Jöhn 😀\njane@example.com,Jane\n'
const bytes = new TextEncoder().encode(text)
const rows = [
  ['john@example.com', 'Jöhn 😀'],
  ['jane@example.com', 'Jane'],
]

function stream(chunks: (string | Uint8Array)[]): ReadableStream<string | Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  })
}

async function* iterate<T>(chunks: Iterable<T>): AsyncGenerator<T> {
  yield* chunks
}

/** A web stream as in runtimes that cannot iterate one. */
function withoutIterator(source: ReadableStream<string | Uint8Array>): CsvInput {
  return { getReader: () => source.getReader() } as unknown as CsvInput
}

const halves = () => [bytes.slice(0, 37), bytes.slice(37)]
const inputs: [string, () => CsvInput][] = [
  ['a string', () => text],
  ['a Uint8Array', () => bytes],
  ['a Buffer from a pool', () => Buffer.from(text)],
  ['a view on a part of a buffer', () => new Uint8Array([0, 0, ...bytes, 0]).subarray(2, 2 + bytes.length)],
  ['an ArrayBuffer', () => bytes.slice().buffer],
  ['a Blob', () => new Blob([text])],
  ['a File', () => new File([bytes], 'customers.csv', { type: 'text/csv' })],
  ['an array of bytes', () => halves()],
  ['an array of texts and bytes', () => [text.slice(0, 20), new TextEncoder().encode(text.slice(20))]],
  [
    'a generator',
    () =>
      (function* () {
        yield* text
      })(),
  ],
  ['a Set', () => new Set(halves())],
  ['a web ReadableStream of bytes', () => stream(halves())],
  ['a web ReadableStream of text', () => stream([text.slice(0, 40), text.slice(40)])],
  ['a web ReadableStream without iterator', () => withoutIterator(stream(halves()))],
  ['a Node Readable of bytes', () => Readable.from(halves())],
  ['a Node Readable of text', () => Readable.from([text.slice(0, 40), text.slice(40)])],
  ['a Node Readable with an encoding', () => Readable.from(halves(), { objectMode: false }).setEncoding('utf8')],
  ['an async generator of bytes', () => iterate(halves())],
  ['an async generator of text, a character at a time', () => iterate(text)],
  [
    'text cut within a surrogate pair',
    () => iterate([text.slice(0, text.indexOf('😀') + 1), text.slice(text.indexOf('😀') + 1)]),
  ],
  ['with empty chunks', () => iterate([new Uint8Array(), ...halves(), new Uint8Array()])],
]

test.each(inputs)('%s', async (_what, input) => {
  expect(recordsOf(await readCsv(input()))).toEqual(rows)
})

test('a long text is read as its bytes would be', async () => {
  const long = `email,x\n${'a@example.com,€😀\n'.repeat(20_000)}`
  const read = await readCsv(long)
  expect(read.rows).toHaveLength(20_000)
  expect(read.rows.every(({ record }) => record[1] === '€😀')).toBe(true)
  expect(read.bytesRead).toBe(Buffer.byteLength(long))
})

test('half of a surrogate pair in text becomes NUL, so that its row is rejected and nothing is stored in its place', async () => {
  for (const input of ['email,x\na@example.com,b\ud83d\n', iterate(['email,x\na@example.com,b\ud83d', '\n'])]) {
    expect(recordsOf(await readCsv(input))).toEqual([['a@example.com', 'b\0']])
  }
  expect(recordsOf(await readCsv(iterate(['email,x\na@example.com,b\ud83d'])))).toEqual([['a@example.com', 'b\0']])
})

test('a source is asked only for what is needed: reading goes on as rows are taken', async () => {
  let sent = 0
  async function* source() {
    yield 'email\n'
    for (; sent < 1_000; sent++) yield 'a@example.com\n'.repeat(1_000)
  }
  const { openCsv, CSV_DEFAULTS } = await import('../../src/csv/file.js')
  const file = await openCsv(source(), CSV_DEFAULTS, (header) => header === 'email')
  expect(sent).toBeLessThan(60)
  await file.close()
  expect(sent).toBeLessThan(60)
})

describe('INVALID_ARGUMENT', () => {
  test.each([
    [undefined, 'got undefined.'],
    [null, 'got null.'],
    [5, 'got a number.'],
    [{}, 'got an object.'],
    [new Date(0), 'got an object of class Date.'],
  ])('csv is %j', async (csv, came) => {
    const error = await rejectionOf(readCsv(csv as unknown as CsvInput))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { argument: 'csv' } })
    expect(error.message).toBe(
      `csv must be a string, Uint8Array, Blob, ReadableStream, Readable or another iterable or async iterable of chunks, ${came}`,
    )
  })

  test.each([[5], [null], [{}], [['x']]])('a chunk is %j', async (chunk) => {
    const error = await rejectionOf(readCsv(iterate([bytes, chunk]) as unknown as CsvInput))
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' })
    expect(error.message).toMatch(/^The chunks of csv must be strings or Uint8Arrays, got /)
  })
})

describe('SOURCE_FAILED', () => {
  const failure = new Error('disk on fire')
  const message =
    'Reading the CSV source failed; see cause. Upload the file again: rows that were stored are then unchanged.'

  async function* failing(good: string[]) {
    yield* good
    throw failure
  }

  test.each<[string, () => CsvInput]>([
    ['an iterable that fails at once', () => failing([])],
    ['an iterable that fails in the middle', () => failing([text, text.repeat(10_000)])],
    ['a Node Readable', () => Readable.from(failing([text]))],
    [
      'a web stream',
      () =>
        new ReadableStream({
          start(controller) {
            controller.enqueue(bytes)
            controller.error(failure)
          },
        }),
    ],
    ['a web stream without iterator', () => withoutIterator(new ReadableStream({ start: (to) => to.error(failure) }))],
  ])('%s', async (_what, input) => {
    const error = await rejectionOf(readCsv(input()))
    expect(error).toMatchObject({ code: 'SOURCE_FAILED', message })
    expect(error.cause).toBe(failure)
  })

  test.each<[string, () => CsvInput]>([
    [
      'a web stream that somebody else reads',
      () => {
        const locked = stream([bytes])
        locked.getReader()
        return locked
      },
    ],
    [
      'a web stream without iterator that somebody else reads',
      () => {
        const locked = stream([bytes])
        locked.getReader()
        return withoutIterator(locked)
      },
    ],
    ['a destroyed Node Readable', () => Readable.from([text]).destroy()],
    [
      'an iterable whose iterator cannot be had',
      () => ({
        [Symbol.asyncIterator]: () => {
          throw failure
        },
      }),
    ],
  ])('%s', async (_what, input) => {
    expect((await rejectionOf(readCsv(input()))).code).toBe('SOURCE_FAILED')
  })

  test('a Node Readable is let go of', async () => {
    const source = Readable.from(failing([text]))
    await rejectionOf(readCsv(source))
    expect(source.destroyed).toBe(true)
  })
})

describe('a source is let go of when the file is refused', () => {
  const refused = 'email,x"y\na@example.com,1\n'

  test('a Node Readable is destroyed', async () => {
    const source = Readable.from(iterate([refused, ...Array.from({ length: 50_000 }, () => text)]))
    expect((await rejectionOf(readCsv(source))).code).toBe('INVALID_QUOTE')
    await sleep(10)
    expect(source.destroyed).toBe(true)
  })

  test('a web stream is cancelled', async () => {
    let cancelled = false
    const source = new ReadableStream<string>({
      pull: (to) => to.enqueue(refused.repeat(1_000)),
      cancel: () => {
        cancelled = true
      },
    })
    expect((await rejectionOf(readCsv(source))).code).toBe('INVALID_QUOTE')
    await sleep(10)
    expect(cancelled).toBe(true)
  })
})

describe('ABORTED', () => {
  const never = (): Promise<never> => new Promise(() => {})

  const silent: [string, () => CsvInput][] = [
    ['an iterable that never answers', () => ({ [Symbol.asyncIterator]: () => ({ next: never }) })],
    [
      'an iterable that never answers, also not to return',
      () => ({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }),
    ],
    ['a web stream that never answers', () => new ReadableStream({ pull: never })],
    ['a web stream without iterator that never answers', () => withoutIterator(new ReadableStream({ pull: never }))],
    ['a Node Readable that never answers', () => new Readable({ read() {} })],
    [
      'an iterable that stops answering',
      () =>
        (async function* () {
          yield text.repeat(20_000)
          await never()
        })(),
    ],
  ]

  test.each(silent)('%s ends when the signal aborts', async (_what, input) => {
    const reason = new Error('the client went away')
    const controller = new AbortController()
    const reading = rejectionOf(readCsv(input(), { signal: controller.signal }))
    await sleep(20)
    controller.abort(reason)
    // The source never answers: without the signal this would wait until the test's time is up.
    const error = await reading
    expect(error).toMatchObject({ code: 'ABORTED', status: 499, message: 'The signal stopped the work.' })
    expect(error.cause).toBe(reason)
  })

  test('a signal that has aborted before stops at once', async () => {
    expect(
      (await rejectionOf(readCsv({ [Symbol.asyncIterator]: () => ({ next: never }) }, { signal: AbortSignal.abort() })))
        .code,
    ).toBe('ABORTED')
  })

  test('no listener is left on a signal that lives on', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const { addEventListener, removeEventListener } = signal
    signal.addEventListener = (...args: unknown[]) => {
      listeners++
      addEventListener.apply(signal, args as Parameters<typeof addEventListener>)
    }
    signal.removeEventListener = (...args: unknown[]) => {
      listeners--
      removeEventListener.apply(signal, args as Parameters<typeof removeEventListener>)
    }
    await readCsv(iterate(Array.from({ length: 100 }, () => text)), { signal })
    await sleep(0)
    expect(listeners).toBe(0)
  })
})

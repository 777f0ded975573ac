import fc from 'fast-check'

/** Whether the long laws run in full (`npm run test:laws`) or, as in `npm test`, with few samples. */
export const isFull = process.env.TEST_LAWS === 'full'

/** How many samples a long law takes: in full, and in `npm test`. */
export const samples = (full: number, few: number): number => (isFull ? full : few)

const runSeed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)

/** All of them in full; in `npm test` a few, which take turns from run to run. */
export function someOf<Each>(all: readonly Each[], few: number): Each[] {
  if (isFull) return [...all]
  return Array.from({ length: few }, (_, at) => all[(runSeed + at) % all.length]!)
}

/** Any code point that is no half of a pair: what fast-check's unit `binary` is, whose tables take a second of each process. */
export const codePoint = fc.nat({ max: 0x10f7ff }).map((at) => String.fromCodePoint(at < 0xd800 ? at : at + 0x800))

/**
 * Checks a law by fast-check and prints the seed. Every run of the tests takes a new one, so that the law meets new
 * cases; give the printed one as `FAST_CHECK_SEED` to see a failure again, and `FAST_CHECK_FACTOR` for more runs.
 *
 * @param runs - how often in full; otherwise `few`, by default a fortieth, but at least five
 */
export async function checkLaw<Arguments>(
  name: string,
  property: fc.IRawProperty<Arguments>,
  runs: number,
  few = Math.min(runs, Math.max(5, Math.round(runs / 40))),
): Promise<void> {
  const seed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)
  const numRuns = samples(runs, few) * Number(process.env.FAST_CHECK_FACTOR ?? 1)
  console.log(`${name}: ${numRuns} runs, seed ${seed}`)
  await fc.assert(property, { seed, numRuns })
}

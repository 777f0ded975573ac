import fc from 'fast-check'

/**
 * Checks a law by fast-check and prints the seed. Every run of the tests takes a new one, so that the law meets new
 * cases; give the printed one as `FAST_CHECK_SEED` to see a failure again, and `FAST_CHECK_FACTOR` for more runs.
 */
export async function checkLaw<Arguments>(
  name: string,
  property: fc.IRawProperty<Arguments>,
  runs: number,
): Promise<void> {
  const seed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)
  const numRuns = runs * Number(process.env.FAST_CHECK_FACTOR ?? 1)
  console.log(`${name}: ${numRuns} runs, seed ${seed}`)
  await fc.assert(property, { seed, numRuns })
}

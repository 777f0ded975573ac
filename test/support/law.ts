import fc from 'fast-check'

/**
 * Checks a law by fast-check and prints the seed. Every run takes a new one, so that the law meets new cases; give the
 * printed one as `FAST_CHECK_SEED` to see a failure again.
 */
export async function checkLaw<Arguments>(
  name: string,
  property: fc.IRawProperty<Arguments>,
  runs: number,
): Promise<void> {
  const seed = Number(process.env.FAST_CHECK_SEED ?? Date.now() % 2 ** 31)
  console.log(`${name}: ${runs} runs, seed ${seed}`)
  await fc.assert(property, { seed, numRuns: runs })
}

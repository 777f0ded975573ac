// What a piece of work costs, whatever the machine and whoever else uses it: in processor time of this process, and not
// in milliseconds but in calibrations, a fixed piece of work that is measured between the tries of the other.

/**
 * Strings, an expression, a map and objects: about 10 ms of the machine that the limits were measured on.
 *
 * @param part - how much of it is done
 */
export function calibration(part = 1): number {
  const counts = new Map<string, number>()
  let letters = 0
  for (let at = 0; at < 16_000 * part; at++) {
    const [, name = '', number = ''] = /^(\w+) +<(\d+)>$/.exec(`name${at % 1000}  <${at}>`) ?? []
    counts.set(name, (counts.get(name) ?? 0) + Number(number))
    letters += [...name, number].join('').toUpperCase().length
  }
  return letters + counts.size
}

let isCompiled = false

/** The processor time that has passed in this process while the work was done, in milliseconds. */
export async function processorTime(work: () => unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** What each piece of work takes at least, in milliseconds of processor time, when they take turns for some rounds. */
export async function leastTimes(works: (() => unknown)[], rounds: number): Promise<number[]> {
  const least = works.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < rounds; round++) {
    for (const [at, work] of works.entries()) least[at] = Math.min(least[at]!, await processorTime(work))
  }
  return least
}

/** How many calibrations the work costs: the least of a few tries. What a calibration takes is known from a quarter of one. */
export async function costOf(work: () => unknown, tries = 3): Promise<number> {
  const quarter = () => calibration(1 / 4)
  const [before] = await leastTimes([quarter], isCompiled ? 1 : 20)
  isCompiled = true
  const [least, after] = await leastTimes([work, quarter], tries)
  return least! / (4 * Math.min(before!, after!))
}

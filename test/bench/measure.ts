import { performance } from 'node:perf_hooks'
import { peakMemory } from '../support/peak-memory.js'
import type { Run } from './setting.js'

/** Runs what this process is for and prints what it took, as one line of JSON. */
export async function measure(work: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage()
  const loop = performance.eventLoopUtilization()
  const start = performance.now()
  await work()
  const ms = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const { idle } = performance.eventLoopUtilization(loop)
  const run: Run = { ms, cpuMs: (user + system) / 1000, idleMs: idle, peak: peakMemory() }
  console.log(JSON.stringify(run))
}

import { readFileSync } from 'node:fs'

/**
 * The most memory (RSS) that this process ever held, in bytes.
 *
 * On Linux `process.resourceUsage().maxRSS` starts with what the parent held when it started this process, so there the
 * kernel's own high-water mark of the process is read.
 */
export function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024
}

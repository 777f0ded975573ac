import { CustomAttributesError } from './errors.js'

/** The error an aborted signal stands for; the host's own reason is the cause. */
export function abortError(signal: AbortSignal): CustomAttributesError {
  return new CustomAttributesError('ABORTED', 'The signal stopped the work.', {}, { cause: signal.reason })
}

/** @throws CustomAttributesError `ABORTED` when the signal has aborted */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/** Waits for a promise, but no longer than until the signal aborts; what it stands for then runs out by itself. */
export function orAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  explain: (signal: AbortSignal) => unknown = abortError,
  patience = 0,
): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const giveUp = () => reject(explain(signal))
    const onAbort = () => {
      if (patience === 0) giveUp()
      else timer = setTimeout(giveUp, patience)
    }
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** How long a call that was aborted puts its things in order (a statement cancelled, a transaction rolled back). */
const LAST_MOMENT_MS = 600

/**
 * Ends a call within a second of its abort, whatever it still waits for. Until then it may end by itself, and say more
 * exactly what it did.
 */
export function endSoonAfterAbort<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  explain?: (signal: AbortSignal) => unknown,
): Promise<T> {
  return orAborted(work, signal, explain, LAST_MOMENT_MS)
}

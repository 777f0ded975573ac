import { CustomAttributesError } from './errors.js'

/** The error an aborted signal stands for; the host's own reason is the cause. */
export function abortError(signal: AbortSignal): CustomAttributesError {
  return new CustomAttributesError('ABORTED', 'The signal stopped the work.', {}, { cause: signal.reason })
}

/** @throws CustomAttributesError `ABORTED` when the signal has aborted */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

/** Waits for a promise, but no longer than until the signal aborts. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(abortError(signal))
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

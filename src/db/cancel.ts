import { setTimeout as sleep } from 'node:timers/promises'
import * as v8 from 'node:v8'
import type { Sql } from 'postgres'
import { abortError } from '../abort.js'

/**
 * How long a statement may still run when its signal aborts before it is cancelled: many end by themselves, and by then
 * it has certainly been sent.
 */
const CANCEL_AFTER_MS = 100

/** How long a request is waited for over TLS, where postgres.js (3.4.9) loses sight of it. */
const UNSEEN_MS = 5_000

/**
 * Waits for a statement, and cancels it when the signal aborts. It must stand alone on its connection, in a transaction
 * that is the library's own: a request goes to the connection, and must not meet what a host runs there. So the
 * transaction does not end before the request has arrived.
 *
 * @param pending - the statement, which was or is about to be sent
 * @param client - the client on which its transaction was begun
 * @throws CustomAttributesError `ABORTED` when it was cancelled
 */
export async function cancelOnAbort(
  pending: Promise<unknown> & { cancel(): void },
  client: Sql,
  signal: AbortSignal,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  let request: Promise<unknown> | undefined
  const onAbort = () => {
    timer = setTimeout(() => {
      request = requestCancel(pending)
    }, CANCEL_AFTER_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  let isCancelled = false
  try {
    return await pending
  } catch (error) {
    isCancelled = request !== undefined && (error as { code?: unknown }).code === '57014'
    throw isCancelled ? abortError(signal) : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    // Also when it was cancelled: a statement timeout says the same, and the request would still be on its way.
    if (!client.options.ssl) await request
    else if (request && !isCancelled) await Promise.race([request, sleep(UNSEEN_MS)])
  }
}

/**
 * Sends a cancel request; the promise resolves when it has arrived, or failed. postgres.js drops its promise of it: whoever
 * calls `cancel()` can neither wait for it nor catch that it fails, which would end the process. So the promises that are
 * made during the call are caught as they are made; on a runtime that cannot show them nothing is cancelled.
 */
function requestCancel(pending: { cancel(): void }): Promise<unknown> | undefined {
  const made: Promise<unknown>[] = []
  let stop: (() => void) | undefined
  try {
    stop = v8.promiseHooks.onInit((promise) => {
      made.push(promise)
    }) as () => void
    pending.cancel()
  } catch {
    return undefined
  } finally {
    stop?.()
  }
  return Promise.allSettled(made)
}

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Sql } from 'postgres'

/**
 * How long a statement may still run when its signal aborts before it is cancelled: many end by themselves, and by then
 * it has certainly been sent.
 */
const CANCEL_AFTER_MS = 100

/** How long a cancel request is waited for that came too late for its statement. */
const LATE_SECONDS = 5

/**
 * Waits for a statement, and cancels it when the signal aborts. It must stand alone on its connection, in a transaction
 * that is the library's own: a request goes to the connection, and must not meet what a host runs there.
 *
 * @param pending - the statement, which was or is about to be sent
 * @param client - the client on which its transaction was begun
 * @param tx - that transaction
 */
export async function cancelOnAbort(
  pending: Promise<unknown> & { cancel(): void },
  client: Sql,
  tx: Pick<Sql, 'unsafe'>,
  signal: AbortSignal,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  let request: Promise<boolean> | undefined
  let isDone = false
  const cancel = async (): Promise<boolean> => {
    // postgres.js drops the promise of its request: where that fails, nobody could catch it.
    if (!(await isReachable(client)) || isDone) return false
    pending.cancel()
    return true
  }
  const onAbort = () => {
    timer = setTimeout(() => {
      request = cancel()
    }, CANCEL_AFTER_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  let isCancelled = false
  try {
    return await pending
  } catch (error) {
    isCancelled = (error as { code?: unknown }).code === '57014'
    throw error
  } finally {
    isDone = true
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    if ((await request) && !isCancelled) await meet(tx)
  }
}

/** Waits for the request that is on its way, so that it finds this transaction and nothing that comes after it. */
async function meet(tx: Pick<Sql, 'unsafe'>): Promise<void> {
  try {
    await tx.unsafe(`select pg_sleep(${LATE_SECONDS})`)
  } catch (error) {
    // In a transaction that has failed nothing can be run: the request finds it idle, and does nothing.
    if ((error as { code?: unknown }).code === '25P02') await sleep(LATE_SECONDS * 1_000)
  }
}

/** Whether a connection to where the request goes, the client's first host, can be made. */
function isReachable({ options }: Pick<Sql, 'options'>): Promise<boolean> {
  const { host, port, path } = options
  return new Promise((resolve) => {
    const socket = connect(path ? { path } : { host: host[0]!, port: port[0]! }, () => answer(true))
    const answer = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('error', () => answer(false))
    socket.setTimeout(LATE_SECONDS * 1_000, () => answer(false))
  })
}

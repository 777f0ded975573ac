/** Most milliseconds that a loop works on without a turn of the event loop. */
const SLICE_MS = 4

/**
 * Keeps a loop over data that is all there from standing in the way of timers, signals and other requests: promises that
 * are resolved already give them no turn.
 *
 * @returns called often, mostly nothing; once a slice is over a promise to wait for
 */
export function createPace(): () => Promise<void> | undefined {
  let turned = performance.now()
  return () => {
    if (performance.now() - turned < SLICE_MS) return undefined
    return turn().then(() => {
      turned = performance.now()
    })
  }
}

/** A turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

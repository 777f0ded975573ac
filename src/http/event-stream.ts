/** Sends one server-sent event; `isOptional` ones are dropped while the client does not keep up. */
export type SendEvent = (event: string, data: unknown, isOptional?: boolean) => void

/** Whether the client asked for server-sent events. */
export function wantsEventStream(request: Request): boolean {
  return /(?:^|,)\s*text\/event-stream\s*(?:[;,]|$)/i.test(request.headers.get('accept') ?? '')
}

/**
 * A response of server-sent events, open as long as the work takes.
 *
 * @param work - sends the events; its signal aborts when the client closes the stream. It must not throw.
 */
export function eventStreamResponse(work: (send: SendEvent, signal: AbortSignal) => Promise<void>): Response {
  const encoder = new TextEncoder()
  const closed = new AbortController()
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const send: SendEvent = (event, data, isOptional = false) => {
        if (closed.signal.aborted || (isOptional && (controller.desiredSize ?? 0) <= 0)) return
        controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`))
      }
      // Not waited for: the stream is to be read while the work goes on.
      void work(send, closed.signal).then(() => {
        if (!closed.signal.aborted) controller.close()
      })
    },
    cancel(reason) {
      closed.abort(reason)
    },
  })
  return new Response(body, {
    headers: {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-content-type-options': 'nosniff',
      // A proxy that collects the response would make progress arrive all at once at the end.
      'x-accel-buffering': 'no',
    },
  })
}

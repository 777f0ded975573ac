import type { HistoryOptions } from '../history/recorder.js'
import type { UploadResult } from '../upload/options.js'
import { openCsvBody } from './csv-body.js'
import { eventStreamResponse, wantsEventStream } from './event-stream.js'
import type { Exchange } from './exchange.js'
import { errorBody, jsonResponse, toSnakeCase } from './responses.js'
import { readColumnParameters, readUploadQuery } from './upload-parameters.js'

/** `POST …/customers/upload` */
export async function upload(exchange: Exchange): Promise<Response> {
  const { store, settings, request, query, accountId, explain } = exchange
  const requested = readUploadQuery(query, settings)
  const { atomic, dryRun, maxBytes } = { ...settings.upload, ...requested }
  const { idleTimeout, heldTimeout } = settings
  const csv = await openCsvBody(request, { maxBytes, idleTimeout, timeout: atomic || dryRun ? heldTimeout : 0 })
  try {
    const options = {
      ...settings.upload,
      ...csv.encoding,
      ...requested,
      ...readColumnParameters(csv.fields, query, { settings, store }),
      ...historyOf(settings.upload.history, csv.fileName),
    }
    if (!wantsEventStream(request)) {
      const result = await store.uploadCsv(accountId, csv.chunks, { ...options, signal: request.signal })
      void csv.close()
      return jsonResponse(uploadBody(result))
    }
    return eventStreamResponse(async (send, closed) => {
      try {
        const result = await store.uploadCsv(accountId, csv.chunks, {
          ...options,
          signal: AbortSignal.any([request.signal, closed]),
          onProgress: (progress) => send('progress', toSnakeCase(progress), true),
        })
        send('result', uploadBody(result))
      } catch (error) {
        send('error', errorBody(explain(error)))
      } finally {
        void csv.close()
      }
    })
  } catch (error) {
    void csv.close()
    throw error
  }
}

/** Where the host keeps a history, the file's name is part of it. */
function historyOf(history: HistoryOptions | undefined, fileName: string | undefined) {
  return history && { history: { ...(fileName ? { fileName: fileName.slice(0, 1_000) } : {}), ...history } }
}

function uploadBody({ bytesRead: _bytes, durationMs: _duration, ...result }: UploadResult): unknown {
  return toSnakeCase(result)
}

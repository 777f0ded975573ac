import { previewOptionsOf } from '../upload/preview.js'
import { openCsvBody } from './csv-body.js'
import type { Exchange } from './exchange.js'
import { jsonResponse, toSnakeCase } from './responses.js'
import { readColumnParameters, readPreviewQuery } from './upload-parameters.js'

/** `POST …/customers/upload/preview` */
export async function preview({ store, settings, request, query, accountId }: Exchange): Promise<Response> {
  const requested = readPreviewQuery(query)
  const { maxBytes } = settings.upload
  const csv = await openCsvBody(request, { ...settings, maxBytes })
  try {
    const result = await store.previewCsv(accountId, csv.chunks, {
      ...previewOptionsOf(settings.upload),
      ...csv.encoding,
      ...requested,
      ...readColumnParameters(csv.fields, query, { settings, store }),
      signal: request.signal,
    })
    // Browsers send the whole file before they look at an answer, and take a cut connection for a failure.
    await csv.close(maxBytes)
    return jsonResponse(toSnakeCase(result))
  } finally {
    void csv.close()
  }
}

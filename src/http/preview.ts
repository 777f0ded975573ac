import { openCsvBody } from './csv-body.js'
import type { Exchange } from './exchange.js'
import { jsonResponse, toSnakeCase } from './responses.js'
import { readColumnParameters, readPreviewQuery } from './upload-parameters.js'

/** `POST …/customers/upload/preview` */
export async function preview({ store, settings, request, query, accountId }: Exchange): Promise<Response> {
  const requested = readPreviewQuery(query)
  const { maxBytes, maxColumns, maxRecordBytes, delimiter, encoding, attributes, fields, dateFormat } = settings.upload
  const csv = await openCsvBody(request, { ...settings, maxBytes })
  try {
    const result = await store.previewCsv(accountId, csv.chunks, {
      ...{ maxBytes, maxColumns, maxRecordBytes, delimiter, encoding, attributes, fields, dateFormat },
      ...requested,
      ...readColumnParameters(csv.fields, query, settings),
      signal: request.signal,
    })
    return jsonResponse(toSnakeCase(result))
  } finally {
    csv.close()
  }
}

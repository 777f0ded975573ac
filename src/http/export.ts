import { CSV_WRITE_OPTIONS } from '../csv/write.js'
import { OPTED_OUT } from '../db/opt-outs.js'
import { type ExportOptions, FORMULAS } from '../export/export.js'
import { isTextList, oneOf } from '../options.js'
import { isAnyAudience } from './audiences.js'
import type { Exchange } from './exchange.js'
import { checkParameter, readJson, readQuery } from './upload-parameters.js'

/** `GET …/customers/export` */
export async function exportCustomers({ store, request, query, accountId, explain }: Exchange): Promise<Response> {
  const options = readExportQuery(query)
  const csv = store.exportCsv(accountId, { audience: 'all', ...options, signal: request.signal }).getReader()
  // What is wrong before the first piece has a status of its own; after it a connection can only be cut.
  const first = await csv.read()
  let next: typeof first | undefined = first
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = next ?? (await csv.read())
          next = undefined
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          throw explain(error)
        }
      },
      cancel: (reason) => csv.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  return new Response(body, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="customers.csv"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

/** @throws CustomAttributesError `INVALID_REQUEST` */
function readExportQuery(query: URLSearchParams): Partial<Omit<ExportOptions, 'signal'>> {
  const given = readQuery(query, ['audience', 'opted_out', 'delimiter', 'bom', 'formulas', 'columns'])
  const options: Record<string, unknown> = {}
  for (const [name, text] of given) {
    const value = name === 'columns' || (name === 'audience' && text !== 'all') ? readJson(name, text) : text
    checkParameter(name, value, RULES[name as keyof typeof RULES])
    options[name === 'opted_out' ? 'optedOut' : name] = name === 'bom' ? value === 'true' : value
  }
  return options
}

const RULES = {
  audience: isAnyAudience,
  opted_out: OPTED_OUT,
  delimiter: CSV_WRITE_OPTIONS.delimiter,
  bom: oneOf('true', 'false'),
  formulas: FORMULAS,
  columns: isTextList,
}

import type { Audience } from '../audience/audience.js'
import { requireAudience } from '../audience/conditions.js'
import { BYTE_ORDER_MARK, CSV_WRITE_OPTIONS, type CsvWriteOptions, writeCell } from '../csv/write.js'
import { OPTED_OUT, type OptedOutOption } from '../db/opt-outs.js'
import type { PageSettings } from '../db/pages.js'
import { FIELD_SEPARATOR, ROW_SEPARATOR } from '../db/separators.js'
import type { TableShape } from '../db/table-shape.js'
import type { TextColumn } from '../db/texts.js'
import { CustomAttributesError } from '../errors.js'
import { isSignal, isTextList, oneOf, type Resolved, resolveOptions, withDefault } from '../options.js'
import { cellOf } from '../text-mark.js'

/** Options of `exportCsv`. */
export interface ExportOptions extends CsvWriteOptions, OptedOutOption {
  /** Who: always said. */
  audience: Audience
  /**
   * The columns by the names of fields and attributes, in this order; also `id`, `account_id`, `created_at` and
   * `updated_at`. Default: `email`, the other fields that a file may fill, and all attributes of the account, sorted.
   */
  columns?: readonly string[]
  /**
   * `'guard'` (default) puts an apostrophe before what a spreadsheet would run as a formula, which an upload drops again;
   * `'raw'` does not.
   */
  formulas?: 'guard' | 'raw'
  /** Stops before the next page. */
  signal?: AbortSignal
}

export const FORMULAS = withDefault(oneOf('guard', 'raw'), 'guard')

const EXPORT_OPTIONS = {
  ...CSV_WRITE_OPTIONS,
  // Checked by requireAudience, with its own code.
  audience: () => undefined,
  optedOut: OPTED_OUT,
  columns: isTextList,
  formulas: FORMULAS,
  signal: isSignal,
}

type ResolvedExportOptions = Resolved<ExportOptions, typeof EXPORT_OPTIONS>

/** A CSV in UTF-8 as a web stream, which Node also iterates: nothing is read before it is read. */
export type CsvStream = ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>

const PAGE_SIZE = 500

/**
 * Finds, between ASCII's separators, every cell that is not written as it is, and some that are: what does not begin with a
 * letter or digit, ends in what may be invisible, or holds a quote, a line break or a delimiter.
 */
export const ODD_CELL =
  /(?<![^\x1e\x1f])(?:[^0-9A-Za-z\xae-\u167f\u3001-\ufefe\x1e\x1f][^\x1e\x1f]*|[^\x1e\x1f]*(?:["\r\n\t,;|][^\x1e\x1f]*|[^!-~\xae-\u167f\u3001-\ufefe\x1e\x1f](?![^\x1e\x1f])))/g

/**
 * Checks the options of an export.
 *
 * @param closed - aborts when nobody reads the export any more
 * @throws CustomAttributesError `INVALID_OPTION`, `INVALID_AUDIENCE`
 */
export function prepareExport(given: ExportOptions, closed: AbortSignal) {
  const options = resolveOptions('exportCsv', EXPORT_OPTIONS, given)
  requireAudience(options.audience)
  const signal = options.signal ? AbortSignal.any([options.signal, closed]) : closed
  const { audience, optedOut } = options
  const pages: PageSettings = { call: 'exportCsv', audience, optedOut, pageSize: PAGE_SIZE, signal }
  return {
    pages,
    /**
     * The file in pieces: the header, then the customers page by page.
     *
     * @param attributes - the names of the account's attributes, sorted
     * @param read - reads columns of the customers
     * @throws CustomAttributesError `INVALID_OPTION` for a column that there is not
     */
    async *run(
      shape: TableShape,
      attributes: readonly string[],
      read: (columns: readonly TextColumn[]) => AsyncIterable<string | string[][]>,
    ): AsyncGenerator<Uint8Array, void> {
      const { delimiter, bom, formulas } = options
      const columns = columnsOf(options, shape, attributes)
      const cell = (text: string) => writeCell(cellOf(text, formulas === 'guard'), delimiter)
      const line = (texts: readonly string[]) => `${texts.map(cell).join(delimiter)}\r\n`
      const encoder = new TextEncoder()
      yield encoder.encode((bom ? BYTE_ORDER_MARK : '') + line(columns.map(({ name }) => name)))
      for await (const page of read(columns)) {
        if (typeof page !== 'string') yield encoder.encode(page.map(line).join(''))
        else {
          const lines = encoder.encode(`${page.replace(ODD_CELL, cell).replaceAll(ROW_SEPARATOR, '\r\n')}\r\n`)
          // In the text it took as long as all else that is done here.
          const [from, to] = [FIELD_SEPARATOR.charCodeAt(0), delimiter.charCodeAt(0)]
          for (let at = 0; at < lines.length; at++) if (lines[at] === from) lines[at] = to
          yield lines
        }
      }
    },
  }
}

function columnsOf({ columns }: ResolvedExportOptions, shape: TableShape, attributes: readonly string[]): TextColumn[] {
  const toColumn = (isAttribute: boolean) => (name: string) => ({ name, isAttribute })
  const definitions = attributes.map(toColumn(true))
  if (columns === undefined) return [...[...shape.fillable.keys()].map(toColumn(false)), ...definitions]
  const own = ['id', 'account_id', 'created_at', 'updated_at'].filter((name) => shape.columns.has(name))
  // A field comes before an attribute of its name, as for a merge tag.
  const known = new Map(
    [...definitions, ...[...own, ...shape.standardFields].map(toColumn(false))].map((column) => [column.name, column]),
  )
  const refuse = (what: string, name?: string) =>
    new CustomAttributesError('INVALID_OPTION', `exportCsv: columns ${what}.`, {
      function: 'exportCsv',
      option: 'columns',
      ...(name === undefined ? {} : { name }),
    })
  if (columns.length === 0) throw refuse('is empty; leave it out for all')
  return columns.map((name, at) => {
    const column = known.get(name)
    if (!column) {
      const names = [...shape.standardFields, ...own, ...attributes].join(', ')
      throw refuse(
        `names ${JSON.stringify(name)}, which is no field and no attribute of the account. Known: ${names}`,
        name,
      )
    }
    if (columns.indexOf(name) !== at) throw refuse(`names ${JSON.stringify(name)} twice`, name)
    return column
  })
}

/**
 * Makes a stream of pieces, each of which is made when it is read.
 *
 * @param make - makes the pieces; its signal aborts when the stream is cancelled
 */
export function streamOf(make: (closed: AbortSignal) => AsyncGenerator<Uint8Array, void>): CsvStream {
  const closed = new AbortController()
  const pieces = make(closed.signal)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await pieces.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel(reason) {
        closed.abort(reason)
        await pieces.return()
      },
    },
    // Else one page would be read before anybody asks for it.
    { highWaterMark: 0 },
  ) as CsvStream
}

/** What an upload did, or would do: counts that add up, and the rejected rows. */
import { rejectedCsvUrl, type UploadResult } from './api.js'
import { announce, button, element, formatNumber, plural, screenHeading } from './dom.js'

interface ResultScreen {
  file: File
  result: UploadResult
  /** only after a trial: the real thing */
  onUpload?: () => void
  onBack?: () => void
}

export function showResult(panel: HTMLElement, { file, result, onUpload, onBack }: ResultScreen): void {
  const isTrial = onUpload !== undefined
  const counts = [
    { label: isTrial ? 'new' : 'created', count: result.customers_created },
    { label: isTrial ? 'to update' : 'updated', count: result.customers_updated },
    { label: 'unchanged', count: result.customers_unchanged },
    { label: 'rejected', count: result.rows_rejected },
  ]
  const accepted = result.rows_total - result.rows_rejected
  panel.replaceChildren(
    element(
      'div',
      { className: 'card' },
      screenHeading(isTrial ? 'This is what would happen' : `${file.name} is uploaded`),
      countBar(counts),
      element(
        'dl',
        { className: 'counts' },
        ...counts.map(({ label, count }) =>
          element('div', { className: label }, element('dt', {}, label), element('dd', {}, formatNumber(count))),
        ),
        element(
          'div',
          { className: 'total' },
          element('dt', {}, 'rows'),
          element('dd', {}, formatNumber(result.rows_total)),
        ),
      ),
      result.custom_attributes_found.length > 0 &&
        element(
          'p',
          {},
          'Attributes with values: ',
          ...result.custom_attributes_found.map((name) => element('span', { className: 'tag' }, name)),
        ),
      ...result.warnings.map(({ message }) => element('p', { className: 'note' }, message)),
      result.rows_rejected > 0 && rejectedRows(result),
      isTrial &&
        element(
          'div',
          { className: 'actions spread' },
          onBack && button('Back to the columns', onBack),
          button(`Upload ${plural(accepted, 'row')}`, onUpload, 'primary'),
        ),
    ),
  )
  announce(
    `${plural(result.rows_total, 'row')}: ${counts.map(({ label, count }) => `${formatNumber(count)} ${label}`).join(', ')}.`,
  )
}

/** The counts as shares of one line; the numbers stand below it. */
function countBar(counts: readonly { label: string; count: number }[]): HTMLElement {
  const bar = element('div', { className: 'shares', attributes: { 'aria-hidden': 'true' } })
  for (const { label, count } of counts) {
    if (count === 0) continue
    const share = element('span', { className: label })
    share.style.flexGrow = String(count)
    bar.append(share)
  }
  return bar
}

function rejectedRows({ headers, rejected, rows_rejected }: UploadResult): HTMLElement {
  const trimmed = headers.map((header) => header.trim())
  const more = rows_rejected - rejected.length
  return element(
    'div',
    { className: 'rejected-rows' },
    element('h4', {}, `${plural(rows_rejected, 'row')} rejected`),
    element(
      'p',
      { className: 'note' },
      'Download them, mend them in a spreadsheet, and drop the file above: only mended rows change anything.',
    ),
    element(
      'p',
      {},
      element(
        'a',
        { href: rejectedCsvUrl, download: 'rejected-rows.csv', className: 'button' },
        'Download rejected rows',
      ),
    ),
    element(
      'div',
      { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Rejected rows' } },
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...['Row', 'Column', 'Value', 'What is wrong'].map((text) => element('th', { scope: 'col' }, text)),
          ),
        ),
        element(
          'tbody',
          {},
          ...rejected.map(({ row, column, record, message }) => {
            const cell = column === undefined ? '' : (record[trimmed.indexOf(column)] ?? '')
            return element(
              'tr',
              {},
              element('th', { scope: 'row', className: 'number' }, String(row)),
              element('td', {}, column ?? ''),
              element('td', { className: 'value' }, cell),
              element('td', {}, message),
            )
          }),
        ),
      ),
    ),
    more > 0 && element('p', { className: 'note' }, `${formatNumber(more)} more are in the download.`),
  )
}

/** An upload, or a trial of it, on its way: a bar, what is done so far, and a way out. */
import type { ColumnTarget } from 'postgres-custom-attributes/pure'
import { type Progress, type UploadResult, uploadFile } from './api.js'
import { announce, button, element, formatBytes, formatNumber, plural, screenHeading } from './dom.js'

interface ProgressScreen {
  file: File
  columns: readonly ColumnTarget[]
  dryRun: boolean
  cancel: AbortController
  onBack: () => void
}

export async function showProgress(panel: HTMLElement, screen: ProgressScreen): Promise<UploadResult> {
  const { file, columns, dryRun, cancel, onBack } = screen
  const what = dryRun ? 'Checking' : 'Uploading'
  const bar = element('progress', { max: file.size, value: 0, attributes: { 'aria-label': `${what} ${file.name}` } })
  const text = element('p', { className: 'note' }, 'Starting …')
  let last: Progress | undefined

  panel.replaceChildren(
    element(
      'div',
      { className: 'card' },
      screenHeading(`${what} ${file.name}`),
      bar,
      element(
        'div',
        { className: 'actions spread' },
        text,
        button('Cancel', () => cancel.abort()),
      ),
    ),
  )
  announce(`${what} ${file.name}.`)

  try {
    return await uploadFile(file, {
      columns,
      dryRun,
      signal: cancel.signal,
      onSent(bytes) {
        if (last) return
        bar.value = Math.min(bytes, file.size)
        text.textContent = `${formatBytes(bar.value)} of ${formatBytes(file.size)} sent`
      },
      onProgress(progress) {
        last = progress
        // What is sent is not yet read: the bar would run back.
        bar.value = Math.max(bar.value, progress.bytes_read)
        text.textContent = `${plural(progress.rows_read, 'row')} read, ${formatNumber(stored(progress))} ${dryRun ? 'checked' : 'stored'}`
      },
    })
  } catch (error) {
    if (cancel.signal.aborted && panel.contains(bar)) {
      panel.replaceChildren(
        element(
          'div',
          { className: 'card' },
          screenHeading('Cancelled'),
          element(
            'p',
            {},
            dryRun
              ? 'Nothing was stored.'
              : 'Rows that were stored before stay. Upload the file again to complete it: they count as unchanged then.',
          ),
          element('div', { className: 'actions' }, button('Back to the columns', onBack)),
        ),
      )
    }
    throw error
  }
}

function stored({ customers_created, customers_updated, customers_unchanged, rows_rejected }: Progress): number {
  return customers_created + customers_updated + customers_unchanged + rows_rejected
}

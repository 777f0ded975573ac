/** The account's uploads, the newest first, each to be taken back after a look at what that would do. */
import { getUploads, type Undone, type Upload, undoUpload } from './api.js'
import { alertBox, button, element, formatNumber, plural } from './dom.js'

const UPLOADS_PER_PAGE = 10
const HEADINGS = ['File', 'When', 'Rows', 'New', 'Updated', 'Rejected', 'Status']
const STATUS: Readonly<Record<Upload['status'], string>> = {
  running: 'running',
  completed: 'done',
  failed: 'broke off',
  undone: 'undone',
}

interface UploadsScreen {
  /** called when an upload was undone */
  onUndone: () => Promise<void>
}

export function createUploads(panel: HTMLElement, { onUndone }: UploadsScreen) {
  const outcome = element('p', { className: 'note outcome', tabIndex: -1 })
  const failed = element('div')
  const rows = element('tbody')
  const more = button('Show older', () => void showOlder().catch(fail))
  panel.replaceChildren(
    element('h3', {}, 'Uploads'),
    outcome,
    failed,
    element(
      'div',
      { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Uploads' } },
      element(
        'table',
        { className: 'uploads' },
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...HEADINGS.map((text) => element('th', { scope: 'col' }, text)),
            element('th', { scope: 'col' }, element('span', { className: 'visually-hidden' }, 'Undo')),
          ),
        ),
        rows,
      ),
    ),
    more,
  )
  let oldest: string | undefined
  // An answer from before a change is dropped.
  let latest = 0

  async function load(): Promise<void> {
    const mine = ++latest
    const uploads = await getUploads(UPLOADS_PER_PAGE)
    if (mine !== latest) return
    outcome.textContent = ''
    failed.replaceChildren()
    rows.replaceChildren()
    panel.hidden = uploads.length === 0
    append(uploads)
  }

  async function showOlder(): Promise<void> {
    const mine = latest
    const uploads = await getUploads(UPLOADS_PER_PAGE, oldest)
    if (mine === latest) append(uploads)
  }

  function append(uploads: readonly Upload[]): void {
    rows.append(...uploads.flatMap((upload) => uploadRow(upload, undo)))
    oldest = uploads.at(-1)?.id
    more.hidden = uploads.length < UPLOADS_PER_PAGE
  }

  async function undo(upload: Upload): Promise<void> {
    if (panel.ariaBusy === 'true') return
    panel.ariaBusy = 'true'
    try {
      const undone = await undoUpload(upload.id, { dryRun: false })
      await onUndone()
      await load()
      outcome.textContent = `${nameOf(upload)} is undone: ${describe(undone, false)}`
      outcome.focus()
    } finally {
      panel.ariaBusy = 'false'
    }
  }

  function fail(error: Error): void {
    panel.hidden = false
    failed.replaceChildren(alertBox(error.message))
  }

  return {
    /** Asks the server anew. */
    load: (): Promise<void> => load().catch(fail),
  }
}

/** The row of an upload, and one below it for what undoing it would do. */
function uploadRow(upload: Upload, undo: (upload: Upload) => Promise<void>): HTMLElement[] {
  const { counts, status, started_at } = upload
  const name = nameOf(upload)
  const box = element('td', { colSpan: HEADINGS.length + 1 })
  const below = element('tr', { className: 'asked', hidden: true }, box)
  const opener = button('Undo', () => void ask().catch(fail))
  opener.setAttribute('aria-label', `Undo ${name}`)
  const cells: [string, ...(Node | string)[]][] = [
    ['When', element('time', { dateTime: started_at }, dates.format(new Date(started_at)))],
    ['Rows', count(counts.rows_total)],
    ['New', count(counts.customers_created)],
    ['Updated', count(counts.customers_updated)],
    ['Rejected', count(counts.rows_rejected)],
    ['Status', STATUS[status]],
  ]
  const row = element(
    'tr',
    {},
    element('th', { scope: 'row' }, name),
    ...cells.map(([label, ...children]) => element('td', { attributes: { 'data-label': label } }, ...children)),
    element('td', {}, ['completed', 'failed'].includes(status) && opener),
  )
  below.onkeydown = ({ key }) => {
    if (key === 'Escape') close()
  }

  async function ask(): Promise<void> {
    const would = await undoUpload(upload.id, { dryRun: true })
    const question = `Undo ${name}? ${describe(would, true)}`
    const keep = button('Leave it', close)
    box.replaceChildren(
      element(
        'div',
        { attributes: { role: 'group', 'aria-label': question } },
        element('p', {}, question),
        element(
          'div',
          { className: 'actions' },
          button('Undo it', () => void undo(upload).catch(fail), 'danger'),
          keep,
        ),
      ),
    )
    below.hidden = false
    keep.focus()
  }

  function close(): void {
    below.hidden = true
    box.replaceChildren()
    opener.focus()
  }

  function fail(error: Error): void {
    box.replaceChildren(alertBox(error.message))
    below.hidden = false
  }

  return [row, below]
}

/** What undoing does or did, in sentences. */
function describe(undone: Undone, isTrial: boolean): string {
  const { customers_restored, customers_removed, customers_kept, values_kept, customers_gone, attributes_removed } =
    undone
  const verb = (subjects: number, one: string, many: string, past: string) =>
    isTrial ? (subjects === 1 ? one : many) : past
  const sentences = [
    customers_restored > 0 &&
      `${plural(customers_restored, 'customer')} ${verb(customers_restored, 'gets', 'get', 'got')} back what ${customers_restored === 1 ? 'it' : 'they'} had`,
    customers_removed > 0 &&
      `${plural(customers_removed, 'new customer')} ${verb(customers_removed, 'goes', 'go', 'went')}`,
    customers_kept > 0 &&
      `${plural(customers_kept, 'new customer')} ${verb(customers_kept, 'stays', 'stay', 'stayed')}, changed or in use since`,
    values_kept > 0 && `${plural(values_kept, 'value')} ${verb(values_kept, 'stays', 'stay', 'stayed')}, changed since`,
    customers_gone > 0 &&
      `${plural(customers_gone, 'customer')} ${customers_gone === 1 ? 'is' : 'are'} not there any more`,
    attributes_removed.length > 0 &&
      `${attributes_removed.length === 1 ? 'the attribute' : 'the attributes'} ${attributes_removed.join(', ')} ${verb(attributes_removed.length, 'goes', 'go', 'went')}`,
  ].filter((sentence) => sentence !== false)
  return sentences.length === 0 ? 'Nothing is left to give back.' : `${sentences.join('; ')}.`
}

const dates = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

const nameOf = ({ file_name }: Upload): string => file_name ?? 'Without a name'

const count = (value: number | undefined): string => (value === undefined ? '' : formatNumber(value))

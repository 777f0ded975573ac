/** The page: a file becomes customers, customers become a message. Each step has a module of its own. */
import type { ColumnTarget } from 'postgres-custom-attributes/pure'
import { ApiError, getMergeTags, type MergeTags, type Preview, previewFile, type UploadResult } from './api.js'
import { createAttributes } from './attributes.js'
import { createAudience } from './audience.js'
import { showCoverage } from './coverage.js'
import { createCustomers } from './customers.js'
import { alertBox, announce, byId, element } from './dom.js'
import { acceptFiles } from './drop.js'
import { createEditor } from './editor.js'
import { showMapping } from './mapping.js'
import { createPreview } from './preview.js'
import { showProgress } from './progress.js'
import { showResult } from './result.js'
import { isSpreadsheet, toCsvFile } from './spreadsheet.js'
import { createUploads } from './uploads.js'

const upload = byId('upload')
const preview = createPreview(byId('preview'))
const coverage = showCoverage(byId('coverage'), {
  message: () => editor.message(),
  audience: () => audience.value(),
})
const customers = createCustomers(byId('customers'))
const audience = createAudience(byId('conditions'), byId('figures'), {
  onChange: (whom) => {
    customers.load(whom)
    coverage.reset()
  },
})
const editor = createEditor(byId('editor'), (message) => {
  preview.render(message)
  coverage.reset()
})
const attributes = createAttributes(byId('attributes'), {
  message: () => editor.message(),
  onChanged: async (rewritten) => {
    editor.write(rewritten)
    await refreshMessage().catch(showError)
  },
})
const uploads = createUploads(byId('uploads'), {
  onUndone: async () => {
    // What the last upload did, and stands above, is not so any more.
    upload.replaceChildren()
    await Promise.all([refreshMessage().catch(showError), attributes.load()])
  },
})
let busy: AbortController | undefined

acceptFiles({ zone: byId('drop'), onFile: openFile })
await refresh()

/** From here on the file's own screens: mapping, trial run, upload, result. */
async function openFile(given: File): Promise<void> {
  busy?.abort()
  busy = new AbortController()
  const { signal } = busy
  upload.replaceChildren(element('p', { className: 'card' }, `Reading ${given.name} …`))
  try {
    const file = isSpreadsheet(given) ? await toCsvFile(given, upload) : given
    if (signal.aborted) return
    const [head, tags] = await Promise.all([previewFile(file), getMergeTags()])
    if (!signal.aborted) mapFile(file, head, tags)
  } catch (error) {
    if (!signal.aborted) showError(error)
  }
}

function mapFile(file: File, head: Preview, tags: MergeTags): void {
  showMapping(upload, {
    file,
    preview: head,
    tags,
    onDone: (columns) => tryFile(file, columns, () => mapFile(file, head, tags)),
  })
}

async function tryFile(file: File, columns: ColumnTarget[], back: () => void): Promise<void> {
  const result = await run(file, columns, true, back)
  if (result) showResult(upload, { file, result, onUpload: () => uploadFile(file, columns, back), onBack: back })
}

async function uploadFile(file: File, columns: ColumnTarget[], back: () => void): Promise<void> {
  const result = await run(file, columns, false, back)
  await refresh()
  if (result) showResult(upload, { file, result })
}

async function run(
  file: File,
  columns: ColumnTarget[],
  dryRun: boolean,
  back: () => void,
): Promise<UploadResult | undefined> {
  busy = new AbortController()
  const { signal } = busy
  try {
    return await showProgress(upload, { file, columns, dryRun, cancel: busy, onBack: back })
  } catch (error) {
    if (!signal.aborted) showError(error)
    return undefined
  }
}

function showError(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error)
  // The server only knows that it is no CSV; a person has a spreadsheet open.
  const remedy =
    error instanceof ApiError && ['NOT_CSV', 'UNSUPPORTED_FILE'].includes(error.code)
      ? 'In your spreadsheet choose “Save as” or “Download”, take the type “CSV UTF-8”, and drop that file.'
      : ''
  upload.replaceChildren(alertBox(element('strong', {}, text), remedy && element('p', {}, remedy)))
  announce('')
}

async function refresh(): Promise<void> {
  await Promise.all([refreshMessage().catch(showError), attributes.load(), uploads.load()])
}

async function refreshMessage(): Promise<void> {
  const [tags, count] = await Promise.all([getMergeTags(), preview.load()])
  for (const id of ['no-attributes', 'no-audience', 'no-customers']) byId(id).hidden = count > 0
  for (const id of ['attributes', 'audience', 'message']) byId(id).hidden = count === 0
  editor.setTags(tags)
  audience.setTags(tags)
}

/** What becomes of each column: a standard field, a custom attribute, or nothing. */
import { type ColumnTarget, inspectColumns, type Problem, type StandardColumn } from 'postgres-custom-attributes/pure'
import type { MergeTags, Preview, PreviewColumn } from './api.js'
import { alertBox, announce, button, element, formatBytes, plural, screenHeading } from './dom.js'

const MAX_ATTRIBUTES = 10

/** Those that a choice can mend; others stay, whatever is chosen. */
const COLUMN_PROBLEMS: ReadonlySet<string> = new Set([
  'EMAIL_COLUMN_MISSING',
  'DUPLICATE_COLUMN',
  'INVALID_ATTRIBUTE_NAME',
  'TOO_MANY_ATTRIBUTES',
])

const REASONS: Readonly<Record<string, string>> = {
  field: 'recognised',
  alias: 'recognised by another name',
  known_attribute: 'attribute you use already',
  mapped: 'as you chose before',
  blank: 'has no header',
  reserved: 'belongs to the database',
  rejected_rows: 'told why the row was rejected',
  sensitive: 'looks like a password or token',
}

/** What was chosen otherwise, by header: a mended file goes the same way as the file that it came from. */
const choices = new Map<string, ColumnTarget>()

interface MappingScreen {
  file: File
  preview: Preview
  tags: MergeTags
  onDone: (columns: ColumnTarget[]) => void
}

export function showMapping(panel: HTMLElement, { file, preview, tags, onDone }: MappingScreen): void {
  const isUnique = ({ header }: PreviewColumn) => preview.columns.filter((one) => one.header === header).length === 1
  const columns = preview.columns.map((column): PreviewColumn => {
    const target = isUnique(column) ? choices.get(column.header) : undefined
    return target === undefined ? column : { ...column, target, reason: 'mapped' }
  })
  const targets = columns.map(({ target }) => target)
  const rows = columns.map((column, at) =>
    mappingRow(column, tags.standard_fields, (target) => {
      targets[at] = target
      if (isUnique(column)) choices.set(column.header, target)
      check()
    }),
  )
  let told = ''
  const problems = element('div', { className: 'problems' })
  const counter = element('p', { className: 'counter', attributes: { role: 'status' } })
  const next = button('Check the whole file', () => onDone(targets), 'primary')

  const keepTen = button(`Keep the first ${MAX_ATTRIBUTES}, skip the rest`, () => {
    let kept = 0
    for (const [at, target] of targets.entries()) {
      if (target && 'attribute' in target && ++kept > MAX_ATTRIBUTES) rows[at]!.skip()
    }
    check()
    announce(`${kept - MAX_ATTRIBUTES} columns are skipped now.`)
    next.focus()
  })

  const fileProblems = preview.problems.filter(({ code }) => !COLUMN_PROBLEMS.has(code))

  function check(): void {
    const { mapping, problems: found } = inspectColumns(preview.headers, {
      columns: targets,
      knownAttributes: tags.custom_attributes,
      maxCustomAttributes: MAX_ATTRIBUTES,
    })
    const all = [...fileProblems, ...found]
    const tooMany = all.some(({ code }) => code === 'TOO_MANY_ATTRIBUTES')
    // Told once, not again with every key.
    const messages = all.map(({ message }) => message).join('\n')
    if (messages !== told) {
      problems.replaceChildren(
        ...all.map(({ code, message }) => alertBox(message, code === 'TOO_MANY_ATTRIBUTES' && keepTen)),
      )
    }
    told = messages
    counter.textContent = `${mapping.custom.length} of ${MAX_ATTRIBUTES} attributes, ${plural(mapping.standard.length, 'standard field')}, ${mapping.ignored.length} skipped`
    counter.classList.toggle('bad', tooMany)
    const wrong = new Set(all.flatMap(positionsOf))
    for (const [at, row] of rows.entries()) row.mark(wrong.has(at + 1))
    next.disabled = all.length > 0
  }

  panel.replaceChildren(
    element(
      'div',
      { className: 'card' },
      screenHeading('Where each column goes'),
      element(
        'p',
        { className: 'note' },
        `${file.name}, ${formatBytes(file.size)}, ${plural(preview.headers.length, 'column')}, ${preview.encoding}`,
      ),
      problems,
      ...preview.warnings.map(({ message }) => element('p', { className: 'note' }, message)),
      element(
        'div',
        { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Columns' } },
        element(
          'table',
          { className: 'mapping' },
          element(
            'thead',
            {},
            element('tr', {}, ...['Column', 'Values', 'Goes to'].map((text) => element('th', { scope: 'col' }, text))),
          ),
          element('tbody', {}, ...rows.map(({ row }) => row)),
        ),
      ),
      element('div', { className: 'actions spread' }, counter, next),
    ),
  )
  check()
}

function mappingRow(
  { header, position, target, reason, samples, suggestions = [] }: PreviewColumn,
  fields: readonly string[],
  onChange: (target: ColumnTarget) => void,
) {
  const label = header || `Column ${position}`
  const name = element('input', {
    type: 'text',
    value: target && 'attribute' in target ? target.attribute : header,
    attributes: { 'aria-label': `Name of the attribute for ${label}` },
  })
  const choice = element(
    'select',
    { attributes: { 'aria-label': `Where ${label} goes` } },
    element('option', { value: 'attribute' }, 'Custom attribute'),
    element('option', { value: 'skip' }, 'Skip'),
    element(
      'optgroup',
      { label: 'Standard field' },
      ...fields.map((field) => element('option', { value: field }, field)),
    ),
  )
  const note = element('small', {}, REASONS[reason] ?? '')
  // Offered, never done: a guess must not overwrite a field.
  const offers = suggestions.map(({ field }) =>
    button(`${field}?`, () => {
      choice.value = field
      change()
    }),
  )
  for (const offer of offers) offer.setAttribute('aria-label', `${label} goes to ${offer.textContent?.slice(0, -1)}`)
  const row = element(
    'tr',
    {},
    element('th', { scope: 'row' }, label),
    element('td', { className: 'samples' }, samples.length > 0 ? samples.slice(0, 3).join(' · ') : '(no values)'),
    element('td', {}, element('div', { className: 'target' }, choice, name, ...offers, note)),
  )
  const show = (value: string) => {
    choice.value = value
    name.hidden = value !== 'attribute'
    row.classList.toggle('skipped', value === 'skip')
  }
  const read = (): ColumnTarget => {
    if (choice.value === 'skip') return null
    return choice.value === 'attribute' ? { attribute: name.value.trim() } : { field: choice.value as StandardColumn }
  }
  const change = () => {
    note.textContent = ''
    for (const offer of offers) offer.hidden = true
    show(choice.value)
    onChange(read())
  }
  choice.onchange = change
  name.oninput = change
  show(target === null ? 'skip' : 'attribute' in target ? 'attribute' : target.field)
  return {
    row,
    mark: (isWrong: boolean) => {
      row.classList.toggle('wrong', isWrong)
      choice.setAttribute('aria-invalid', String(isWrong))
    },
    skip: () => {
      choice.value = 'skip'
      change()
    },
  }
}

/** The columns, counted from 1, that a problem is about. */
function positionsOf({ details }: Problem): number[] {
  const { duplicates = [], columns = [] } = details as {
    duplicates?: { positions: number[] }[]
    columns?: { position: number }[]
  }
  return [...duplicates.flatMap(({ positions }) => positions), ...columns.map(({ position }) => position)]
}

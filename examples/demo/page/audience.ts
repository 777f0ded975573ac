/** The audience: conditions put together by hand, checked as they are typed, and counted. */
import { type Audience, type AudienceCondition, checkAudience } from 'postgres-custom-attributes/pure'
import { ApiError, type CustomerCount, countCustomers, type MergeTags } from './api.js'
import { alertBox, button, element, formatNumber } from './dom.js'

interface Word {
  label: string
  condition: (value: string) => AudienceCondition
  /** how a value of it is written; a word without one takes no value */
  hint?: string
}

const WORDS: readonly Word[] = [
  { label: 'is', hint: 'gold', condition: (value) => value },
  { label: 'is one of', hint: 'gold, silver', condition: (value) => value.split(',').map((one) => one.trim()) },
  { label: 'is not', hint: 'gold', condition: (value) => ({ not: value }) },
  { label: 'is missing', condition: () => ({ missing: true }) },
  { label: 'contains', hint: 'berlin', condition: (value) => ({ contains: value }) },
  { label: 'starts with', hint: '10', condition: (value) => ({ startsWith: value }) },
  { label: 'above', hint: '100', condition: (value) => ({ above: value }) },
  { label: 'below', hint: '100', condition: (value) => ({ below: value }) },
  { label: 'on', hint: '2026-05-17', condition: (value) => ({ on: value }) },
  { label: 'before', hint: '2026-05-17', condition: (value) => ({ before: value }) },
  { label: 'after', hint: '2026-05-17', condition: (value) => ({ after: value }) },
  { label: 'last', hint: '30 days', condition: (value) => ({ last: value }) },
  {
    label: 'anniversary',
    hint: 'today, or 7 days',
    condition: (value) => ({ anniversary: value === 'today' ? value : { within: value } }),
  },
]

const COUNTS: readonly [keyof CustomerCount, string][] = [
  ['customers', 'customers'],
  ['without_email', 'without e-mail'],
  ['incomparable', 'incomparable'],
  ['suppressed', 'suppressed'],
  ['opted_out', 'opted out'],
]

/** What is wrong, as the check here and the API tell it. */
interface AudienceFault {
  message: string
  details: { path?: string }
}

interface AudienceScreen {
  /** called with the audience once the server has counted it, and without one when something is wrong with it */
  onChange: (audience: Audience | undefined) => void
}

/**
 * @param builder - where the conditions go
 * @param figures - where the counts and the JSON go
 */
export function createAudience(builder: HTMLElement, figures: HTMLElement, { onChange }: AudienceScreen) {
  let tags: MergeTags = { standard_fields: [], custom_attributes: [] }
  let rows: ConditionRow[] = []
  let busy = new AbortController()

  const list = element('ol', { className: 'conditions' })
  const join = element(
    'select',
    { id: 'join', onchange: () => void update() },
    element('option', { value: 'all' }, 'all of these'),
    element('option', { value: 'any' }, 'any of these'),
  )
  const joined = element(
    'p',
    { className: 'join', hidden: true },
    element('label', { htmlFor: join.id }, 'Customers meet'),
    join,
  )
  const everyone = element('p', { className: 'note' }, 'Without a condition these are all customers.')
  const failed = element('div')
  const add = button('Add a condition', () => {
    const row = createCondition(tags, { onChange: () => void update(), onRemove: () => remove(row) })
    rows.push(row)
    arrange()
    row.name.focus()
  })
  builder.replaceChildren(element('h3', {}, 'Conditions'), everyone, joined, list, failed, add)

  const counts = element('dl', { className: 'figures', attributes: { 'aria-live': 'polite' } })
  const json = element('pre', { tabIndex: 0, attributes: { role: 'region', 'aria-label': 'The audience as JSON' } })
  figures.replaceChildren(element('h3', {}, 'Who is meant'), counts, json)

  function remove(row: ConditionRow): void {
    rows = rows.filter((one) => one !== row)
    arrange()
    add.focus()
  }

  function arrange(): void {
    for (const [at, row] of rows.entries()) row.number(at + 1)
    list.replaceChildren(...rows.map(({ box }) => box))
    everyone.hidden = rows.length > 0
    joined.hidden = rows.length < 2
    void update()
  }

  /** Always in a list, so that the place of a mistake names its row. */
  function value(): Audience {
    if (rows.length === 0) return 'all'
    const conditions = rows.map((row) => row.condition())
    return { where: join.value === 'any' ? { any: conditions } : { all: conditions } }
  }

  async function update(): Promise<void> {
    busy.abort()
    busy = new AbortController()
    const { signal } = busy
    const audience = value()
    json.textContent = JSON.stringify(audience, null, 2)
    const faults = checkAudience(audience, { names: [...tags.standard_fields, ...tags.custom_attributes] })
    if (faults.length > 0) return show(faults)
    try {
      const counted = await countCustomers(audience, signal)
      if (signal.aborted) return
      show([], counted)
      onChange(audience)
    } catch (error) {
      if (!signal.aborted) show(faultsOf(error as Error))
    }
  }

  /** Faults each at its row, or the counts. */
  function show(faults: readonly AudienceFault[], counted?: CustomerCount): void {
    for (const [at, row] of rows.entries()) row.tell(faults.filter((fault) => rowOf(fault) === at))
    failed.replaceChildren(
      ...faults.filter((fault) => !rows[rowOf(fault) ?? -1]).map(({ message }) => alertBox(message)),
    )
    counts.replaceChildren(
      ...COUNTS.map(([name, label]) =>
        element(
          'div',
          {},
          element('dt', {}, label),
          element('dd', {}, counted === undefined ? '–' : formatNumber(counted[name])),
        ),
      ),
    )
    if (!counted) onChange(undefined)
  }

  return {
    /** The audience as it stands, right or wrong. */
    value,
    /** Takes the names that there are now, and counts anew. */
    setTags(now: MergeTags): void {
      tags = now
      for (const row of rows) row.setTags(now)
      void update()
    },
  }
}

/** What the server says is wrong: all of an audience's problems, or the one thing that it tells. */
function faultsOf(error: Error): readonly AudienceFault[] {
  if (!(error instanceof ApiError)) return [{ message: error.message, details: {} }]
  const { problems } = error.details as { problems?: readonly AudienceFault[] }
  return problems ?? [error]
}

/** The row of a fault, from 0, by its path: `where.all[0].plan.above`. */
function rowOf({ details }: AudienceFault): number | undefined {
  const at = /^where\.(?:all|any)\[(\d+)\]/.exec(details.path ?? '')?.[1]
  return at === undefined ? undefined : Number(at)
}

type ConditionRow = ReturnType<typeof createCondition>

/** A row: a name, a word, and the value where the word takes one. */
function createCondition(tags: MergeTags, { onChange, onRemove }: { onChange: () => void; onRemove: () => void }) {
  const name = element('select', { onchange: onChange })
  const word = element('select', {}, ...WORDS.map(({ label }, at) => element('option', { value: String(at) }, label)))
  const value = element('input', { type: 'text', spellcheck: false, oninput: onChange })
  const remove = button('✕', onRemove, 'quiet')
  const faults = element('div', { className: 'faults', attributes: { 'aria-live': 'polite' } })
  const box = element('li', {}, name, word, value, remove, faults)
  const chosen = () => WORDS[Number(word.value)]!

  function showHint(): void {
    const { hint } = chosen()
    value.hidden = hint === undefined
    value.placeholder = hint ?? ''
  }
  word.onchange = () => {
    showHint()
    onChange()
  }

  function setTags({ standard_fields, custom_attributes }: MergeTags): void {
    const kept = name.value
    const isGone = kept !== '' && ![...standard_fields, ...custom_attributes].includes(kept)
    const group = (label: string, names: readonly string[]) =>
      element('optgroup', { label }, ...names.map((one) => element('option', { value: one }, one)))
    name.replaceChildren(
      group('Custom attributes', custom_attributes),
      group('Standard fields', standard_fields),
      // A condition whose attribute is gone must not turn into one on something else.
      ...(isGone ? [group('Not there any more', [kept])] : []),
    )
    if (kept !== '') name.value = kept
  }

  setTags(tags)
  showHint()
  return {
    box,
    name,
    setTags,
    condition: (): Record<string, AudienceCondition> => ({ [name.value]: chosen().condition(value.value.trim()) }),
    number(at: number): void {
      faults.id = `condition-${at}-faults`
      for (const [control, what] of [
        [name, 'Name'],
        [word, 'Word'],
        [value, 'Value'],
      ] as const) {
        control.ariaLabel = `${what} of condition ${at}`
        control.setAttribute('aria-describedby', faults.id)
      }
      remove.ariaLabel = `Remove condition ${at}`
    },
    tell(found: readonly AudienceFault[]): void {
      value.ariaInvalid = String(found.length > 0)
      faults.replaceChildren(...found.map(({ message }) => element('p', {}, message)))
    },
  }
}

/** The account's attributes: what each is and who has it, and the ways to put them in order. */
import {
  ApiError,
  type Attribute,
  backupUrl,
  getAttributes,
  type KeptValue,
  type Message,
  pruneAttributes,
  removeAttribute,
  renameAttribute,
} from './api.js'
import { alertBox, button, element, formatNumber, plural } from './dom.js'

const HEADINGS = ['Attribute', 'Customers', 'Kind', 'Values', 'Examples', 'Last seen']

interface AttributesScreen {
  /** the message as it stands, which is written anew for an attribute that has another name */
  message: () => Message
  /** called when attributes have changed, with the parts of the message that are written anew */
  onChanged: (rewritten: Partial<Message>) => Promise<void>
}

/** What was done, for people to read, and to the message. */
interface Outcome {
  told: string
  rewritten?: Partial<Message>
}

export function createAttributes(panel: HTMLElement, { message, onChanged }: AttributesScreen) {
  const outcome = element('p', { className: 'note outcome', tabIndex: -1 })
  const table = element('div')
  const prune = button('', () => void change(pruneUnused).catch(fail))
  const failed = element('div')
  panel.replaceChildren(
    element(
      'div',
      { className: 'actions spread' },
      outcome,
      element(
        'div',
        { className: 'actions' },
        prune,
        element('a', { href: backupUrl, download: 'customers.csv', className: 'button' }, 'Export CSV'),
      ),
    ),
    failed,
    table,
  )
  // An answer from before a change is dropped.
  let latest = 0

  async function load(): Promise<void> {
    const mine = ++latest
    const attributes = await getAttributes()
    if (mine === latest) show(attributes)
  }

  function show(attributes: readonly Attribute[]): void {
    const unused = attributes.filter(({ customers }) => customers === 0).length
    prune.hidden = unused === 0
    prune.textContent = `Remove ${plural(unused, 'unused attribute')}`
    outcome.textContent = attributes.length === 0 ? 'No column has become an attribute yet.' : ''
    failed.replaceChildren()
    table.replaceChildren()
    if (attributes.length > 0) table.append(attributeTable(attributes.map((one) => attributeRow(one, actions))))
  }

  const actions: RowActions = {
    rename: ({ name: from }, to, kept) =>
      change(async () => {
        const given = { from, to, ...(kept ? { on_conflict: kept } : {}) }
        const { customers_changed, templates } = await renameAttribute(given, message())
        const told = `${from} is ${to} now, for ${plural(customers_changed, 'customer')}.`
        const isUsed = Object.keys(templates).length > 0
        return { told: isUsed ? `${told} The message says so, too.` : told, rewritten: templates }
      }),
    remove: ({ name }) =>
      change(async () => {
        const { customers_changed } = await removeAttribute(name)
        return { told: `${name} is gone from ${plural(customers_changed, 'customer')}.` }
      }),
  }

  async function pruneUnused(): Promise<Outcome> {
    const { attributes } = await pruneAttributes()
    if (attributes.length === 0) return { told: 'All attributes are in use.' }
    return { told: `Removed: ${attributes.map(({ name }) => name).join(', ')}.` }
  }

  /** Does something, one at a time, and says what came of it. */
  async function change(work: () => Promise<Outcome>): Promise<void> {
    if (panel.ariaBusy === 'true') return
    panel.ariaBusy = 'true'
    try {
      const { told, rewritten = {} } = await work()
      await onChanged(rewritten)
      await load()
      outcome.textContent = told
      outcome.focus()
    } finally {
      panel.ariaBusy = 'false'
    }
  }

  function fail(error: Error): void {
    failed.replaceChildren(alertBox(error.message))
  }

  return {
    /** Asks the server anew. */
    load: (): Promise<void> => load().catch(fail),
  }
}

/** What a row can ask for; what is wrong with it is the row's to show. */
interface RowActions {
  rename(attribute: Attribute, to: string, kept?: KeptValue): Promise<void>
  remove(attribute: Attribute): Promise<void>
}

function attributeTable(rows: readonly HTMLElement[][]): HTMLElement {
  return element(
    'div',
    { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Attributes' } },
    element(
      'table',
      { className: 'attributes' },
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          ...HEADINGS.map((text) => element('th', { scope: 'col' }, text)),
          element('th', { scope: 'col' }, element('span', { className: 'visually-hidden' }, 'Change')),
        ),
      ),
      element('tbody', {}, ...rows.flat()),
    ),
  )
}

/** The row of an attribute, and one below it for what is asked about it. */
function attributeRow(attribute: Attribute, actions: RowActions): HTMLElement[] {
  const { name, customers, kind, distinct_values, examples, last_seen_at } = attribute
  const heading = element('th', { scope: 'row' }, name)
  const box = element('td', { colSpan: HEADINGS.length + 1 })
  const below = element('tr', { className: 'asked', hidden: true }, box)
  const rename = button('Rename', askName)
  const remove = button('Remove', askRemoval)
  rename.setAttribute('aria-label', `Rename ${name}`)
  remove.setAttribute('aria-label', `Remove ${name}`)
  /** where the focus goes back to */
  let opener = rename
  const cells: [string, ...(Node | string)[]][] = [
    ['Customers', ...coverage(attribute)],
    ['Kind', kind ?? ''],
    ['Values', distinct_values === 'more' ? '1,000+' : formatNumber(distinct_values)],
    ['Examples', examples.join(' · ')],
    ['Last seen', ...(last_seen_at === null ? [] : [moment(last_seen_at)])],
  ]
  const row = element(
    'tr',
    {},
    heading,
    ...cells.map(([label, ...content]) =>
      element(
        'td',
        { className: label === 'Examples' ? 'samples' : '', attributes: { 'data-label': label } },
        ...content,
      ),
    ),
    element('td', {}, element('div', { className: 'changes' }, rename, remove)),
  )
  for (const one of [row, below]) {
    one.onkeydown = ({ key }) => {
      if (key === 'Escape') close()
    }
  }

  function close(): void {
    const isOpen = !below.hidden || heading.firstElementChild !== null
    heading.replaceChildren(name)
    box.replaceChildren()
    below.hidden = true
    if (isOpen) opener.focus()
  }

  function ask(question: string, ...choices: HTMLButtonElement[]): void {
    box.replaceChildren(
      element(
        'div',
        { attributes: { role: 'group', 'aria-label': question } },
        element('p', {}, question),
        element('div', { className: 'actions' }, ...choices),
      ),
    )
    below.hidden = false
    choices.at(-1)?.focus()
  }

  function fail(error: Error): void {
    box.replaceChildren(alertBox(error.message))
    below.hidden = false
  }

  function askName(): void {
    close()
    opener = rename
    const input = element('input', {
      type: 'text',
      value: name,
      required: true,
      attributes: { 'aria-label': `New name of ${name}` },
    })
    const form = element(
      'form',
      { className: 'rename' },
      input,
      element('button', { type: 'submit', className: 'primary' }, 'Save'),
      button('Cancel', close),
    )
    form.onsubmit = (event) => {
      event.preventDefault()
      const to = input.value.trim()
      if (to === name) return close()
      actions.rename(attribute, to).catch((error: Error) => {
        if (error instanceof ApiError && error.code === 'ATTRIBUTE_EXISTS') askWhichStays(to, error)
        else fail(error)
      })
    }
    heading.replaceChildren(form)
    input.select()
  }

  function askWhichStays(to: string, { details }: ApiError): void {
    const both = Number(details.collisions)
    const keep = (label: string, kept: KeptValue) =>
      button(label, () => void actions.rename(attribute, to, kept).catch(fail))
    const cancel = button('Cancel', close)
    if (both === 0) {
      ask(`${to} is an attribute already. No customer has both.`, keep('Make them one', 'keep-target'), cancel)
    } else {
      ask(
        `${to} is an attribute already, and ${plural(both, 'customer has', 'customers have')} both. Which value stays?`,
        keep(`That of ${to}`, 'keep-target'),
        keep(`That of ${name}`, 'keep-source'),
        cancel,
      )
    }
  }

  function askRemoval(): void {
    close()
    opener = remove
    const question = `Remove ${name}? ${plural(customers, 'customer loses', 'customers lose')} the value, for good.`
    ask(
      question,
      button('Remove it', () => void actions.remove(attribute).catch(fail), 'danger'),
      button('Keep it', close),
    )
  }

  return [row, below]
}

/** How many customers have it, as a bar and in words. */
function coverage({ customers, share }: Attribute): HTMLElement[] {
  const bar = element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } }, element('span'))
  ;(bar.firstElementChild as HTMLElement).style.width = `${share * 100}%`
  // 100% are all, and 0% is nobody.
  const percent = customers > 0 && share < 0.01 ? 'under 1%' : `${Math.floor(share * 100)}%`
  return [bar, element('span', { className: 'note' }, `${percent} · ${formatNumber(customers)}`)]
}

const dates = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })

function moment(iso: string): HTMLElement {
  return element('time', { dateTime: iso }, dates.format(new Date(iso)))
}

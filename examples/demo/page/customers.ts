/** The customers of the audience as a table: searched, sorted, a page at a time. */
import type { Audience } from 'postgres-custom-attributes/pure'
import { type Customer, exportUrl, findCustomers } from './api.js'
import { alertBox, button, element } from './dom.js'

const CUSTOMERS_PER_PAGE = 25
/** Fields of texts, by which the API sorts. */
const COLUMNS: readonly [field: string, label: string][] = [
  ['email', 'Email'],
  ['first_name', 'First name'],
  ['last_name', 'Last name'],
  ['country', 'Country'],
  ['city', 'City'],
]

export function createCustomers(panel: HTMLElement) {
  let audience: Audience | undefined
  let sort = 'email'
  let descending = false
  let cursors: { next: string | null; previous: string | null } = { next: null, previous: null }
  let busy = new AbortController()

  const search = element('input', {
    type: 'search',
    placeholder: 'Search',
    maxLength: 200,
    attributes: { 'aria-label': 'Search customers' },
    oninput: () => void load(),
  })
  const download = element('a', { download: 'customers.csv', className: 'button' }, 'Export these customers')
  const failed = element('div')
  const headings = COLUMNS.map(([field, label]) => ({
    field,
    cell: element(
      'th',
      { scope: 'col' },
      button(label, () => sortBy(field)),
    ),
  }))
  const rows = element('tbody')
  const nobody = element('p', { className: 'note' })
  const previous = button('Previous page', () => void load(cursors.previous))
  const next = button('Next page', () => void load(cursors.next))
  panel.replaceChildren(
    element('div', { className: 'actions spread' }, element('h3', {}, 'Customers'), download),
    search,
    failed,
    element(
      'div',
      { className: 'scroll', tabIndex: 0, attributes: { role: 'region', 'aria-label': 'Table of customers' } },
      element(
        'table',
        { className: 'customers' },
        element(
          'thead',
          {},
          element('tr', {}, ...headings.map(({ cell }) => cell), element('th', { scope: 'col' }, 'Attributes')),
        ),
        rows,
      ),
    ),
    nobody,
    element('div', { className: 'actions' }, previous, next),
  )

  function sortBy(field: string): void {
    descending = field === sort && !descending
    sort = field
    void load()
  }

  /** From a cursor, or from the first. */
  async function load(cursor?: string | null): Promise<void> {
    busy.abort()
    busy = new AbortController()
    const { signal } = busy
    for (const { field, cell } of headings) {
      cell.ariaSort = field !== sort ? 'none' : descending ? 'descending' : 'ascending'
    }
    download.hidden = audience === undefined
    if (audience === undefined) return show([], 'The conditions above need a change first.')
    download.href = exportUrl(audience)
    try {
      const wanted = { audience, search: search.value, sort, descending, limit: CUSTOMERS_PER_PAGE }
      const found = await findCustomers(cursor ? { ...wanted, cursor } : wanted, signal)
      if (signal.aborted) return
      cursors = found
      show(found.customers, 'No customer is found.')
    } catch (error) {
      if (signal.aborted) return
      show([], '')
      failed.replaceChildren(alertBox((error as Error).message))
    }
  }

  function show(customers: readonly Customer[], otherwise: string): void {
    if (customers.length === 0) cursors = { next: null, previous: null }
    failed.replaceChildren()
    rows.replaceChildren(...customers.map(customerRow))
    nobody.textContent = customers.length === 0 ? otherwise : ''
    previous.disabled = cursors.previous === null
    next.disabled = cursors.next === null
  }

  return {
    /** Shows an audience from its first customer on; nobody where there is no right one. */
    load(whom: Audience | undefined): void {
      audience = whom
      void load()
    },
  }
}

function customerRow(customer: Customer): HTMLElement {
  const attributes = Object.entries(customer.custom_attributes).map(([name, value]) => `${name}: ${value}`)
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, customer.email),
    ...COLUMNS.slice(1).map(([field, label]) =>
      element('td', { attributes: { 'data-label': label } }, String(customer[field] ?? '')),
    ),
    element('td', { attributes: { 'data-label': 'Attributes' } }, attributes.join(' · ')),
  )
}

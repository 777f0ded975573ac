/** The message as real customers would get it, rendered in the browser as it is typed. */
import { isCustomAttributesError, renderTemplate, type TemplateFormat } from 'postgres-custom-attributes/pure'
import { type Customer, getCustomers, type Message } from './api.js'
import { announce, button, element } from './dom.js'

const HEAD = `<!doctype html><meta charset="utf-8"><style>
:root { color-scheme: light } body { font: 16px/1.5 system-ui, sans-serif; margin: 1.25rem; color: #1d2420; background: #fff }
</style>`

export function createPreview(panel: HTMLElement) {
  let customers: Customer[] = []
  let at = 0
  let isLast = false
  let message: Message | undefined

  const previous = button('‹', () => void move(-1))
  const next = button('›', () => void move(1))
  previous.ariaLabel = 'Previous customer'
  next.ariaLabel = 'Next customer'
  const who = element('p', { className: 'who' })
  const subject = element('p', { className: 'mail-subject' })
  // No scripts, no forms, no origin: what a customer's data holds stays text, and what a message holds stays in the frame.
  const frame = element('iframe', { title: 'The HTML message', attributes: { sandbox: '' } })
  const text = element('pre', { tabIndex: 0, attributes: { role: 'region', 'aria-label': 'The plain text message' } })
  panel.replaceChildren(
    element('h3', {}, 'Preview'),
    element('div', { className: 'customer' }, previous, who, next),
    element('div', { className: 'mail' }, subject, frame, text),
  )

  async function move(step: number): Promise<void> {
    const wanted = at + step
    if (wanted >= customers.length && !isLast) {
      const known = customers
      const page = await getCustomers(known.at(-1)?.id)
      // Pressed again, or loaded anew, while the page was on its way.
      if (known !== customers || wanted < known.length) return
      customers = [...known, ...page]
      isLast = page.length === 0
    }
    at = Math.min(Math.max(0, wanted), Math.max(0, customers.length - 1))
    show()
    announce(`Preview for ${customers[at]?.email}.`)
  }

  function show(): void {
    const customer = customers[at]
    previous.disabled = at === 0
    next.disabled = isLast && at === customers.length - 1
    if (!customer || !message) return
    who.replaceChildren(element('strong', {}, fullName(customer)), element('span', {}, customer.email))
    subject.textContent = render(message.subject, customer, 'subject')
    const html = HEAD + render(message.html, customer, 'html')
    if (frame.srcdoc !== html) frame.srcdoc = html
    text.textContent = render(message.text, customer, 'text')
  }

  return {
    /** Starts again with the first customers; says how many there are at least. */
    async load(): Promise<number> {
      customers = await getCustomers()
      at = 0
      isLast = customers.length === 0
      show()
      return customers.length
    },
    render(current: Message): void {
      message = current
      show()
    },
  }
}

function render(template: string, customer: Customer, format: TemplateFormat): string {
  try {
    return renderTemplate(template, customer, { format })
  } catch (error) {
    if (!isCustomAttributesError(error)) throw error
    return 'There is a problem in this part; the list beside it says what.'
  }
}

function fullName({ first_name, last_name }: Customer): string {
  return [first_name, last_name].filter(Boolean).join(' ') || 'Without a name'
}

/** Writing a message: subject, html and text, the merge tags to put in, and what is wrong as it is typed. */
import { checkTemplate, type TemplateFormat, type TemplateProblem } from 'postgres-custom-attributes/pure'
import type { MergeTags, Message } from './api.js'
import { announce, button, element } from './dom.js'

const PARTS: readonly { part: TemplateFormat; label: string; rows: number; start: string }[] = [
  { part: 'subject', label: 'Subject', rows: 1, start: 'Hello {{first_name | default: "there"}}' },
  {
    part: 'html',
    label: 'HTML',
    rows: 9,
    start: `<p>Hi {{first_name | default: "there"}},</p>
<p>{{#city}}we hear the weather is lovely in {{city}}.{{/city}}
Good to have you with us!</p>`,
  },
  {
    part: 'text',
    label: 'Plain text',
    rows: 5,
    start: 'Hi {{first_name | default: "there"}},\n\ngood to have you with us!',
  },
]

/**
 * @param onChange - called with the message as it stands, after every key
 */
export function createEditor(panel: HTMLElement, onChange: (message: Message) => void) {
  let names: string[] = []
  const fields = PARTS.map((part) => createField(part, () => names, changed))
  let current = fields[1]!
  for (const field of fields) {
    field.area.onfocus = () => {
      current = field
    }
  }
  const message = (): Message =>
    Object.fromEntries(fields.map(({ part, area }) => [part, area.value])) as unknown as Message
  function changed(): void {
    onChange(message())
  }

  const picker = element('div', { className: 'picker' })
  const filter = element('input', {
    type: 'search',
    placeholder: 'Find a merge tag',
    attributes: { 'aria-label': 'Find a merge tag' },
  })
  filter.oninput = () => {
    const wanted = filter.value.trim().toLowerCase()
    for (const tag of picker.querySelectorAll<HTMLElement>('button')) {
      tag.hidden = !tag.textContent.toLowerCase().includes(wanted)
    }
  }
  panel.replaceChildren(element('h3', {}, 'Merge tags'), filter, picker, ...fields.map(({ box }) => box))

  return {
    message,
    /** Puts in what is new of the message. The tags that it is checked by come next, by `setTags`. */
    write(parts: Partial<Message>): void {
      for (const { part, area } of fields) area.value = parts[part] ?? area.value
    },
    setTags({ standard_fields, custom_attributes }: MergeTags): void {
      names = [...standard_fields, ...custom_attributes]
      const chip = (name: string) =>
        button(
          name,
          () => {
            current.insert(`{{${name}}}`)
            announce(`${name} is in the ${current.label.toLowerCase()} now.`)
          },
          'tag',
        )
      picker.replaceChildren(
        group('Custom attributes', custom_attributes.map(chip)),
        group('Standard fields', standard_fields.map(chip)),
      )
      filter.value = ''
      for (const field of fields) field.check()
      changed()
    },
  }
}

function group(label: string, chips: HTMLElement[]): HTMLElement {
  return element(
    'div',
    { className: 'chips', attributes: { role: 'group', 'aria-label': label } },
    element('span', { className: 'note' }, label),
    ...chips,
  )
}

function createField(
  { part, label, rows, start }: (typeof PARTS)[number],
  names: () => readonly string[],
  onChange: () => void,
) {
  const list = element('ul', {
    id: `${part}-problems`,
    className: 'template-problems',
    attributes: { 'aria-live': 'polite' },
  })
  const area = element('textarea', {
    id: part,
    rows,
    value: start,
    spellcheck: false,
    attributes: { 'aria-describedby': list.id },
  })
  // The same text behind the field, for the lines under what is wrong.
  const shadow = element('div', { className: 'shadow', attributes: { 'aria-hidden': 'true' } })
  const insert = (text: string, from = area.selectionStart, to = area.selectionEnd) => {
    area.focus()
    area.setRangeText(text, from, to, 'end')
    area.dispatchEvent(new Event('input'))
  }

  function check(): void {
    const problems = checkTemplate(area.value, names(), { format: part })
    const placed = problems.map((problem) => ({ problem, ...placeOf(area.value, problem) }))
    area.setAttribute('aria-invalid', String(problems.length > 0))
    underline(shadow, area.value, placed)
    list.replaceChildren(
      ...placed.map(({ problem, start, end }) => {
        const { suggestion } = problem.details
        return element(
          'li',
          {},
          problem.message,
          suggestion !== undefined &&
            button(`Use {{${suggestion}}}`, () =>
              insert(renamed(area.value.slice(start, end), suggestion), start, end),
            ),
        )
      }),
    )
  }
  area.oninput = () => {
    // A subject is one line, also when it is pasted.
    if (part === 'subject' && /[\r\n]/.test(area.value)) area.value = area.value.replace(/[\r\n]+/g, ' ')
    check()
    onChange()
  }
  area.onscroll = () => {
    shadow.scrollTop = area.scrollTop
  }
  const box = element(
    'div',
    { className: `field ${part}` },
    element('label', { htmlFor: part }, label),
    element('div', { className: 'editor' }, shadow, area),
    list,
  )
  return { part, label, area, box, check, insert }
}

/** A tag with another name: what it is (`#`, `^`, …) and its fallback stay. */
function renamed(tag: string, name: string): string {
  return tag.replace(/^(\{{2,3}[#^/&]?\s*)[^|}]*?(\s*(?:\||\}))/, (_, before, after) => before + name + after)
}

interface Place {
  start: number
  end: number
}

function placeOf(template: string, { details }: TemplateProblem): Place {
  const { line, column, tag } = details
  const linesBefore = template.split('\n').slice(0, line - 1)
  const start = linesBefore.reduce((length, text) => length + text.length + 1, 0) + column - 1
  const close = template.indexOf('}}', start)
  const end = tag.endsWith('…') && close >= 0 ? close + 2 : start + tag.length
  return { start, end: Math.min(end, template.length) }
}

function underline(shadow: HTMLElement, text: string, places: readonly Place[]): void {
  let from = 0
  shadow.replaceChildren()
  for (const { start, end } of places) {
    if (start < from || end <= start) continue
    shadow.append(text.slice(from, start), element('mark', {}, text.slice(start, end)))
    from = end
  }
  // A last line end needs something after it to have a line.
  shadow.append(`${text.slice(from)}\u200b`)
}

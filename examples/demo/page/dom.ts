/** Small helpers for building the page. Everything is set as text, never as HTML. */

type Child = Node | string | undefined | false

interface Attributes {
  attributes?: Readonly<Record<string, string>>
}

/** Makes an element: `element('button', { type: 'button', onclick }, 'Upload')`. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<Omit<HTMLElementTagNameMap[Tag], 'style' | 'attributes'>> & Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const { attributes = {}, ...rest }: Attributes = properties
  const made = Object.assign(document.createElement(tag), rest)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children.filter((child): child is Node | string => child !== undefined && child !== false))
  return made
}

export function button(label: string, onclick: () => void, className = ''): HTMLButtonElement {
  return element('button', { type: 'button', className, onclick }, label)
}

/** The element of the page with this id. */
export function byId<Found extends HTMLElement = HTMLElement>(id: string): Found {
  return document.getElementById(id) as Found
}

/** Says something to those who listen to the page. */
export function announce(text: string): void {
  byId('announcer').textContent = text
}

/** A heading that takes the focus, so that a new screen starts there for everybody. */
export function screenHeading(text: string): HTMLHeadingElement {
  const heading = element('h3', { tabIndex: -1 }, text)
  queueMicrotask(() => heading.focus())
  return heading
}

/** A box that tells what went wrong. */
export function alertBox(...children: Child[]): HTMLElement {
  return element('div', { className: 'alert', attributes: { role: 'alert' } }, ...children)
}

const numbers = new Intl.NumberFormat('en')
const bytes = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

export const formatNumber = (value: number): string => numbers.format(value)

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${formatNumber(count)} ${count === 1 ? one : many}`

export const formatBytes = (size: number): string =>
  size < 1_000_000 ? `${bytes.format(size / 1_000)} kB` : `${bytes.format(size / 1_000_000)} MB`

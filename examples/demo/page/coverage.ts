/** Before sending: who would get the message, and for whom a tag would print nothing. */
import type { Audience } from 'postgres-custom-attributes/pure'
import { type Message, type Preflight, runPreflight } from './api.js'
import { alertBox, button, element, formatNumber, plural } from './dom.js'

interface CoverageScreen {
  message: () => Message
  /** who would get it */
  audience: () => Audience
}

export function showCoverage(panel: HTMLElement, { message, audience }: CoverageScreen) {
  const outcome = element('div', { className: 'coverage', attributes: { 'aria-live': 'polite' } })
  // An answer about a message or an audience that was changed meanwhile is dropped.
  let latest = 0
  const check = button('Check all recipients', async () => {
    const mine = ++latest
    outcome.replaceChildren(element('p', { className: 'note' }, 'Checking …'))
    const shown = await runPreflight(message(), audience()).then(describe, (error: Error) => [alertBox(error.message)])
    if (mine === latest) outcome.replaceChildren(...shown)
  })
  panel.replaceChildren(
    element('div', { className: 'actions spread' }, element('h3', {}, 'Before sending'), check),
    outcome,
  )
  return {
    /** The message or its audience is another now: what was said is void. */
    reset(): void {
      latest++
      outcome.replaceChildren()
    },
  }
}

function summary({ recipients, complete }: Preflight): string {
  return `${plural(recipients, 'recipient')}, ${formatNumber(complete)} of them get a message without a gap.`
}

function describe(report: Preflight): HTMLElement[] {
  const { recipients, tags, unknown_tags } = report
  return [
    element('p', {}, summary(report)),
    element(
      'ul',
      {},
      ...tags.map(({ name, missing }) => {
        const share = recipients === 0 ? 1 : (recipients - missing) / recipients
        const bar = element('span', { className: 'bar', attributes: { 'aria-hidden': 'true' } }, element('span'))
        ;(bar.firstElementChild as HTMLElement).style.width = `${share * 100}%`
        const note = missing === 0 ? 'nothing missing' : `${formatNumber(missing)} would see a gap`
        return element(
          'li',
          { className: missing > 0 ? 'gaps' : '' },
          element('code', {}, name),
          bar,
          element('span', { className: 'note' }, note),
        )
      }),
    ),
    ...unknown_tags.map(({ message }) => alertBox(message)),
    ...(tags.some(({ missing }) => missing > 0)
      ? [element('p', { className: 'note' }, 'A fallback fills the gap: {{name | default: "there"}}')]
      : []),
  ]
}

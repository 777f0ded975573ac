import mjml2html from 'mjml'
import { createElement } from 'react'
import { renderToStaticMarkup, renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { inspectTemplate } from '../../src/template/inspect.js'
import { expectRendered, TYPED } from '../support/newsletter.js'

test.each([
  ['renderToStaticMarkup', renderToStaticMarkup],
  ['renderToString', renderToString],
])("what react-dom's %s makes of a newsletter renders as its writer meant", (_name, render) => {
  const paragraph = (text: string) => createElement('p', { key: text, title: 'x' }, text)
  const html = render(
    createElement('div', { style: { color: '#222' } }, [
      paragraph(TYPED.greeting),
      paragraph(TYPED.money),
      paragraph(TYPED.vip),
      paragraph(TYPED.orders),
      createElement('a', { key: 'link', href: TYPED.link }, 'Me'),
      createElement('a', { key: 'page', href: TYPED.page }, 'Page'),
    ]),
  )
  expect(html).toContain('&quot;there&quot;')
  expect(html).toContain('&gt; 5')
  expectRendered(html)
})

test('what MJML makes of a newsletter, with its conditional comments, renders as its writer meant', async () => {
  const { html, errors } = await mjml2html(`<mjml>
    <mj-head><mj-title>News</mj-title><mj-preview>For {{first_name|you}}</mj-preview></mj-head>
    <mj-body>
      <mj-section><mj-column>
        <mj-text>${TYPED.greeting}</mj-text>
        <mj-text>${TYPED.money}</mj-text>
        <mj-text>${TYPED.vip}</mj-text>
        <mj-text>${TYPED.orders.replaceAll('>', '&gt;')}</mj-text>
        <mj-button href="${TYPED.link.replace('&', '&amp;')}">Me</mj-button>
        <mj-image src="https://shop.example/i.png" alt="{{first_name}}" href="${TYPED.page}" />
      </mj-column></mj-section>
    </mj-body></mjml>`)
  expect(errors).toEqual([])
  expect(html).toContain('<!--[if mso')
  expect(inspectTemplate(html).problems).toEqual([])
  expectRendered(html)
})

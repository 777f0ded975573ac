import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5'
import { expect } from 'vitest'
import { checkTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'

/** One newsletter with every kind of tag, as its writer means it: what is typed, by the part of the page it stands in. */
export const TYPED = {
  greeting: 'Hi {{first_name | default: "there"}}, née {{Prénom|–}}, of {{R&D}}',
  money: '{{total_spent | currency: "EUR", "de"}} since {{last_order_date | date: "d MMMM yyyy"}}',
  vip: '{{#vip}}Your lounge is open, {{first_name}}.{{else}}Become a VIP!{{/vip}}',
  orders: '{{#orders_count > 5}}A regular{{/orders_count}}{{^orders_count > 5}}A guest{{/orders_count}}',
  link: 'https://shop.example/me?email={{email}}&from=mail',
  page: '{{website}}',
}

export const NAMES = [
  'email',
  'first_name',
  'total_spent',
  'orders_count',
  'last_order_date',
  'Prénom',
  'R&D',
  'vip',
  'website',
]

const CUSTOMERS = {
  full: {
    email: 'john+news@example.com',
    first_name: 'John',
    total_spent: '1234.50',
    orders_count: 12,
    last_order_date: '2024-03-01',
    custom_attributes: { Prénom: 'Zoé', 'R&D': 'Lab & Co', vip: 'yes', website: 'https://john.example/?a=1&b=2' },
  },
  empty: { email: 'e@example.com', custom_attributes: {} },
  hostile: {
    email: '"><script>alert(1)</script>@example.com',
    first_name: '<img src=x onerror=alert(1)>{{email}}',
    total_spent: '1e9999',
    orders_count: '"><b>',
    last_order_date: '</p><p onclick=alert(1)>',
    custom_attributes: {
      Prénom: '&lt;b&gt;',
      'R&D': '" style="x" onmouseover="alert(1)',
      vip: '{{/vip}}<script>',
      website: 'javascript:alert(1)',
    },
  },
}

/** What a reader sees of each part, and where the links lead. */
const SEEN: Record<keyof typeof CUSTOMERS, { texts: string[]; links: string[] }> = {
  full: {
    texts: [
      'Hi John, née Zoé, of Lab & Co',
      '1.234,50 € since 1 March 2024',
      'Your lounge is open, John.',
      'A regular',
    ],
    links: ['https://shop.example/me?email=john%2Bnews%40example.com&from=mail', 'https://john.example/?a=1&b=2'],
  },
  empty: {
    texts: ['Hi there, née –, of', 'since', 'Become a VIP!', 'A guest'],
    links: ['https://shop.example/me?email=e%40example.com&from=mail', ''],
  },
  hostile: {
    texts: [
      'Hi <img src=x onerror=alert(1)>{{email}}, née &lt;b&gt;, of " style="x" onmouseover="alert(1)',
      'since',
      'Your lounge is open, <img src=x onerror=alert(1)>{{email}}.',
      'A guest',
    ],
    links: ['https://shop.example/me?email=%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E%40example.com&from=mail', '#'],
  },
}

/** Holds what an editor made of the newsletter to what its writer meant, for every customer. */
export function expectRendered(html: string): void {
  expect(checkTemplate(html, NAMES)).toEqual([])
  const shape = elementsOf(renderTemplate(html, CUSTOMERS.full))
  for (const [name, customer] of Object.entries(CUSTOMERS)) {
    const rendered = renderTemplate(html, customer, { names: NAMES })
    const { texts, links } = SEEN[name as keyof typeof SEEN]
    const seen = textOf(rendered)
    let at = 0
    for (const text of texts) {
      at = seen.indexOf(text, at)
      expect(at, `${name}: ${text} in ${seen}`).toBeGreaterThan(-1)
      at += text.length
    }
    expect(linksOf(rendered)).toEqual(expect.arrayContaining(links))
    expect(elementsOf(rendered), 'no value makes an element or an attribute').toEqual(shape)
  }
}

type Node = Tree.ChildNode | Tree.Document

function* walk(node: Node): Generator<Node> {
  yield node
  if ('childNodes' in node) for (const child of node.childNodes) yield* walk(child)
}

function textOf(html: string): string {
  const texts = [...walk(parse(html))].flatMap((node) =>
    node.nodeName === '#text' ? [(node as Tree.TextNode).value] : [],
  )
  return texts.join('').replace(/[\s\u00a0\u200b]+/g, ' ')
}

function linksOf(html: string): string[] {
  return [...walk(parse(html))].flatMap((node) =>
    'attrs' in node && node.nodeName === 'a'
      ? node.attrs.flatMap(({ name, value }) => (name === 'href' ? [value] : []))
      : [],
  )
}

function elementsOf(html: string): string[] {
  return [...walk(parse(html))].flatMap((node) =>
    'attrs' in node ? [`${node.nodeName} ${node.attrs.map(({ name }) => name).join(' ')}`] : [],
  )
}

import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parseFragment } from 'parse5'
import { describe, expect, it, test } from 'vitest'
import { compile } from '../../src/template/compile.js'
import { inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'
import { resolveTemplateOptions, type TemplateOptions } from '../../src/template/template-options.js'
import { checkLaw, codePoint } from '../support/law.js'

type Node = DefaultTreeAdapterTypes.ChildNode

const BASE = 'https://base.example/mail/'

const render = (template: string, values: Record<string, unknown>, options?: TemplateOptions) =>
  renderTemplate(template, { custom_attributes: values }, options)

/** All elements of a fragment, in its order, the contents of templates among them. */
function elementsOf(html: string): DefaultTreeAdapterTypes.Element[] {
  const found: DefaultTreeAdapterTypes.Element[] = []
  const visit = (node: Node) => {
    if ('tagName' in node) found.push(node)
    if ('content' in node) node.content.childNodes.forEach(visit)
    if ('childNodes' in node) node.childNodes.forEach(visit)
  }
  parseFragment(html).childNodes.forEach(visit)
  return found
}

function textOf(html: string): string {
  const read = (node: Node): string =>
    'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(read).join('') : ''
  return parseFragment(html).childNodes.map(read).join('')
}

/** The first attribute of a name that a parser finds. */
function attributeOf(html: string, name: string): string | undefined {
  return elementsOf(html)
    .flatMap(({ attrs }) => attrs)
    .find((attribute) => attribute.name === name)?.value
}

const originOf = (url: string): string => {
  try {
    const { protocol, host } = new URL(url, BASE)
    return `${protocol}//${host}`
  } catch {
    return 'no URL'
  }
}

const faultsOf = (template: string, options?: TemplateOptions) =>
  inspectTemplate(template, options).problems.filter(({ severity }) => severity === 'error')

describe('text and quoted attributes: what a parser reads is the value', () => {
  test.each([
    ['<p>{{x}}</p>', '<b>bold</b> & "quoted"'],
    ['{{x}}', "O'Brien"],
    ['{{x}}', '</p><script>alert(1)</script>'],
    ['<title>{{x}}</title>', '</title><script>alert(1)</script>'],
    ['<textarea>{{x}}</textarea>', '</textarea><img src=x onerror=alert(1)>'],
    ['<p>&copy {{x}}</p>', '&lt;'],
    ['<svg><title>a</title><title/><path/></svg><title>{{x}}</title>', '</title>'],
    ['<svg/><title>{{x}}</title>', '</title>'],
    ['<noscript>{{x}}</noscript>', 'plain'],
    ['<p>{{! a note }}{{x}}</p>', '<!-- x'],
    ['<!-- a note --><p>{{x}}</p>', '-->'],
    ['<!-- closed --!><p>{{x}}</p>', '<i>'],
    ['<![CDATA[ x > {{x}}', ']]>'],
  ])('%s with %s', (template, x) => {
    expect(textOf(render(template, { x }))).toContain(x)
  })

  test.each([
    ['<p title="{{x}}">', 'title', '" onmouseover="alert(1)'],
    ["<p title='{{x}}'>", 'title', "' onmouseover='alert(1)"],
    ['<p title = "{{x}}">', 'title', 'A&B <c>'],
    ['<p class="a {{x}} b">', 'class', 'c"d'],
    ['<img alt="{{x}}" src="x">', 'alt', '"><script>'],
    ['<p data-title="{{x}}">', 'data-title', 'javascript:no link'],
    ['<P TITLE="{{x}}">', 'title', '&amp;'],
    ['<input value="{{x}}"/>', 'value', '/> <b>'],
    ['<td {{#x}}title="{{x}}"{{/x}}>', 'title', '">'],
    ['<td{{#x}} title="{{x}}"{{/x}}>', 'title', '">'],
    ['<td{{#x}} title="{{x}}"{{else}} class="n"{{/x}} lang="de">', 'title', '">'],
    ['<input{{#x}} checked{{/x}} value="{{x}}">', 'value', 'a b'],
    ['<input{{#x}} checked{{/x}}{{#y}} hidden{{/y}} value="{{x}}">', 'value', 'a b'],
  ])('%s: %s is %s', (template, name, x) => {
    const read = attributeOf(render(template, { x }), name)
    expect(read).toBe(template.includes('a {{x}} b') ? `a ${x} b` : x)
  })
})

describe('behind the beginning of a URL: what new URL reads is the value', () => {
  const READERS = {
    query: (url: URL) => url.searchParams.get('e'),
    path: (url: URL) => decodeURIComponent(url.pathname.split('/')[2]!),
    fragment: (url: URL) => decodeURIComponent(url.hash.slice(1)),
  }
  const VALUES = [
    'john+news@example.com',
    'A&B',
    'a/../../b',
    '?a=b&e=c#d',
    '" onclick="alert(1)',
    'ü ö 🎉',
    '100%',
    '%41',
    '&amp;',
    "'",
  ]
  test.each(
    VALUES.flatMap((value) => [
      ['query', '<a href="https://x.example/p?e={{x}}">', value],
      ['query', "<form action='/p?a=b&amp;e={{x}}'>", value],
      ['path', '<img src="https://x.example/a/{{x}}/c">', value],
      ['path', '<a href="/a/{{x}}?e=1#f">', value],
      ['fragment', '<a HREF="#{{x}}">', value],
    ]),
  )('%s: %s with %s', (part, template, x) => {
    const [link] = elementsOf(render(template!, { x }))
    expect(link!.attrs).toHaveLength(1)
    expect(READERS[part as keyof typeof READERS](new URL(link!.attrs[0]!.value, BASE))).toBe(x)
  })

  test.each([
    ['<a href="mailto:{{x}}">', 'john+news@example.com', 'mailto:john%2Bnews@example.com'],
    ['<a href="mailto:{{x}}">', 'a@b.example?bcc=c@d.example', 'mailto:a@b.example%3Fbcc%3Dc@d.example'],
    ['<a href="mailto:a@b.example?body={{x}}">', 'a@b&c', 'mailto:a@b.example?body=a%40b%26c'],
    ['<a href="tel:{{x}}">', '+49 30', 'tel:%2B49%2030'],
    ['<a href="/a/{{x}}/b">', '..', '/a/#/b'],
    ['<a href="/a?b={{x}}">', '..', '/a?b=..'],
    ['<a href="./{{x}}">', '//evil.example', './%2F%2Fevil.example'],
    ['<a href="page{{x}}.html">', '1:2', 'page1%3A2.html'],
    ['<a href="https://x.example/?e={{x | url}}">', 'a b&c', 'https://x.example/?e=a%20b%26c'],
    ['<a href="https://x.example/?e={{x | url | default: "a b"}}">', '', 'https://x.example/?e=a%20b'],
    ['<a href="https://x.example/?e={{x | default: "a&amp;b"}}">', '', 'https://x.example/?e=a%26b'],
    ['<a xlink:href="/{{x}}">', 'a b', '/a%20b'],
    ['<video poster="/{{x}}">', 'a b', '/a%20b'],
    ['<img data-src="{{x}}">', 'javascript:alert(1)', '#'],
    ['<p data-href="/{{x}}">', 'a b', '/a%20b'],
    ['<img lowsrc="{{x}}">', 'javascript:alert(1)', '#'],
    ['<td background="/{{x}}">', 'a b', '/a%20b'],
    ['<q cite="/{{x}}">', 'a b', '/a%20b'],
    ['<button formaction="/{{x}}">', 'a b', '/a%20b'],
    ['<a href="{{#x}}/a?e={{x}}{{else}}/b{{/x}}">', 'a b', '/a?e=a%20b'],
    ['<a href="{{base}}/u?e={{x}}">', 'a b', 'https://x.example/u?e=a%20b'],
  ])('%s with %s', (template, x, expected) => {
    const html = render(template, { x, base: 'https://x.example' })
    expect(elementsOf(html.replace(/^<td/, '<p'))[0]!.attrs[0]!.value).toBe(expected)
  })
})

const PAYLOADS = [
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\tscript:alert(1)',
  'java\nscript:alert(1)',
  'java\r\nscript:alert(1)',
  ' \u0001javascript:alert(1)',
  '\u0000javascript:alert(1)',
  'java\u0000script:alert(1)',
  '&#106;avascript:alert(1)',
  '&#0000106&#0000097vascript:alert(1)',
  '&#x6A&#x61vascript:alert(1)',
  'jav&#x09;ascript:alert(1)',
  'javascript&colon;alert(1)',
  '\u00a0javascript:alert(1)',
  'vbscript:msgbox(1)',
  'data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==',
  'data:text/html,<script>alert(1)</script>',
  'livescript:alert(1)',
  'view-source:javascript:alert(1)',
  'feed:javascript:alert(1)',
  'blob:https://evil.example/x',
  'file:///etc/passwd',
  'http:evil',
  'https://',
  '//',
  '///',
  '',
  '"><script>alert(1)</script>',
  '" onerror="alert(1)',
  "' onerror='alert(1)",
  '` onerror=alert(1)',
  '"><img src=x onerror=alert(1)>',
  "javascript:/*--></title></style></textarea></script></xmp><svg/onload='+/\"/+/onmouseover=1/+/[*/[]/+alert(1)//'>",
  '<IMG """><SCRIPT>alert("XSS")</SCRIPT>"\\>',
  'x" style="xss:expression(alert(1))',
  '\\";alert(1);//',
]

describe('the payloads of OWASP are inert', () => {
  const ORDINARY = ['<a href="{{x}}">', "<img src='{{x}}' title='{{x}}'>", '<p class="{{x}}">{{x}}</p>']
  test.each(ORDINARY.flatMap((template) => PAYLOADS.map((x) => [template, x])))('%s with %j', (template, x) => {
    const html = render(template!, { x })
    const shape = (text: string) => elementsOf(text).map(({ tagName, attrs }) => [tagName, attrs.map((a) => a.name)])
    expect(shape(html)).toEqual(shape(render(template!, { x: 'x' })))
    for (const name of ['href', 'src']) {
      const url = attributeOf(html, name)
      if (url !== undefined) expect(new URL(url, BASE).origin).toBe(new URL(BASE).origin)
    }
  })
})

describe('a tag that is the URL or its start', () => {
  test.each([
    ['https://x.example/?a=1&b=2', 'https://x.example/?a=1&b=2'],
    ['  http://x.example/a b"c ', 'http://x.example/a%20b%22c'],
    ['https://x.example/%41%zz', 'https://x.example/%41%25zz'],
    ['mailto:a+b@c.example?subject=A', 'mailto:a+b@c.example?subject=A'],
    ['tel:+49-30', 'tel:+49-30'],
    ['/unsubscribe?id=1', '/unsubscribe?id=1'],
    ['a/b.html#c:d', 'a/b.html#c:d'],
    ['?a=b:c', '?a=b:c'],
    ['#top', '#top'],
    ['//cdn.example/a', '//cdn.example/a'],
    ['\\\\evil.example', '%5C%5Cevil.example'],
    ['/', '/.'],
    ['http://bücher.example/ü', 'http://bücher.example/ü'],
  ])('%s', (x, expected) => {
    expect(attributeOf(render('<a href="{{x}}">', { x }), 'href')).toBe(expected)
  })

  it('is # and a gap when it is no URL for a link, and its fallback otherwise', () => {
    const values = { custom_attributes: { x: 'javascript:alert(1)' } }
    const holes = (template: string) => compile(template, resolveTemplateOptions('x', {})).findHoles(values)
    expect(render('<a href="{{x}}">', values.custom_attributes)).toBe('<a href="#">')
    expect(holes('<a href="{{x}}">')).toEqual({ missing: [], unformattable: ['x'] })
    expect(render('<a href="{{x | default: "https://a.example/"}}">', values.custom_attributes)).toBe(
      '<a href="https://a.example/">',
    )
    expect(holes('<a href="{{x | default: "/"}}">')).toEqual({ missing: [], unformattable: [] })
    expect(render('<a href="{{x | default: "javascript:1"}}">', {})).toBe('<a href="">')
    expect(() => render('<a href="{{x}}">', values.custom_attributes, { missing: 'error' })).toThrow(
      expect.objectContaining({ code: 'MISSING_VALUE' }),
    )
  })
})

/** A template with a tag at an unsafe place, and the one that its remedy leads to. */
const UNSAFE: [template: string, column: number, followed: string][] = [
  ['<p title={{x}}>', 10, '<p title="{{x}}">'],
  ['<p title=a{{x}}>', 11, '<p title="a{{x}}">'],
  ['<a href=/a/{{x}}>', 12, '<a href="/a/{{x}}">'],
  ['<style>{{x}}</style>', 8, '<p>{{x}}</p>'],
  ['<STYLE>p{}{{x}}</STYLE>', 11, '<p>{{x}}</p>'],
  ['<script>var a = "{{x}}"</script>', 18, '<p title="{{x}}">'],
  ['<script/>{{x}}</script>', 10, '<p>{{x}}</p>'],
  ['<!-- {{x}} -->', 6, '{{! note }}'],
  ['<!doctype {{x}}>', 11, '{{! note }}'],
  ['<?xml {{x}}?>', 7, '{{! note }}'],
  ['<![CDATA[{{x}}', 10, '{{! note }}'],
  ['<{{x}}>', 2, '&lt;{{x}}>'],
  ['<h{{x}}>', 3, '<h1>'],
  ['<st{{x}}>', 4, '<strong>'],
  ['</h{{x}}>', 4, '</h1>'],
  ['<p {{x}}>', 4, '<p {{#x}}hidden{{/x}}>'],
  ['<p a{{x}}="b">', 5, '<p a="b">'],
  ['<p a {{x}}>', 6, '<p a {{#x}}hidden{{/x}}>'],
  ['<p/{{x}}>', 4, '<p {{#x}}hidden{{/x}}>'],
  ['<p onclick="f({{x}})">', 15, '<p title="{{x}}">'],
  ['<p ONLOAD="{{x}}">', 12, '<p title="{{x}}">'],
  ['<p style="width:{{x}}px">', 17, '<p title="{{x}}">'],
  ['<iframe srcdoc="{{x}}">', 17, '<p title="{{x}}">'],
  ['<img srcset="{{x}} 2x">', 14, '<img src="{{x}}">'],
  ['<link imagesrcset="/a{{x}} 2x">', 22, '<img src="/a{{x}}">'],
  ['<a ping="{{x}}">', 10, '<a href="{{x}}">'],
  ['<meta http-equiv="refresh" content="0;url={{x}}">', 43, '<p title="{{x}}">'],
  ['<meta charset="{{x}}">', 16, '<p title="{{x}}">'],
  ['<script type="{{x}}">1</script>', 15, '<p title="{{x}}">'],
  ['<link rel="{{x}}" href="/a.css">', 12, '<p title="{{x}}">'],
  ['<img data-srcset="{{x}}">', 19, '<img data-src="{{x}}">'],
  ['<base href="{{x}}">', 13, '<base href="https://example.com/">'],
  ['<script src="{{x}}"></script>', 14, '<script src="https://example.com/{{x}}"></script>'],
  ['<a href="javascript:f({{x}})">', 23, '<a href="https://example.com/{{x}}">'],
  ['<a href=" java&#115;cript:{{x}}">', 27, '<a href="https://example.com/{{x}}">'],
  ['<a href="data:text/html,{{x}}">', 25, '<a href="https://example.com/{{x}}">'],
  ['<a href="https://{{x}}/">', 18, '<a href="https://example.com/{{x}}/">'],
  ['<a href="https://example.com{{x}}">', 29, '<a href="https://example.com/{{x}}">'],
  ['<a href="//{{x}}/">', 12, '<a href="{{x}}">'],
  ['<a href="{{x}}:{{y}}">', 10, '<a href="{{x}}">'],
  ['<a href="java{{x}}:1">', 14, '<a href="{{x}}">'],
  ['<a href="{{x}}{{y}}">', 15, '<a href="{{x}}/{{y}}">'],
  ['<a href="/a?b&#{{x}}">', 16, '<a href="/a?b&amp;#{{x}}">'],
  ['<svg><animate attributeName="href" to="{{x}}">', 40, '<p title="{{x}}">'],
  ['<svg><title><a href="{{x}}">', 22, '<p title="{{x}}">'],
  ['<a hr{{! c }}ef="javascript:{{x}}">', 29, '<a href="https://example.com/{{x}}">'],
  ['<p o{{#a}}n{{/a}}click="{{x}}">', 5, '<p title="{{x}}">'],
  ['<a href="{{#a}}{{x}}{{/a}}{{y}}">', 27, '<a href="{{#a}}{{x}}{{else}}{{y}}{{/a}}">'],
]

describe('where no escaping makes a value safe', () => {
  test.each(UNSAFE)('%s', (template, column, followed) => {
    const faults = faultsOf(template)
    expect(faults[0]).toMatchObject({ code: 'UNSAFE_TAG_POSITION', details: { line: 1, column } })
    expect(faults[0]!.message).toMatch(/\. [A-Z].*\.$/)
    expect(() => render(template, { x: 'x' })).toThrow(expect.objectContaining({ code: 'UNSAFE_TAG_POSITION' }))
    expect(faultsOf(followed)).toEqual([])
    expect(faultsOf(template, { allowUnescaped: true })).toEqual([])
  })

  it('with allowUnescaped the value is escaped as in text', () => {
    expect(render('<style>{{x}}</style>', { x: '</style>' }, { allowUnescaped: true })).toBe(
      '<style>&lt;/style&gt;</style>',
    )
  })

  it('says the line, one problem for each tag', () => {
    const found = faultsOf('<p>\n<b style="{{x}}"\n {{y}}>{{z}}').map(({ details }) => [details.line, details.column])
    expect(found).toEqual([
      [2, 11],
      [3, 2],
    ])
  })
})

describe('sections', () => {
  test.each([
    ['{{#a}}<p title="{{/a}}', 1],
    ['<p title="{{#a}}">{{/a}}', 11],
    ['<p {{#a}}title="x{{/a}}">', 4],
    ['<p>{{#a}}<!--{{/a}}-->', 4],
    ['{{#a}}<script>{{else}}<style>{{/a}}', 1],
    ['{{#a}}<script>{{/a}}', 1],
    ['<p title={{#a}}"b"{{/a}}>', 10],
    ['<p{{#a}} title="b"{{/a}}x>', 3],
    ['<input{{#a}} value{{/a}}="b">', 7],
    ['{{#a}}<!--[if mso]>{{/a}}<p><![endif]-->', 1],
    ['{{^a}}<a href="{{/a}}', 1],
  ])('%s ends in different places', (template, column) => {
    expect(faultsOf(template)).toMatchObject([{ code: 'UNSAFE_TAG_POSITION', details: { line: 1, column } }])
    expect(faultsOf(template, { allowUnescaped: true })).toEqual([])
  })

  test.each([
    '{{#a}}<p title="{{x}}">{{else}}<b>{{/a}}',
    '<p title="{{#a}}b{{else}}{{x}}{{/a}}">',
    '<p {{#a}}title="{{x}}"{{/a}} {{^a}}class="b"{{/a}}>',
    '<p{{#a}} title="{{x}}"{{/a}}{{^a}} class="b"{{/a}}>',
    '<p {{#a}}hidden{{else}}checked{{/a}} title="{{x}}">',
    '<p{{#a}}{{#b}} title="{{x}}"{{/b}}{{else}} lang="de"{{/a}} class="a">',
    '<p{{#a}}{{#b}} title="{{x}}"{{/b}}{{/a}}>',
    '<style>{{#a}}p { color: red }{{/a}}</style>',
    '<!-- {{#a}} note {{/a}} -->',
    '<table>{{#a}}<tr><td>{{x}}</td></tr>{{/a}}</table>',
    '<a href="{{#a}}https://a.example/{{else}}https://b.example/{{/a}}?e={{x}}">',
    '<a href="https://a.example/{{#a}}p{{/a}}?e={{x}}">',
  ])('%s is sound', (template) => {
    expect(faultsOf(template)).toEqual([])
  })
})

/** Of what mjml 4 makes of a newsletter with a column, a button and an image. */
const MJML = `<!doctype html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
  <head>
    <title>{{subject}}</title>
    <!--[if !mso]><!-->
    <meta http-equiv="X-UA-Compatible" content="IE=edge">
    <!--<![endif]-->
    <style type="text/css">
      #outlook a { padding:0; }
    </style>
    <!--[if mso]>
    <noscript>
    <xml>
    <o:OfficeDocumentSettings>
      <o:AllowPNG/>
      <o:PixelsPerInch>96</o:PixelsPerInch>
    </o:OfficeDocumentSettings>
    </xml>
    </noscript>
    <![endif]-->
    <!--[if lte mso 11]>
    <style type="text/css">
      .mj-outlook-group-fix { width:100% !important; }
    </style>
    <![endif]-->
  </head>
  <body style="word-spacing:normal;">
    <div style="">
      <!--[if mso | IE]><table align="center" border="0" style="width:600px;" width="600" title="{{subject}}"><tr><td style="line-height:0px;"><![endif]-->
      <p>Hi {{first_name | default: "there"}}</p>
      {{#vip}}<!--[if mso]><p>{{first_name}}</p><![endif]-->{{/vip}}
      <!--[if mso]><v:roundrect href="https://shop.example/?e={{email}}" arcsize="10%"><center>{{plan}}</center></v:roundrect><![endif]-->
      <!--[if !mso]><!--><a href="https://shop.example/?e={{email}}">{{plan}}</a><!--<![endif]-->
      <![if !mso]><p>{{plan}}</p><![endif]>
      <!--[if mso | IE]></td></tr></table><![endif]-->
    </div>
  </body>
</html>`

describe('Outlook conditionals and mjml', () => {
  it('give no false alarm, and their links are escaped', () => {
    expect(inspectTemplate(MJML).problems).toEqual([])
    const html = renderTemplate(MJML, {
      email: 'a+b@c.example',
      first_name: '--><script>',
      custom_attributes: { vip: 1 },
    })
    expect(html.match(/e=a%2Bb%40c\.example/g)).toHaveLength(2)
    expect(html).toContain('<!--[if mso]><p>--&gt;&lt;script&gt;</p><![endif]-->')
  })

  test.each([
    ['<!--[if mso]><p style="{{x}}"><![endif]-->', 24],
    ['<!--[if mso]><a href={{x}}><![endif]-->', 22],
    ['<!--[if mso]><a href="{{x}}<![endif]--> <b title="">', 23],
    ['<!--[if mso]> <!-- {{x}} --> <![endif]-->', 20],
    ['<!--[if mso]><p title="<![endif]--><p {{x}}>', 39],
  ])('%s is told', (template, column) => {
    expect(faultsOf(template)).toMatchObject([{ code: 'UNSAFE_TAG_POSITION', details: { column } }])
  })
})

describe('the law', () => {
  const PIECES = [
    '<p>{{x}}</p>',
    '<p title="{{x}}">{{y}}</p>',
    "<i class='a {{x}}'>b</i>",
    '<a href="https://shop.example/?e={{x}}&amp;f={{y}}">c</a>',
    '<a href="/a/{{x}}/{{y}}#{{x}}">d</a>',
    '<a href="mailto:{{x}}?body={{y}}">e</a>',
    '<a href="page{{x}}{{y}}.html">e</a>',
    '<img src="//cdn.example/{{x}}.png" alt="{{y}}">',
    '<p {{#x}}title="{{x}}"{{/x}}>f</p>',
    '<textarea>{{x}}</textarea>',
    '<!--[if mso]><b title="{{x}}">{{y}}</b><![endif]-->',
    '{{#x}}<b>{{y}}</b>{{else}}<u>{{y}}</u>{{/x}}',
    '<a href="{{#x}}/a?b={{y}}{{else}}/c/{{y}}{{/x}}">g</a>',
  ]
  const hostile = fc
    .array(
      fc.oneof(
        fc.constantFrom(...PAYLOADS),
        fc.string({ unit: codePoint, maxLength: 6 }),
        fc.constantFrom(
          '<',
          '>',
          '"',
          "'",
          '&',
          '#',
          '/',
          '\\',
          ':',
          '@',
          '?',
          '%2f',
          '--',
          '-->',
          '=',
          '`',
          '\0',
          '.',
        ),
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => parts.join(''))
    .filter((value) => value.trim() !== '')
  const shapeOf = (html: string) =>
    elementsOf(html).map(({ tagName, attrs }) => [
      tagName,
      attrs.map(({ name, value }) => [name, name === 'href' || name === 'src' ? originOf(value) : '']),
    ])

  it('elements, attributes and origins are those of x for every value', async () => {
    const law = fc.property(
      fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 }),
      hostile,
      hostile,
      (pieces, x, y) => {
        const template = pieces.join('')
        expect(shapeOf(render(template, { x, y }))).toEqual(shapeOf(render(template, { x: 'x', y: 'x' })))
      },
    )
    await checkLaw('contexts', law, 5000, 100)
  })

  it('a whole URL is http, https, mailto, tel or relative, and breaks nothing', async () => {
    const law = fc.property(hostile, (x) => {
      const [link, ...others] = elementsOf(render('<a href="{{x}}">', { x }))
      expect(others).toEqual([])
      expect(link!.attrs.map(({ name }) => name)).toEqual(['href'])
      const origin = originOf(link!.attrs[0]!.value)
      expect(origin === 'no URL' || /^(?:https?|mailto|tel):/.test(origin)).toBe(true)
    })
    await checkLaw('whole URLs', law, 5000)
  })

  it('whatever the template: without a problem, no value adds an element or an attribute', async () => {
    const BITS =
      '<p |<a |title="|href="|href=\'|"|\'|>|</p>|<!--|-->|<style>|</style>|<title>|</title>|{{x}}|{{#y}}|{{else}}|{{/y}}|/|?|javascript:|https://a.example|x |<!--[if mso]>|<![endif]-->|&'
    const bits = fc.array(fc.constantFrom(...BITS.split('|'), '{{x}}', '{{x}}'), { maxLength: 12 })
    const law = fc.property(bits, hostile, fc.constantFrom('', '1'), (pieces, x, y) => {
      const template = pieces.join('')
      if (faultsOf(template).length > 0) return
      const names = (html: string) => elementsOf(html).map(({ tagName, attrs }) => [tagName, attrs.map((a) => a.name)])
      expect(names(render(template, { x, y }))).toEqual(names(render(template, { x: 'x', y })))
    })
    await checkLaw('any template', law, 20_000)
  })
})

it('nothing behind the first slash of a link begins no server', () => {
  for (const template of ['<a href="/{{x}}/y">', '<a href="/{{x|}}/y">', '<a href="/{{#x}}{{/x}}{{x}}/y">']) {
    for (const x of [undefined, null, '', ' ', '/', '..']) {
      expect(originOf(attributeOf(render(template, { x }), 'href')!)).toBe('https://base.example')
    }
  }
})

it('an empty fallback at the beginning of a link counts as missing for nobody', () => {
  expect(render('<a href="{{x|}}">', {}, { missing: 'error' })).toBe('<a href="">')
  expect(render('<a href="{{x|}}">', {}, { missing: 'keep' })).toBe('<a href="">')
})

it('the references 128 to 159 are read as those of windows-1252, in every runtime', () => {
  expect(render('{{x|&#146;&#128;&#x99;}}', {})).toBe('’€™')
})

import { describe, expect, it, test } from 'vitest'
import { inspectTemplate } from '../../src/template/inspect.js'
import { renderTemplate } from '../../src/template/render.js'

const errorsOf = (template: string) => inspectTemplate(template).problems.filter(({ severity }) => severity === 'error')
const render = (template: string, x: unknown) => renderTemplate(template, { custom_attributes: { x } })

describe('places that parsers read in different ways are refused', () => {
  test.each([
    '<!--[if !mso]><!--><style><!-- p{margin:0} -->a{color:{{x}}}</style><!--<![endif]-->',
    '<!--[if !mso]><!--><script>while(n-->0){} var a={{x}}</script><!--<![endif]-->',
    '<!--[if !mso]><!--><a onclick="n-->0;f({{x}})">y</a><!--<![endif]-->',
    `<!--[if mso]> --!><a onclick="--><b title='{{x}}'>">y</a>`,
    '<title></title/><img src=x onerror="{{x}}">',
    '<textarea></textarea/><img src=x onerror="{{x}}">',
    '<script><!-- <script> </script> {{x}} --></script>',
    `<svg><![CDATA[ > <a title="]]><img src=x onerror='{{x}}'> "></svg>`,
    '<svg><![CD{{! c}}ATA[><p onclick="]]>{{x}}"></svg>',
    '<svg><title><a onclick="</title>{{x}}">z</a></title></svg>',
    '<svg><svg></svg><title><a onclick="</title>{{x}}">z</a></title></svg>',
    '<svg><style><a onclick="</style>{{x}}">z</a></style></svg>',
    ...['iframe', 'noembed', 'noframes', 'noscript'].map(
      (name) => `<${name}><a title="</${name}><img src=x onerror='{{x}}'>">`,
    ),
    '<select><title><option onclick="</title>{{x}}">',
    '<a href="{{x}}&#58alert(1)">y</a>',
    '<a href="{{x}}&#00000058;alert(1)">y</a>',
    '<a href="{{x}}&#x000003a;alert(1)">y</a>',
    '<a href="java{{x}}&#58alert(1)">y</a>',
    '<a href="https&#58//{{x}}/">y</a>',
    '<a href="{{x}}&colo{{! c}}n;alert(1)">y</a>',
  ])('%s', (template) => {
    expect(errorsOf(template).map(({ code }) => code)).toContain('UNSAFE_TAG_POSITION')
  })
})

describe('what only resembles them is not', () => {
  test.each([
    '<!--[if !mso]><!--><p title="a-->b">{{x}}</p><!--<![endif]-->',
    '<!--[if mso]><table><tr><td><![endif]-->{{x}}<!--[if mso]></td></tr></table><![endif]-->',
    '<svg><title>Icon</title><path d="M0 0"/></svg><p>{{x}}</p>',
    '<noscript><img src="https://x.example/p.gif" alt=""></noscript><p>{{x}}</p>',
    '<select><option>a</option></select>{{x}}',
    '<script>var a = 1</script><p>{{x}}</p>',
    '<a href="https://x.example/?a=1&amp;b={{x}}">y</a>',
  ])('%s', (template) => {
    expect(errorsOf(template)).toEqual([])
  })

  it('a link behind such a comment is escaped as a link', () => {
    const template = '<!--[if !mso]><!--><a title="a-->b" href="{{x}}">y</a><!--<![endif]-->'
    expect(render(template, 'javascript:alert(1)')).toContain('href="#"')
  })
})

describe('a percent-encoded value', () => {
  it('leaves no folder, and begins no server', () => {
    expect(render('<a href="/a/{{x | url}}/b">', '..')).toBe('<a href="/a/#/b">')
    expect(render('<a href="/{{x | url}}/evil.com/">', null)).toBe('<a href="/./evil.com/">')
    expect(render('<a href="/{{x | replace: "a", "" | url}}/evil.com/">', 'a')).toBe('<a href="/./evil.com/">')
    expect(render('<a href="/{{x | url}}/b">', 'a/b')).toBe('<a href="/a%2Fb/b">')
  })
})

/** The demo's server: the library's HTTP API, one page, and what only this page needs. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Context, Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Sql } from 'postgres'
import {
  createCustomAttributesStore,
  isCustomAttributesError,
  type RejectedRow,
  rejectedRowsCsv,
} from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'

const CUSTOMERS_PER_PAGE = 25
const MOST_REJECTED_ROWS = 10_000

/** Makes the demo on a database that has the customer table and the migrations, those of the history and of suppressions, too. */
export async function createDemo(sql: Sql): Promise<Hono> {
  const store = createCustomAttributesStore(sql, { suppressions: true, optOut: { accepts_marketing: false } })
  const lastRejected = new Map<string, string>()
  const api = createHttpHandler(
    {
      ...store,
      // Attributes are put in order for everybody who has them.
      describeAttributes: (accountId, options) =>
        store.describeAttributes(accountId, { optedOut: 'include', ...options }),
      // A response holds the first hundred rejected rows; the file to mend has them all.
      async uploadCsv(accountId, csv, options) {
        const rows: RejectedRow[] = []
        const onRejected = (row: RejectedRow) => rows.length < MOST_REJECTED_ROWS && rows.push(row)
        const result = await store.uploadCsv(accountId, csv, { ...options, onRejected })
        rows.sort((a, b) => a.row - b.row)
        lastRejected.set(String(accountId), rejectedRowsCsv(result.headers, rows, { bom: true }))
        return result
      },
    },
    {
      authorize: isFromThisPage,
      allowDryRun: true,
      upload: { history: { keepRejected: true } },
      onError: (error) => console.error(error),
    },
  )

  const app = new Hono()
  app.use(
    secureHeaders({
      // A previewed message brings styles and pictures of its own, but never a script.
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:', 'https:'],
      },
    }),
  )
  for (const [path, { type, body }] of Object.entries(await readPage())) {
    app.get(path, (context) => context.body(body, 200, { 'content-type': type, 'cache-control': 'no-cache' }))
  }
  app.all('/api/accounts/*', (context) => api(context.req.raw))

  app.use('/demo/*', async (context, next) => {
    if (!isFromThisPage(context.req.raw)) return context.json({ error: 'Open the page itself.' }, 403)
    context.header('cache-control', 'no-store')
    return next()
  })
  app.get('/demo/customers', async (context) => {
    const after = context.req.query('after')
    for await (const customers of store.pageCustomers(accountOf(context), {
      audience: 'all',
      optedOut: 'include',
      pageSize: CUSTOMERS_PER_PAGE,
      after,
    })) {
      return context.json({ customers })
    }
    return context.json({ customers: [] })
  })
  app.get('/demo/rejected.csv', (context) =>
    context.body(lastRejected.get(accountOf(context)) ?? '', 200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="rejected-rows.csv"',
    }),
  )
  app.onError((error, context) => {
    if (isCustomAttributesError(error)) {
      const { message, code, details, status } = error
      return Response.json({ error: message, code, details }, { status })
    }
    console.error(error)
    return context.json({ error: 'Something went wrong on the server.', code: 'INTERNAL_ERROR', details: {} }, 500)
  })
  return app
}

/** Nobody signs in here; that other sites' pages cannot send requests is all there is to check. */
function isFromThisPage(request: Request): boolean {
  return request.headers.get('sec-fetch-site') === 'same-origin'
}

function accountOf(context: Context): string {
  return context.req.query('account') ?? ''
}

/** The files of the page, by path. Its script is bundled here, with the library's pure functions. */
async function readPage(): Promise<Record<string, { type: string; body: string }>> {
  const file = (name: string) => new URL(name, import.meta.url)
  const bundle = await build({
    entryPoints: [fileURLToPath(file('page/app.ts'))],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  })
  return {
    '/': { type: 'text/html; charset=utf-8', body: await readFile(file('page/index.html'), 'utf8') },
    '/style.css': { type: 'text/css; charset=utf-8', body: await readFile(file('page/style.css'), 'utf8') },
    '/app.js': { type: 'text/javascript; charset=utf-8', body: bundle.outputFiles[0]!.text },
    '/customers.csv': { type: 'text/csv; charset=utf-8', body: await readFile(file('../data/customers.csv'), 'utf8') },
  }
}

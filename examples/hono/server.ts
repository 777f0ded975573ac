/** The HTTP API in a Hono application: `DATABASE_URL=… API_TOKEN=… node --import tsx examples/hono/server.ts` */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'

const { DATABASE_URL, API_TOKEN, PORT = '3000' } = process.env
if (!DATABASE_URL || !API_TOKEN) throw new Error('Set DATABASE_URL and API_TOKEN.')

const handler = createHttpHandler(createCustomAttributesStore(postgres(DATABASE_URL)), {
  // Ask your own sessions here: may whoever sent the request do this in this account?
  authorize: (request) => request.headers.get('authorization') === `Bearer ${API_TOKEN}`,
  onError: (error) => console.error(error),
})

const app = new Hono()
app.all('/api/accounts/*', (context) => handler(context.req.raw))

serve(
  {
    fetch: app.fetch,
    port: Number(PORT),
    // Node cuts requests after five minutes; a large file on a slow line takes longer. Those that stand still, the
    // handler's idleTimeout ends.
    serverOptions: { requestTimeout: 3_600_000 },
  },
  ({ port }) => console.log(`http://localhost:${port}`),
)

/** The HTTP API in an Express application: `DATABASE_URL=… API_TOKEN=… node --import tsx examples/express/server.ts` */
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import express from 'express'
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

const app = express()
// Before express.json() and other readers of bodies: the handler streams them.
app.all('/api/accounts/*path', getRequestListener(handler, { overrideGlobalObjects: false }))

const server = app.listen(Number(PORT), () => {
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`)
})
// Node cuts requests after five minutes; a large file on a slow line takes longer. Those that stand still, the
// handler's idleTimeout ends.
server.requestTimeout = 3_600_000

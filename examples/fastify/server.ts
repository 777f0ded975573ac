/** The HTTP API in a Fastify application: `DATABASE_URL=… API_TOKEN=… node --import tsx examples/fastify/server.ts` */
import { getRequestListener } from '@hono/node-server'
import fastify from 'fastify'
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
const listener = getRequestListener(handler, { overrideGlobalObjects: false })

const app = fastify()
app.register(async (api) => {
  // In this scope bodies are left unread: the handler streams them.
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('*', (_request, _payload, done) => done(null))
  api.all('/api/accounts/*', (request, reply) => {
    reply.hijack()
    return listener(request.raw, reply.raw)
  })
})

console.log(await app.listen({ port: Number(PORT) }))

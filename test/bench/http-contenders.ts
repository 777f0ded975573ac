// A server with the HTTP API, or a process that calls uploadCsv: what the HTTP benchmark compares.
import { createReadStream } from 'node:fs'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'
import { peakMemory } from '../support/peak-memory.js'

const [kind, url] = process.argv.slice(2)
const store = createCustomAttributesStore(postgres(url!, { onnotice: () => {} }))
const usage = () => {
  const { userCPUTime, systemCPUTime } = process.resourceUsage()
  return { peak: peakMemory(), cpuMs: (userCPUTime + systemCPUTime) / 1000 }
}

if (kind === 'server') {
  const handler = createHttpHandler(store, { authorize: () => true })
  const app = new Hono().all('/api/*', (context) => handler(context.req.raw))
  serve({ fetch: app.fetch, port: 0 }, ({ port }) => process.send!({ port }))
  process.on('message', () => process.send!(usage()))
} else {
  process.on('message', async ({ accountId, file }: { accountId: string; file: string }) => {
    const before = usage()
    const started = performance.now()
    const { customersCreated } = await store.uploadCsv(accountId, createReadStream(file))
    process.send!({ ms: performance.now() - started, customersCreated, before, after: usage() })
  })
  process.send!({})
}

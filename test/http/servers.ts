import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, getRequestListener } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

export type Handler = (request: Request) => Promise<Response>

/** A server that runs a handler. */
export interface TestServer {
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** where it listens; a handler in the test's own process has no port */
  port?: number
  /** whether it has seen the connection from a client's port come and go */
  hasLost(clientPort: number): boolean
  /** forgets the connections that are gone, whose ports may come again */
  forgetLost(): void
  close(): Promise<void>
}

export type StartServer = (handler: Handler) => Promise<TestServer>

/** No server at all: requests are objects. */
export const startInProcess: StartServer = async (handler) => ({
  fetch: (path, init) => handler(new Request(new URL(path, 'http://in.process'), init)),
  hasLost: () => false,
  forgetLost: () => {},
  close: async () => {},
})

export const startHono: StartServer = async (handler) => {
  const app = new Hono()
  app.all('/api/*', (context) => handler(context.req.raw))
  return listen(createAdaptorServer({ fetch: app.fetch }) as Server)
}

export const startExpress: StartServer = async (handler) => {
  const app = express()
  app.all('/api/*path', getRequestListener(handler, { overrideGlobalObjects: false }))
  return listen(createServer(app))
}

export const startFastify: StartServer = async (handler) => {
  const app = fastify()
  const listener = getRequestListener(handler, { overrideGlobalObjects: false })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/api/*', (request, reply) => {
    reply.hijack()
    return listener(request.raw, reply.raw)
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return serverAt(app.server, () => app.close())
}

async function listen(server: Server): Promise<TestServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return serverAt(server, () => new Promise((resolve) => server.close(() => resolve())))
}

function serverAt(server: Server, close: () => Promise<void>): TestServer {
  const { port } = server.address() as AddressInfo
  const lost = new Set<number>()
  server.on('connection', (socket) => {
    const { remotePort } = socket
    socket.once('close', () => lost.add(remotePort!))
  })
  return {
    hasLost: (clientPort) => lost.has(clientPort),
    forgetLost: () => lost.clear(),
    fetch: (path, init) => fetch(`http://127.0.0.1:${port}${path}`, init),
    port,
    close: async () => {
      server.closeAllConnections()
      await close()
    },
  }
}

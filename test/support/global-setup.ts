import { relative } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPgBouncer } from './pgbouncer.js'
import { startPostgres } from './postgres-server.js'
import { createTemplate } from './template-database.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of the test server whose user may create others. */
    serverUrl: string
    /** The name of a database with the reference customer table and the migrations, for others to be copied from. */
    templateDatabase: string
    /** A pooler in front of that server, for the clients of stores; empty when there is none. */
    poolerUrl: string
    /** Whether that server is the coordinator of a cluster of Citus. */
    hasCitus: boolean
  }
}

/** Tests of pure functions, and of the package's own text. */
const needsNoServer = /^test\/(pure\/|package\/(layers|public-types|pure-entry|public-api)\.test\.ts$)/

export default async function setUp(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const files = project.vitest.state.getPaths().map((path) => relative(project.config.root, path).replaceAll('\\', '/'))
  if (files.every((file) => needsNoServer.test(file))) return undefined
  const server = await startPostgres().catch((error: Error) => {
    // The runner itself would first say that it found no tests.
    console.log(`test database: none. ${error.message}`)
    throw error
  })
  console.log(`test database: ${server.description}`)
  project.provide('serverUrl', server.url)
  project.provide('hasCitus', server.hasCitus)
  const template = await createTemplate(server.url)
  project.provide('templateDatabase', template.name)
  const pooler = process.env.TEST_CLIENT?.startsWith('PgBouncer') ? await startPgBouncer(server.url, 2) : undefined
  if (pooler) console.log(`through ${pooler.description}`)
  project.provide('poolerUrl', pooler?.url ?? '')
  return async () => {
    await pooler?.stop()
    await template.drop()
    await server.stop()
  }
}

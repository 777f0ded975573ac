import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of the test server whose user may create others. */
    serverUrl: string
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const server = await startPostgres().catch((error: Error) => {
    // The runner itself would first say that it found no tests.
    console.log(`test database: none. ${error.message}`)
    throw error
  })
  console.log(`test database: ${server.description}`)
  project.provide('serverUrl', server.url)
  return server.stop
}

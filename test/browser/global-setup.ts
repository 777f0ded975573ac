import type { TestProject } from 'vitest/node'
import { removeFolder, startDemo } from './demo-process.js'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The address of the demo. */
    demoUrl: string
  }
}

export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const demo = await startDemo()
  project.provide('demoUrl', demo.url)
  return async () => {
    await demo.interrupt()
    await removeFolder(demo.folder)
  }
}

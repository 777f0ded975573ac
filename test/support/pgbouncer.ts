import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { freePort, unprivilegedUser } from './embedded-postgres.js'

/**
 * Starts the PgBouncer of this system (`pgbouncer` in the path) in front of a server, in transaction mode: a connection
 * is lent for one transaction, and every session setting is lost after it.
 *
 * @param serverUrl - the server behind it
 * @param poolSize - connections to the server, for each database
 */
export async function startPgBouncer(
  serverUrl: string,
  poolSize: number,
): Promise<{ url: string; description: string; stop(): Promise<void> }> {
  const { stdout } = await promisify(execFile)('pgbouncer', ['--version'])
  const folder = await mkdtemp(join(tmpdir(), 'pgbouncer-'))
  await chmod(folder, 0o755)
  const server = new URL(serverUrl)
  const port = await freePort()
  const config = join(folder, 'pgbouncer.ini')
  await writeFile(
    config,
    `[databases]
* = host=${server.hostname} port=${server.port} user=${server.username} password=${server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 1000
`,
  )
  const pooler = spawn('pgbouncer', [config], { ...(await unprivilegedUser()), stdio: 'ignore' })
  const exited = once(pooler, 'exit')
  const stop = async (): Promise<void> => {
    pooler.kill('SIGINT')
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  const url = `postgres://${server.username}@127.0.0.1:${port}${server.pathname}`
  const sql = postgres(url, { max: 1, prepare: false, fetch_types: false, backoff: () => 0.05 })
  try {
    for (let tries = 1; ; tries++) {
      try {
        await sql`select 1`
        break
      } catch (error) {
        if (tries === 1_200 || pooler.exitCode !== null) throw new Error('PgBouncer did not start.', { cause: error })
        await sleep(50)
      }
    }
  } catch (error) {
    await stop()
    throw error
  } finally {
    await sql.end()
  }
  return { url, description: `${stdout.split('\n')[0]} in transaction mode with a pool of ${poolSize}`, stop }
}

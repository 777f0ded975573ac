import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The demo, started as a person starts it. */
export interface DemoProcess {
  /** the address that it printed */
  url: string
  /** where it may leave temporary files */
  folder: string
  /** sends Ctrl-C; resolves when the process is gone */
  interrupt(): Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>
}

export async function startDemo(): Promise<DemoProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'demo-'))
  // PostgreSQL may run as another user, who must get through.
  await chmod(folder, 0o755)
  const script = fileURLToPath(new URL('../../examples/demo/start.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    env: { ...process.env, PORT: '0', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      const address = /http:\S+/.exec(stdout)?.[0]
      if (address) resolve(address)
    })
    void exited.then(() => reject(new Error(`The demo ended before it printed its address:\n${stdout}${stderr}`)))
  })
  return {
    url,
    folder,
    async interrupt() {
      child.kill('SIGINT')
      const [code, signal] = await exited
      return { code, signal, stderr }
    },
  }
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })

// All benchmarks, then the page: npm run bench; parts of them: npm run bench -- templates. In pieces, by the commands in their
// first lines.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { record } from './results.js'
import { describeMachine } from './setting.js'

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function run(name: string, ...args: readonly string[]): Promise<void> {
  console.log(`\n# ${[name, ...args].join(' ')}`)
  const [code] = await once(
    spawn(process.execPath, ['--import', 'tsx', path(name), ...args], { stdio: 'inherit' }),
    'exit',
  )
  if (code !== 0) throw new Error(`${name} ended with ${code}`)
}

/** The templates' benchmark prints for people; its lines of times are a table each. */
async function runTemplates(): Promise<void> {
  console.log('\n# templates.ts')
  const args = ['--import', 'tsx', path('templates.ts')]
  // It ends with 1 when a goal is missed, which is a result too.
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error) => error as { stdout: string })
  console.log(stdout)
  const [versions = ''] = /^mustache .*$/m.exec(stdout) ?? []
  for (const part of stdout.split(/\n\n/)) {
    const [title, ...lines] = part.trim().split('\n')
    const timed = lines.flatMap((line) => {
      const [, name, time, factor = ''] =
        /^ {2}(.+?) {2,}(\d+) ns\s*(?:this library: ([\d.]+) times as fast)?/.exec(line) ?? []
      return name && time ? [[name.trim(), `${time} ns`, factor]] : []
    })
    if (!title || timed.length === 0) continue
    const [what = '', how = ''] = title.split(': ')
    await record({
      name: `templates ${what.includes('subject') ? 2 : 1}`,
      title: what,
      setting: `${describeMachine()}, ${versions}; ${how}`,
      head: ['', 'time of a message', 'this library is as fast, times'],
      rows: timed,
    })
  }
}

/** The parts, in their order; those that are named are run, or all. */
const PARTS: Record<string, () => Promise<void>> = {
  upload: () => run('upload.ts'),
  refused: () => run('refused.ts'),
  'event-loop': () => run('event-loop.ts'),
  templates: runTemplates,
  'mail-merge': () => run('mail-merge.ts'),
  export: () => run('export.ts'),
  attributes: () => run('attributes.ts'),
  audiences: () => run('audiences.ts'),
}
const wanted = process.argv.slice(2)
for (const [name, part] of Object.entries(PARTS)) if (wanted.length === 0 || wanted.includes(name)) await part()
await run('page.ts')

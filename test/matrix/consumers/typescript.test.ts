import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, inject, test } from 'vitest'
import { programOf, versionOf } from './uploads.js'

const USE = `
  import postgres from 'postgres'
  import { createCustomAttributesStore, isCustomAttributesError, type UploadResult } from 'postgres-custom-attributes'
  import { createHttpHandler } from 'postgres-custom-attributes/http'
  import { mapColumns } from 'postgres-custom-attributes/pure'
  const store = createCustomAttributesStore(postgres('', { max: 1 }))
  export const handler: (request: Request) => Promise<Response> = createHttpHandler(store, {
    authorize: (_request, { accountId, action }) => accountId !== '' && action !== 'render',
  })
  export async function use(file: File): Promise<UploadResult> {
    const result = await store.uploadCsv(1n, file, { existing: 'merge', onRejected: ({ line }) => line })
    for await (const sent of store.mailMerge('a', { subject: '{{tier}}' }, { audience: 'all' })) {
      if (sent.ok) sent.content.subject.toUpperCase()
    }
    return result
  }
  export const fields: readonly string[] = mapColumns(['email']).standard
  export const isOurs = (error: unknown): boolean => isCustomAttributesError(error, 'EMAIL_COLUMN_MISSING')
`
const WRONG = `${USE}
  export const wrong = store.uploadCsv(1, '', { existing: 'overwrite' })`

const COMPILERS = [
  [versionOf('typescript', 'project'), programOf('tsc', 'project')],
  [versionOf('typescript'), programOf('tsc')],
] as const

/** The file's ending decides whether it is ESM or CommonJS where the module kind leaves it open. */
const SETTINGS = [
  ['nodenext', 'nodenext', 'mts'],
  ['nodenext', 'nodenext', 'cts'],
  ['esnext', 'bundler', 'ts'],
  // TypeScript 5.9 takes commonjs with node10 alone, which knows no "exports"; node16 is its CommonJS of today.
  ['node16', 'node16', 'cts'],
  ['commonjs', 'bundler', 'cts'],
] as const

describe.each(COMPILERS)('TypeScript %s', (version, tsc) => {
  const settings = SETTINGS.filter(([module]) => module !== 'commonjs' || !version.startsWith('5.'))
  test.each(settings)('module %s, resolution %s, a .%s file', async (module, resolution, ending) => {
    const compile = async (name: string, text: string): Promise<string> => {
      await writeFile(join(inject('host'), `${name}.${ending}`), text)
      const flags = ['--strict', '--noEmit', '--skipLibCheck', 'false', '--target', 'es2022', '--types', 'node']
      const kind = ['--module', module, '--moduleResolution', resolution, '--pretty', 'false']
      const args = [...flags, ...kind, `${name}.${ending}`]
      const { stdout } = await promisify(execFile)(tsc, args, { cwd: inject('host') }).catch(
        (error: { stdout: string }) => error,
      )
      return stdout
    }
    expect(await compile('use', USE)).toBe('')
    expect(await compile('wrong', WRONG)).toMatch(/TS2322.*'"overwrite"' is not assignable/)
  })
})

import { execFile } from 'node:child_process'
import { copyFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, inject } from 'vitest'
import { createDatabase } from '../../support/database.js'

const run = promisify(execFile)

/** Where a program is from: test/matrix/package.json, or the project's. */
type Origin = 'matrix' | 'project'

const FOLDERS = { matrix: '../', project: '../../../' }

/** The version of an installed package. */
export function versionOf(name: string, from: Origin = 'matrix'): string {
  return createRequire(fileURLToPath(new URL(`${FOLDERS[from]}package.json`, import.meta.url)))(`${name}/package.json`)
    .version
}

/** The path of an installed program. */
export function programOf(name: string, from: Origin = 'matrix'): string {
  return fileURLToPath(new URL(`${FOLDERS[from]}node_modules/.bin/${name}`, import.meta.url))
}

/** The script upload.mjs, in the host's folder. */
export async function copyScript(): Promise<string> {
  const script = join(inject('host'), 'upload.mjs')
  await copyFile(new URL('upload.mjs', import.meta.url), script)
  return script
}

/** Runs the script, or a bundle of it, on a database of its own, and checks all that it did there. */
export async function expectUploads(program: string, args: readonly string[]): Promise<void> {
  const db = await createDatabase()
  try {
    const file = join(inject('host'), 'customers.csv')
    await writeFile(file, 'email,first_name,tier,city\nada@example.com,Ada,gold,\neve@example.com,,gold,Rome\n')
    const { stdout } = await run(program, [...args, db.url, file], { cwd: inject('host'), timeout: 60_000 })
    expect(JSON.parse(stdout)).toEqual({
      custom: ['Tier'],
      migrations: 2,
      string: '2 1 0 1',
      webStream: '2 0 1 1',
      fileStream: '2 1 1 0',
      blob: '2 0 1 1',
      tags: ['tier'],
      messages: expect.toSatisfy((list: string[]) => list.toSorted().join() === 'Hi Ada,Hi there'),
      aborted: 'ABORTED',
      error: 'EMAIL_COLUMN_MISSING true true',
      http: '200 1',
    })
    const stored =
      await db.sql`select email, city, custom_attributes ->> 'tier' as tier from customer.customer order by 1`
    expect([...stored]).toEqual([
      { email: 'ada@example.com', city: null, tier: 'gold' },
      { email: 'eve@example.com', city: 'Rome', tier: 'gold' },
    ])
  } finally {
    await db.drop()
  }
}

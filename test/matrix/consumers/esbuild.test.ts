import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, version } from 'esbuild'
import { describe, test } from 'vitest'
import { copyScript, expectUploads } from './uploads.js'

// The multipart parser of ./http is CommonJS and asks for Node's modules by `require`, which an ES module has not.
const WITH_REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)"

describe(`esbuild ${version}, a server's bundle`, () => {
  test.each([
    { format: 'esm', ending: 'mjs', banner: WITH_REQUIRE },
    { format: 'cjs', ending: 'cjs', banner: '' },
  ] as const)('as $format: uploads, mail merge, abort and the HTTP handler, without node_modules', async (kind) => {
    const { format, ending, banner } = kind
    const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
    try {
      const script = await copyScript()
      if (format === 'cjs') await awaitInFunction(script)
      const outfile = join(folder, `server.${ending}`)
      await build({
        entryPoints: [script],
        outfile,
        bundle: true,
        platform: 'node',
        target: 'node20',
        format,
        banner: { js: banner },
      })
      await expectUploads(process.execPath, [outfile])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

/** A script in CommonJS cannot await at its top level. */
async function awaitInFunction(script: string): Promise<void> {
  const [imports, body] = (await readFile(script, 'utf8')).split(/\n(?=const \[url)/)
  await writeFile(script, `${imports}\nasync function main() {\n${body}\n}\nmain()\n`)
}

import { readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { characterEntities } from 'character-entities'
import { defineConfig, type Options } from 'tsup'

const TOKENIZER = fileURLToPath(new URL('node_modules/htmlparser2/dist/esm/Tokenizer.js', import.meta.url))

/**
 * The table of character references as a module: the characters in order, each with how far it is from the one before (when
 * it is not the next) and with its names. Written out it would take 4 kB more of a browser bundle (compressed).
 */
function packReferences(): string {
  const namesOf = new Map<string, string[]>()
  for (const [name, characters] of Object.entries(characterEntities)) {
    namesOf.set(characters, [...(namesOf.get(characters) ?? []), name])
  }
  let last = 0
  const packed = [...namesOf]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([characters, names]) => {
      const [first, second] = [...characters].map((character) => character.codePointAt(0)!)
      const step = first! - last
      last = first!
      const from = step === 1 ? '' : step.toString(36)
      return `${second === undefined ? from : `${from}+${second.toString(36)}`}:${names.join(' ')}`
    })
  // Marked as pure, so that a bundle without templates leaves the table out.
  return `const unpack = (packed) => {
      const table = {}
      let last = 0
      for (const entry of packed.split(',')) {
        const [place, names] = entry.split(':')
        const [step, second] = place.split('+')
        last += step ? parseInt(step, 36) : 1
        const characters = String.fromCodePoint(last, ...(second ? [parseInt(second, 36)] : []))
        for (const name of names.split(' ')) table[name] = characters
      }
      return table
    }
    export const characterEntities = /* @__PURE__ */ unpack(${JSON.stringify(packed.join(','))})`
}

/**
 * The tokenizer with its enumerations as such, so that the bundler puts their numbers in their places, and without what reads
 * references, which it is told not to: 1 kB less.
 */
function trimTokenizer(source: string): string {
  const kept = source.replace(/^ {4}(?:reset|startEntity|emitCodePoint)\(.*?\n {4}\}\n/gms, '')
  return kept.replace(
    /^(?:export )?var (\w+);\n\(function \(\1\) \{([\s\S]*?)\n\}\)\(\1 \|\| \(\1 = \{\}\)\);/gm,
    (_, name: string, body: string) => {
      const members = [...body.matchAll(/\["(\w+)"\] = (\d+)\]/g)].map(([, member, value]) => `${member} = ${value}`)
      return `const enum ${name} { ${members.join(', ')} }`
    },
  )
}

const shared: Options = {
  target: 'node20',
  // As written: some runtimes know the modules of Node only by their full names.
  removeNodeProtocol: false,
  // The migrations are shipped as files and also stand in the bundle, so that a bundled server finds them.
  loader: { '.sql': 'text' },
  // Of htmlparser2 only the tokenizer is used, and its package exports it only together with its document model, which
  // would add 35 kB to every browser bundle. So the tokenizer becomes part of the library, without the table of character
  // references that it is told not to read; and so does the smaller table, which a require of Node 20.3 could not load.
  noExternal: ['htmlparser2', 'character-entities', 'entities'],
  esbuildPlugins: [
    {
      name: 'tokenizer and references',
      setup(build) {
        build.onResolve({ filter: /^htmlparser2$/ }, () => ({ path: 'htmlparser2', namespace: 'tokenizer' }))
        build.onResolve({ filter: /^entities\/decode$/ }, ({ importer }) =>
          importer === TOKENIZER ? { path: 'none', namespace: 'no-references' } : undefined,
        )
        build.onLoad({ filter: /./, namespace: 'no-references' }, () => ({
          contents:
            'export const htmlDecodeTree = undefined, xmlDecodeTree = undefined, DecodingMode = {}; export class EntityDecoder {}',
        }))
        build.onLoad({ filter: /htmlparser2\/dist\/esm\/Tokenizer\.js$/ }, async ({ path }) => ({
          contents: trimTokenizer(await readFile(path, 'utf8')),
          loader: 'ts',
        }))
        build.onLoad({ filter: /node_modules\/character-entities\/index\.js$/ }, () => ({ contents: packReferences() }))
        build.onLoad({ filter: /./, namespace: 'tokenizer' }, () => ({
          contents: `export { default as Tokenizer } from ${JSON.stringify(TOKENIZER)}`,
          resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        }))
      },
    },
  ],
}

const library: Options = {
  ...shared,
  entry: ['src/index.ts', 'src/pure.ts', 'src/http.ts'],
  format: ['esm', 'cjs'],
  // What they declare is checked by `npm run typecheck`: here it would take the build three times as long.
  dts: { compilerOptions: { noCheck: true } },
  sourcemap: true,
}

const command: Options = {
  ...shared,
  entry: { cli: 'src/cli/cli.ts' },
  format: 'esm',
  splitting: false,
  // Only the command needs them, so nobody has to install them; they are CommonJS, which requires the modules of Node.
  noExternal: [...shared.noExternal!, 'commander', 'cli-progress'],
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
  },
}

export default defineConfig(async () => {
  // Not by the option `clean`: one build would take the other's files away.
  await rm(new URL('dist', import.meta.url), { recursive: true, force: true })
  return [library, command]
})

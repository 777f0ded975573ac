import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { characterEntities } from 'character-entities'
import { defineConfig, type Options } from 'tsup'

const TOKENIZER = fileURLToPath(new URL('node_modules/htmlparser2/dist/esm/Tokenizer.js', import.meta.url))

/**
 * The table of character references as a module: the names in the order of their characters, and how far each is from the
 * one before. Written out it would take 4 kB more of a browser bundle (compressed).
 */
function packReferences(): string {
  const names = Object.keys(characterEntities).sort((a, b) => (characterEntities[a]! < characterEntities[b]! ? -1 : 1))
  let last = 0
  const steps = names.map((name) => {
    const [first, second] = [...characterEntities[name]!].map((character) => character.codePointAt(0)!)
    const step = first! - last
    last = first!
    return second === undefined ? step.toString(36) : `${step.toString(36)}+${second.toString(36)}`
  })
  // Marked as pure, so that a bundle without templates leaves the table out.
  return `const unpack = (names, steps) => {
      let last = 0
      return Object.fromEntries(steps.split(' ').map((step, at) => {
        const [first, second] = step.split('+').map((digits) => parseInt(digits, 36))
        last += first
        return [names[at], String.fromCodePoint(last, ...(second === undefined ? [] : [second]))]
      }))
    }
    export const characterEntities =
      /* @__PURE__ */ unpack(/* @__PURE__ */ ${JSON.stringify(names.join(' '))}.split(' '), ${JSON.stringify(steps.join(' '))})`
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
  dts: true,
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

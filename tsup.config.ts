import { fileURLToPath } from 'node:url'
import { defineConfig } from 'tsup'

const TOKENIZER = fileURLToPath(new URL('node_modules/htmlparser2/dist/esm/Tokenizer.js', import.meta.url))

export default defineConfig({
  entry: ['src/index.ts', 'src/pure.ts', 'src/http.ts'],
  format: ['esm', 'cjs'],
  target: 'node20',
  dts: true,
  clean: true,
  sourcemap: true,
  // As written: some runtimes know the modules of Node only by their full names.
  removeNodeProtocol: false,
  // The migrations are shipped as files and also stand in the bundle, so that a bundled server finds them.
  loader: { '.sql': 'text' },
  // Of htmlparser2 only the tokenizer is used, and its package exports it only together with its document model, which
  // would add 35 kB to every browser bundle. So the tokenizer becomes part of the library.
  noExternal: ['htmlparser2'],
  esbuildPlugins: [
    {
      name: 'tokenizer of htmlparser2',
      setup(build) {
        build.onResolve({ filter: /^htmlparser2$/ }, () => ({ path: 'htmlparser2', namespace: 'tokenizer' }))
        build.onLoad({ filter: /./, namespace: 'tokenizer' }, () => ({
          contents: `export { default as Tokenizer } from ${JSON.stringify(TOKENIZER)}`,
          resolveDir: fileURLToPath(new URL('.', import.meta.url)),
        }))
      },
    },
  ],
})

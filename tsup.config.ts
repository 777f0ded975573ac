import { defineConfig } from 'tsup'

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
})

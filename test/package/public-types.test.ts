import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))

/** What the emitted declarations declare, by name and without comments: the bundler's chunks and their names do not matter. */
function printDeclarations(ending: '.d.ts' | '.d.cts'): string {
  const printer = ts.createPrinter({ removeComments: true })
  const declarations = new Map<string, string>()
  for (const file of readdirSync(dist).filter((name) => name.endsWith(ending))) {
    const source = ts.createSourceFile(file, readFileSync(dist + file, 'utf8'), ts.ScriptTarget.Latest, true)
    for (const statement of source.statements) {
      if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) continue
      const text = printer.printNode(ts.EmitHint.Unspecified, statement, source)
      // What is not exported under a name of its own still decides what the exported ones take and give.
      declarations.set(
        text.replace(/^(?:export |declare )+/, '').replace(/^(?:type|interface|class|const|function) /, ''),
        text,
      )
    }
  }
  const sorted = [...declarations].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text)
  return `${sorted.join('\n\n')}\n`
}

// A difference is a change of the public API: it belongs into the CHANGELOG. `npx vitest run test/package/public-types
// --update` writes the new declarations into the file, whose diff shows the change.
it('the public declarations are those kept in public-types.d.ts.txt', async () => {
  await expect(printDeclarations('.d.ts')).toMatchFileSnapshot('public-types.d.ts.txt')
})

it('CommonJS declares the same', () => {
  expect(printDeclarations('.d.cts')).toBe(printDeclarations('.d.ts'))
})

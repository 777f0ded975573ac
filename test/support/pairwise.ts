/**
 * A table in which every two values of every two options stand together in some row: a few dozen rows instead of
 * thousands. Greedy: each row starts with a pair that no row has yet, and takes of every other option the value that
 * brings most further ones.
 */
export function pairwise<Options extends Record<string, readonly unknown[]>>(
  options: Options,
): { [Name in keyof Options]: Options[Name][number] }[] {
  const names = Object.keys(options)
  const key = (a: string, at: number, b: string, bt: number) =>
    a < b ? `${a} ${at} ${b} ${bt}` : `${b} ${bt} ${a} ${at}`
  const open = new Map<string, [string, number, string, number]>()
  for (const [index, a] of names.entries()) {
    for (const b of names.slice(index + 1)) {
      for (const at of options[a]!.keys())
        for (const bt of options[b]!.keys()) open.set(key(a, at, b, bt), [a, at, b, bt])
    }
  }
  const table: Record<string, unknown>[] = []
  for (const [a, at, b, bt] of open.values()) {
    const row = new Map([
      [a, at],
      [b, bt],
    ])
    for (const name of names) {
      if (row.has(name)) continue
      const gains = [...options[name]!.keys()].map(
        (value) => [...row].filter(([other, chosen]) => open.has(key(name, value, other, chosen))).length,
      )
      row.set(name, gains.indexOf(Math.max(...gains)))
    }
    for (const [one, chosen] of row) for (const [two, other] of row) open.delete(key(one, chosen, two, other))
    table.push(Object.fromEntries(names.map((name) => [name, options[name]![row.get(name)!]])))
  }
  return table as { [Name in keyof Options]: Options[Name][number] }[]
}

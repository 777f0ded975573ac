import { readFile } from 'node:fs/promises'

const FILES = [
  'reference/customer_table.sql',
  '0001_add_custom_attributes.up.sql',
  '0002_create_attribute_definitions.up.sql',
]

/** The SQL of the tables that the benchmarks use. */
export async function readSchemaSql(): Promise<string> {
  const texts = await Promise.all(FILES.map((file) => readFile(new URL(`../../sql/${file}`, import.meta.url), 'utf8')))
  return texts.join('\n')
}

/** The SQL of the index of pages. */
export function readPageIndexSql(): Promise<string> {
  return readFile(new URL('../../sql/0004_create_page_index.up.sql', import.meta.url), 'utf8')
}

import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import postgres from 'postgres'

/** The SQL of a fresh host: its customer table, then the migrations. */
export const SCHEMA_FILES = [
  'reference/customer_table.sql',
  '0001_add_custom_attributes.up.sql',
  '0002_create_attribute_definitions.up.sql',
] as const

/** The text of a file under `sql/`. */
export function readSql(file: string): Promise<string> {
  return readFile(new URL(`../../sql/${file}`, import.meta.url), 'utf8')
}

/**
 * The end of a `create database` that copies a template. By files, where the server knows how (15 and later; before, it knows
 * nothing else): page by page through its log takes more processor time.
 */
export async function copying(server: postgres.Sql, template: string): Promise<string> {
  const [row] = await server`select current_setting('server_version_num')::int >= 150000 as "canChoose"`
  return `template ${template}${row!.canChoose ? ' strategy file_copy' : ''}`
}

/** Makes the database with the migrated schema that those of the tests are copied from. */
export async function createTemplate(serverUrl: string): Promise<{ name: string; drop(): Promise<void> }> {
  const name = `test_template_${randomBytes(8).toString('hex')}`
  const run = async (url: URL, ...statements: string[]): Promise<void> => {
    const sql = postgres(url.href, { max: 1, onnotice: () => {} })
    for (const statement of statements) await sql.unsafe(statement).simple()
    await sql.end()
  }
  const server = new URL(serverUrl)
  await run(server, `create database ${name} template template0`)
  await run(
    Object.assign(new URL(serverUrl), { pathname: `/${name}` }),
    ...(await Promise.all(SCHEMA_FILES.map(readSql))),
  )
  return { name, drop: () => run(server, `drop database ${name}`) }
}

/**
 * What the processes that a test starts inherit: no database, no options of Node, and no certificates. Where NODE_EXTRA_CA_CERTS is
 * set, as behind a company's proxy, each start of Node 20 reads them all: two thirds of its time, for connections none of them opens.
 */
export function childEnvironment(own: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, NODE_OPTIONS: __, NODE_EXTRA_CA_CERTS: ___, ...inherited } = process.env
  return { ...inherited, ...own }
}

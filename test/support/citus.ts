import postgres from 'postgres'
import { readSql } from './database.js'

/** Where a node of the cluster answers. */
interface Node {
  host: string
  port: number
}

/** What makes and removes the databases of one name on all nodes of a cluster. */
export interface Cluster {
  /** Creates the database on the workers too, and makes them its nodes; the coordinator's is there already. */
  join(database: postgres.Sql, name: string, create: string): Promise<void>
  /** Drops the database everywhere. */
  drop(name: string): Promise<void>
}

/** The cluster of a coordinator, as the database that `serverUrl` names knows it. */
export async function findCluster(server: postgres.Sql, serverUrl: string): Promise<Cluster> {
  const nodes = await server<(Node & { isCoordinator: boolean })[]>`
    select nodename as host, nodeport as port, groupid = 0 as "isCoordinator" from pg_dist_node
    where noderole = 'primary' order by nodeid`
  const workers = nodes.filter(({ isCoordinator }) => !isCoordinator)
  const coordinator = nodes.find(({ isCoordinator }) => isCoordinator)
  if (!coordinator || workers.length === 0) throw new Error('TEST_DATABASE_URL names no coordinator with workers.')
  return {
    join: async (database, name, create) => {
      // Without it distributed tables take no triggers, with which tests make a host's rules, and faults.
      await server.unsafe(`alter database ${name} set citus.enable_unsafe_triggers = on`)
      await Promise.all(
        workers.map(async (worker) => {
          await onNode(serverUrl, worker, undefined, create)
          await onNode(serverUrl, worker, name, 'create extension citus')
        }),
      )
      await database.unsafe('create extension citus')
      await database`select citus_set_coordinator_host(${coordinator.host}, ${coordinator.port})`
      for (const { host, port } of workers) await database`select citus_add_node(${host}, ${port})`
    },
    drop: async (name) => {
      await onNode(serverUrl, undefined, undefined, dropSql(name))
      for (const worker of workers) await onNode(serverUrl, worker, undefined, dropSql(name))
    },
  }
}

/** Distributes the tables of a migrated database. */
export async function distribute(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(await readSql('citus/0003_distribute_by_account.up.sql')).simple()
}

function dropSql(name: string): string {
  return `drop database if exists ${name} with (force)`
}

async function onNode(serverUrl: string, node: Node | undefined, database: string | undefined, text: string) {
  const url = new URL(serverUrl)
  if (node) Object.assign(url, { hostname: node.host, port: String(node.port) })
  if (database) url.pathname = `/${database}`
  const sql = postgres(url.href, { max: 1, onnotice: () => {} })
  try {
    await sql.unsafe(text)
  } finally {
    await sql.end()
  }
}

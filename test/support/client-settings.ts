import postgres from 'postgres'

export type ClientOptions = postgres.Options<Record<string, postgres.PostgresType>>

/** A way in which hosts set the client that they give to the store. */
interface ClientSetting {
  options?: ClientOptions
  /** What is changed on a client that is there already. */
  change?(client: postgres.Sql): void
}

/** The settings under which the whole database suite is run, by the name that `TEST_CLIENT` gives. */
export const CLIENT_SETTINGS = {
  'as it comes': {},
  'transform: postgres.camel': { options: { transform: postgres.camel } },
  'types of its own': { options: { types: { bigint: postgres.BigInt } }, change: takeTypesAsDrizzleDoes },
  'prepare: false': { options: { prepare: false } },
  'fetch_types: false': { options: { fetch_types: false } },
  'max: 1': { options: { max: 1 } },
  // What a pooler that gives a connection to each transaction asks of its clients.
  'PgBouncer, pool of 2': { options: { prepare: false } },
} satisfies Record<string, ClientSetting>

/** The setting of this run. */
export function clientSetting(name = process.env.TEST_CLIENT ?? 'as it comes'): ClientSetting {
  const settings: Record<string, ClientSetting> = CLIENT_SETTINGS
  const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
  if (!setting) throw new Error(`TEST_CLIENT is ${name}; it may be ${Object.keys(settings).join(', ')}.`)
  return setting
}

/** Drizzle replaces the client's own functions for dates, intervals and json by ones that change nothing. */
function takeTypesAsDrizzleDoes({ options }: postgres.Sql): void {
  const asItIs = (value: unknown): unknown => value
  for (const type of ['1184', '1082', '1083', '1114', '1182', '1185', '1115', '1231', '114', '3802']) {
    Object.assign(options.parsers, { [type]: asItIs })
    Object.assign(options.serializers, { [type]: asItIs })
  }
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MIGRATION_OPTIONS, type MigrationOptions } from '../db/migrations.js'
import { isText, resolveOptions } from '../options.js'
import { STORE_OPTIONS, type StoreOptions } from '../store-options.js'
import { CommandError } from './report.js'

/** What a config file exports by default. */
export interface Config extends StoreOptions, Pick<MigrationOptions, 'accountIdType' | 'history' | 'pageIndex'> {
  databaseUrl?: string
}

const NAMES = ['js', 'mjs', 'ts'].map((ending) => `custom-attributes.config.${ending}`)

const { accountIdType, history, pageIndex } = MIGRATION_OPTIONS
const CONFIG_OPTIONS = { ...STORE_OPTIONS, accountIdType, history, pageIndex, databaseUrl: isText }

/**
 * Reads the config file: the one that is named, else the one of the working directory, else none.
 *
 * @throws CommandError, or CustomAttributesError `INVALID_OPTION`; both name the file
 */
export async function readConfig(named: string | undefined) {
  const file = named ?? NAMES.find((name) => existsSync(name))
  const exported = file === undefined ? {} : await load(file)
  return resolveOptions<Config, typeof CONFIG_OPTIONS>(file ?? 'config', CONFIG_OPTIONS, exported as Config)
}

async function load(file: string): Promise<unknown> {
  if (!existsSync(file)) throw new CommandError(`There is no config file ${file}.`)
  let module: { default?: unknown }
  try {
    module = await import(pathToFileURL(resolve(file)).href)
  } catch (error) {
    throw new CommandError(whyUnloaded(file, error), { cause: error })
  }
  // A TypeScript file that was made into CommonJS has its default export one deeper.
  const exported = isTranspiled(module.default) ? module.default.default : module.default
  if (exported === undefined) {
    throw new CommandError(`${file} has no default export. Export the options: export default { customerTable: '…' }`)
  }
  return exported
}

function isTranspiled(exported: unknown): exported is { default?: unknown } {
  return (exported as { __esModule?: unknown } | null | undefined)?.__esModule === true
}

function whyUnloaded(file: string, error: unknown): string {
  if ((error as { code?: unknown } | null)?.code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?ts$/.test(file)) {
    return (
      `${file} is TypeScript, which Node ${process.versions.node} does not load. Use Node 22.18 or later, write the file ` +
      'as custom-attributes.config.mjs, or install tsx and set NODE_OPTIONS="--import tsx" for this command.'
    )
  }
  return `${file} could not be loaded: ${error instanceof Error ? error.message : String(error)}`
}

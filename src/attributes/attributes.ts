import { stopIfAborted } from '../abort.js'
import { type Account, lockAccount } from '../db/accounts.js'
import {
  type AttributeChange,
  changeCustomers,
  countHaving,
  type KeptValue,
  readIdsHaving,
  renameDefinition,
} from '../db/attribute-changes.js'
import { readUnusedNames } from '../db/attribute-report.js'
import { deleteDefinitions, fieldNameFault, readAttributeNames } from '../db/definitions.js'
import type { TableShape } from '../db/table-shape.js'
import { inTransaction } from '../db/transaction.js'
import { CustomAttributesError } from '../errors.js'
import { attributeNameFault } from '../names.js'
import {
  isDate,
  isFlag,
  isObject,
  isSignal,
  LIMITS,
  type OptionRule,
  oneOf,
  resolveOptions,
  wholeNumber,
} from '../options.js'
import { isUnstorable } from '../rows.js'
import { renameInTemplate, usesName } from '../template/rename.js'
import { sizeProblem } from '../template/scanner.js'
import { resolveTemplateOptions, TEMPLATE_OPTIONS, type TemplateOptions } from '../template/template-options.js'

/** How a change of an attribute reaches the customers that have it. */
export interface AttributeChangeOptions {
  /**
   * Customers of one transaction. Without it all are changed in one, with the definition: all or nothing, and other writers
   * of the account wait until it ends. With it the definition and the first customers are changed in the first, the others
   * batch by batch; where that broke off, the same call goes on.
   */
  batchSize?: number
  /** Stops the work: before the first transaction commits nothing has changed. */
  signal?: AbortSignal
}

/** Options of `renameAttribute`. */
export interface RenameOptions extends AttributeChangeOptions, Pick<TemplateOptions, 'format'> {
  /** Which value a customer keeps that has both names, where the new one is an attribute already. Default: that is refused. */
  onConflict?: 'keep-target' | 'keep-source'
  /** Templates by ids of the host's: those that use the attribute come back rewritten. */
  templates?: Readonly<Record<string, string>>
}

/** What `renameAttribute` did. */
export interface RenameResult {
  customersChanged: number
  /** the customers that had both names */
  collisions: number
  /** the templates that use the attribute, with the new name in its tags and all else as it was */
  templates: Record<string, string>
}

/** Options of `removeAttribute`. */
export interface RemoveOptions extends AttributeChangeOptions, Pick<TemplateOptions, 'format'> {
  /** Templates by ids of the host's: the result says which use the attribute. */
  templates?: Readonly<Record<string, string>>
}

/** What `removeAttribute` did. */
export interface RemoveResult {
  customersChanged: number
  /** ids of the templates that use the attribute, whose tags will be empty */
  templates: string[]
}

/** Options of `pruneAttributes`: at least one of the first two; an attribute must meet all that are given. */
export interface PruneOptions extends AttributeChangeOptions {
  /** Attributes that no upload has had a value for since. */
  notSeenSince?: Date
  /** Attributes that no customer has. */
  withoutValues?: boolean
}

/** What `pruneAttributes` removed. */
export interface PruneResult {
  attributes: { name: string; customersChanged: number }[]
}

/** Texts by ids. */
export const areTemplates: OptionRule = (value) =>
  isObject(value) === undefined &&
  Object.values(value as object).every((text) => typeof text === 'string' && sizeProblem(text) === undefined)
    ? undefined
    : `an object of templates by their ids, each a text of at most ${LIMITS.maxTemplateBytes / 1024} KiB`

const CHANGE_OPTIONS = { batchSize: wholeNumber(1, 100_000), signal: isSignal }
const TEMPLATES_OPTIONS = { templates: areTemplates, format: TEMPLATE_OPTIONS.format }
const RENAME_OPTIONS = { ...CHANGE_OPTIONS, ...TEMPLATES_OPTIONS, onConflict: oneOf('keep-target', 'keep-source') }
const REMOVE_OPTIONS = { ...CHANGE_OPTIONS, ...TEMPLATES_OPTIONS }
const PRUNE_OPTIONS = { ...CHANGE_OPTIONS, notSeenSince: isDate, withoutValues: isFlag }

/** How many ids are read at once, to be changed batch by batch. */
const IDS_PER_STATEMENT = 20_000

/** Prepares `renameAttribute`: what is wrong with its arguments is thrown before anything is asked. */
export function prepareRename(from: string, to: string, given: RenameOptions | undefined) {
  const options = resolveOptions('renameAttribute', RENAME_OPTIONS, given)
  checkName('from', from)
  checkName('to', to)
  if (from === to) {
    throw new CustomAttributesError('INVALID_ARGUMENT', 'renameAttribute: from and to are the same name.', {
      argument: 'to',
    })
  }
  const run = async (account: Account): Promise<RenameResult> => {
    checkNewName(to, account.shape)
    const names = await readAttributeNames(account, options.signal)
    const keeps: KeptValue = options.onConflict === 'keep-source' ? 'source' : 'target'
    // What others write to the new name once it is there is newer than what is moved: only who had both has a choice.
    const change = { from, to, keeps: 'target' } as const
    let collisions = 0
    const customersChanged = await inBatches(account, change, options, async (tx) => {
      const known = await readAttributeNames(tx, options.signal)
      const isResumed = !known.includes(from)
      if (isResumed && !(known.includes(to) && (await countHaving(tx, [from], options.signal)) > 0))
        throw notFound(from)
      if (isResumed) return 0
      collisions = await countHaving(tx, [from, to], options.signal)
      if (options.onConflict === undefined && (known.includes(to) || collisions > 0)) throw exists(to, collisions)
      await renameDefinition(tx, from, to, options.signal)
      return collisions > 0 ? changeCustomers(tx, { from, to, keeps }, { alsoHaving: to }, options.signal) : 0
    })
    const known = [...account.shape.standardFields, ...new Set([...names, from])]
    const settings = templateSettings('renameAttribute', options, account)
    const rewritten = Object.entries(options.templates ?? {}).flatMap(([id, template]) => {
      const text = renameInTemplate(template, { names: known, from, fields: account.shape.catalogue }, to, settings)
      return text === undefined ? [] : [[id, text] as const]
    })
    return { customersChanged, collisions, templates: Object.fromEntries(rewritten) }
  }
  return { ...options, run }
}

/** Prepares `removeAttribute`. */
export function prepareRemove(name: string, given: RemoveOptions | undefined) {
  const options = resolveOptions('removeAttribute', REMOVE_OPTIONS, given)
  checkName('name', name)
  const run = async (account: Account): Promise<RemoveResult> => {
    const names = [...account.shape.standardFields, ...(await readAttributeNames(account, options.signal)), name]
    const customersChanged = await inBatches(account, { from: name }, options, async (tx) => {
      const removed = await deleteDefinitions(tx, [name], options.signal)
      if (removed.length === 0 && (await countHaving(tx, [name], options.signal)) === 0) throw notFound(name)
      return 0
    })
    const settings = templateSettings('removeAttribute', options, account)
    const uses = { names: [...new Set(names)], from: name, fields: account.shape.catalogue }
    const templates = Object.entries(options.templates ?? {})
    return {
      customersChanged,
      templates: templates.flatMap(([id, template]) => (usesName(template, uses, settings) ? [id] : [])),
    }
  }
  return { ...options, run }
}

/** Prepares `pruneAttributes`. */
export function preparePrune(given: PruneOptions) {
  const options = resolveOptions('pruneAttributes', PRUNE_OPTIONS, given)
  const { notSeenSince, withoutValues = false, signal } = options
  if (notSeenSince === undefined && !withoutValues) {
    throw new CustomAttributesError(
      'INVALID_OPTION',
      'pruneAttributes: say notSeenSince, withoutValues: true, or both. Without them it would remove every attribute.',
      { function: 'pruneAttributes', option: 'notSeenSince' },
    )
  }
  const run = async (account: Account): Promise<PruneResult> => {
    const which = { notSeenSince: notSeenSince?.toISOString(), withoutValues }
    const attributes = []
    for (const name of await readUnusedNames(account, which, signal)) {
      let isUnused = true
      const customersChanged = await inBatches(account, { from: name }, options, async (tx) => {
        // An upload may have had a value for it meanwhile.
        isUnused = (await readUnusedNames(tx, which, signal)).includes(name)
        if (!isUnused) return undefined
        await deleteDefinitions(tx, [name], signal)
        return 0
      })
      if (isUnused) attributes.push({ name, customersChanged })
    }
    return { attributes }
  }
  return { ...options, run }
}

/**
 * Changes the customers that have an attribute, after what comes first, in one transaction or in batches; each has the
 * account to itself.
 *
 * @param first - what the first transaction begins with; returns the customers that it changed, undefined to do no more
 */
async function inBatches(
  account: Account,
  change: AttributeChange,
  { batchSize, signal }: AttributeChangeOptions,
  first: (tx: Account) => Promise<number | undefined>,
): Promise<number> {
  const alone = <T>(work: (tx: Account) => Promise<T>) =>
    inTransaction(
      account.sql,
      async (sql) => {
        const tx = { ...account, sql }
        await lockAccount(tx, signal)
        return work(tx)
      },
      signal,
    )
  let changed = 0
  let goesOn = true
  await alone(async (tx) => {
    const done = await first(tx)
    goesOn = done !== undefined
    changed = done ?? 0
    if (goesOn && batchSize === undefined) changed += await changeCustomers(tx, change, {}, signal)
  })
  if (!goesOn || batchSize === undefined) return changed
  let after: string | null = null
  while (true) {
    const ids: string[] = await readIdsHaving(account, change.from, after, IDS_PER_STATEMENT, signal)
    for (let at = 0; at < ids.length; at += batchSize) {
      stopIfAborted(signal)
      const some = ids.slice(at, at + batchSize)
      changed += await alone((tx) => changeCustomers(tx, change, { ids: some }, signal))
    }
    if (ids.length < IDS_PER_STATEMENT) return changed
    after = ids.at(-1)!
  }
}

function templateSettings(call: string, { format }: Pick<TemplateOptions, 'format'>, { shape }: Account) {
  return resolveTemplateOptions(call, { ...(format ? { format } : {}), fields: shape.catalogue, allowUnescaped: true })
}

function checkNewName(to: string, shape: TableShape): void {
  const fault = attributeNameFault(to) ?? fieldNameFault(to, shape)
  if (fault === undefined) return
  throw new CustomAttributesError('INVALID_ATTRIBUTE_NAME', `to cannot be the name of a custom attribute: ${fault}.`, {
    argument: 'to',
    reason: fault,
  })
}

function checkName(argument: string, name: unknown): void {
  if (typeof name === 'string' && name !== '') {
    // No attribute has it, and PostgreSQL could not even be asked.
    if (isUnstorable(name)) throw notFound(name)
    return
  }
  throw new CustomAttributesError('INVALID_ARGUMENT', `${argument} must be the name of an attribute.`, { argument })
}

function notFound(name: string): CustomAttributesError {
  return new CustomAttributesError(
    'ATTRIBUTE_NOT_FOUND',
    `The account has no attribute ${JSON.stringify(name)}. getMergeTags lists those it has.`,
    { name },
  )
}

function exists(name: string, collisions: number): CustomAttributesError {
  return new CustomAttributesError(
    'ATTRIBUTE_EXISTS',
    `The account has an attribute ${JSON.stringify(name)} already, and ${collisions} ${collisions === 1 ? 'customer has' : 'customers have'} both. To make one of ` +
      "the two, say onConflict: 'keep-target' or 'keep-source'.",
    { name, collisions },
  )
}

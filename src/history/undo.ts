import { isDeepStrictEqual } from 'node:util'
import { type Account, lockAccount } from '../db/accounts.js'
import { readUnusedNames } from '../db/attribute-report.js'
import { isTransaction } from '../db/client.js'
import { deleteDefinitions, readAttributeNames, recordDefinitions } from '../db/definitions.js'
import { isDatabaseError } from '../db/failures.js'
import type { TableColumn } from '../db/table-catalogue.js'
import { checkNow, inTransaction } from '../db/transaction.js'
import type { HistoryTables } from '../db/upload-history.js'
import {
  deleteChanges,
  deleteCustomers,
  type JsonRow,
  lockCustomers,
  markUndone,
  readChanges,
  restoreCustomers,
  type UploadChange,
} from '../db/upload-undo.js'

/** What undoing an upload did. */
export interface UndoResult {
  /** customers that have back what they had */
  customersRestored: number
  /** customers that the upload created and nobody touched since: they are gone */
  customersRemoved: number
  /** customers that the upload created and that somebody changed, or refers to: they stay */
  customersKept: number
  /** values that somebody changed since, or by which the customer has opted out: they stay */
  valuesKept: number
  /** customers of the upload that are not there any more */
  customersGone: number
  /** attributes that the upload recorded first, and that nobody has now: they are gone */
  attributesRemoved: string[]
}

const CUSTOMERS_AT_ONCE = 1_000
const ROLL_BACK = Symbol('roll back')

/**
 * Gives back what an upload changed and nobody changed since, in one transaction that has the account to itself.
 *
 * @param upload - its id, and the attributes that it recorded first
 * @param maxCustomAttributes - no customer gets more back
 */
export async function undo(
  account: Account,
  tables: HistoryTables,
  upload: { id: string; newAttributes: readonly string[] },
  {
    dryRun,
    maxCustomAttributes,
    signal,
  }: { dryRun: boolean; maxCustomAttributes: number; signal?: AbortSignal | undefined },
): Promise<UndoResult> {
  const result: UndoResult = {
    customersRestored: 0,
    customersRemoved: 0,
    customersKept: 0,
    valuesKept: 0,
    customersGone: 0,
    attributesRemoved: [],
  }
  const work = async (tx: Account) => {
    await lockAccount(tx, signal)
    if (!(await markUndone(tx, tables, upload.id, signal))) return
    const givenBack = new Set<string>()
    for (let after: string | null = null; ; ) {
      const changes = await readChanges(tx, tables, upload.id, after, CUSTOMERS_AT_ONCE, signal)
      if (changes.size === 0) break
      await undoPage(tx, changes, result, givenBack, maxCustomAttributes, signal)
      after = [...changes.keys()].at(-1)!
    }
    // An attribute that the upload took away may have been removed for the account since.
    const known = new Set(await readAttributeNames(tx, signal))
    await recordDefinitions(
      tx,
      [...givenBack].filter((name) => !known.has(name)),
      signal,
    )
    await deleteChanges(tx, tables, upload.id, signal)
    const unused = await readUnusedNames(tx, { notSeenSince: undefined, withoutValues: true }, signal)
    result.attributesRemoved = upload.newAttributes.filter((name) => unused.includes(name))
    if (result.attributesRemoved.length > 0) await deleteDefinitions(tx, result.attributesRemoved, signal)
  }
  try {
    await inTransaction(
      account.sql,
      async (sql) => {
        // A deferred foreign key would refuse all at the end; a host's own transaction is its own.
        if (!isTransaction(account.sql)) await checkNow(sql, signal)
        await work({ ...account, sql })
        if (dryRun) throw ROLL_BACK
      },
      signal,
    )
  } catch (error) {
    if (error !== ROLL_BACK) throw error
  }
  return result
}

async function undoPage(
  tx: Account,
  changes: ReadonlyMap<string, readonly UploadChange[]>,
  result: UndoResult,
  givenBack: Set<string>,
  maxCustomAttributes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { shape } = tx
  const rows = await lockCustomers(tx, [...changes.keys()], signal)
  const attributesColumn = shape.columns.get('custom_attributes')!
  const stamps = ['created_at', 'updated_at'].flatMap((name) => shape.columns.get(name)?.name ?? [])
  const restored: { id: string; values: JsonRow }[] = []
  const removed: string[] = []
  const columns = new Map<string, TableColumn>()
  for (const [id, own] of changes) {
    const found = rows.get(id)
    if (found === undefined) {
      result.customersGone++
      continue
    }
    const { row, optedOut } = found
    const { values, isRemoved, isKept, valuesKept } = undoCustomer(row, own, {
      attributes: attributesColumn.name,
      stamps,
      optedOut,
      maxCustomAttributes,
    })
    result.valuesKept += valuesKept
    if (isRemoved) removed.push(id)
    else if (isKept) result.customersKept++
    if (isRemoved || Object.keys(values).length === 0) continue
    restored.push({ id, values })
    const had = row[attributesColumn.name] as JsonRow
    for (const name of Object.keys(values[attributesColumn.name] ?? {}))
      if (!Object.hasOwn(had, name)) givenBack.add(name)
    for (const name of Object.keys(values)) {
      const column = [...shape.columns.values()].find((candidate) => candidate.name === name)
      if (column) columns.set(name, column)
    }
  }
  result.customersRestored += await restoreCustomers(tx, restored, [...columns.values()], signal)
  const gone = await removeCustomers(tx, removed, signal)
  result.customersRemoved += gone
  result.customersKept += removed.length - gone
}

/** Deletes customers, and leaves those that something refers to. */
async function removeCustomers(tx: Account, ids: readonly string[], signal: AbortSignal | undefined): Promise<number> {
  if (ids.length === 0) return 0
  try {
    return await inTransaction(tx.sql, (sql) => deleteCustomers({ ...tx, sql }, ids, signal), signal)
  } catch (error) {
    if (!isReferredTo(error)) throw error
    if (ids.length === 1) return 0
    const middle = ids.length >> 1
    const first = await removeCustomers(tx, ids.slice(0, middle), signal)
    return first + (await removeCustomers(tx, ids.slice(middle), signal))
  }
}

/** Whether a foreign key, or a rule of the host, keeps a customer. */
function isReferredTo(error: unknown): boolean {
  return isDatabaseError(error) && /^(23|P0001)/.test(String((error as { code?: unknown }).code))
}

/** What becomes of one customer: its changes are taken back one after the other, the last first. */
export function undoCustomer(
  row: JsonRow,
  changes: readonly UploadChange[],
  {
    attributes,
    stamps,
    optedOut,
    maxCustomAttributes,
  }: { attributes: string; stamps: readonly string[]; optedOut: readonly string[]; maxCustomAttributes: number },
): { values: JsonRow; isRemoved: boolean; isKept: boolean; valuesKept: number } {
  const now: JsonRow = { ...row, [attributes]: { ...(row[attributes] as JsonRow) } }
  const own = now[attributes] as JsonRow
  // A value that somebody changed since stays, also where it happens to be what an earlier row of the upload said.
  const kept = { fields: new Set<string>(), attributes: new Set<string>() }
  let isRemoved = false
  let isKept = false
  for (const { before, after } of changes) {
    if (before === null) {
      const without = (whole: JsonRow) =>
        Object.fromEntries(Object.entries(whole).filter(([name]) => !stamps.includes(name)))
      const isUntouched = kept.fields.size + kept.attributes.size === 0
      isRemoved = isUntouched && isDeepStrictEqual(without(now), without(after))
      isKept = !isRemoved
      continue
    }
    for (const name of Object.keys(after)) {
      if (name === attributes || isDeepStrictEqual(before[name], after[name]) || kept.fields.has(name)) continue
      if (isDeepStrictEqual(now[name], after[name])) now[name] = before[name]
      else kept.fields.add(name)
    }
    const [had, got] = [before[attributes] as JsonRow, after[attributes] as JsonRow]
    for (const name of new Set([...Object.keys(had), ...Object.keys(got)])) {
      const [before, after, now] = [had, got, own].map((from) => (Object.hasOwn(from, name) ? from[name] : undefined))
      if (before === after || kept.attributes.has(name)) continue
      const isFull = now === undefined && Object.keys(own).length >= maxCustomAttributes
      if (now !== after || isFull) kept.attributes.add(name)
      else if (before === undefined) delete own[name]
      else own[name] = before
    }
  }
  // A customer that the upload made and somebody changed stays as it is, and not a half of it.
  if (isKept) return { values: {}, isRemoved, isKept, valuesKept: 0 }
  const changed = Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, row[name]))
  const values = Object.fromEntries(changed.filter(([name]) => !optedOut.includes(name)))
  for (const [name] of changed) if (optedOut.includes(name)) kept.fields.add(name)
  return { values, isRemoved, isKept, valuesKept: kept.fields.size + kept.attributes.size }
}

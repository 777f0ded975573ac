import { expect } from 'vitest'
import { type CustomAttributesError, type ErrorCode, isCustomAttributesError } from '../../src/errors.js'

/** The library's error that `run` throws; anything else, and nothing at all, fails the test. */
export function thrownBy(run: () => unknown): CustomAttributesError {
  try {
    run()
  } catch (error) {
    return ours(error)
  }
  return expect.unreachable('nothing was thrown')
}

/** The library's error with which a promise is rejected; anything else, and success, fails the test. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<CustomAttributesError> {
  let outcome: unknown
  try {
    outcome = await promise
  } catch (error) {
    return ours(error)
  }
  return expect.unreachable(`not rejected: ${JSON.stringify(outcome)}`)
}

/** The code of the library's error that `run` throws or is rejected with, or what it returns. */
export async function codeOr<T>(run: () => T | PromiseLike<T>): Promise<T | ErrorCode> {
  try {
    return await run()
  } catch (error) {
    return ours(error).code
  }
}

function ours(error: unknown): CustomAttributesError {
  if (isCustomAttributesError(error)) return error
  throw error
}
